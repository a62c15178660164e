import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CallRecord, ProbeRecord, StreamRecord } from '../src/calls/records.js'
import { validateRecord } from '../src/calls/validate.js'
import { main } from '../src/cli/main.js'
import { lossRuns, readExpected, type Expected, type ExpectedStream } from './fixtures-expected.js'
import { ROOT } from './helpers/programs.js'

const FIXTURES = join(ROOT, 'fixtures')
const scratch = mkdtempSync(join(tmpdir(), 'callprobe-fixtures-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

/** All records of a replay of one bundled capture. */
async function replay(name: string): Promise<ProbeRecord[]> {
  const output = join(scratch, `${name}.ndjson`)
  const capture = join(FIXTURES, `${name}.pcap`)
  const code = await main(['node', 'callprobe', 'replay', capture, '--format', 'ndjson', '--output', output])
  expect(code).toBe(0)
  const lines = readFileSync(output, 'utf8').trim().split('\n')
  return lines.map((line) => JSON.parse(line))
}

function streamOf(records: readonly ProbeRecord[], expected: ExpectedStream): StreamRecord {
  const found = records.filter(
    (record) =>
      record.type === 'stream' &&
      record.ssrc === expected.ssrc &&
      record.source_address === expected.source_address &&
      record.source_port === expected.source_port,
  )
  expect(found, `stream ${expected.ssrc} from port ${expected.source_port}`).toHaveLength(1)
  const [stream] = found
  if (stream?.type !== 'stream') throw new Error('not a stream')
  return stream
}

function callOf(records: readonly ProbeRecord[], callId: string): CallRecord {
  const found = records.filter((record) => record.type === 'call' && record.call_id === callId)
  expect(found, `call ${callId}`).toHaveLength(1)
  const [call] = found
  if (call?.type !== 'call') throw new Error('not a call')
  return call
}

const fixtures = readExpected()

it('every bundled capture has its expected results, and the other way round', () => {
  const captures = readdirSync(FIXTURES).filter((name) => /\.pcap(ng)?$/.test(name))
  expect(captures.length).toBeGreaterThan(0)
  expect([...fixtures.values()].map((expected) => expected.capture).sort()).toEqual(captures.sort())
})

const withMedia = [...fixtures].filter(([, expected]) => expected.streams.length > 0)
const withWire = [...fixtures].filter(([, expected]) => expected.wire !== undefined)

describe.each([...fixtures])('%s', (name: string, expected: Expected) => {
  let records: ProbeRecord[]
  beforeAll(async () => {
    records = await replay(name)
  })

  it('yields records that keep to the published schemas', () => {
    expect(records.flatMap((record) => validateRecord(record))).toEqual([])
  })

  it('shows the calls that the user agents made, and no others', () => {
    const calls = records.filter((record) => record.type === 'call')
    expect(calls.map((call) => call.call_id).sort()).toEqual(
      expected.calls.map((call) => call.call_id).sort(),
    )
    for (const wanted of expected.calls) {
      const call = callOf(records, wanted.call_id)
      expect(call).toMatchObject({
        state: wanted.state,
        caller: wanted.caller,
        callee: wanted.callee,
        sip: { status: wanted.status },
      })
      if (wanted.duration_s === undefined) expect(call.duration_s).toBeUndefined()
      else expect(Math.abs((call.duration_s ?? NaN) - wanted.duration_s)).toBeLessThanOrEqual(0.001)
    }
  })

  it('shows the streams that tshark shows, and no others', () => {
    const streams = records.filter((record) => record.type === 'stream')
    expect(streams).toHaveLength(expected.streams.length)
    for (const wanted of expected.streams) {
      expect(streamOf(records, wanted)).toMatchObject({
        destination_address: wanted.destination_address,
        destination_port: wanted.destination_port,
        packets: wanted.packets,
        lost: wanted.lost,
        reordered: wanted.reordered,
        duplicates: 0,
      })
    }
  })
})

it.each(withMedia)(
  '%s has the jitter that tshark computes, within 2 percent or 0.05 ms',
  async (name, expected) => {
    const records = await replay(name)
    for (const wanted of expected.streams) {
      const stream = streamOf(records, wanted)
      for (const field of ['jitter_max_ms', 'jitter_mean_ms'] as const) {
        const allowed = Math.max(wanted[field] * 0.02, 0.05)
        expect(Math.abs((stream[field] ?? NaN) - wanted[field]), field).toBeLessThanOrEqual(allowed)
      }
    }
  },
)

it.each(withWire)(
  '%s has each packet that the wire dropped as lost, in the same runs',
  async (name, expected) => {
    const records = await replay(name)
    for (const [ssrc, truth] of Object.entries(expected.wire ?? {})) {
      const wanted = expected.streams.find((stream) => stream.ssrc === ssrc)
      if (!wanted) throw new Error(`no stream ${ssrc}`)
      const stream = streamOf(records, wanted)
      expect(stream.lost).toBe(truth.dropped.length)
      expect(stream.packets).toBe(truth.packets - truth.dropped.length)
      expect(stream.loss_runs).toEqual(lossRuns(truth.dropped))
    }
  },
)

describe('what was done to the wire shows in the call', () => {
  async function onlyCall(name: string): Promise<CallRecord> {
    const expected = fixtures.get(name)
    if (expected?.calls.length !== 1) throw new Error(`${name} has no single call`)
    return callOf(await replay(name), expected.calls[0].call_id)
  }

  it('three stalls of 160 ms are three burst seconds, towards the callee alone', async () => {
    const { media } = await onlyCall('baresip-pcmu-bursts')
    expect(media.from_caller?.burst_seconds).toBe(3)
    expect(media.from_callee?.burst_seconds).toBe(0)
  })

  it('losses one by one are random (BurstR near 1), runs of 12 and 9 are not', async () => {
    const random = await onlyCall('baresip-opus-random-loss')
    const bursts = await onlyCall('baresip-pcmu-bursts')
    expect(random.media.from_caller?.burst_ratio).toBeLessThan(1.2)
    expect(bursts.media.from_caller?.burst_ratio).toBeGreaterThanOrEqual(2)
  })

  it('a callee who never sends is a broken call, whatever the caller sounded like', async () => {
    const call = await onlyCall('sipp-one-way')
    expect(call.quality).toBe('broken')
    expect(call.media.from_callee?.packets ?? 0).toBe(0)
    expect(call.mos_cq_min).toBeUndefined()
  })

  it('tells the Opus direction with loss from the one without', async () => {
    const { media } = await onlyCall('baresip-opus-random-loss')
    expect(media.from_caller?.codec?.toLowerCase()).toBe('opus')
    expect(media.from_caller?.mos_lq ?? NaN).toBeLessThan((media.from_callee?.mos_lq ?? NaN) - 0.2)
  })
})
