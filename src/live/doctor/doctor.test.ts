import { describe, expect, it } from 'vitest'
import { openFiles } from '../../capture/open.js'
import type { ProbeRecord } from '../../calls/records.js'
import { DEFAULT_CONFIG } from '../../config/config.js'
import { Probe } from '../../pipeline/probe.js'
import type { Check } from './check.js'
import { checkInstallation } from './installation.js'
import { checkInterface, type InterfaceFacts } from './interface.js'
import { checkTraffic, type TrafficFacts } from './traffic.js'

const MIRROR_PORT: InterfaceFacts = {
  name: 'eth1',
  state: { index: 2, up: true, running: true, loopback: false, hardwareType: 1, mtu: 1500 },
  driver: {
    driver: 'ixgbe',
    features: { 'rx-gro': true, 'rx-lro': false },
    ringSize: 4096,
    ringMaximum: 4096,
  },
  speedMbps: 10_000,
  addresses: [],
  groFlushNs: 0,
}

/** Traffic as the replay of a fixture shows it; `only` keeps what one address sent. */
async function trafficOf(fixture: string, more: Partial<TrafficFacts> = {}): Promise<TrafficFacts> {
  const records: ProbeRecord[] = []
  const probe = new Probe(DEFAULT_CONFIG, 'kernel', (record) => records.push(record))
  const source = await openFiles([new URL(`../../../fixtures/${fixture}.pcap`, import.meta.url).pathname])
  for (let batch = await source.next(); batch !== null; batch = await source.next()) probe.onBatch(batch)
  for (const _ of probe.finish());
  return {
    ...{
      name: 'eth1',
      seconds: 10,
      counts: probe.counts(),
      records,
      zeroCopy: true,
      cutFrames: 0,
      clockApartMs: 15,
    },
    losses: { kernelDrops: 0, interfaceDrops: 0, freezes: 0, downMs: 0, downUntilMs: -Infinity },
    ring: {
      blocks: 1,
      packets: 1,
      vlanFrames: 0,
      hardwareStamped: 0,
      mergedFrames: 0,
      losingFrames: 0,
      abandonedFrames: 0,
    },
    ...more,
  }
}

function levelOf(checks: readonly Check[], name: string): string | undefined {
  return checks.find((check) => check.name === name)?.level
}

describe('doctor', () => {
  it('is content with a port that is set up as a mirror port should be', () => {
    expect(checkInterface(MIRROR_PORT).filter(({ level }) => level !== 'green')).toEqual([])
  })

  it('gives the command for what spoils times and sizes, loses bursts, or does not belong there', () => {
    const checks = checkInterface({
      ...MIRROR_PORT,
      driver: {
        features: { 'rx-gro-hw': true, 'rx-udp-gro-forwarding': true },
        lro: true,
        ringSize: 256,
        ringMaximum: 4096,
      },
      addresses: ['192.0.2.7'],
      groFlushNs: 200_000,
    })
    expect(checks.filter(({ level }) => level === 'amber').map(({ advice }) => advice)).toEqual([
      expect.stringContaining('ip address flush dev eth1'),
      'ethtool -K eth1 lro off rx-gro-hw off rx-udp-gro-forwarding off',
      'echo 0 > /sys/class/net/eth1/gro_flush_timeout',
      'ethtool -G eth1 rx 4096',
    ])
  })

  it('is red about a port that is missing, down or without carrier', () => {
    const { state } = MIRROR_PORT
    if (!state) return
    expect(checkInterface({ ...MIRROR_PORT, state: undefined })).toMatchObject([{ level: 'red' }])
    expect(checkInterface({ ...MIRROR_PORT, state: { ...state, up: false } })[0]).toMatchObject({
      level: 'red',
      advice: 'ip link set eth1 up',
    })
    expect(checkInterface({ ...MIRROR_PORT, state: { ...state, running: false } })[0].level).toBe('red')
  })

  it('sees calls both ways, without drops', async () => {
    const checks = checkTraffic(await trafficOf('sipp-g711'))
    expect(checks.filter(({ level }) => level !== 'green')).toEqual([])
  })

  it('is red when nothing comes, when packets are dropped, and when a mirror shows one direction', async () => {
    const facts = await trafficOf('sipp-g711')
    expect(checkTraffic({ ...facts, counts: { ...facts.counts, packets: 0 } })).toMatchObject([
      { level: 'red' },
    ])
    const dropped = checkTraffic({ ...facts, losses: { ...facts.losses, kernelDrops: 1210 } })
    expect(dropped.find(({ name }) => name === 'drops')).toMatchObject({
      level: 'red',
      finding: expect.stringContaining('50.00 %'),
    })
    const oneWay = facts.records.filter(
      (record) => record.type !== 'stream' || record.source_address === '10.20.0.1',
    )
    const several = [...oneWay, ...oneWay]
    expect(levelOf(checkTraffic({ ...facts, records: several }), 'directions')).toBe('red')
  })

  it('tells mirror copies, merged and cut frames, and a card whose clock is elsewhere', async () => {
    const facts = await trafficOf('sipp-g711', { cutFrames: 7, clockApartMs: 37_000 })
    const copied = facts.records.map((record) =>
      record.type === 'stream' ? { ...record, validity: { span_duplicates: record.packets } } : record,
    )
    const checks = checkTraffic({ ...facts, records: copied, ring: { ...facts.ring, mergedFrames: 3 } })
    expect(checks.filter(({ level }) => level === 'amber').map(({ name }) => name)).toEqual([
      ...['packet times', 'duplicates', 'frame sizes', 'frame sizes'],
    ])
    expect(checks.find(({ name }) => name === 'duplicates')?.finding).toMatch(/^50\.0 %/)
  })

  it('says how to get what the installation lacks', () => {
    const checks = checkInstallation({
      ...{ nodeVersion: '18.19.0', platform: 'linux', capabilities: {} },
      binding: { problems: ['build/callprobe.node: there is none'] },
    })
    expect(checks.map(({ name, level }) => [name, level])).toEqual([
      ['node', 'red'],
      ['capture binding', 'red'],
    ])
    expect(checks[1].advice).toContain('callprobe doctor --build')
  })
})
