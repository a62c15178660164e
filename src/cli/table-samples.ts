import type { CallRecord, DirectionRecord, StreamRecord } from '../calls/records.js'
import { EXAMPLE_CALL, EXAMPLE_STREAM } from '../calls/record-examples.js'

/** Calls as a busy morning has them, for the tests of tables and expressions. */

function sent(fields: Partial<DirectionRecord> = {}): DirectionRecord {
  return {
    packets: 9000,
    bytes: 1_440_000,
    lost: 0,
    loss_percent: 0,
    late: 0,
    late_percent: 0,
    jitter_mean_ms: 1.2,
    jitter_max_ms: 4.8,
    delay_p50_ms: 92.5,
    mos_cq: 4.36,
    mos_scale: 'nb',
    mos_grounded: true,
    codec: 'PCMA',
    ...fields,
  }
}

function call(fields: Partial<CallRecord>): CallRecord {
  return {
    type: 'call',
    schema: 1,
    call_id: `${fields.start}@example.org`,
    probe: 'hq-1',
    start: '2026-03-02T09:15:01.004Z',
    state: 'completed',
    quality: 'good',
    media: {},
    findings: [],
    validity: {},
    ...fields,
  }
}

export const CLEAN_CALL = call({
  start: '2026-03-02T09:15:01.004Z',
  duration_s: 180.004,
  caller: '+4930123456',
  callee: '+33155501234',
  sip: { transport: 'udp', status: 200, reason: 'OK' },
  media: { from_caller: sent(), from_callee: sent({ loss_percent: 0.004, jitter_mean_ms: 2.04 }) },
  mos_cq_min: 4.31,
})

export const LOSSY_CALL = call({
  start: '2026-03-02T09:16:40.500Z',
  duration_s: 3725,
  quality: 'poor',
  caller: 'alice.with.a.very.long.name.indeed@pbx',
  callee: '0049301234567890123456',
  sip: { transport: 'tcp', status: 200, reason: 'OK' },
  media: {
    from_caller: sent({ codec: 'G722', mos_cq: 4.41, mos_scale: 'wb' }),
    from_callee: sent({
      lost: 477,
      loss_percent: 5.3,
      late_percent: 1.2,
      jitter_mean_ms: 14.9,
      jitter_max_ms: 131.2,
      delay_p50_ms: 188,
      mos_cq: 2.87,
    }),
  },
  mos_cq_min: 2.13,
  findings: [
    { code: 'dscp_unmarked', severity: 'info', confidence: 'high', evidence: { dscp: 0 }, message: 'DSCP 0' },
    {
      code: 'burst_loss',
      severity: 'critical',
      confidence: 'high',
      direction: 'from_callee',
      evidence: { loss_percent: 5.3 },
      message: '477 of 9477 packets from the callee were lost, in bursts of up to 48 packets (960 ms)',
    },
  ],
})

export const ONE_WAY_CALL = call({
  start: '2026-03-02T09:17:12.000Z',
  duration_s: 12,
  quality: 'broken',
  caller: '200',
  callee: '201',
  sip: { status: 200, reason: 'OK' },
  media: {
    from_caller: sent({ codec: 'OPUS', mos_cq: 4.2, mos_scale: 'fb', mos_grounded: false }),
    from_callee: { packets: 0, bytes: 0, expected: true },
  },
  findings: [
    {
      code: 'one_way_audio',
      severity: 'critical',
      confidence: 'high',
      direction: 'from_callee',
      evidence: { packets: 0 },
      message: 'the caller heard nothing: no packet came from the callee in 12 s',
    },
  ],
})

export const BUSY_CALL = call({
  start: '2026-03-02T09:17:30.000Z',
  state: 'failed',
  quality: 'unknown',
  caller: '200',
  callee: '+442079460000',
  sip: { status: 486, reason: 'Busy Here' },
})

export const MEDIA_ONLY_CALL = call({
  start: '2026-03-02T09:18:00.250Z',
  duration_s: 61.2,
  state: 'media_only',
  quality: 'fair',
  caller_address: '192.0.2.10',
  callee_address: '2001:db8:85a3::8a2e:370:7334',
  media: {
    from_caller: sent({ codec: 'G729', mos_cq: 3.81 }),
    from_callee: sent({ codec: 'G729', mos_cq: 3.8 }),
  },
  mos_cq_min: 3.7,
})

export const HOSTILE_CALL = call({
  start: '2026-03-02T09:19:00.000Z',
  quality: 'unknown',
  state: 'in_progress',
  caller: '\u001b[2J\u001b]0;owned\u0007\u202e\u2066evil\u0300\u0301\u0302\u0303\u0304',
  callee: '株式会社サンプル電話👨‍👩‍👧🇩🇪\u009b31m\r\n',
  sip: { status: 200, reason: 'O\tK\u0000' },
  media: { from_caller: sent({ codec: '\u001b[31mPCMA' }) },
})

export const SAMPLE_CALLS: readonly CallRecord[] = [
  CLEAN_CALL,
  LOSSY_CALL,
  ONE_WAY_CALL,
  BUSY_CALL,
  MEDIA_ONLY_CALL,
  HOSTILE_CALL,
]

export const SAMPLE_STREAMS: readonly StreamRecord[] = [
  EXAMPLE_STREAM,
  {
    ...EXAMPLE_STREAM,
    source_address: '2001:db8:85a3::8a2e:370:7334',
    destination_address: '2001:db8::1',
    packets: 1_234_567,
    lost: 0,
    loss_percent: 0,
    jitter_max_ms: 1250,
    skew_ppm: undefined,
    mos_cq: undefined,
    mos_lq: undefined,
    codec: undefined,
  },
]

export const SAMPLE_RECORD = EXAMPLE_CALL
