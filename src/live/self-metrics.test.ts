import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { createRegistry, type CaptureHealth } from './self-metrics.js'

const HEALTH: CaptureHealth = {
  packets: 1,
  bytes: 2,
  kernelDrops: 3,
  interfaceDrops: 4,
  ringFreezes: 5,
  interfaceDownMs: 6500,
  clockSteps: 7,
  clockSynchronized: true,
  rtpPackets: 8,
  rtcpPackets: 9,
  sipMessages: 10,
  calls: 11,
  openCalls: 12,
  openStreams: 13,
  workerRestarts: 14,
  workerHoldUps: 15,
  load: 0.25,
  skipped: { not_ip: 16, bad_hep: 17 },
  evictions: { calls: 18 },
  sipUnreadable: { tls_connections: 19 },
  outputDropped: 20,
}

/** Every sample of the text that a scrape gets, by name and labels. */
async function scrape(health: CaptureHealth): Promise<Map<string, number>> {
  const text = await createRegistry(() => health).metrics()
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(
    lines.map((line) => {
      const [, name, value] = /^(\S+) (\S+)$/.exec(line) ?? []
      return [name, Number(value)]
    }),
  )
}

describe('the metrics of the probe', () => {
  it('show what it counts, each under its name', async () => {
    const samples = await scrape(HEALTH)
    for (const name of ['callprobe_heap_bytes', 'callprobe_resident_bytes']) {
      expect(samples.get(name)).toBeGreaterThan(1_000_000)
      samples.delete(name)
    }
    expect(Object.fromEntries(samples)).toEqual({
      callprobe_up: 1,
      callprobe_packets_total: 1,
      callprobe_bytes_total: 2,
      callprobe_kernel_drops_total: 3,
      callprobe_interface_drops_total: 4,
      callprobe_ring_freezes_total: 5,
      callprobe_interface_down_seconds_total: 6.5,
      callprobe_clock_steps_total: 7,
      callprobe_clock_synchronized: 1,
      callprobe_rtp_packets_total: 8,
      callprobe_rtcp_packets_total: 9,
      callprobe_sip_messages_total: 10,
      callprobe_calls_total: 11,
      callprobe_open_calls: 12,
      callprobe_open_streams: 13,
      callprobe_worker_restarts_total: 14,
      callprobe_worker_hold_ups_total: 15,
      callprobe_load_ratio: 0.25,
      'callprobe_skipped_packets_total{reason="not_ip"}': 16,
      'callprobe_skipped_packets_total{reason="bad_hep"}': 17,
      'callprobe_evictions_total{reason="calls"}': 18,
      'callprobe_sip_unreadable_total{reason="tls_connections"}': 19,
      callprobe_output_dropped_records_total: 20,
    })
  })

  it('follow what it counts, and forget nothing of what they said', async () => {
    let packets = 5
    const registry = createRegistry(() => ({ ...HEALTH, packets }))
    expect(await registry.metrics()).toMatch(/^callprobe_packets_total 5$/m)
    expect(await registry.metrics()).toMatch(/^callprobe_packets_total 5$/m)
    packets = 9
    expect(await registry.metrics()).toMatch(/^callprobe_packets_total 9$/m)
  })

  it('are those that the documentation lists, no more and no fewer', async () => {
    const page = readFileSync(new URL('../../docs/capture.md', import.meta.url), 'utf8')
    const section = page.slice(page.indexOf('## Metrics of the probe'))
    const rows = section.split('\n').filter((line) => line.startsWith('| `callprobe_'))
    const listed = rows.flatMap((row) => row.split('|')[1].match(/callprobe_\w+/g) ?? [])
    const served = [...(await scrape(HEALTH)).keys()].map((name) => name.replace(/\{.*/, ''))
    expect(listed.sort()).toEqual([...new Set(served)].sort())
  })
})
