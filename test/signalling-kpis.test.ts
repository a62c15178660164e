import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { Aggregates } from '../src/aggregates/aggregates.js'
import { OUTCOMES } from '../src/aggregates/attempt-outcome.js'
import { SIGNALLING_FIELDS } from '../src/aggregates/fields.js'
import type { MetricPoint } from '../src/aggregates/point.js'
import { openFiles } from '../src/capture/open.js'
import { DEFAULT_CONFIG } from '../src/config/config.js'
import { Probe } from '../src/pipeline/probe.js'
import { ANSWERED, followLadder, LADDER_START_MS, ladderPackets } from '../src/sip/tracker-ladder.js'
import { runLadder, totalOf } from './helpers/ladder-run.js'
import { sharedPath } from './helpers/programs.js'

/** The sums of one ladder. */
function kpis(ladder: string, quietMs?: number): Record<string, number> {
  return totalOf(runLadder(ladder, {}, quietMs).points, 'voip_signalling_1h')
}

/** An attempt that ends with `status`, after ringing if asked for; times in ms. */
function refused(status: number, { ring = false, id = 1, at = 0 } = {}): string {
  return `
  ${at} alice>bob INVITE 1 a> z${id} call=c${id} to=bob sdp=10.0.0.1:${4000 + 2 * id}
  ${at + 20} bob>alice 100 INVITE 1 a> z${id} call=c${id}
  ${ring ? `${at + 200} bob>alice 180 INVITE 1 a>b${id} z${id} call=c${id}` : ''}
  ${at + 700} bob>alice ${status} INVITE 1 a>b${id} z${id} call=c${id}
  ${at + 710} alice>bob ACK 1 a>b${id} z${id} call=c${id}`
}

function answered({ id = 1, at = 0, lengthMs = 60_000 } = {}): string {
  return `
  ${at} alice>bob INVITE 1 a> z${id} call=c${id} sdp=10.0.0.1:${4000 + 2 * id}
  ${at + 20} bob>alice 100 INVITE 1 a> z${id} call=c${id}
  ${at + 300} bob>alice 180 INVITE 1 a>b z${id} call=c${id}
  ${at + 2300} bob>alice 200 INVITE 1 a>b z${id} call=c${id} sdp=10.0.0.2:${5000 + 2 * id}
  ${at + 2310} alice>bob ACK 1 a>b y${id} call=c${id}
  ${at + 2300 + lengthMs} bob>alice BYE 9 b>a x${id} call=c${id}
  ${at + 2340 + lengthMs} alice>bob 200 BYE 9 b>a x${id} call=c${id}`
}

function inOrder(...ladders: string[]): string {
  return ladders
    .flatMap((ladder) => ladder.trim().split('\n'))
    .filter((line) => line.trim() !== '')
    .sort((a, b) => parseInt(a) - parseInt(b))
    .join('\n')
}

describe('outcome of a call attempt', () => {
  const only = (ladder: string, quietMs?: number): string[] => {
    const sums = kpis(ladder, quietMs)
    expect(sums.attempts).toBe(1)
    return OUTCOMES.filter((outcome) => sums[outcome] === 1)
  }

  it.each([
    [486, 'busy'],
    [600, 'busy'],
    [603, 'declined'],
    [488, 'failed_codec'],
    [415, 'failed_codec'],
    [606, 'failed_codec'],
    [403, 'failed_auth'],
    [407, 'failed_auth'],
    [404, 'failed_not_found'],
    [484, 'failed_not_found'],
    [480, 'failed_unavailable'],
    [408, 'failed_timeout'],
    [503, 'failed_server'],
    [500, 'failed_server'],
    [420, 'failed_other'],
    [302, 'redirected'],
  ])('%i without ringing is %s', (status, outcome) => {
    expect(only(refused(status))).toEqual([outcome])
  })

  it.each([480, 408, 487])('%i after ringing is no answer', (status) => {
    expect(only(refused(status, { ring: true }))).toEqual(['no_answer'])
  })

  it('is busy after ringing too: the person pressed a button', () => {
    expect(only(refused(486, { ring: true }))).toEqual(['busy'])
  })

  it('is abandoned when the caller hangs up before it rings, no answer after it rang', () => {
    const cancel = (ring: string): string => `
      0   alice>bob INVITE     1 a>  z1 sdp=10.0.0.1:4000
      20  bob>alice 100 INVITE 1 a>  z1
      ${ring}
      900 alice>bob CANCEL     1 a>  z1
      910 bob>alice 200 CANCEL 1 a>b z1
      920 bob>alice 487 INVITE 1 a>b z1
      930 alice>bob ACK        1 a>b z1`
    expect(only(cancel(''))).toEqual(['abandoned'])
    expect(only(cancel('300 bob>alice 180 INVITE 1 a>b z1'))).toEqual(['no_answer'])
  })

  it('is a timeout when nothing ever answers, which ISA counts as 408 and no seizure', () => {
    const ladder = '0 alice>bob INVITE 1 a> z1 sdp=10.0.0.1:4000'
    expect(only(ladder)).toEqual(['failed_timeout'])
    const sums = kpis(ladder)
    expect([sums.ineffective, sums.seizures, sums.asr_percent]).toEqual([1, 0, undefined])
  })

  it('is one attempt when a challenge is answered with a repeated INVITE', () => {
    const sums = kpis(`
      0    alice>bob INVITE     1 a>  z1 sdp=10.0.0.1:4000
      20   bob>alice 407 INVITE 1 a>x z1
      30   alice>bob ACK        1 a>x z1
      50   alice>bob INVITE     2 a>  z2 sdp=10.0.0.1:4000
      1050 bob>alice 200 INVITE 2 a>b z2 sdp=10.0.0.2:5000
      1060 alice>bob ACK        2 a>b z3`)
    expect([sums.attempts, sums.answered, sums.setup_sum_ms]).toEqual([1, 1, 1050])
  })
})

describe('KPIs of RFC 6076 and E.425, worked out by hand', () => {
  // Ten attempts: 4 answered, 1 redirected, busy, declined, 480 without ringing, 503, nothing at all.
  const day = inOrder(
    answered({ id: 1, at: 0, lengthMs: 2_000 }),
    answered({ id: 2, at: 100, lengthMs: 8_000 }),
    answered({ id: 3, at: 200, lengthMs: 90_000 }),
    answered({ id: 4, at: 300, lengthMs: 100_000 }),
    refused(302, { id: 5, at: 400 }),
    refused(486, { id: 6, at: 500, ring: true }),
    refused(603, { id: 7, at: 600 }),
    refused(480, { id: 8, at: 700 }),
    refused(503, { id: 9, at: 800 }),
    '900 alice>bob INVITE 1 a> z10 call=c10 sdp=10.0.0.1:4020',
  )
  const { points } = runLadder(day)
  const hour = totalOf(points, 'voip_signalling_1h')

  it('SER 4/9, SEER 7/9, ISA 2/10, SCR 4/10', () => {
    expect(hour.ser_percent).toBeCloseTo((100 * 4) / 9, 9)
    expect(hour.seer_percent).toBeCloseTo((100 * 7) / 9, 9)
    expect(hour.isa_percent).toBeCloseTo(20, 9)
    expect(hour.scr_percent).toBeCloseTo(40, 9)
  })

  it('ASR 4 of 8 seizures (503 and silence are none), ABR 4 of 10 bids, NER 7 of 8', () => {
    expect(hour.seizures).toBe(8)
    expect(hour.asr_percent).toBeCloseTo(50, 9)
    expect(hour.abr_percent).toBeCloseTo(40, 9)
    expect(hour.ner_percent).toBeCloseTo((100 * 7) / 8, 9)
  })

  it('post-dial delay and SRD: five rang after 200 or 300 ms, four were refused after 700', () => {
    expect([hour.pdd_count, hour.pdd_sum_ms]).toEqual([9, 4 * 300 + 200 + 4 * 700])
    expect([hour.srd_success_count, hour.srd_success_sum_ms]).toEqual([5, 4 * 300 + 200])
    // The 302 is neither.
    expect([hour.srd_failed_count, hour.srd_failed_sum_ms]).toEqual([3, 3 * 700])
    expect([hour.pdd_le_500_ms, hour.pdd_le_1000_ms]).toEqual([5, 9])
    expect(hour.pdd_p50_ms).toBeCloseTo(300, -1.2)
    expect(hour.pdd_p95_ms).toBe(700)
  })

  it('set-up time, disconnect delay and duration', () => {
    expect([hour.setup_count, hour.setup_sum_ms, hour.setup_le_2000_ms, hour.setup_le_5000_ms]).toEqual([
      4, 9200, 0, 4,
    ])
    expect([hour.sdd_count, hour.sdd_sum_ms, hour.disconnects_unanswered]).toEqual([4, 160, 0])
    expect([hour.duration_count, hour.duration_sum_s, hour.duration_max_s]).toEqual([4, 200, 100])
    expect([
      hour.duration_lt_3_s,
      hour.duration_lt_10_s,
      hour.duration_lt_60_s,
      hour.duration_lt_180_s,
    ]).toEqual([1, 2, 2, 4])
  })

  it('failures by class and by code', () => {
    expect([hour.failed, hour.failed_unavailable, hour.failed_server, hour.failed_timeout]).toEqual([
      3, 1, 1, 1,
    ])
    expect([hour.status_3xx, hour.status_4xx, hour.status_5xx, hour.status_6xx]).toEqual([1, 2, 1, 1])
    expect(OUTCOMES.reduce((sum, outcome) => sum + hour[outcome], 0)).toBe(hour.attempts)
  })

  it('calls at once: four at most, and as many seconds of talk as the calls lasted', () => {
    expect(hour.calls_peak).toBe(4)
    expect(hour.call_s).toBeCloseTo(200, 6)
    const intervals = points.filter(({ measurement }) => measurement === 'voip_signalling')
    const talk = intervals.map(({ timeMs, fields }) => [
      ((timeMs - intervals[0].timeMs) / 10_000) | 0,
      fields.call_s,
    ])
    // From 2.3 s on (the calls 0.1 s apart), two end at 4.3 and 10.4 s; then two go on.
    expect(talk[0]).toEqual([0, expect.closeTo(2 + 7.6 + 7.5 + 7.4, 6)])
    expect(talk[1]).toEqual([1, expect.closeTo(0.4 + 10 + 10, 6)])
    expect(talk[3]).toEqual([3, expect.closeTo(20, 6)])
  })

  it('goes on with zeros for a minute after the last call, so that the latest value is none', () => {
    const intervals = points.filter(({ measurement }) => measurement === 'voip_signalling')
    const peaks = intervals.flatMap(({ fields }) => fields.calls_peak ?? [])
    const lastCall = peaks.findLastIndex((peak) => peak !== 0)
    expect(peaks.slice(lastCall + 1)).toEqual([0, 0, 0, 0, 0, 0])
  })

  it('has no field that is not documented', () => {
    const own = points.filter(({ measurement }) => measurement.startsWith('voip_signalling'))
    const names = new Set(own.flatMap(({ fields }) => Object.keys(fields)))
    expect([...names].filter((name) => !(name in SIGNALLING_FIELDS))).toEqual([])
    const written = new Set(
      points
        .filter(({ measurement }) => measurement === 'voip_signalling_1h')
        .flatMap(({ fields }) => Object.keys(fields)),
    )
    expect(Object.keys(SIGNALLING_FIELDS).filter((name) => !written.has(name))).toEqual([])
  })
})

describe('a run that goes on where another ended', () => {
  it('does not count the attempt of a call again that was answered before; its end and talk it does', () => {
    const points: MetricPoint[] = []
    const aggregates = new Aggregates(DEFAULT_CONFIG, (due) => points.push(...due))
    const probe = new Probe(DEFAULT_CONFIG, 'kernel', () => undefined, [aggregates])
    const { call } = followLadder(ANSWERED)
    const startMs = LADDER_START_MS + 60_000
    probe.resume([call], startMs)
    for (let s = 0; s < 20; s++) probe.onQuiet(startMs + 1000 * s)
    for (const packet of ladderPackets(
      '80000 bob>alice BYE 9 b>a x1 call=call-1\n80010 alice>bob 200 BYE 9 b>a x1 call=call-1',
    ))
      probe.tracker.onMessage(packet)
    for (let s = 20; s < 60; s++) probe.onQuiet(startMs + 1000 * s)
    aggregates.finish()
    const sums = totalOf(points, 'voip_signalling_1h')
    expect([sums.attempts, sums.completed, sums.duration_sum_s]).toEqual([0, 1, 78])
    expect(sums.call_s).toBeCloseTo(20, 6)
  })
})

describe('what is not a call', () => {
  const register = (id: number, at: number, status: number, challenge = false): string => `
    ${at} alice>proxy REGISTER 1 a> r${id} call=r${id} to=alice
    ${
      challenge
        ? `${at + 20} proxy>alice 401 REGISTER 1 a>p r${id} call=r${id} to=alice
    ${at + 40} alice>proxy REGISTER 2 a> s${id} call=r${id} to=alice`
        : ''
    }
    ${status > 0 ? `${at + 70} proxy>alice ${status} REGISTER ${challenge ? 2 : 1} a>p ${challenge ? 's' : 'r'}${id} call=r${id} to=alice` : ''}`

  it('registrations: success, refusal, silence; RRD runs from the first REGISTER, challenge included', () => {
    const sums = kpis(
      inOrder(register(1, 0, 200, true), register(2, 100, 200), register(3, 200, 403), register(4, 300, 0)),
    )
    expect([sums.registrations, sums.registrations_ok, sums.registrations_failed]).toEqual([4, 2, 2])
    expect([sums.registrations_challenged, sums.ira_percent]).toEqual([1, 50])
    expect([sums.rrd_count, sums.rrd_sum_ms, sums.rrd_max_ms]).toEqual([2, 140, 70])
    expect(sums.attempts).toBe(0)
  })

  it('a storm: a second with as many new registrations as configured', () => {
    const storm = inOrder(
      ...Array.from({ length: 60 }, (_, k) => register(k, k < 50 ? 3000 + k : 5000 + 500 * k, 200)),
    )
    const { points } = runLadder(storm, { aggregates: { series_budget: 100, registration_storm_per_s: 50 } })
    const hour = totalOf(points, 'voip_signalling_1h')
    expect([hour.registers_peak_per_s, hour.registration_storm_s]).toEqual([50, 1])
    expect(totalOf(runLadder(storm).points, 'voip_signalling_1h').registration_storm_s).toBe(0)
  })

  it('OPTIONS: answered with whatever status is reachable, silence is not', () => {
    const options = (id: number, at: number, status: number): string => `
      ${at} proxy>bob OPTIONS 1 p> o${id} call=o${id} to=bob
      ${status > 0 ? `${at + 30} bob>proxy ${status} OPTIONS 1 p>b o${id} call=o${id} to=bob` : ''}`
    const sums = kpis(
      inOrder(options(1, 0, 200), options(2, 100, 404), options(3, 200, 0), options(4, 300, 200)),
    )
    expect([sums.options, sums.options_answered, sums.options_answered_percent]).toEqual([4, 3, 75])
    expect([sums.options_rtt_count, sums.options_rtt_sum_ms]).toEqual([3, 90])
  })

  it('a BYE that nobody answers', () => {
    const sums = kpis(answered().replace(/.*200 BYE.*/, ''))
    expect([sums.disconnects, sums.disconnects_unanswered, sums.sdd_count]).toEqual([1, 1, 0])
  })
})

describe('trunks', () => {
  it('each have KPIs of their own; what is of no trunk is unknown', () => {
    const ladder = inOrder(
      answered({ id: 1 }),
      refused(503, { id: 2, at: 50 }).replaceAll('bob', 'carol').replaceAll('a>b2', 'a>c2'),
    )
    const { points } = runLadder(ladder, { trunks: [{ name: 'carrier', addresses: ['10.0.0.3'] }] })
    const carrier = totalOf(points, 'voip_signalling_1h', { trunk: 'carrier' })
    const rest = totalOf(points, 'voip_signalling_1h', { trunk: 'unknown' })
    expect([carrier.attempts, carrier.failed_server, carrier.asr_percent]).toEqual([1, 1, undefined])
    expect([rest.attempts, rest.answered, rest.asr_percent]).toEqual([1, 1, 100])
  })
})

const CSV = sharedPath('pcaps/truth/sip_captures__uac-uas-scenario-sipp.pcapng.sip.csv')
const CAPTURE = sharedPath('pcaps/sip_captures__uac-uas-scenario-sipp.pcapng')

describe.skipIf(CSV === undefined || CAPTURE === undefined)(
  '770 calls of a SIPp run, against the messages that tshark lists (skipped without ../shared/pcaps)',
  () => {
    interface Seen {
      invite?: number
      progress?: number
      answer?: number
      bye?: number
      byeAnswer?: number
    }
    /** First time of each message that KPIs are made of, by Call-ID, in ms. */
    function seenByTshark(): Seen[] {
      const [, ...lines] = readFileSync(CSV ?? '', 'utf8')
        .trimEnd()
        .split('\n')
      const calls = new Map<string, Seen>()
      for (const line of lines) {
        const cells = line.split(',').map((cell) => cell.replaceAll('"', ''))
        const [time, callId, cseq, method, status] = [
          Number(cells[1]) * 1000,
          cells[10],
          cells[11],
          cells[12],
          Number(cells[13]),
        ]
        const call = calls.get(callId) ?? {}
        calls.set(callId, call)
        if (method === 'INVITE') call.invite ??= time
        if (method === 'BYE') call.bye ??= time
        if (cseq.endsWith('INVITE') && status > 100) call.progress ??= time
        if (cseq.endsWith('INVITE') && status === 200) call.answer ??= time
        if (cseq.endsWith('BYE') && status === 200) call.byeAnswer ??= time
      }
      return [...calls.values()]
    }

    it('attempts, answers, completions, and every delay', async () => {
      const points: MetricPoint[] = []
      const aggregates = new Aggregates(DEFAULT_CONFIG, (due) => points.push(...due))
      const probe = new Probe(DEFAULT_CONFIG, 'file', () => undefined, [aggregates])
      const source = await openFiles([CAPTURE ?? ''])
      for (let batch = await source.next(); batch !== null; batch = await source.next()) probe.onBatch(batch)
      await source.close()
      for (const _ of probe.finish());
      aggregates.finish()
      const sums = totalOf(points, 'voip_signalling_1h')

      const calls = seenByTshark()
      const delays = (from: keyof Seen, to: keyof Seen): number[] =>
        calls.flatMap((call) => {
          const [begin, end] = [call[from], call[to]]
          return begin === undefined || end === undefined ? [] : [end - begin]
        })
      const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0)
      expect(calls).toHaveLength(771)
      // All between the same two sockets: none is a leg of another.
      expect(new Set(points.map(({ tags }) => tags.leg).filter(Boolean))).toEqual(new Set(['first']))
      expect(sums.attempts).toBe(calls.filter(({ invite }) => invite !== undefined).length)
      expect(sums.answered).toBe(calls.filter(({ answer }) => answer !== undefined).length)
      const completed = calls.filter(({ answer, bye }) => answer !== undefined && bye !== undefined).length
      expect([sums.completed, sums.disconnects]).toEqual([completed, completed])
      expect(sums.scr_percent).toBeCloseTo((100 * completed) / 771, 9)
      expect([sums.ser_percent, sums.asr_percent, sums.ner_percent, sums.isa_percent]).toEqual([
        100, 100, 100, 0,
      ])
      for (const [name, values] of [
        ['pdd', delays('invite', 'progress')],
        ['setup', delays('invite', 'answer')],
        ['sdd', delays('bye', 'byeAnswer')],
      ] as const) {
        expect(sums[`${name}_count`], name).toBe(values.length)
        // Packet times are doubles: a quarter of a microsecond each.
        expect(sums[`${name}_sum_ms`], name).toBeCloseTo(sum(values), 0)
        expect(sums[`${name}_max_ms`], name).toBeCloseTo(Math.max(...values), 2)
      }
      const setups = delays('invite', 'answer').sort((a, b) => a - b)
      const p99 = setups[Math.ceil(0.99 * setups.length) - 1]
      expect(Math.abs(sums.setup_p99_ms - p99) / p99).toBeLessThan(0.03)
      const durations = delays('answer', 'bye')
      expect([sums.duration_count, sums.duration_lt_3_s]).toEqual([durations.length, durations.length])
      expect(sums.duration_sum_s).toBeCloseTo(sum(durations) / 1000, 3)
    })
  },
)
