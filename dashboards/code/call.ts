import { QUALITY_COLORS, SEVERITY_COLORS } from './call-tables.js'
import { badAbove, DELAY_STEPS, JITTER_STEPS, LATE_STEPS, LOSS_STEPS, MOS_STEPS, NEUTRAL } from './colors.js'
import { graph, stat_, type GraphSpec } from './graphs.js'
import { where } from './influxql.js'
import { UID } from './links.js'
import type { Page } from './page.js'
import type { PanelBuilder } from './panel.js'
import { rows } from './tables.js'
import { datasourceVariable, textVariable } from './variables.js'

const THIS_CALL = '"call_id" =~ /^${call_id:regex}$/'
const CALL = `FROM "voip_call" WHERE ${where(THIS_CALL)}`
const MEDIA = `FROM "voip_media" WHERE ${where(THIS_CALL)}`
const INTERVALS = `FROM "voip_interval" WHERE ${where(THIS_CALL)}`

/** The same colour for a direction in every graph. */
const FROM_CALLER = 'blue'
const FROM_CALLEE = 'orange'

interface Line {
  field: string
  /** Part of the series' name; '' when the graph has only one line per direction. */
  name: string
  /** Drawn dashed: what somebody else says, or a second reading of the same. */
  second?: boolean
}

function seriesName(direction: string, line: Line): string {
  return line.name === '' ? direction : `${direction}: ${line.name}`
}

/** One graph, both directions; the points are the intervals of the record, not means over a step. */
function overTime({
  lines,
  ...spec
}: Omit<GraphSpec, 'queries' | 'width'> & { lines: readonly Line[] }): PanelBuilder {
  const colors: Record<string, string> = {}
  const dashed: string[] = []
  for (const line of lines) {
    for (const [direction, color] of [
      ['from_caller', FROM_CALLER],
      ['from_callee', FROM_CALLEE],
    ] as const) {
      colors[seriesName(direction, line)] = color
      if (line.second) dashed.push(seriesName(direction, line))
    }
  }
  const single = lines.length === 1 && lines[0].name === ''
  return graph({
    ...spec,
    width: 12,
    height: spec.height ?? 7,
    points: true,
    colors,
    dashed,
    queries: [
      {
        query: `SELECT ${lines.map(({ field, name }) => `"${field}" AS "${name === '' ? field : name}"`).join(', ')} ${INTERVALS} GROUP BY "direction"`,
        alias: single ? '$tag_direction' : '$tag_direction: $col',
      },
    ],
  })
}

const verdict = [
  stat_({
    title: 'Verdict',
    description:
      'good: worst ten seconds at MOS 4.0 or more; fair: 3.6 or more; poor: less; broken: an expected direction had no media or lost over half of it; unknown: nothing to judge by.',
    unit: 'string',
    width: 4,
    text: true,
    values: QUALITY_COLORS,
    steps: NEUTRAL,
    noValue: 'no such call',
    queries: [
      {
        query: `SELECT last("quality") AS "quality" FROM (SELECT "quality", "start_ms" ${CALL})`,
        format: 'table',
      },
    ],
  }),
  stat_({
    title: 'Worst MOS',
    description: 'Lowest conversational MOS of any ten seconds in either direction.',
    unit: 'none',
    decimals: 2,
    width: 4,
    steps: MOS_STEPS,
    noValue: 'no media',
    queries: [{ query: `SELECT last("mos_cq_min") AS "MOS" ${CALL}` }],
  }),
  stat_({
    title: 'Duration',
    description:
      'From the answer (2xx) to the BYE. A call that goes on, or whose answer was not seen, has none yet.',
    unit: 'dtdurations',
    width: 4,
    steps: NEUTRAL,
    noValue: 'not answered',
    queries: [{ query: `SELECT last("duration_s") AS "duration" ${CALL}` }],
  }),
  stat_({
    title: 'Round trip',
    description:
      'Median round trip end to end, both legs added, from RTCP. Over 400 ms people talk over each other.',
    unit: 'ms',
    decimals: 0,
    width: 4,
    steps: badAbove(200, 400),
    noValue: 'no RTCP',
    queries: [{ query: `SELECT last("rtt_p50_ms") AS "round trip" ${CALL}` }],
  }),
  stat_({
    title: 'Post-dial delay',
    description: 'INVITE to the first response other than 100: how long the caller heard nothing.',
    unit: 'ms',
    decimals: 0,
    width: 4,
    steps: badAbove(3000, 5000),
    noValue: 'not seen',
    queries: [{ query: `SELECT last("sip_pdd_ms") AS "post-dial delay" ${CALL}` }],
  }),
  stat_({
    title: 'Findings',
    description: 'How many named causes were found, of whatever severity; the table below has them in words.',
    unit: 'short',
    decimals: 0,
    width: 4,
    steps: badAbove(1, 3),
    noValue: '0',
    queries: [{ query: `SELECT last("findings_count") AS "findings" ${CALL}` }],
  }),
  rows({
    title: 'Call',
    description:
      'Who called whom, from where, and how it ended. Addresses are those of the signalling at the tap. A related call is another leg or a transfer of the same conversation.',
    unit: 'none',
    width: 24,
    height: 4,
    columns: {
      start: { label: 'Start', width: 190 },
      state: { label: 'State', width: 95 },
      quality: { label: 'Quality', width: 80, values: QUALITY_COLORS },
      caller: { label: 'Caller' },
      caller_address: { label: 'Caller address' },
      caller_site: { label: 'Caller site' },
      callee: { label: 'Callee' },
      callee_address: { label: 'Callee address' },
      callee_site: { label: 'Called site' },
      trunk: { label: 'Trunk' },
      related_calls: {
        label: 'Related calls',
        link: {
          title: 'Find the related call',
          url: `/d/${UID.finder}?\${datasource:queryparam}&from=now-24h&to=now&var-search=\${__data.fields["related_calls"]:percentencode}`,
        },
      },
    },
    queries: [
      {
        query: `SELECT "start", "state", "quality", "caller", "caller_address", "caller_site", "callee", "callee_address", "callee_site", "trunk", "related_calls" ${CALL}`,
      },
    ],
  }),
  rows({
    title: 'What was found',
    description:
      'Named causes, with the numbers they rest on. Low confidence means a thin or one-sided view. Direction: whose media. docs/findings.md tells each from its neighbours and says what to do next.',
    unit: 'none',
    width: 24,
    height: 6,
    columns: {
      severity: { label: 'Severity', width: 90, values: SEVERITY_COLORS },
      code: { label: 'Finding', width: 190 },
      confidence: { label: 'Confidence', width: 100 },
      direction: { label: 'Direction', width: 110 },
      message: { label: 'In words', wrap: true },
    },
    queries: [
      {
        query: `SELECT "severity", "code", "confidence", "direction", "message" FROM "voip_finding" WHERE ${where(THIS_CALL)}`,
      },
    ],
  }),
]

const quality = [
  overTime({
    title: 'MOS',
    description:
      'Conversational MOS (solid: loss, late packets and delay) and listening MOS (dashed: without delay) of each ten seconds. A gap between the two is delay. Intervals with under a second of expected media have none.',
    unit: 'none',
    decimals: 2,
    min: 1,
    max: 5,
    bare: true,
    steps: MOS_STEPS,
    showSteps: true,
    lines: [
      { field: 'mos_cq', name: 'MOS' },
      { field: 'mos_lq', name: 'listening', second: true },
    ],
  }),
  overTime({
    title: 'Loss at the tap, and what the far end reports',
    description:
      'Solid: packets that never reached the tap. Dashed: loss that the receiver reports by RTCP over the call so far. More in RTCP than at the tap: lost behind the tap. Less: the tap missed packets, and the loss is the mirror’s.',
    unit: 'percent',
    decimals: 2,
    min: 0,
    steps: LOSS_STEPS,
    showSteps: true,
    lines: [
      { field: 'loss_percent', name: 'tap' },
      { field: 'rtcp_loss_percent', name: 'RTCP', second: true },
    ],
  }),
  overTime({
    title: 'Late packets',
    description:
      'Packets too late for the configured jitter buffer: lost to the listener although they arrived. An adaptive buffer learns, so late packets come at the start of trouble; the whole-call table shows what buffers of 50 and 200 ms would have made of it.',
    unit: 'percent',
    decimals: 2,
    min: 0,
    steps: LATE_STEPS,
    lines: [{ field: 'late_percent', name: '' }],
  }),
  overTime({
    title: 'Jitter percentiles',
    description:
      'RFC 3550 jitter: 95th (solid) and 99th percentile (dashed) over the packets of each interval. Phones report the same measure, so it compares with RTCP; it smooths spikes away.',
    unit: 'ms',
    decimals: 1,
    min: 0,
    steps: JITTER_STEPS,
    lines: [
      { field: 'jitter_p95_ms', name: 'p95' },
      { field: 'jitter_p99_ms', name: 'p99', second: true },
    ],
  }),
  overTime({
    title: 'Jitter at the tap and in RTCP',
    description:
      'Mean jitter at the tap (solid) and what the receiver last reported (dashed). Much more at the receiver: the path behind the tap, or a busy phone.',
    unit: 'ms',
    decimals: 1,
    min: 0,
    steps: JITTER_STEPS,
    lines: [
      { field: 'jitter_mean_ms', name: 'tap' },
      { field: 'rtcp_jitter_ms', name: 'RTCP', second: true },
    ],
  }),
  overTime({
    title: 'Delay variation',
    description:
      'How much longer packets took than the fastest: 95th percentile (solid) and maximum (dashed). Single high peaks are bursts; a line that stays up is a queue; a step is a new path. What a jitter buffer has to hold.',
    unit: 'ms',
    decimals: 1,
    min: 0,
    steps: badAbove(40, 100),
    lines: [
      { field: 'pdv_p95_ms', name: 'p95' },
      { field: 'pdv_max_ms', name: 'max', second: true },
    ],
  }),
  overTime({
    title: 'One-way delay',
    description:
      'Mouth to ear (solid): packet time, codec, jitter buffer and half the round trip. Dashed: the part of it that the jitter buffer takes. The table below says whether the network part is measured or assumed (delay source). Up to 150 ms is transparent, over 400 ms unacceptable (G.114).',
    unit: 'ms',
    decimals: 0,
    min: 0,
    steps: DELAY_STEPS,
    showSteps: true,
    lines: [
      { field: 'delay_p50_ms', name: 'mouth to ear' },
      { field: 'buffer_delay_ms', name: 'jitter buffer', second: true },
    ],
  }),
  overTime({
    title: 'Burst seconds',
    description:
      'Seconds of each interval with three or more packets of over 60 ms delay variation. Audible as short gaps or robot sound even when no packet is lost.',
    unit: 's',
    decimals: 0,
    min: 0,
    bars: true,
    lines: [{ field: 'burst_seconds', name: '' }],
  }),
]

const wholeCall = [
  rows({
    title: 'Both directions over the whole call',
    description:
      'Media by who sent it. MOS buffers: the same packets through a fixed buffer of 50 ms, of 200 ms, and an adaptive one; when they differ, the phone’s buffer decides. Longest gap: silence, hold or an outage; loss tells which.',
    unit: 'none',
    width: 24,
    height: 5,
    columns: {
      direction: { label: 'Sent', width: 110 },
      codec_name: { label: 'Codec', width: 80 },
      packets: { label: 'Packets', unit: 'none', decimals: 0 },
      lost: { label: 'Lost', unit: 'none', decimals: 0 },
      loss_percent: { label: 'Loss', unit: 'percent', decimals: 2, steps: LOSS_STEPS },
      late_percent: { label: 'Late', unit: 'percent', decimals: 2, steps: LATE_STEPS },
      jitter_p95_ms: { label: 'Jitter p95', unit: 'ms', decimals: 1 },
      pdv_p99_ms: { label: 'PDV p99', unit: 'ms', decimals: 1 },
      burst_count: { label: 'Bursts', unit: 'none', decimals: 0 },
      burst_ratio: { label: 'BurstR', unit: 'none', decimals: 2 },
      longest_gap_ms: { label: 'Longest gap', unit: 'ms', decimals: 0 },
      mos_cq: { label: 'MOS', unit: 'none', decimals: 2, steps: MOS_STEPS },
      mos_fixed50: { label: 'MOS, 50 ms', unit: 'none', decimals: 2 },
      mos_fixed200: { label: 'MOS, 200 ms', unit: 'none', decimals: 2 },
      mos_adaptive: { label: 'MOS, adaptive', unit: 'none', decimals: 2 },
      skew_ppm: { label: 'Skew ppm', unit: 'none', decimals: 1 },
      dscp: { label: 'DSCP', unit: 'none', decimals: 0 },
    },
    queries: [
      {
        query: `SELECT "direction", "codec_name", "packets", "lost", "loss_percent", "late_percent", "jitter_p95_ms", "pdv_p99_ms", "burst_count", "burst_ratio", "longest_gap_ms", "mos_cq", "mos_fixed50", "mos_fixed200", "mos_adaptive", "skew_ppm", "dscp" ${MEDIA}`,
      },
    ],
  }),
  rows({
    title: 'The tap beside the endpoints',
    description:
      'What the tap measured and what the receiving endpoint reported by RTCP (and XR). Before the tap: of the lost packets those that the receiver missed too. After the tap: what only the receiver missed. MOS at the receiver adds that loss. Empty: no RTCP, or encrypted.',
    unit: 'none',
    width: 24,
    height: 5,
    columns: {
      direction: { label: 'Sent', width: 110 },
      loss_percent: { label: 'Loss, tap', unit: 'percent', decimals: 2, steps: LOSS_STEPS },
      rtcp_loss_percent: { label: 'Loss, RTCP', unit: 'percent', decimals: 2, steps: LOSS_STEPS },
      lost_before_tap: { label: 'Lost before tap', unit: 'none', decimals: 0 },
      lost_after_tap: { label: 'Lost after tap', unit: 'none', decimals: 0 },
      jitter_mean_ms: { label: 'Jitter, tap', unit: 'ms', decimals: 1 },
      rtcp_jitter_ms: { label: 'Jitter, RTCP', unit: 'ms', decimals: 1 },
      mos_cq: { label: 'MOS, tap', unit: 'none', decimals: 2, steps: MOS_STEPS },
      mos_cq_receiver: { label: 'MOS, receiver', unit: 'none', decimals: 2, steps: MOS_STEPS },
      rtcp_mos_cq: { label: 'MOS, XR', unit: 'none', decimals: 2 },
      endpoint_mos_cq: { label: 'MOS, endpoint', unit: 'none', decimals: 2 },
      delay_p50_ms: { label: 'Delay', unit: 'ms', decimals: 0, steps: DELAY_STEPS },
      delay_source: { label: 'Delay source' },
      mos_model: { label: 'MOS model' },
    },
    queries: [
      {
        query: `SELECT "direction", "loss_percent", "rtcp_loss_percent", "lost_before_tap", "lost_after_tap", "jitter_mean_ms", "rtcp_jitter_ms", "mos_cq", "mos_cq_receiver", "rtcp_mos_cq", "endpoint_mos_cq", "delay_p50_ms", "delay_source", "mos_model" ${MEDIA}`,
      },
    ],
  }),
]

const signalling = [
  rows({
    title: 'Set-up and release',
    description:
      'How the call was set up and ended. Retransmissions: SIP messages sent again, a sign of loss or of a slow server. Ring: 180 to 2xx.',
    unit: 'none',
    width: 24,
    height: 4,
    columns: {
      sip_status: { label: 'Status', unit: 'none', decimals: 0, width: 75 },
      sip_reason: { label: 'Reason' },
      sip_transport: { label: 'Transport', width: 95 },
      sip_pdd_ms: { label: 'Post-dial delay', unit: 'ms', decimals: 0 },
      sip_ring_ms: { label: 'Ring', unit: 'ms', decimals: 0 },
      sip_setup_ms: { label: 'Set-up', unit: 'ms', decimals: 0 },
      sip_ended_by: { label: 'Ended by', width: 95 },
      sip_release_cause: { label: 'Release cause' },
      sip_retransmissions: { label: 'Retransmissions', unit: 'none', decimals: 0, steps: badAbove(1, 5) },
      hold_ms: { label: 'Held', unit: 'ms', decimals: 0 },
      sip_user_agent_caller: { label: 'Caller’s agent' },
      sip_user_agent_callee: { label: 'Callee’s agent' },
    },
    queries: [
      {
        query: `SELECT "sip_status", "sip_reason", "sip_transport", "sip_pdd_ms", "sip_ring_ms", "sip_setup_ms", "sip_ended_by", "sip_release_cause", "sip_retransmissions", "hold_ms", "sip_user_agent_caller", "sip_user_agent_callee" ${CALL}`,
      },
    ],
  }),
  rows({
    title: 'What the probe could not see',
    description:
      'What limits these numbers. Capture drops: packets that the probe’s kernel dropped while the call ran. Mirror loss: packets that the receiver had and the tap did not. One direction seen: a mirror fault before it is one-way audio.',
    unit: 'none',
    width: 24,
    height: 4,
    columns: {
      validity_complete_start: { label: 'Start seen', unit: 'bool' },
      validity_complete_end: { label: 'End seen', unit: 'bool' },
      validity_directions_seen: { label: 'Directions seen' },
      validity_capture_drops: { label: 'Capture drops', unit: 'none', decimals: 0, steps: badAbove(1, 100) },
      validity_mirror_loss: { label: 'Mirror loss', unit: 'none', decimals: 0, steps: badAbove(1, 100) },
      validity_span_duplicates: { label: 'Mirror copies', unit: 'none', decimals: 0 },
      validity_truncated: { label: 'Truncated', unit: 'bool' },
      validity_evicted: { label: 'Evicted', unit: 'bool' },
      validity_encrypted_rtcp: { label: 'Encrypted RTCP', unit: 'bool' },
      validity_timestamp_source: { label: 'Time from' },
      probe: { label: 'Probe' },
    },
    queries: [
      {
        query: `SELECT "validity_complete_start", "validity_complete_end", "validity_directions_seen", "validity_capture_drops", "validity_mirror_loss", "validity_span_duplicates", "validity_truncated", "validity_evicted", "validity_encrypted_rtcp", "validity_timestamp_source", "probe" ${CALL}`,
      },
    ],
  }),
]

/** One call, whose page is opened by a link that carries its start and end. */
export const call: Page = {
  name: 'call',
  title: 'Voice: one call',
  description:
    'Both directions of one call over time, what was found, how it was set up, and what the probe could not see. Open it from a list of calls: the link sets the time range to the call’s own.',
  from: 'now-1h',
  variables: [
    datasourceVariable(),
    textVariable('call_id', 'Call-ID', 'The whole Call-ID, as in the lists of calls.'),
  ],
  sections: [
    { title: 'Verdict', panels: verdict },
    { title: 'Both directions over time', panels: quality },
    { title: 'The whole call', panels: wholeCall },
    { title: 'Signalling and validity', panels: signalling },
  ],
}
