import { describe, expect, it } from 'vitest'
import { CaptureLosses } from '../src/calls/capture-losses.js'
import type { StreamRecord } from '../src/calls/records.js'
import { validateRecord } from '../src/calls/validate.js'
import { MemorySource } from '../src/capture/memory-source.js'
import { DEFAULT_CONFIG } from '../src/config/config.js'
import { generateScenario } from '../src/generate/generate.js'
import type { Scenario } from '../src/generate/scenario.js'
import { Probe } from '../src/pipeline/probe.js'
import { only, pcapOf, replayBytes, type Frame } from './helpers/replay.js'

const NOON = Date.UTC(2024, 4, 1, 12)
/** Two calls of 20 s, the second after the first. */
const SCENARIO: Scenario = {
  seed: 1,
  start: '2024-05-01T12:00:00Z',
  calls: [
    { call_id: 'first', duration_s: 20, rtcp: false },
    { call_id: 'second', at_s: 60, duration_s: 20, rtcp: false },
  ],
}

function frames(mediaOnly: boolean): Frame[] {
  return generateScenario(SCENARIO).packets.filter(
    ({ frame }) => !mediaOnly || (frame[23] === 17 && ((frame[36] << 8) | frame[37]) !== 5060),
  )
}

async function live(mediaOnly: boolean, losses: CaptureLosses): Promise<StreamRecord[]> {
  const streams: StreamRecord[] = []
  const probe = new Probe(
    DEFAULT_CONFIG,
    'kernel',
    (record) => {
      expect(validateRecord(JSON.parse(JSON.stringify(record)))).toEqual([])
      if (record.type === 'stream') streams.push(record)
    },
    [],
    losses,
  )
  const source = new MemorySource(pcapOf(frames(mediaOnly)))
  for (let batch = await source.next(); batch !== null; batch = await source.next()) probe.onBatch(batch)
  for (const _ of probe.finish());
  expect(streams).toHaveLength(4)
  return streams
}

const isEarly = ({ start }: StreamRecord): boolean => Date.parse(start) < NOON + 30_000

describe.each([
  ['of a call', false],
  ['without a call', true],
])('a stream %s', (_, mediaOnly) => {
  it('says what the capture dropped while it ran, and for how long it was away', async () => {
    const losses = new CaptureLosses()
    losses.clockSynchronized = false
    losses.add(NOON + 10_000, NOON + 10_100, 70, 0)
    losses.add(NOON + 12_000, NOON + 12_000, 0, 1500)
    // Between the two calls.
    losses.add(NOON + 40_000, NOON + 40_100, 900, 3000)
    losses.add(NOON + 70_000, NOON + 70_100, 5, 0)
    for (const stream of await live(mediaOnly, losses)) {
      expect(stream.validity).toMatchObject({
        capture_drops: isEarly(stream) ? 70 : 5,
        clock_synchronized: false,
        timestamp_source: 'kernel',
      })
      expect(stream.validity?.capture_down_ms).toBe(isEarly(stream) ? 1500 : undefined)
    }
  })

  it('counts what was dropped right behind its last packet: it may have gone on', async () => {
    const last = Math.max(...(await live(mediaOnly, new CaptureLosses())).filter(isEarly).map(endOf))
    const losses = new CaptureLosses()
    losses.add(last + 500, last + 600, 30, 0)
    losses.add(last + 5000, last + 5100, 400, 0)
    const streams = (await live(mediaOnly, losses)).filter(isEarly)
    expect(streams.map(({ validity }) => validity?.capture_drops)).toEqual([30, 30])
  })

  it('says nothing of drops where the system does not tell', async () => {
    for (const { validity } of await live(mediaOnly, new CaptureLosses(false)))
      expect(validity).not.toHaveProperty('capture_drops', expect.anything())
  })

  it('says that the capture was cut while it ran', async () => {
    const shown = frames(mediaOnly).filter(({ timeMs }) => timeMs < NOON + 70_000)
    // The last record's bytes end early.
    const { streams } = await replayBytes(pcapOf(shown).subarray(0, -7))
    expect(streams).toHaveLength(4)
    for (const stream of streams)
      expect(stream.validity?.truncated, stream.start).toBe(isEarly(stream) ? undefined : true)
  })
})

describe('a stream of a call', () => {
  it('says whether the beginning and the end of its call were seen', async () => {
    const whole = await replayBytes(pcapOf(frames(false)))
    for (const { validity } of whole.streams)
      expect(validity).toMatchObject({ complete_start: true, complete_end: true })
    const shown = frames(false).filter(({ timeMs }) => timeMs < NOON + 70_000)
    const cut = await replayBytes(pcapOf(shown))
    for (const stream of cut.streams)
      expect(stream.validity).toMatchObject({ complete_start: true, complete_end: isEarly(stream) })
  })

  it('whose RTCP is encrypted, says so as its call does', async () => {
    const { packets } = generateScenario({
      seed: 1,
      calls: [{ duration_s: 20, rtcp: { interval_s: 5 }, srtp: true }],
    })
    const { calls, streams } = await replayBytes(pcapOf(packets))
    expect(only(calls).validity.encrypted_rtcp).toBe(true)
    expect(streams.map(({ validity }) => validity?.encrypted_rtcp)).toEqual([true, true])
  })
})

function endOf({ end }: StreamRecord): number {
  return Date.parse(end)
}
