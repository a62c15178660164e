import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { generateScenario } from '../src/generate/generate.js'
import { trunkCalls } from './helpers/alerts.js'
import { inNamespaces, LiveProbe, requireLive, until } from './helpers/live.js'
import { pcapOf } from './helpers/replay.js'

const scratch = mkdtempSync(join(tmpdir(), 'callprobe-alerts-live-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

/** A web receiver in a namespace: a line per alert, as it came. */
const RECEIVER = `
const fs = require('node:fs')
require('node:http').createServer((request, response) => {
  let body = ''
  request.on('data', (chunk) => (body += chunk))
  request.on('end', () => {
    fs.appendFileSync(process.argv[1], JSON.stringify({ alert: JSON.parse(body) }) + '\\n')
    response.end()
  })
}).listen(9999, '127.0.0.1')
`

interface Told {
  alert: { rule: string; state: string; path: string; time: string; alert_id: string }
}

describe.skipIf(!requireLive('tcpreplay'))('alerts of a live capture', () => {
  it(
    'are told within 2 s of the third burst, and stay open over a restart',
    { timeout: 180_000 },
    inNamespaces(async (namespaces) => {
      const capture = join(scratch, 'burst.pcap')
      const { packets } = generateScenario({
        seed: 2,
        calls: trunkCalls(4, {
          duration_s: 14,
          answer_delay_ms: 200,
          ring_delay_ms: 50,
          media: { from_caller: { jitter: { queueing: { every_s: 4, stall_ms: 200, drain_ms: 2 } } } },
        }),
      })
      writeFileSync(capture, pcapOf(packets))
      const told = join(scratch, 'told.ndjson')
      const state = join(scratch, 'state')
      const config = join(scratch, 'probe.yaml')
      const clearAfter = (seconds: number): void =>
        writeFileSync(
          config,
          `alerts:
  state_dir: ${state}
  rules: [{name: burst_jitter, clear_after_s: ${seconds}}]
  notifiers: [{name: hook, type: webhook, url: 'http://127.0.0.1:9999/'}]
`,
        )
      // Not before this process ends, however long the machine takes.
      clearAfter(3600)
      const wire = namespaces.wire()
      namespaces.start(wire, [process.execPath, '-e', RECEIVER, told])
      const output = join(scratch, 'live.ndjson')
      const args = ['-i', 'tap0', '--config', config, '--keep-privileges']
      const probe = await LiveProbe.start(namespaces, wire, output, args)
      await namespaces.replay(wire, capture)
      const alerts = (): Told[] =>
        existsSync(told)
          ? readFileSync(told, 'utf8')
              .trimEnd()
              .split('\n')
              .map((line): Told => JSON.parse(line))
          : []
      // A busy machine adds jitter of its own, and alerts about that: only this path is asked for.
      const path = '192.0.2.0/24 → 198.51.100.0/24'
      const find = (state: string): Told | undefined =>
        alerts().find(({ alert }) => alert.path === path && alert.state === state)
      await until(() => find('firing') !== undefined, 40_000)
      const first = find('firing')
      expect(first?.alert).toMatchObject({ rule: 'burst_jitter', path })
      expect(await probe.stop()).toBe(0)
      const written = probe.records().find((one) => one.type === 'alert' && one.path === path)
      expect(written).toMatchObject({ alert_id: first?.alert.alert_id, state: 'firing' })
      // By the kernel's time of the packets (stretches end with their last second): raised within 2 s of a burst.
      const raisedMs = Date.parse(first?.alert.time ?? '')
      const bursts = probe
        .calls()
        .flatMap((call) => call.media.from_caller?.burst_events ?? [])
        .map(({ start, end }) => [Date.parse(start), Date.parse(end)])
      expect(bursts.some(([startMs, endMs]) => startMs < raisedMs && raisedMs < endMs + 1500)).toBe(true)
      const earliest = Math.min(...bursts.map(([startMs]) => startMs))
      expect(raisedMs - earliest).toBeGreaterThan(2000)
      const kept: unknown = JSON.parse(readFileSync(join(state, 'alerts.json'), 'utf8'))
      expect(kept).toMatchObject({ version: 1, open: expect.anything() })
      expect(JSON.stringify(kept)).toContain(first?.alert.alert_id ?? 'none')

      // The next process ends it, when it has been calm.
      clearAfter(2)
      const again = await LiveProbe.start(namespaces, wire, join(scratch, 'again.ndjson'), args)
      await until(() => find('resolved') !== undefined, 90_000)
      expect(find('resolved')?.alert.alert_id).toBe(first?.alert.alert_id)
      expect(await again.stop()).toBe(0)
    }),
  )

  it(
    'change at SIGHUP: the log says what was taken over, and what waits for the next start',
    { timeout: 120_000 },
    inNamespaces(async (namespaces) => {
      const config = join(scratch, 'hup.yaml')
      const write = (alerts: string): void =>
        writeFileSync(config, `alerts: {rules: [{name: mos_drop, above: 40}]${alerts}}\n`)
      const wire = namespaces.wire()
      write('')
      const args = ['-i', 'tap0', '--config', config, '--keep-privileges']
      const probe = await LiveProbe.start(namespaces, wire, join(scratch, 'hup.ndjson'), args)
      const silences = ', silences: [{from: 2026-01-01T00:00:00Z, until: 2036-01-01T00:00:00Z}]'
      write(silences)
      probe.signal('SIGHUP')
      await probe.says(/changed: alerts\.silences\n/)
      expect(probe.log).not.toContain('next start')
      write(`${silences}, time_zone: Europe/Berlin, notifiers: [{name: a, type: syslog, host: 127.0.0.1}]`)
      probe.signal('SIGHUP')
      await probe.says(/changed: alerts\.notifiers\n/)
      await probe.says(/take effect at the next start: alerts\.time_zone\n/)
      expect(await probe.stop()).toBe(0)
    }),
  )
})
