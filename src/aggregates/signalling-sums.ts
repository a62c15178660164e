import type { StandaloneRequest } from '../sip/call.js'
import type { AttemptOutcome, Outcome } from './attempt-outcome.js'
import { bucketName, DURATION_LT_S, PDD_LE_MS, SETUP_LE_MS } from './fields.js'
import type { MetricPoint } from './point.js'
import { ValueHistogram } from './value-histogram.js'

/** A decided attempt as the sums take it. */
export interface Attempt extends AttemptOutcome {
  pddMs?: number
  setupMs?: number
  /** The first status: ringing, progress or the answer; a failure; neither. */
  requestDelay?: 'success' | 'failed'
  emergency: boolean
}

const PDD_NAMES = PDD_LE_MS.map((edge) => bucketName('pdd_le_', edge, '_ms'))
const SETUP_NAMES = SETUP_LE_MS.map((edge) => bucketName('setup_le_', edge, '_ms'))
const DURATION_NAMES = DURATION_LT_S.map((edge) => bucketName('duration_lt_', edge, '_s'))

/** Counters that are nothing but added up. */
const COUNTERS: readonly string[] = [
  'attempts',
  'answered',
  'redirected',
  'seizures',
  'effective',
  'ineffective',
  'delivered',
  'completed',
  'busy',
  'declined',
  'no_answer',
  'abandoned',
  'failed',
  'failed_codec',
  'failed_auth',
  'failed_not_found',
  'failed_unavailable',
  'failed_timeout',
  'failed_server',
  'failed_other',
  'status_3xx',
  'status_4xx',
  'status_5xx',
  'status_6xx',
  'emergency_attempts',
  'emergency_failed',
  'retransmissions',
  'srd_success_count',
  'srd_success_sum_ms',
  'srd_failed_count',
  'srd_failed_sum_ms',
  'disconnects',
  'disconnects_unanswered',
  'call_s',
  'transfers',
  'registrations',
  'registrations_ok',
  'registrations_failed',
  'registrations_challenged',
  'unregistrations',
  'registration_storm_s',
  'options',
  'options_answered',
  ...PDD_NAMES,
  ...SETUP_NAMES,
  ...DURATION_NAMES,
]

function isFailure(outcome: Outcome): boolean {
  return outcome.startsWith('failed_')
}

/** What signalling of one trunk adds up to. */
export class SignallingSums {
  private readonly counts: Record<string, number> = {}
  private readonly pdd = new ValueHistogram()
  private readonly setup = new ValueHistogram()
  private readonly disconnect = new ValueHistogram()
  private readonly durationMs = new ValueHistogram()
  private readonly registration = new ValueHistogram()
  private readonly optionsRtt = new ValueHistogram()
  private callsPeak = 0
  private registersPeak = 0

  private add(name: string, by = 1): void {
    this.counts[name] = (this.counts[name] ?? 0) + by
  }

  addAttempt({ outcome, status, pddMs, setupMs, ...attempt }: Attempt): void {
    this.add('attempts')
    this.add(outcome)
    if (isFailure(outcome)) this.add('failed')
    if (attempt.seized) this.add('seizures')
    if (attempt.effective) this.add('effective')
    if (attempt.ineffective) this.add('ineffective')
    if (attempt.delivered) this.add('delivered')
    if (attempt.emergency) this.add('emergency_attempts')
    if (attempt.emergency && isFailure(outcome)) this.add('emergency_failed')
    if (status !== undefined && status >= 300) this.addStatus(status)
    if (pddMs !== undefined) this.addPostDialDelay(pddMs, attempt.requestDelay)
    if (setupMs === undefined) return
    this.setup.add(setupMs)
    for (let k = 0; k < SETUP_NAMES.length; k++) if (setupMs <= SETUP_LE_MS[k]) this.add(SETUP_NAMES[k])
  }

  private addStatus(status: number): void {
    if (status < 400) this.add('status_3xx')
    else if (status < 500) this.add('status_4xx')
    else if (status < 600) this.add('status_5xx')
    else this.add('status_6xx')
  }

  /** Also the session request delay (RFC 6076 4.3): to a sign of progress, or to the failure. */
  private addPostDialDelay(pddMs: number, requestDelay: Attempt['requestDelay']): void {
    this.pdd.add(pddMs)
    for (let k = 0; k < PDD_NAMES.length; k++) if (pddMs <= PDD_LE_MS[k]) this.add(PDD_NAMES[k])
    if (requestDelay === undefined) return
    this.add(`srd_${requestDelay}_count`)
    this.add(`srd_${requestDelay}_sum_ms`, pddMs)
  }

  /** The end of a call in signalling. */
  addEnd(end: {
    completed: boolean
    bye: boolean
    durationMs?: number
    retransmissions: number
    referred: boolean
  }): void {
    if (end.completed) this.add('completed')
    if (end.bye) this.add('disconnects')
    if (end.referred) this.add('transfers')
    if (end.retransmissions > 0) this.add('retransmissions', end.retransmissions)
    if (end.durationMs === undefined) return
    this.durationMs.add(end.durationMs)
    for (let k = 0; k < DURATION_NAMES.length; k++)
      if (end.durationMs < DURATION_LT_S[k] * 1000) this.add(DURATION_NAMES[k])
  }

  /** @param delayMs BYE to its response; undefined: there was none */
  addDisconnect(delayMs: number | undefined): void {
    if (delayMs === undefined) this.add('disconnects_unanswered')
    else this.disconnect.add(delayMs)
  }

  /** @param calls how many were talking for that long */
  addTalking(calls: number, lengthMs: number): void {
    this.add('call_s', (calls * lengthMs) / 1000)
    this.callsPeak = Math.max(this.callsPeak, calls)
  }

  addRegistration(request: StandaloneRequest): void {
    const { status = 0, challenges } = request
    this.add('registrations')
    if (request.unregisters) this.add('unregistrations')
    if (challenges > 0) this.add('registrations_challenged', challenges)
    const successful = status >= 200 && status < 300
    this.add(successful ? 'registrations_ok' : 'registrations_failed')
    if (successful) this.registration.add(request.endMs - request.startMs)
  }

  addOptions(request: StandaloneRequest): void {
    this.add('options')
    if ((request.status ?? 0) === 0) return
    this.add('options_answered')
    this.optionsRtt.add(request.endMs - request.startMs)
  }

  /** A second in which so many registration attempts began. */
  addRegisterSecond(attempts: number, isStorm: boolean): void {
    this.registersPeak = Math.max(this.registersPeak, attempts)
    if (isStorm) this.add('registration_storm_s')
  }

  merge(other: SignallingSums): void {
    for (const name in other.counts) this.counts[name] = (this.counts[name] ?? 0) + other.counts[name]
    this.pdd.merge(other.pdd)
    this.setup.merge(other.setup)
    this.disconnect.merge(other.disconnect)
    this.durationMs.merge(other.durationMs)
    this.registration.merge(other.registration)
    this.optionsRtt.merge(other.optionsRtt)
    this.callsPeak = Math.max(this.callsPeak, other.callsPeak)
    this.registersPeak = Math.max(this.registersPeak, other.registersPeak)
  }

  fields(whole: boolean): MetricPoint['fields'] {
    const fields: Record<string, number | undefined> = {}
    for (const name of COUNTERS) fields[name] = this.counts[name] ?? 0
    const { pdd, setup, disconnect, durationMs, registration, optionsRtt } = this
    fields.pdd_count = pdd.count
    fields.pdd_sum_ms = pdd.sum
    fields.pdd_max_ms = pdd.largest
    fields.setup_count = setup.count
    fields.setup_sum_ms = setup.sum
    fields.setup_max_ms = setup.largest
    fields.sdd_count = disconnect.count
    fields.sdd_sum_ms = disconnect.sum
    fields.sdd_max_ms = disconnect.largest
    fields.duration_count = durationMs.count
    fields.duration_sum_s = durationMs.sum / 1000
    fields.duration_max_s = seconds(durationMs.largest)
    fields.rrd_count = registration.count
    fields.rrd_sum_ms = registration.sum
    fields.rrd_max_ms = registration.largest
    fields.options_rtt_count = optionsRtt.count
    fields.options_rtt_sum_ms = optionsRtt.sum
    fields.options_rtt_max_ms = optionsRtt.largest
    if (whole) this.fillDerived(fields)
    return fields
  }

  private fillDerived(fields: Record<string, number | undefined>): void {
    const { counts, pdd, setup, disconnect, durationMs, registration, optionsRtt } = this
    const of = (name: string): number => counts[name] ?? 0
    const requests = of('attempts') - of('redirected')
    fields.ser_percent = percent(of('answered'), requests)
    fields.seer_percent = percent(of('effective'), requests)
    fields.isa_percent = percent(of('ineffective'), of('attempts'))
    fields.scr_percent = percent(of('completed'), of('attempts'))
    fields.asr_percent = percent(of('answered'), of('seizures'))
    fields.abr_percent = percent(of('answered'), of('attempts'))
    fields.ner_percent = percent(of('delivered'), of('seizures'))
    fields.pdd_mean_ms = pdd.mean
    fields.pdd_p50_ms = pdd.percentile(50)
    fields.pdd_p95_ms = pdd.percentile(95)
    fields.pdd_p99_ms = pdd.percentile(99)
    fields.srd_success_mean_ms = ratio(of('srd_success_sum_ms'), of('srd_success_count'))
    fields.srd_failed_mean_ms = ratio(of('srd_failed_sum_ms'), of('srd_failed_count'))
    fields.setup_mean_ms = setup.mean
    fields.setup_p50_ms = setup.percentile(50)
    fields.setup_p95_ms = setup.percentile(95)
    fields.setup_p99_ms = setup.percentile(99)
    fields.sdd_mean_ms = disconnect.mean
    fields.sdd_p95_ms = disconnect.percentile(95)
    fields.duration_mean_s = seconds(durationMs.mean)
    fields.duration_p50_s = seconds(durationMs.percentile(50))
    fields.calls_peak = this.callsPeak
    fields.registration_ok_percent = percent(of('registrations_ok'), of('registrations'))
    fields.ira_percent = percent(of('registrations_failed'), of('registrations'))
    fields.rrd_mean_ms = registration.mean
    fields.rrd_p95_ms = registration.percentile(95)
    fields.registers_peak_per_s = this.registersPeak
    fields.options_answered_percent = percent(of('options_answered'), of('options'))
    fields.options_rtt_mean_ms = optionsRtt.mean
  }
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000
}

function ratio(part: number, whole: number): number | undefined {
  return whole > 0 ? part / whole : undefined
}

function percent(part: number, whole: number): number | undefined {
  return whole > 0 ? (100 * part) / whole : undefined
}
