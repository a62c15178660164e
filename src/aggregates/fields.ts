/**
 * The measurements of this folder, tag by tag and field by field: what the aggregators fill in, the database gets and
 * the dashboards read. docs/aggregates.md is held to these lists by a test. Names are public: add, do not rename.
 */

/** `integer` fields are always whole numbers, so that a database never sees two types under one name. */
export type FieldType = 'integer' | 'float'

/**
 * How two values become one: over time (roll-ups) and over series (`SELECT sum(...)`).
 * `sum`: add them. `max`, `min`: the greater, the smaller. `derived`: cannot be merged; work it out again from the sums,
 * or read it from the roll-up, where it is of the merged histograms.
 */
export type FieldMerge = 'sum' | 'max' | 'min' | 'derived'

export interface FieldDefinition {
  type: FieldType
  merge: FieldMerge
  /** Unit as Grafana names it: short, ms, s, percent, bytes, pps; `mos` for 1..5. */
  unit: string
  /** What the number is, for people: the text of docs and of panels. */
  text: string
}

export type FieldTable = Readonly<Record<string, FieldDefinition>>

export const TRAFFIC = 'voip_traffic'
export const SIGNALLING = 'voip_signalling'
export const PROBE = 'voip_probe'
/** Measurement suffix of each roll-up, and its width. */
export const ROLL_UPS = [
  { suffix: '_1m', widthMs: 60_000 },
  { suffix: '_1h', widthMs: 3_600_000 },
] as const

export const TRAFFIC_TAGS = ['probe', 'caller_site', 'callee_site', 'trunk', 'codec', 'direction'] as const
export const SIGNALLING_TAGS = ['probe', 'trunk', 'leg'] as const
export const PROBE_TAGS = ['probe'] as const

/** Upper edges of the additive buckets. Jitter and delay variation per packet, MOS per interval of one direction. */
export const JITTER_LE_MS = [5, 10, 20, 30, 40, 60, 80, 100, 200] as const
export const PDV_LE_MS = [5, 10, 20, 40, 60, 80, 100, 150, 200, 300, 500] as const
export const MOS_LT = [2.6, 3.1, 3.6, 4, 4.3] as const
export const LOSS_GT_PERCENT = [0.1, 0.5, 1, 3, 5, 10] as const
export const DELAY_GT_MS = [100, 150, 200, 250, 400] as const
export const PDD_LE_MS = [500, 1000, 2000, 3000, 5000, 8000, 11_000] as const
export const SETUP_LE_MS = [1000, 2000, 5000, 10_000, 20_000, 30_000, 60_000] as const
export const DURATION_LT_S = [3, 10, 30, 60, 180, 600, 1800, 3600] as const

/** Field name of a bucket edge: `mos_lt_` + 3.6 is `mos_lt_3_6`, `mos_lt_` + 4 is `mos_lt_4_0`. */
export function bucketName(prefix: string, edge: number, suffix = ''): string {
  const isMos = prefix.startsWith('mos')
  return prefix + (isMos ? edge.toFixed(1) : String(edge)).replace('.', '_') + suffix
}

type Definition = readonly [name: string, definition: FieldDefinition]

function field(name: string, type: FieldType, merge: FieldMerge, unit: string, text: string): Definition {
  return [name, { type, merge, unit, text }]
}

function count(name: string, text: string): Definition {
  return field(name, 'integer', 'sum', 'short', text)
}

function sum(name: string, unit: string, text: string): Definition {
  return field(name, 'float', 'sum', unit, text)
}

function derived(name: string, unit: string, text: string): Definition {
  return field(name, 'float', 'derived', unit, text)
}

function largest(name: string, unit: string, text: string, type: FieldType = 'float'): Definition {
  return field(name, type, 'max', unit, text)
}

function buckets(
  prefix: string,
  edges: readonly number[],
  suffix: string,
  text: (edge: number) => string,
): Definition[] {
  return edges.map((edge) => count(bucketName(prefix, edge, suffix), text(edge)))
}

export const TRAFFIC_FIELDS: FieldTable = Object.fromEntries([
  count(
    'stream_intervals',
    'Directions of calls that had an interval here; in a roll-up the sum over its intervals.',
  ),
  largest('streams_peak', 'short', 'Most directions of calls in any one interval.', 'integer'),
  sum(
    'media_s',
    's',
    'Media that should have come, in seconds of speech: expected packets times packet time.',
  ),
  count('packets', 'Distinct packets.'),
  field('bytes', 'integer', 'sum', 'bytes', 'Their RTP bytes, headers included.'),
  count('lost', 'Packets that never came.'),
  count('expected_packets', 'Packets and lost: the denominator of loss and late percent.'),
  derived('loss_percent', 'percent', 'Lost of expected.'),
  count('duplicates', 'Packets that came more than once.'),
  count('reordered', 'Packets that came after a later one. Not loss.'),
  count('late', 'Packets too late for the configured jitter buffer.'),
  derived('late_percent', 'percent', 'Late of expected.'),
  count('late_fixed50', 'Packets too late for a fixed buffer of 50 ms.'),
  count('late_fixed200', 'Packets too late for a fixed buffer of 200 ms.'),
  count('late_adaptive', 'Packets too late for the adaptive buffer.'),
  count('timestamp_jumps', 'Jumps of the RTP timestamp.'),
  count('burst_seconds', 'Seconds with a burst of high delay variation, over all directions.'),
  count('loss_bursts', 'Bursts of lost or late packets (RFC 3611 4.7.2).'),
  count('jitter_count', 'Packets that updated a jitter (RFC 3550 A.8): the denominator of jitter_le_*.'),
  sum(
    'jitter_sum_ms',
    'ms',
    'Sum of the running jitter over those packets: jitter_sum_ms / jitter_count is the mean.',
  ),
  derived('jitter_mean_ms', 'ms', 'Mean running jitter per packet.'),
  derived('jitter_p50_ms', 'ms', 'Half of the packets had no more jitter; of the merged histograms.'),
  derived('jitter_p95_ms', 'ms', '95 of 100 packets had no more jitter; of the merged histograms.'),
  derived('jitter_p99_ms', 'ms', '99 of 100 packets had no more jitter; of the merged histograms.'),
  largest('jitter_max_ms', 'ms', 'Highest running jitter of any stream.'),
  ...buckets(
    'jitter_le_',
    JITTER_LE_MS,
    '_ms',
    (edge) => `Packets with a running jitter of at most ${edge} ms.`,
  ),
  count('pdv_count', 'Packets whose delay variation was measured: the denominator of pdv_le_*.'),
  derived('pdv_p50_ms', 'ms', 'Half of the packets had no more delay variation; of the merged histograms.'),
  derived('pdv_p95_ms', 'ms', '95 of 100 packets had no more delay variation; of the merged histograms.'),
  derived('pdv_p99_ms', 'ms', '99 of 100 packets had no more delay variation; of the merged histograms.'),
  largest('pdv_max_ms', 'ms', 'Highest delay variation of any packet.'),
  ...buckets('pdv_le_', PDV_LE_MS, '_ms', (edge) => `Packets with a delay variation of at most ${edge} ms.`),
  count('mos_count', 'Intervals that have a conversational MOS: the denominator of mos_lt_*.'),
  sum('mos_sum', 'mos', 'Sum of the conversational MOS: mos_sum / mos_count is the mean.'),
  derived('mos_mean', 'mos', 'Mean conversational MOS (mos_cq) over intervals.'),
  derived('mos_p5', 'mos', '5 of 100 intervals had this MOS or less.'),
  derived('mos_p50', 'mos', 'Half of the intervals had this MOS or less.'),
  field('mos_min', 'float', 'min', 'mos', 'Lowest MOS of any interval.'),
  ...buckets('mos_lt_', MOS_LT, '', (edge) => `Intervals with a MOS below ${edge.toFixed(1)}.`),
  sum('mos_lq_sum', 'mos', 'Sum of the listening MOS of the same intervals (without delay).'),
  ...buckets(
    'loss_gt_',
    LOSS_GT_PERCENT,
    '_percent',
    (edge) => `Intervals that lost more than ${edge} % of their packets.`,
  ),
  count('delay_count', 'Intervals with a one-way delay: the denominator of delay_gt_*.'),
  sum(
    'delay_sum_ms',
    'ms',
    'Sum of the one-way delay, mouth to ear: delay_sum_ms / delay_count is the mean.',
  ),
  derived('delay_mean_ms', 'ms', 'Mean one-way delay, mouth to ear.'),
  largest('delay_max_ms', 'ms', 'Highest one-way delay of any interval.'),
  ...buckets('delay_gt_', DELAY_GT_MS, '_ms', (edge) => `Intervals with a one-way delay above ${edge} ms.`),
])

export const SIGNALLING_FIELDS: FieldTable = Object.fromEntries([
  count(
    'attempts',
    'Call attempts that were decided: answered, refused, given up or timed out. A challenge and the repeated INVITE are one attempt.',
  ),
  count('answered', 'Attempts with a 2xx.'),
  count('redirected', 'Attempts that ended in a 3xx.'),
  count(
    'seizures',
    'Attempts that the far end took up: not those without any response, nor refused with 503.',
  ),
  count('effective', 'Attempts with 2xx, 480, 486, 600 or 603: the numerator of SEER.'),
  count('ineffective', 'Attempts with 408, 500, 503, 504 or no final response: the numerator of ISA.'),
  count(
    'delivered',
    'Answered, busy, declined, rung without answer, or phone not reachable (480): the numerator of NER.',
  ),
  count('completed', 'Answered calls that ended with a BYE: the numerator of SCR.'),
  derived(
    'ser_percent',
    'percent',
    'Session establishment ratio (RFC 6076 4.6): answered / (attempts - redirected).',
  ),
  derived(
    'seer_percent',
    'percent',
    'Session establishment effectiveness ratio (RFC 6076 4.7): effective / (attempts - redirected).',
  ),
  derived('isa_percent', 'percent', 'Ineffective session attempts (RFC 6076 4.8): ineffective / attempts.'),
  derived('scr_percent', 'percent', 'Session completion ratio (RFC 6076 4.9): completed / attempts.'),
  derived('asr_percent', 'percent', 'Answer-seizure ratio (E.425): answered / seizures.'),
  derived('abr_percent', 'percent', 'Answer-bid ratio (E.425): answered / attempts.'),
  derived('ner_percent', 'percent', 'Network effectiveness ratio (E.425): delivered / seizures.'),
  count('busy', 'Attempts refused as busy: 486, 600.'),
  count('declined', 'Attempts refused by the person called, or for them: 603, 607, 608.'),
  count(
    'no_answer',
    'Attempts that rang (180 or 183) and were not answered: cancelled, 408, 480, 487, or no final response.',
  ),
  count('abandoned', 'Attempts that the caller gave up before it rang.'),
  count('failed', 'Attempts that the network or the far end failed: the sum of failed_*.'),
  count('failed_codec', 'No common media: 415, 488, 606.'),
  count('failed_auth', 'Not authorised: 401, 402, 403, 407.'),
  count('failed_not_found', 'No such number: 404, 410, 484, 485, 604.'),
  count('failed_unavailable', 'Phone not reachable: 480 without ringing.'),
  count('failed_timeout', 'No final response, or 408, without ringing.'),
  count('failed_server', 'Server or trunk failed: 5xx.'),
  count('failed_other', 'Any other final status of 400 and more.'),
  count('status_3xx', 'Attempts that ended in a 3xx.'),
  count('status_4xx', 'Attempts that ended in a 4xx.'),
  count('status_5xx', 'Attempts that ended in a 5xx.'),
  count('status_6xx', 'Attempts that ended in a 6xx.'),
  count('emergency_attempts', 'Of attempts: those to an emergency number.'),
  count('emergency_failed', 'Of failed: those to an emergency number.'),
  count('retransmissions', 'Messages of calls that were sent again, counted when the call ended.'),
  count('pdd_count', 'Attempts with a post-dial delay: the denominator of pdd_le_*.'),
  sum('pdd_sum_ms', 'ms', 'Sum of the post-dial delay.'),
  derived('pdd_mean_ms', 'ms', 'Mean post-dial delay: INVITE to the first response other than 100.'),
  derived('pdd_p50_ms', 'ms', 'Median post-dial delay.'),
  derived('pdd_p95_ms', 'ms', '95 of 100 attempts had no more post-dial delay.'),
  derived('pdd_p99_ms', 'ms', '99 of 100 attempts had no more post-dial delay.'),
  largest('pdd_max_ms', 'ms', 'Highest post-dial delay.'),
  ...buckets('pdd_le_', PDD_LE_MS, '_ms', (edge) => `Attempts with a post-dial delay of at most ${edge} ms.`),
  count(
    'srd_success_count',
    'Attempts whose first status was a ringing, a progress or an answer (RFC 6076 4.3.1).',
  ),
  sum('srd_success_sum_ms', 'ms', 'Sum of their session request delay.'),
  derived('srd_success_mean_ms', 'ms', 'Mean session request delay of successful requests (RFC 6076 4.3.1).'),
  count('srd_failed_count', 'Attempts whose first status was a failure (RFC 6076 4.3.2).'),
  sum('srd_failed_sum_ms', 'ms', 'Sum of their session request delay.'),
  derived('srd_failed_mean_ms', 'ms', 'Mean session request delay of failed requests (RFC 6076 4.3.2).'),
  count('setup_count', 'Answered attempts whose INVITE was seen: the denominator of setup_le_*.'),
  sum('setup_sum_ms', 'ms', 'Sum of their set-up time.'),
  derived('setup_mean_ms', 'ms', 'Mean set-up time: INVITE to 2xx.'),
  derived('setup_p50_ms', 'ms', 'Median set-up time.'),
  derived('setup_p95_ms', 'ms', '95 of 100 answered attempts were set up within this time.'),
  derived('setup_p99_ms', 'ms', '99 of 100 answered attempts were set up within this time.'),
  largest('setup_max_ms', 'ms', 'Longest set-up time.'),
  ...buckets('setup_le_', SETUP_LE_MS, '_ms', (edge) => `Answered attempts set up within ${edge} ms.`),
  count('disconnects', 'Calls that ended with a BYE.'),
  count('disconnects_unanswered', 'Of those: the BYE got no response within 32 s (RFC 6076 4.4.2).'),
  count('sdd_count', 'BYEs with a response.'),
  sum('sdd_sum_ms', 'ms', 'Sum of the session disconnect delay.'),
  derived('sdd_mean_ms', 'ms', 'Mean session disconnect delay: BYE to its response (RFC 6076 4.4).'),
  derived('sdd_p95_ms', 'ms', '95 of 100 BYEs were answered within this time.'),
  largest('sdd_max_ms', 'ms', 'Longest session disconnect delay.'),
  count('duration_count', 'Calls whose answer and BYE were seen: the denominator of duration_lt_*.'),
  sum(
    'duration_sum_s',
    's',
    'Sum of their duration: duration_sum_s / duration_count is the mean (SDT of RFC 6076 4.5, ALOC of E.437).',
  ),
  derived('duration_mean_s', 's', 'Mean duration of completed calls: 2xx to BYE.'),
  derived('duration_p50_s', 's', 'Median duration of completed calls.'),
  largest('duration_max_s', 's', 'Longest duration of a completed call.'),
  ...buckets('duration_lt_', DURATION_LT_S, '_s', (edge) => `Completed calls shorter than ${edge} s.`),
  largest('calls_peak', 'short', 'Most answered calls at once.', 'integer'),
  sum(
    'call_s',
    's',
    'Seconds of answered calls, all calls added: divided by the length of time it is the mean number of calls (Erlang).',
  ),
  count('transfers', 'Calls in which a REFER was sent.'),
  count('registrations', 'Registration attempts that were decided; challenges belong to the attempt.'),
  count('registrations_ok', 'Of those: answered with 2xx.'),
  count('registrations_failed', 'Of those: refused, or not answered within 32 s.'),
  count('registrations_challenged', 'Challenges (401, 407) to REGISTER.'),
  count('unregistrations', 'Of registrations: those that removed a binding (Expires: 0).'),
  derived('registration_ok_percent', 'percent', 'Successful of decided registration attempts.'),
  derived('ira_percent', 'percent', 'Ineffective registration attempts (RFC 6076 4.2): failed / decided.'),
  count('rrd_count', 'Successful registrations whose REGISTER was seen.'),
  sum('rrd_sum_ms', 'ms', 'Sum of the registration request delay.'),
  derived(
    'rrd_mean_ms',
    'ms',
    'Mean registration request delay: first REGISTER to 2xx, challenge included (RFC 6076 4.1).',
  ),
  derived('rrd_p95_ms', 'ms', '95 of 100 successful registrations took no longer.'),
  largest('rrd_max_ms', 'ms', 'Longest registration request delay.'),
  largest('registers_peak_per_s', 'short', 'Most registration attempts begun in one second.', 'integer'),
  count(
    'registration_storm_s',
    'Seconds with as many new registration attempts as make a storm (configured).',
  ),
  count('options', 'OPTIONS requests that were decided.'),
  count('options_answered', 'Of those: answered, with whatever status.'),
  derived('options_answered_percent', 'percent', 'Reachability by OPTIONS: answered of decided.'),
  count('options_rtt_count', 'OPTIONS whose request and answer were seen.'),
  sum('options_rtt_sum_ms', 'ms', 'Sum of the time from OPTIONS to its answer.'),
  derived('options_rtt_mean_ms', 'ms', 'Mean time from OPTIONS to its answer.'),
  largest('options_rtt_max_ms', 'ms', 'Longest time from OPTIONS to its answer.'),
])

export const PROBE_FIELDS: FieldTable = Object.fromEntries([
  count('packets', 'Packets taken in since the point before.'),
  field('bytes', 'integer', 'sum', 'bytes', 'Their bytes on the wire.'),
  derived('packets_per_s', 'pps', 'Packets per second of packet time.'),
  count('rtp_packets', 'Of those: RTP.'),
  count('rtcp_packets', 'Of those: RTCP.'),
  count('sip_messages', 'SIP messages.'),
  count('skipped', 'Packets and messages skipped as malformed or unknown.'),
  count('evictions', 'Times that a bound was reached and cost something.'),
  count('capture_drops', 'Packets that the kernel dropped because the probe was too slow.'),
  count('interface_drops', 'Packets that the interface dropped.'),
  field('streams', 'integer', 'max', 'short', 'RTP streams followed now.'),
  field('calls', 'integer', 'max', 'short', 'Calls followed now.'),
  field('spool_bytes', 'integer', 'max', 'bytes', 'Bytes that wait on disk for the database.'),
  count('spool_lost', 'Records given up because the spool was full.'),
  count('points_sent', 'Points that the database has.'),
  count('points_rejected', 'Points that the database refused.'),
  count('series_other', 'Values counted under `other` because the series budget was used up.'),
  derived('load_percent', 'percent', 'CPU time of the probe of wall time, 100 = one core.'),
  field('memory_bytes', 'integer', 'max', 'bytes', 'Resident memory of the probe.'),
  derived('lag_ms', 'ms', 'How far the newest packet lies behind the clock.'),
])

/** Field tables by measurement, without roll-up suffix. */
export const MEASUREMENTS: Readonly<
  Record<string, { tags: readonly string[]; fields: FieldTable; rolledUp: boolean }>
> = {
  [TRAFFIC]: { tags: TRAFFIC_TAGS, fields: TRAFFIC_FIELDS, rolledUp: true },
  [SIGNALLING]: { tags: SIGNALLING_TAGS, fields: SIGNALLING_FIELDS, rolledUp: true },
  [PROBE]: { tags: PROBE_TAGS, fields: PROBE_FIELDS, rolledUp: false },
}

/** Field table of a measurement, roll-ups included; undefined when it is none of these. */
export function fieldsOf(measurement: string): FieldTable | undefined {
  return MEASUREMENTS[measurement.replace(/_1[mh]$/, '')]?.fields
}
