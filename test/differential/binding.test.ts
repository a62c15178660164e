import { describe, expect, it } from 'vitest'
import type { DirectionRecord } from '../../src/calls/records.js'
import { generateScenario } from '../../src/generate/generate.js'
import type { CallSpec, DirectionSpec } from '../../src/generate/scenario.js'
import type { DirectionTruth } from '../../src/generate/truth.js'
import { propertyRuns } from '../helpers/property-runs.js'
import { replay } from '../helpers/replay.js'
import { Random } from './random.js'

const SCENARIOS = 120
const CALLERS = ['192.0.2.10', '192.0.2.11']
const CALLEES = ['198.51.100.20', '198.51.100.21', '198.51.100.22']
/** How much later than media the signalling reaches the tap, ms. */
const SIGNALLING_LATE_MS = [0, 0, 50, 200, 400, -100, -300]

/** A place that media of a call use, from its INVITE to a while after its BYE. */
interface Busy {
  place: string
  fromS: number
  toS: number
}

/** Between two and six calls between few places, whose ports are used again soon, and by calls that fail at any time. */
function callsOf(random: Random): CallSpec[] {
  const anyPort = (): number => 30_000 + 2 * random.integer(0, 4999)
  const most = 2 + random.integer(0, 4)
  const calls: CallSpec[] = []
  const busy: Busy[] = []
  for (let tries = 3 * most; tries > 0 && calls.length < most; tries--) {
    const at_s = random.integer(0, 19_999) / 1000
    const answer_delay_ms = 500 + random.integer(0, 1999)
    const duration_s = 3 + random.integer(0, 7)
    const caller: CallSpec['caller'] = {
      address: random.pick(CALLERS),
      media_port: random.pick([10_000, 10_002]),
    }
    const callee: CallSpec['callee'] = {
      address: random.pick(CALLEES),
      media_port: random.pick([20_000, 20_002]),
    }
    const call: CallSpec = {
      call_id: `call-${calls.length}`,
      at_s,
      caller,
      callee,
      answer_delay_ms,
      ring_delay_ms: 100,
      rtcp: random.chance(0.5) ? false : { interval_s: 2 },
    }
    if (random.chance(0.3)) {
      call.status = random.pick([404, 486, 503])
      if (random.chance(0.4)) call.cancel_after_ms = Math.max(200, answer_delay_ms - 200)
      calls.push(call)
      continue
    }
    const toS = at_s + answer_delay_ms / 1000 + duration_s + random.pick([0.1, 0.5, 1, 3])
    const places = [caller, callee].map((party) => `${party.address}:${party.media_port}`)
    const taken = busy.some((one) => places.includes(one.place) && one.fromS < toS && at_s < one.toS)
    if (taken) continue
    for (const place of places) busy.push({ place, fromS: at_s, toS })
    call.duration_s = duration_s
    call.early_media = random.chance(0.3)
    const fromCaller: DirectionSpec = random.chance(0.2) ? { start_delay_ms: random.integer(0, 999) } : {}
    const fromCallee: DirectionSpec = random.chance(0.2) ? { ssrc_change: [{ at_s: 1.5 }] } : {}
    if (random.chance(0.1)) fromCallee.media_after_bye_ms = 1000
    if (random.chance(0.1)) fromCaller.no_media = true
    call.media = { both: { loss: { random_percent: 2 } }, from_caller: fromCaller, from_callee: fromCallee }
    if (random.chance(0.25)) caller.nat_private_address = `192.168.1.${1 + random.integer(0, 8)}`
    if (random.chance(0.15)) callee.nat_private_address = `10.0.0.${1 + random.integer(0, 8)}`
    if (random.chance(0.3))
      call.reinvite = [
        {
          at_s: 1 + random.integer(0, duration_s - 2),
          by: random.pick(['caller', 'callee']),
          media_port: anyPort(),
        },
      ]
    else if (random.chance(0.2))
      call.hold = [
        {
          at_s: 1,
          duration_s: 1,
          by: random.pick(['caller', 'callee']),
          mode: random.pick(['sendonly', 'inactive']),
        },
      ]
    if (random.chance(0.2))
      call.fork = [
        { user: 'carol', address: '198.51.100.30', media_port: anyPort(), early_media: random.chance(0.5) },
      ]
    if (random.chance(0.2)) call.sip = { proxy: '203.0.113.5' }
    if (random.chance(0.1)) call.auth = random.pick([401, 407])
    calls.push(call)
  }
  return calls
}

type Counted = [packets: number, lost: number, ssrcs: string[]]

function told(truth: DirectionTruth | undefined): Counted {
  return [truth?.packets ?? 0, truth?.lost ?? 0, [...(truth?.ssrcs ?? [])].sort()]
}

function measured(media: DirectionRecord | undefined): Counted {
  return [media?.packets ?? 0, media?.lost ?? 0, [...(media?.ssrcs ?? [])].sort()]
}

describe('every packet is in the call that it belongs to', () => {
  const { seed, numRuns } = propertyRuns(SCENARIOS)
  it.each(Array.from({ length: numRuns }, (_, n) => (seed + n) >>> 0))(
    'though places are shared and signalling is late or early: scenario %i',
    async (scenario) => {
      const random = new Random(scenario)
      const calls = callsOf(random)
      const lateMs = random.pick(SIGNALLING_LATE_MS)
      const { packets, truth } = generateScenario({ seed: scenario, calls })
      const replayed = await replay(
        packets.map(({ timeMs, frame }) => ({
          timeMs: Buffer.from(frame).includes('SIP/2.0') ? timeMs + lateMs : timeMs,
          frame,
        })),
      )
      const seen = replayed.calls.map((call) => ({
        call_id: call.call_id,
        state: call.state,
        from_caller: measured(call.media.from_caller),
        from_callee: measured(call.media.from_callee),
      }))
      const expected = truth.calls.map((call) => ({
        call_id: call.call_id,
        state: call.state,
        from_caller: told(call.media.from_caller),
        from_callee: told(call.media.from_callee),
      }))
      const byId = (a: { call_id: string }, b: { call_id: string }): number =>
        a.call_id.localeCompare(b.call_id)
      expect(seen.sort(byId), `signalling ${lateMs} ms late`).toEqual(expected.sort(byId))
    },
  )
})
