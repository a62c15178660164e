import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { generateScenario } from '../src/generate/generate.js'
import type { CallSpec, DirectionSpec } from '../src/generate/scenario.js'
import { propertyRuns } from './helpers/property-runs.js'
import { replay, type Frame } from './helpers/replay.js'

const IP_PROTOCOL = 23
const RTP = 42

/** RTP of the scenarios below: Ethernet, IPv4 without options, UDP; no RTCP beside it. */
function isRtp({ frame }: Frame): boolean {
  return frame[IP_PROTOCOL] === 17 && frame[RTP] >> 6 === 2
}

interface Run {
  /** Without signalling. */
  mediaOnly?: boolean
  intervalS?: number
}

/** Holds the interval records of a generated call to its capture: each interval once, in order, with its own packets. */
async function expectOwnPackets(call: CallSpec, { mediaOnly = false, intervalS = 10 }: Run = {}) {
  const scenario = { seed: 5, start: '2024-03-01T12:00:00Z', calls: [{ rtcp: false, ...call }] }
  const frames = generateScenario(scenario).packets.filter((frame) => !mediaOnly || isRtp(frame))
  const { intervals, calls } = await replay(frames, { interval_s: intervalS })

  const intervalOf = (timeMs: number): number => Math.floor(timeMs / 1000 / intervalS)
  const counted = new Map<number, number>()
  const latest = new Map<string, number>()
  for (const { call_id, direction, start, packets } of intervals) {
    const interval = intervalOf(Date.parse(start))
    const path = `${call_id} ${direction}`
    expect(interval).toBeGreaterThan(latest.get(path) ?? -Infinity)
    latest.set(path, interval)
    counted.set(interval, (counted.get(interval) ?? 0) + (packets ?? 0))
  }
  const onTheWire = new Map<number, number>()
  for (const frame of frames.filter(isRtp)) {
    const interval = intervalOf(frame.timeMs)
    onTheWire.set(interval, (onTheWire.get(interval) ?? 0) + 1)
  }
  const full = [...counted].filter(([, packets]) => packets > 0).sort(([a], [b]) => a - b)
  expect(full).toEqual([...onTheWire].sort(([a], [b]) => a - b))

  const ofIntervals = intervals.reduce((sum, { packets }) => sum + (packets ?? 0), 0)
  const ofCalls = calls.flatMap(({ media }) => [media.from_caller, media.from_callee])
  expect(ofIntervals).toBe(ofCalls.reduce((sum, media) => sum + (media?.packets ?? 0), 0))
}

const newSsrc = (...at: number[]): DirectionSpec => ({ ssrc_change: at.map((at_s) => ({ at_s })) })

function fromCaller(from_caller: DirectionSpec, more: CallSpec = {}): CallSpec {
  return { duration_s: 70, media: { from_caller }, ...more }
}

describe('each interval has its own packets, in order', () => {
  it.each<[string, CallSpec, Run?]>([
    ['one stream', fromCaller({})],
    ['a new SSRC in the middle of one', fromCaller(newSsrc(13))],
    ['a new SSRC at the end of one', fromCaller(newSsrc(9.97))],
    ['two new SSRCs in one', fromCaller(newSsrc(11, 14))],
    ['a new SSRC in each', fromCaller(newSsrc(5, 15, 25, 35, 45))],
    [
      'back to the first SSRC',
      fromCaller({ ssrc: 1, ssrc_change: [{ at_s: 13, ssrc: 2 }, { at_s: 37, ssrc: 1 }] }), // prettier-ignore
    ],
    ['new SSRCs in both directions', { duration_s: 70, media: { both: newSsrc(13, 26, 39) } }],
    ['new SSRCs without signalling', fromCaller(newSsrc(13, 31)), { mediaOnly: true }],
    ['new SSRCs in intervals of 1 s', fromCaller(newSsrc(13.5, 13.9)), { intervalS: 1 }],
    ['a new SSRC in intervals of 1 min', fromCaller(newSsrc(13), { duration_s: 200 }), { intervalS: 60 }],
    ['an outage', fromCaller({ ...newSsrc(22), loss: { outages: [{ at_s: 13, duration_s: 9 }] } })],
    ['a long outage', fromCaller({ ...newSsrc(53), loss: { outages: [{ at_s: 13, duration_s: 40 }] } })],
    ['hold', fromCaller({}, { hold: [{ at_s: 13, duration_s: 7 }] })],
    ['music on hold', fromCaller(newSsrc(14), { hold: [{ at_s: 13, duration_s: 17, music: true }] })],
    ['a long hold', fromCaller({}, { duration_s: 120, hold: [{ at_s: 13, duration_s: 70 }] })],
    ['silence suppression', fromCaller({ ...newSsrc(14, 40), dtx: { talk_s: 3, silence_s: 8 } })],
    ['another address', fromCaller({ address_change: [{ at_s: 13 }] })],
    [
      'another address without signalling',
      fromCaller({ address_change: [{ at_s: 13 }] }),
      { mediaOnly: true },
    ],
  ])('%s', (_, call, run) => expectOwnPackets(call, run))

  it('whatever happens when', async () => {
    const second = fc.integer({ min: 10, max: 690 }).map((tenths) => tenths / 10)
    // A stream of less than a second may be too short to be told from noise.
    const changes = fc
      .uniqueArray(second, { maxLength: 6 })
      .map((all) => all.sort((a, b) => a - b).filter((at, n) => n === 0 || at - all[n - 1] >= 1))
    const media = fc.record({
      ssrc_change: changes.map((all) => all.map((at_s) => ({ at_s }))),
      dtx: fc.option(fc.constantFrom({ talk_s: 3, silence_s: 8 }, { talk_s: 12, silence_s: 31 }), {
        nil: undefined,
      }),
      loss: fc.option(
        fc
          .record({ at_s: second, duration_s: fc.integer({ min: 1, max: 45 }) })
          .map((one) => ({ outages: [one] })),
        { nil: undefined },
      ),
    })
    const run = fc.record({ mediaOnly: fc.boolean(), intervalS: fc.constantFrom(1, 5, 10, 30) })
    await fc.assert(
      fc.asyncProperty(media, media, run, async (from_caller, from_callee, how) => {
        const plain = ({ ssrc_change }: DirectionSpec): DirectionSpec => ({ ssrc_change })
        const media = how.mediaOnly
          ? { from_caller: plain(from_caller), from_callee: plain(from_callee) }
          : { from_caller, from_callee }
        await expectOwnPackets({ duration_s: 72, media }, how)
      }),
      propertyRuns(25),
    )
  })
})
