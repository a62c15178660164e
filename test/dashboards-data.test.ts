import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RULES } from '../dashboards/code/alerting.js'
import type { AlertRecord, Direction } from '../src/calls/records.js'
import {
  committedDashboards,
  dataPanels,
  fillIn,
  panelFrames,
  type Choices,
  type Dashboard,
  type Frame,
  type Range,
} from './dashboards/grafana.js'
import type { Influx } from './dashboards/influx.js'
import { NocRun, type Said } from './dashboards/noc-run.js'
import { requirePrograms, sharedPath } from './helpers/programs.js'

const DASHBOARDS = committedDashboards()
/** The scenario runs from 00:00:05 to 00:01:54 (test/dashboards/noc.yaml). */
const START_MS = Date.UTC(2024, 0, 1)
const RANGE: Range = { fromMs: START_MS, toMs: START_MS + 600_000 }
const MINUTES = 2

/** What a panel showed. */
class Shown {
  constructor(private readonly frames: readonly Frame[]) {}

  get names(): string[] {
    return this.frames.map(({ name }) => name)
  }

  /** Values of a series that are there; of the only one without a name. */
  values(name?: string): number[] {
    const frame = name === undefined ? this.frames[0] : this.frames.find((one) => one.name === name)
    expect(frame, `series ${name ?? ''} among ${this.names.join('; ')}`).toBeDefined()
    return (frame?.rows ?? []).map((row) => row[1]).filter((value) => typeof value === 'number')
  }

  value(name?: string): number {
    const values = this.values(name)
    expect(values, name).toHaveLength(1)
    return values[0]
  }

  sum(name?: string): number {
    return this.values(name).reduce((total, value) => total + value, 0)
  }

  max(name?: string): number {
    return Math.max(...this.values(name))
  }

  /** A row of a table as an object; `where` picks it by the value of its columns. */
  row(where: Record<string, unknown> = {}): Record<string, unknown> {
    const rows = this.rows().filter((row) =>
      Object.entries(where).every(([name, value]) => row[name] === value),
    )
    expect(rows.length, `rows with ${JSON.stringify(where)}`).toBeGreaterThan(0)
    return Object.assign({}, ...rows)
  }

  rows(): Record<string, unknown>[] {
    return this.frames.flatMap(({ columns, rows }) =>
      rows.map((row) => Object.fromEntries(columns.map((name, i) => [name, row[i]]))),
    )
  }
}

type Expectation = (shown: Shown, said: Said) => void

const sumOf = (numbers: readonly number[]) => numbers.reduce((total, value) => total + value, 0)

/** Intervals of a trunk and direction as the NDJSON of the same run has them. */
function intervals(said: Said, trunk?: string, direction?: Direction) {
  return said.intervals.filter(
    (one) =>
      (trunk === undefined || (one.trunk ?? 'unknown') === trunk) &&
      (direction === undefined || one.direction === direction),
  )
}

function lossPercent(list: Said['intervals']): number {
  const lost = sumOf(list.map((one) => one.lost ?? 0))
  return (100 * lost) / (lost + sumOf(list.map(({ packets }) => packets)))
}

function meanMos(list: Said['intervals']): number {
  const values = list.flatMap(({ mos_cq }) => mos_cq ?? [])
  return sumOf(values) / values.length
}

function poorPercent(list: Said['intervals']): number {
  const values = list.flatMap(({ mos_cq }) => mos_cq ?? [])
  return (100 * values.filter((value) => value < 3.6).length) / values.length
}

/** Seconds of speech: 20 ms per packet that came or should have come. */
function speechSeconds(list: Said['intervals']): number {
  return sumOf(list.map((one) => (one.packets + (one.lost ?? 0)) * 0.02))
}

/** A distribution over time: each step adds up to 100 %. */
function addsUpTo100(shown: Shown, steps: number): void {
  for (let step = 0; step < steps; step++)
    expect(sumOf(shown.names.map((name) => shown.values(name)[step]))).toBeCloseTo(100, 6)
}

/**
 * What each panel has to show, by title; `file: title` where a title means another thing on that page. Numbers with a
 * comment are counted by hand in noc.yaml; the others come from the NDJSON of the same run.
 */
const EXPECTED: Record<string, Expectation> = {
  // overview
  'Calls now': (shown) => expect(shown.value()).toBe(1), // in the last interval one was left, over beta
  'Set-up failures': (shown) => expect(shown.value()).toBeCloseTo((100 * 4) / 14, 6), // 404, 488, 503, no response
  'Mean MOS': (shown, said) => {
    if (shown.names.length === 1 && shown.names[0] !== 'A')
      expect(shown.value()).toBeCloseTo(meanMos(said.intervals), 3)
    else
      expect(shown.row({ caller_site: 'hq', callee_site: 'berlin' }).value).toBeCloseTo(
        meanMos(said.intervals.filter((one) => one.callee_site === 'berlin')),
        3,
      )
  },
  'Poor intervals': (shown, said) => expect(shown.value()).toBeCloseTo(poorPercent(said.intervals), 6),
  'Packet loss': (shown, said) => {
    if (shown.names[0] !== 'A') expect(shown.value()).toBeCloseTo(lossPercent(said.intervals), 6)
    else {
      expect(shown.row({ caller_site: 'hq', callee_site: 'berlin' }).value).toBe(0)
      const outwards = said.intervals.filter(
        (one) => one.caller_site === 'hq' && one.callee_site !== 'berlin',
      )
      expect(shown.row({ caller_site: 'hq', callee_site: 'unknown' }).value).toBeCloseTo(
        lossPercent(outwards),
        6,
      )
    }
  },
  // Of the live probe 1,200 of 120,000 packets; the replayed one does not count them and is left out.
  'Missed by the probes': (shown) => expect(shown.value()).toBeCloseTo(1, 6),
  'Calls at once': (shown) => {
    expect(shown.max('alpha')).toBe(2) // lossy and one-way
    expect(shown.max('unknown')).toBe(2) // two of the calls inside
  },
  'Failure rate and answer ratio': (shown) => {
    // First minute: 12 attempts, of which 4 failed and 6 were answered; 10 were seizures (not 503, not the silent one).
    expect(shown.values('failed')[0]).toBeCloseTo(100 / 3, 6)
    expect(shown.values('ASR')).toEqual([60, 100])
    expect(shown.values('NER')[0]).toBeCloseTo((100 * 8) / 12, 6)
  },
  'MOS distribution': (shown, said) => {
    addsUpTo100(shown, MINUTES)
    const first = said.intervals.filter(
      ({ start, mos_cq }) => start < '2024-01-01T00:01' && mos_cq !== undefined,
    )
    const low = first.filter(({ mos_cq = 5 }) => mos_cq >= 2.6 && mos_cq < 3.1)
    expect(low.length).toBeGreaterThan(0)
    expect(shown.values('2.6 to 3.1')[0]).toBeCloseTo((100 * low.length) / first.length, 6)
  },
  'Worst trunks': (shown, said) => {
    const alpha = shown.row({ trunk: 'alpha' })
    expect(alpha.poor).toBeCloseTo(poorPercent(intervals(said, 'alpha')), 6)
    expect(alpha.loss).toBeCloseTo(lossPercent(intervals(said, 'alpha')), 6)
    expect(alpha.speech).toBeCloseTo(speechSeconds(intervals(said, 'alpha')), 2)
    expect(new Set(shown.rows().map(({ trunk }) => trunk))).toEqual(new Set(['alpha', 'beta', 'unknown']))
  },
  'Loss and late packets': (shown, said) => {
    const first = said.intervals.filter(({ start }) => start < '2024-01-01T00:01')
    expect(shown.values('lost')[0]).toBeCloseTo(lossPercent(first), 6)
    expect(shown.values('late')[0]).toBeGreaterThan(0)
  },
  'How many are hit by loss': (shown, said) => {
    const first = said.intervals.filter(({ start }) => start < '2024-01-01T00:01')
    const hit = first.filter(({ loss_percent = 0 }) => loss_percent > 5)
    expect(hit.length).toBeGreaterThan(0)
    expect(shown.values('over 5 %')[0]).toBeCloseTo((100 * hit.length) / first.length, 6)
  },
  'Jitter percentiles, worst path': (shown, said) => {
    const bursty = said.calls.find((call) => call.call_id === 'bursty')?.media.from_callee
    const p95 = bursty?.jitter_p95_ms ?? 0
    expect(p95).toBeGreaterThan(5)
    expect(Math.abs(shown.max('p95, worst path') - p95) / p95).toBeLessThan(0.05)
    expect(shown.max('mean')).toBeLessThan(1)
  },
  'Delay variation: packets over 20 to 200 ms': (shown) => {
    // Spikes of 120 ms over four packets, twelve of them, of some 15,000 packets a minute.
    expect(shown.max('over 60 ms')).toBeGreaterThan(0.1)
    expect(shown.max('over 60 ms')).toBeLessThan(0.3)
    expect(shown.max('over 200 ms')).toBe(0)
  },
  'Burst seconds': (shown, said) => {
    const bursts = sumOf(said.intervals.map(({ burst_seconds = 0 }) => burst_seconds))
    expect(bursts).toBe(11) // a spike every 5 s of 60 s
    if (shown.names.includes('beta')) {
      expect(shown.sum('beta')).toBe(11)
      expect(shown.sum('alpha')).toBe(0)
    } else {
      expect(shown.sum('from_callee')).toBe(11)
      expect(shown.sum('from_caller')).toBe(0)
    }
  },
  'Mean MOS by trunk': (shown, said) => {
    const alpha = intervals(said, 'alpha').filter(({ start }) => start < '2024-01-01T00:01')
    expect(shown.values('alpha')[0]).toBeCloseTo(meanMos(alpha), 3)
  },
  'Packets dropped at the probes': (shown) => {
    expect(shown.sum('tap-2: kernel')).toBe(1200)
    expect(shown.sum('tap-2: interface')).toBe(84)
  },
  'Packets seen': (shown) => {
    expect(shown.max('tap-2')).toBeCloseTo(990, 6)
    expect(shown.values('tap-1')).toHaveLength(MINUTES)
  },
  'Probe load': (shown) => expect(shown.max('tap-2')).toBeCloseTo(40, 6), // 4 s of CPU in 10 s
  Alerts: (shown) => {
    expect(shown.row({ state: 'firing', rule: 'burst_jitter' })).toMatchObject({
      trunk: 'beta',
      value: 11,
      threshold: 10,
      calls_affected: 1,
      message: 'Burst jitter on beta',
    })
    expect(shown.rows()[0].state).toBe('resolved')
  },
  'Latest bad calls': (shown) => {
    // Poor or broken, the latest first.
    expect(shown.rows().map(({ call_id }) => call_id)).toEqual(['lossy', 'one-way'])
    expect(shown.row({ call_id: 'one-way' })).toMatchObject({ quality: 'broken', findings: /one_way_audio/ })
  },
  'What bad calls have in common': (shown) =>
    expect(shown.row({ code: 'setup_failed' })).toMatchObject({ calls: 3 }), // no-codec, overloaded, dead

  // sites
  'Poor speech': (shown, said) => {
    const outwards = said.intervals.filter((one) => one.caller_site === 'hq' && one.callee_site !== 'berlin')
    expect(shown.row({ caller_site: 'hq', callee_site: 'unknown' }).value).toBeCloseTo(
      poorPercent(outwards),
      6,
    )
  },
  'Delay variation over 60 ms': (shown) => {
    expect(shown.row({ caller_site: 'berlin', callee_site: 'unknown' }).value).toBeGreaterThan(0.5)
    expect(shown.row({ caller_site: 'hq', callee_site: 'berlin' }).value).toBe(0)
  },
  // 20 (packet) + 0 (codec) + 40 (buffer) + (10 + 20) / 2
  'Mean one-way delay': (shown) => expect(shown.row({ callee_site: 'berlin' }).value).toBeCloseTo(75, 3),
  Speech: (shown, said) => {
    const inside = said.intervals.filter((one) => one.callee_site === 'berlin')
    expect(shown.row({ callee_site: 'berlin' }).value).toBeCloseTo(speechSeconds(inside), 2)
  },
  'Loss by direction': (shown, said) => {
    const first = intervals(said, undefined, 'from_caller').filter(({ start }) => start < '2024-01-01T00:01')
    expect(shown.values('from_caller')[0]).toBeCloseTo(lossPercent(first), 6)
    expect(shown.values('from_callee')).toEqual([0, 0])
  },
  'sites.json: One-way delay': (shown) => expect(shown.max('highest')).toBeLessThan(250),
  'By codec and trunk': (shown, said) => {
    expect(shown.row({ codec: 'PCMU', trunk: 'alpha' }).loss).toBeCloseTo(
      lossPercent(intervals(said, 'alpha')),
      6,
    )
    expect(shown.row({ codec: 'PCMA', trunk: 'unknown' }).poor).toBe(0)
  },

  // trunks
  Scorecard: (shown, said) => {
    const alpha = shown.row({ trunk: 'alpha' })
    // lossy, one-way, busy, nobody, gave-up; two answered, one failed (404).
    expect(alpha).toMatchObject({ attempts: 5, asr: 40, ner: 80, failed: 20, peak: 2 })
    expect(alpha.pdd).toBeCloseTo((4 * 200 + 50) / 5, 6)
    expect(alpha.duration).toBeCloseTo((60 + 20) / 2, 2)
    expect(alpha.loss).toBeCloseTo(lossPercent(intervals(said, 'alpha')), 6)
    // bursty, behind, short, no-codec, overloaded, dead; of three completed one lasted 2 s.
    const beta = shown.row({ trunk: 'beta' })
    expect(beta).toMatchObject({ attempts: 6, failed: 50, bursts: 11 })
    expect(beta.short).toBeCloseTo(100 / 3, 6)
  },
  'Speech by codec': (shown, said) => {
    const pcma = said.intervals.filter(({ codec }) => codec === 'PCMA')
    expect(shown.sum('PCMA')).toBeCloseTo(speechSeconds(pcma), 2)
  },
  'ASR, NER, SER, SEER': (shown) => {
    expect(shown.values('SER')).toEqual([50, 100])
    expect(shown.values('SEER')[0]).toBeCloseTo((100 * 7) / 12, 6) // six answered, one busy
  },
  'Failures by cause': (shown) => {
    expect(shown.sum('no common codec (415, 488, 606)')).toBe(1)
    expect(shown.sum('no such number (404, 410, 484, 485, 604)')).toBe(1)
    expect(shown.sum('timeout (408, no response)')).toBe(1)
    expect(shown.sum('server or trunk (5xx)')).toBe(1)
    expect(shown.sum('not authorised (401, 402, 403, 407)')).toBe(0)
  },
  'Post-dial delay and set-up time': (shown) => {
    expect(shown.values('PDD, mean')[0]).toBeCloseTo((8 * 200 + 3 * 50) / 11, 6)
    expect(shown.values('set-up, mean')).toEqual([2000, 2000])
  },
  'Slow set-up: attempts over 1 to 8 s of post-dial delay': (shown) =>
    expect(shown.values('over 1 s')).toEqual([0, 0]),
  'How attempts ended': (shown) => {
    const ended = Object.fromEntries(shown.names.map((name) => [name, shown.value(name)]))
    expect(ended).toMatchObject({ answered: 8, busy: 1, 'no answer': 1, declined: 0, failed: 4 })
  },
  'Duration of calls': (shown) => {
    addsUpTo100(shown, MINUTES)
    expect(shown.values('under 3 s')[1]).toBeCloseTo(100 / 6, 6) // short, of six that ended in the second minute
  },

  // finder
  'Matching calls': (shown) => {
    expect(shown.sum('broken')).toBe(1)
    expect(shown.sum('poor')).toBe(1)
    expect(shown.sum('good')).toBe(6)
    expect(shown.sum('unknown')).toBe(6)
  },
  'Calls found': (shown) => expect(shown.value()).toBe(14),
  'With findings': (shown, said) => {
    const found = said.calls.filter(({ findings }) => findings.length > 0)
    expect(shown.value()).toBeCloseTo((100 * found.length) / 14, 6)
  },
  'By finding': (shown, said) => {
    const failed = said.calls.filter(({ findings }) => findings.some(({ code }) => code === 'setup_failed'))
    expect(shown.value('setup_failed')).toBe(failed.length)
    expect(shown.value('one_way_audio')).toBe(1)
  },
  'Worst calls': (shown, said) => {
    const worst = shown.rows().sort((a, b) => Number(a.mos_cq_min) - Number(b.mos_cq_min))[0]
    const lossy = said.calls.find((call) => call.call_id === 'lossy')
    expect(worst).toMatchObject({ call_id: 'lossy', mos_cq_min: lossy?.mos_cq_min, caller: '+4930100002' })
    // One minute before the first INVITE to ten seconds after the BYE.
    expect(worst.from_ms).toBe(Date.parse(lossy?.start ?? '') - 60_000)
    expect(worst.to_ms).toBe(Date.parse(lossy?.end ?? '') + 10_000)
    expect(shown.rows()).toHaveLength(7)
  },
  'Latest calls': (shown) => {
    expect(shown.rows()).toHaveLength(14)
    expect(shown.rows()[0].call_id).toBe('short')
    expect(shown.row({ call_id: 'overloaded' })).toMatchObject({
      sip_status: 503,
      state: 'failed',
      trunk: 'beta',
    })
  },

  // one call: lossy
  Verdict: (shown) => expect(shown.row().quality).toBe('poor'),
  'Worst MOS': (shown, said) =>
    expect(shown.value()).toBe(said.calls.find((call) => call.call_id === 'lossy')?.mos_cq_min),
  Duration: (shown) => expect(shown.value()).toBe(60),
  'Round trip': (shown) => expect(shown.value()).toBeCloseTo(100, 0), // 30 + 70
  'call.json: Post-dial delay': (shown) => expect(shown.value()).toBe(200),
  Findings: (shown, said) =>
    expect(shown.value()).toBe(said.calls.find((call) => call.call_id === 'lossy')?.findings.length),
  Call: (shown) =>
    expect(shown.row()).toMatchObject({
      caller: '+4930100002',
      callee: '+4420700001',
      caller_address: '198.51.100.2',
      caller_site: 'hq',
      trunk: 'alpha',
      state: 'completed',
    }),
  'What was found': (shown, said) => {
    const found = said.calls.find((call) => call.call_id === 'lossy')?.findings ?? []
    expect(shown.rows().map(({ code }) => code)).toEqual(
      expect.arrayContaining(found.map(({ code }) => code)),
    )
    expect(shown.row({ code: 'burst_loss' })).toMatchObject({
      severity: 'critical',
      direction: 'from_caller',
    })
  },
  MOS: (shown, said) => {
    const mine = said.intervals.filter((one) => one.call_id === 'lossy' && one.direction === 'from_caller')
    expect(shown.values('from_caller: MOS')).toEqual(mine.flatMap(({ mos_cq }) => mos_cq ?? []))
    expect(shown.values('from_callee: listening').length).toBeGreaterThan(4)
  },
  'Loss at the tap, and what the far end reports': (shown, said) => {
    const mine = said.intervals.filter((one) => one.call_id === 'lossy' && one.direction === 'from_caller')
    expect(shown.values('from_caller: tap')).toEqual(mine.map(({ loss_percent }) => loss_percent))
    // RTCP every 5 s: from the first interval on the receiver has reported some loss.
    const reported = shown.values('from_caller: RTCP')
    expect(reported.length).toBeGreaterThan(4)
    expect(reported.at(-1)).toBeGreaterThan(6)
    expect(reported.at(-1)).toBeLessThan(11)
  },
  'Late packets': (shown) => expect(shown.max('from_caller')).toBe(0),
  'Jitter percentiles': (shown) => expect(shown.values('from_caller: p95').length).toBeGreaterThan(4),
  'Jitter at the tap and in RTCP': (shown) =>
    expect(shown.values('from_callee: RTCP').length).toBeGreaterThan(4),
  'Delay variation': (shown) => expect(shown.max('from_callee: max')).toBeLessThan(1),
  // 20 + 40 + (30 + 70) / 2
  'call.json: One-way delay': (shown) => {
    expect(shown.max('from_caller: mouth to ear')).toBeCloseTo(110, 0)
    expect(shown.max('from_caller: jitter buffer')).toBe(40)
  },
  'call.json: Burst seconds': (shown) => expect(shown.max('from_caller')).toBe(0),
  'Both directions over the whole call': (shown, said) => {
    const caller = said.calls.find((call) => call.call_id === 'lossy')?.media.from_caller
    expect(shown.row({ direction: 'from_caller' })).toMatchObject({
      codec_name: 'PCMU',
      packets: caller?.packets,
      lost: caller?.lost,
      loss_percent: caller?.loss_percent,
      mos_cq: caller?.mos_cq,
    })
    expect(shown.row({ direction: 'from_callee' }).lost).toBe(0)
  },
  'The tap beside the endpoints': (shown, said) => {
    const caller = said.calls.find((call) => call.call_id === 'lossy')?.media.from_caller
    expect(shown.row({ direction: 'from_caller' })).toMatchObject({
      rtcp_loss_percent: caller?.rtcp_loss_percent,
      lost_before_tap: caller?.lost_before_tap,
      delay_source: 'rtcp',
    })
  },
  'Set-up and release': (shown) =>
    expect(shown.row()).toMatchObject({
      sip_status: 200,
      sip_pdd_ms: 200,
      sip_setup_ms: 2000,
      sip_ended_by: 'caller',
    }),
  'What the probe could not see': (shown) =>
    expect(shown.row()).toMatchObject({
      validity_complete_start: true,
      validity_complete_end: true,
      validity_directions_seen: 'from_caller from_callee',
      validity_timestamp_source: 'file',
      probe: 'tap-1',
    }),

  // signalling
  Attempts: (shown) => expect(shown.value()).toBe(14),
  ASR: (shown) => expect(shown.value()).toBeCloseTo((100 * 8) / 12, 6),
  NER: (shown) => expect(shown.value()).toBeCloseTo((100 * 10) / 14, 6),
  SER: (shown) => expect(shown.value()).toBeCloseTo((100 * 8) / 14, 6),
  Ineffective: (shown) => expect(shown.value()).toBeCloseTo((100 * 2) / 14, 6), // 503, no response
  'signalling.json: Post-dial delay': (shown) =>
    expect(shown.value()).toBeCloseTo((10 * 200 + 3 * 50) / 13, 6),
  'Failures by status class': (shown) => {
    expect(shown.sum('4xx')).toBe(4) // busy, 404, 488, and 487 of the call that was given up
    expect(shown.sum('5xx')).toBe(1)
  },
  'Failures by code': (shown) => {
    expect(shown.row({ call_id: 'overloaded' })).toMatchObject({
      sip_status: 503,
      sip_reason: 'Service Unavailable',
    })
    expect(shown.rows()).toHaveLength(5) // busy, nobody, no-codec, overloaded, dead
  },
  'Latest failed calls': (shown) => expect(shown.rows()[0]).toMatchObject({ call_id: 'dead', trunk: 'beta' }),
  Registrations: (shown) => {
    expect(shown.sum('successful')).toBe(1)
    expect(shown.sum('failed')).toBe(1)
  },
  'Registration attempts per second, peak': (shown) => expect(shown.max('attempts per second')).toBe(1),
  'Reachability by OPTIONS': (shown) => {
    expect(shown.values('alpha')[0]).toBe(100)
    expect(shown.values('beta')).toEqual([0])
  },
  'SIP messages sent again': (shown, said) => {
    const dead = said.calls.find((call) => call.call_id === 'dead')?.sip?.retransmissions
    expect(dead).toBeGreaterThan(3)
    expect(shown.sum('beta')).toBe(dead)
  },
  'Session disconnect delay and unanswered BYEs': (shown) => {
    expect(shown.max('disconnect delay')).toBeGreaterThan(5)
    expect(shown.sum('unanswered BYEs (count)')).toBe(0)
  },

  // probes
  'Probes reporting': (shown) => expect(shown.value()).toBe(2),
  'Dropped by the kernel': (shown) => expect(shown.value()).toBeCloseTo(1, 6),
  'Records lost': (shown) => expect(shown.value()).toBe(36),
  'Points refused': (shown) => expect(shown.value()).toBe(24),
  Probes: (shown) => {
    expect(shown.row({ probe: 'tap-2' })).toMatchObject({
      calls: 20,
      streams: 40,
      load: 40,
      memory: 200_000_000,
      lag: 250,
      spool: 12_000,
      drops: 1200,
      interface_drops: 84,
    })
    expect(shown.row({ probe: 'tap-1' }).calls).toBeTypeOf('number')
  },
  'Packets per second': (shown) => expect(shown.max('tap-2')).toBeCloseTo(990, 6),
  'What the packets are': (shown) => {
    expect(shown.values('tap-1: RTP')[0]).toBeGreaterThan(95)
    expect(shown.values('tap-1: SIP')[0]).toBeLessThan(5)
  },
  Drops: (shown) => expect(shown.sum('tap-2: kernel')).toBe(1200),
  'Calls and streams followed': (shown) => {
    expect(shown.max('tap-2: streams')).toBe(40)
    expect(shown.max('tap-1: calls')).toBeGreaterThan(3)
  },
  Load: (shown) => expect(shown.max('tap-2')).toBeCloseTo(40, 6),
  Memory: (shown) => expect(shown.max('tap-2')).toBe(200_000_000),
  'Behind the clock': (shown) => expect(shown.max('tap-2')).toBe(250),
  'Skipped and evicted': (shown) => expect(shown.sum('tap-1: evictions')).toBe(0),
  'Beyond the series budget': (shown) => expect(shown.sum('tap-2')).toBe(60),
  'Waiting in the spool': (shown) => expect(shown.max('tap-2')).toBe(12_000),
  'Points delivered and lost': (shown) => {
    expect(shown.sum('tap-2: sent')).toBe(6000)
    expect(shown.sum('tap-2: lost')).toBe(36)
  },
}

const ALERT: AlertRecord = {
  type: 'alert',
  schema: 1,
  probe: 'tap-1',
  alert_id: 'a1',
  rule: 'burst_jitter',
  state: 'firing',
  severity: 'warning',
  time: '2024-01-01T00:01:00.000Z',
  start: '2024-01-01T00:00:50.000Z',
  trunk: 'beta',
  value: 11,
  threshold: 10,
  calls_affected: 1,
  message: 'Burst jitter on beta',
}
const CLEARED: AlertRecord = {
  ...ALERT,
  state: 'resolved',
  time: '2024-01-01T00:02:00.000Z',
  end: '2024-01-01T00:01:50.000Z',
}

describe.skipIf(!requirePrograms('influxd'))(
  'the panels, on a database that `replay --influx` filled',
  () => {
    let run: NocRun
    let influx: Influx
    let said: Said

    beforeAll(async () => {
      run = await NocRun.start()
      said = await run.replay('noc', [await run.generate()], 'noc-config.yaml')
      await run.addLive('noc', [ALERT, CLEARED], START_MS)
      influx = run.influx('noc')
    }, 120_000)
    afterAll(() => run?.end())

    async function shown(
      dashboard: Dashboard,
      title: string,
      range = RANGE,
      choices: Choices = {},
    ): Promise<Shown> {
      const panel = dataPanels(dashboard).find((one) => one.title === title)
      if (panel === undefined) throw new Error(`no panel ${title}`)
      return new Shown(await panelFrames(influx, dashboard, panel, range, { call_id: 'lossy', ...choices }))
    }

    const page = (file: string): Dashboard => {
      const dashboard = DASHBOARDS.get(file)
      if (dashboard === undefined) throw new Error(file)
      return dashboard
    }

    for (const [file, dashboard] of DASHBOARDS) {
      describe(dashboard.title, () => {
        for (const { title } of dataPanels(dashboard))
          it(title, async () => {
            const expectation = EXPECTED[`${file}: ${title}`] ?? EXPECTED[title]
            expect(expectation, `${file}: ${title} has no expected value in this test`).toBeDefined()
            expectation(await shown(dashboard, title), said)
          })
      })
    }

    it('mark alerts that were raised, with their text and tags', async () => {
      const annotated = [...DASHBOARDS.values()].filter(({ annotations }) => annotations.list?.length)
      expect(annotated.length).toBeGreaterThan(4)
      for (const dashboard of annotated)
        for (const { query } of dashboard.annotations.list ?? []) {
          const [series] = await influx.query(fillIn(query ?? '', dashboard, RANGE))
          const { columns, values } = series ?? { columns: [], values: [] }
          // The trunk is chosen in each; sites the alert does not name are unknown, which "All" takes in.
          expect(values).toHaveLength(1)
          expect(values[0][columns.indexOf('message')]).toBe('Burst jitter on beta')
          expect(values[0][columns.indexOf('rule')]).toBe('burst_jitter')
          expect(values[0][0]).toBeGreaterThanOrEqual(Date.parse(ALERT.time))
        }
    })

    it('fill the variables with what the database has', async () => {
      const values = new Map<string, string[]>()
      for (const dashboard of DASHBOARDS.values())
        for (const { name, type, query } of dashboard.templating.list) {
          if (type !== 'query') continue
          const series = await influx.query(query ?? '')
          values.set(
            name,
            series.flatMap((one) => one.values.map((row) => String(row[1]))),
          )
        }
      expect(Object.fromEntries(values)).toMatchObject({
        trunk: ['alpha', 'beta', 'unknown'],
        caller_site: ['berlin', 'hq'],
        callee_site: ['berlin', 'unknown'],
        probe: ['tap-1', 'tap-2'],
      })
    })

    it('show what is chosen alone', async () => {
      const overview = page('overview.json')
      const alpha = await shown(overview, 'Packet loss', RANGE, { trunk: ['alpha'] })
      expect(alpha.value()).toBeCloseTo(lossPercent(intervals(said, 'alpha')), 6)
      const two = await shown(overview, 'Packet loss', RANGE, { trunk: ['alpha', 'beta'] })
      const both = said.intervals.filter(({ trunk }) => trunk === 'alpha' || trunk === 'beta')
      expect(two.value()).toBeCloseTo(lossPercent(both), 6)
      const pair = await shown(page('sites.json'), 'Loss and late packets', RANGE, {
        callee_site: ['berlin'],
      })
      expect(pair.values('lost')).toEqual([0, 0])
    })

    it('show a gap, not 0, where there is nothing to divide by', async () => {
      // After the second minute nobody spoke and nobody called; at 00:00 to 00:00:05 neither.
      for (const [file, title] of [
        ['overview.json', 'Mean MOS by trunk'],
        ['overview.json', 'Failure rate and answer ratio'],
        ['overview.json', 'MOS distribution'],
        ['signalling.json', 'Post-dial delay and set-up time'],
        ['signalling.json', 'Reachability by OPTIONS'],
      ]) {
        const all = await shown(page(file), title, {
          fromMs: START_MS - 3_600_000,
          toMs: START_MS + 3_600_000,
        })
        for (const name of all.names)
          expect(all.values(name).length, `${title}: ${name}`).toBeLessThanOrEqual(2)
      }
      // A trunk that only ever got OPTIONS has no answer ratio. In the last minute no call was tried over alpha.
      const alpha = await shown(
        page('signalling.json'),
        'ASR',
        { fromMs: START_MS + 60_000, toMs: START_MS + 119_000 },
        { trunk: ['alpha'] },
      )
      expect(alpha.names).toEqual([])
    })

    it('show the same totals from minutes and from hours', async () => {
      const hours = { fromMs: START_MS - 15 * 86_400_000, toMs: START_MS + 15 * 86_400_000 }
      for (const title of ['Packet loss', 'Mean MOS', 'Set-up failures', 'Poor intervals']) {
        const [minutes, month] = [
          await shown(page('overview.json'), title),
          await shown(page('overview.json'), title, hours),
        ]
        expect(month.names[0]).toContain('_1h')
        expect(minutes.names[0]).toContain('_1m')
        expect(month.value()).toBeCloseTo(minutes.value(), 9)
      }
      const worst = await shown(page('overview.json'), 'Worst trunks', hours)
      expect(worst.row({ trunk: 'alpha' }).loss).toBeCloseTo(lossPercent(intervals(said, 'alpha')), 6)
    })

    describe('find a call', () => {
      const found = async (choices: Choices) =>
        (await shown(page('finder.json'), 'Latest calls', RANGE, choices))
          .rows()
          .map(({ call_id }) => call_id)

      it('by a part of a number, of either party', async () => {
        expect(await found({ search: '30100002' })).toEqual(['lossy'])
        expect(await found({ search: '+4420700003' })).toEqual(['one-way'])
        expect(await found({ search: 'DORA' })).toEqual(['nobody'])
      })
      it('by an address', async () => {
        expect(await found({ search: '198.51.100.203' })).toEqual(['bursty'])
      })
      it('by its Call-ID, and by nothing', async () => {
        expect(await found({ search: 'overloaded' })).toEqual(['overloaded'])
        expect(await found({ search: 'over.oaded' })).toEqual([])
        expect(await found({})).toHaveLength(14)
      })
      it('by a finding, by several, by verdict, state and trunk', async () => {
        expect(await found({ finding: ['one_way_audio'] })).toEqual(['one-way'])
        expect((await found({ finding: ['one_way_audio', 'burst_jitter'] })).sort()).toEqual([
          'bursty',
          'one-way',
        ])
        expect(await found({ quality: ['poor'] })).toEqual(['lossy'])
        expect(await found({ state: ['timeout'] })).toEqual(['dead'])
        expect(await found({ trunk: ['alpha'], quality: ['good', 'broken'] })).toEqual(['one-way'])
      })
      it('by hostile text, which stays text', async () => {
        for (const search of [`' OR 1=1 --`, '/ OR /', `"; DROP DATABASE noc`, '(', '\\', '$search', '.*'])
          expect(await found({ search })).toEqual([])
        expect(await found({})).toHaveLength(14)
      })
    })

    it('open a call by the range that its link carries', async () => {
      const list = await shown(page('overview.json'), 'Latest bad calls')
      const { from_ms, to_ms, call_id } = list.row({ call_id: 'one-way' })
      const range = { fromMs: Number(from_ms), toMs: Number(to_ms) }
      const choices = { call_id: String(call_id) }
      const mos = await shown(page('call.json'), 'MOS', range, choices)
      const mine = said.intervals.filter((one) => one.call_id === 'one-way' && one.mos_cq !== undefined)
      expect(mos.values('from_caller: MOS')).toHaveLength(mine.length)
      expect((await shown(page('call.json'), 'Verdict', range, choices)).row().quality).toBe('broken')
      const whole = await shown(page('call.json'), 'Both directions over the whole call', range, choices)
      expect(whole.rows()).toHaveLength(2)
    })

    describe('the alert rules', () => {
      /** Reduce (last) and math of Grafana's expressions, per series, as far as the rules use them. */
      async function firing(uid: string, database: string, nowMs: number): Promise<string[]> {
        const rule = RULES.find((one) => one.uid === uid)
        if (rule === undefined) throw new Error(uid)
        const bySeries = new Map<string, Record<string, number>>()
        for (const { refId, model, relativeTimeRange } of rule.data) {
          if (model.query === undefined) continue
          const from = nowMs - relativeTimeRange.from * 1000
          const statement = String(model.query).replace(
            '$timeFilter',
            `time >= ${from}ms and time <= ${nowMs}ms`,
          )
          const reduced = rule.data.find(
            (one) => one.model.type === 'reduce' && one.model.expression === refId,
          )
          for (const { tags, values } of await run.influx(database).query(statement)) {
            const labels = Object.values(tags ?? {}).join(' ')
            const last = values.at(-1)?.[1]
            if (typeof last === 'number')
              bySeries.set(labels, { ...bySeries.get(labels), [reduced?.refId ?? '']: last })
          }
        }
        const condition = rule.data.find(({ refId }) => refId === rule.condition)
        const test = String(condition?.model.expression).replace(/\$([A-Z])/g, 'values.$1')
        const holds = new Function('values', `return ${test}`)
        return [...bySeries].filter(([, values]) => holds(values)).map(([labels]) => labels)
      }

      const NOW = START_MS + 3_600_000
      const path = (trunk: string) =>
        `callee_site=a,caller_site=b,codec=PCMA,direction=from_callee,probe=p,trunk=${trunk}`

      it('for burst jitter name the path that bursts, not one noisy phone among fifty, nor a single call', async () => {
        await run.influx('rules').query('CREATE DATABASE rules')
        const lines: string[] = []
        for (let second = 10; second <= 600; second += 10) {
          const at = `${NOW - second * 1000}000000`
          // Four calls of which three burst once in ten seconds; one of fifty that bursts every other second; one call alone.
          lines.push(`voip_traffic,${path('bad')} burst_seconds=3i,media_s=40 ${at}`)
          lines.push(`voip_traffic,${path('noisy-phone')} burst_seconds=5i,media_s=500 ${at}`)
          lines.push(`voip_traffic,${path('one-call')} burst_seconds=2i,media_s=10 ${at}`)
          lines.push(`voip_traffic,${path('quiet')} burst_seconds=0i,media_s=900 ${at}`)
        }
        await run.write('rules', lines)
        expect(await firing('callprobe-burst-jitter', 'rules', NOW)).toEqual(['a b from_callee bad'])
        // A quarter of an hour later there is nothing left to see.
        expect(await firing('callprobe-burst-jitter', 'rules', NOW + 900_000)).toEqual([])
      })

      it('tell of a probe that drops packets, and of one that fell silent', async () => {
        await run.influx('probes').query('CREATE DATABASE probes')
        const lines: string[] = []
        for (let second = 10; second <= 800; second += 10) {
          const at = `${NOW - second * 1000}000000`
          lines.push(`voip_probe,probe=fine packets=1000i,capture_drops=0i ${at}`)
          lines.push(`voip_probe,probe=slow packets=1000i,capture_drops=${second === 100 ? 7 : 0}i ${at}`)
          if (second > 300) lines.push(`voip_probe,probe=gone packets=1000i,capture_drops=0i ${at}`)
        }
        await run.write('probes', lines)
        expect(await firing('callprobe-probe-drops', 'probes', NOW)).toEqual(['slow'])
        expect(await firing('callprobe-probe-silent', 'probes', NOW)).toEqual(['gone'])
      })
    })

    describe('of real captures', () => {
      it('count the calls of the SIPp capture as its records do', async (context) => {
        const file = sharedPath('pcaps/sip_captures__uac-uas-scenario-sipp.pcapng')
        if (file === undefined) return context.skip()
        const real = await run.replay('real', [file])
        const times = real.calls.map(({ start }) => Date.parse(start))
        const range = { fromMs: Math.min(...times) - 60_000, toMs: Math.max(...times) + 3_600_000 }
        const database = run.influx('real')
        const ask = async (file_: string, title: string) => {
          const panel = dataPanels(page(file_)).find((one) => one.title === title)
          if (panel === undefined) throw new Error(title)
          return new Shown(await panelFrames(database, page(file_), panel, range))
        }
        expect(real.calls.length).toBeGreaterThan(700)
        expect((await ask('finder.json', 'Calls found')).value()).toBe(real.calls.length)
        const matching = await ask('finder.json', 'Matching calls')
        expect(sumOf(matching.names.map((name) => matching.sum(name)))).toBe(real.calls.length)
        // Each attempt that was decided ended somehow; calls that were up at the end of the capture are answered.
        const ended = await ask('signalling.json', 'How attempts ended')
        const attempts = (await ask('signalling.json', 'Attempts')).value()
        expect(sumOf(ended.names.map((name) => ended.value(name)))).toBe(attempts)
        const answered = real.calls.filter(({ sip }) => sip?.status === 200)
        expect(ended.value('answered')).toBe(answered.length)
      }, 60_000)
    })
  },
)
