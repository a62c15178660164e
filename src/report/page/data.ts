/**
 * What the report's page reads: written by the run (src/report), read in the browser (src/report/page). Imports nothing,
 * so that both sides compile it. Times are ms since the epoch unless they say otherwise.
 */
export const REPORT_FORMAT = 1

export type Quality = 'good' | 'fair' | 'poor' | 'broken' | 'unknown'
export type DirectionName = 'from_caller' | 'from_callee'
export type Level = 'note' | 'warning'

/** Something that the run could not see, or cannot vouch for. */
export interface Limitation {
  level: Level
  text: string
}

export interface FindingView {
  code: string
  severity: 'info' | 'warning' | 'critical'
  confidence: string
  direction?: DirectionName
  evidence: Record<string, unknown>
  message: string
}

/**
 * A call in the table. In the file an array in this order, '' or null for what is not known: 10,000 of them are read
 * before anything is painted.
 */
export interface CallRow {
  /** Place of its details: block and place within; -1: not kept. */
  block: number
  place: number
  callId: string
  startMs: number
  durationS: number | null
  state: string
  quality: Quality
  caller: string
  callee: string
  callerAddress: string
  calleeAddress: string
  callerSite: string
  calleeSite: string
  trunk: string
  codec: string
  mos: number | null
  /** The worse of both directions. */
  lossPercent: number | null
  latePercent: number | null
  jitterMs: number | null
  status: number | null
  reason: string
  /** `severity code` of each finding: `c` critical, `w` warning, `i` info. */
  findings: string[]
}

/** A call in the table, ready to be searched. */
export interface ListedCall extends CallRow {
  index: number
  /** Lower case: everything that the search looks at. */
  searched: string
}

export const ROW_FIELDS = [
  'block',
  'place',
  'callId',
  'startMs',
  'durationS',
  'state',
  'quality',
  'caller',
  'callee',
  'callerAddress',
  'calleeAddress',
  'callerSite',
  'calleeSite',
  'trunk',
  'codec',
  'mos',
  'lossPercent',
  'latePercent',
  'jitterMs',
  'status',
  'reason',
  'findings',
] as const satisfies readonly (keyof CallRow)[]

/** The first thing that the page reads. */
export interface Overview {
  format: typeof REPORT_FORMAT
  version: string
  probe: string
  files: string[]
  startMs?: number
  endMs?: number
  packets: number
  bytes: number
  streams: number
  rtpPackets: number
  rtcpPackets: number
  sipMessages: number
  jitterBuffer: string
  /** Calls of the run, and those that the table has. */
  calls: number
  byState: Record<string, number>
  byQuality: Record<string, number>
  limitations: Limitation[]
  /** What happened without anything being hidden: skipped packets of no concern. */
  remarks: string[]
  findingGroups: FindingGroup[]
  /** What poor and broken calls have in common. */
  badCalls?: string
  thresholds: { good: number; fair: number }
  privacy: string
  /** What each field means, by its name. */
  definitions: Record<string, string>
  rows: unknown[][]
}

/** The same finding over several calls, as the run grouped it. */
export interface FindingGroup {
  code: string
  severity: string
  message: string
  calls: number
}

/** Columns of `Seconds.at`, each `count` bytes or twice that; see second-codes.ts. */
export interface SecondsPlace {
  startMs: number
  /** Seconds per point: 1, 2, 4, ... */
  step: number
  count: number
  /** First byte within the block's binary part. */
  at: number
}

/** `[start, end, mos_cq, mos_lq, loss, late, jitter mean, p95, p99, pdv p50, p95, p99, delay, packets, lost]`, null unknown. */
export type IntervalView = (number | null)[]

export interface StreamView {
  direction: DirectionName
  audio: boolean
  source: string
  destination: string
  ssrc: string
  codec: string
  dscp: number
  firstMs: number
  lastMs: number
  packets: number
}

export interface EventView {
  timeMs: number
  endMs?: number
  direction?: DirectionName
  kind: 'codec' | 'dscp' | 'ssrc' | 'dtmf' | 'gap' | 'jump' | 'hold' | 'burst' | 'signalling'
  text: string
}

export interface MessageView {
  timeMs: number
  source: string
  destination: string
  transport: string
  /** `INVITE`, or `200 OK`. */
  title: string
  cseq: string
  /** The message that this one repeats: place in the list. */
  repeats?: number
  /** Copy of another message, made by the mirror. */
  copy?: boolean
  /** Absent when it was not kept, and in the file. */
  text?: string
  /** Characters that were cut off. */
  cut?: number
}

/** One report of RTCP: `[time, loss % since the last, lost in all, jitter ms]`. */
export type ReportPoint = (number | null)[]

/** A call's details; the file has the texts of its messages apart, in `texts`. */
export interface CallDetail {
  record: CallRecordView
  verdict: string
  intervals: Partial<Record<DirectionName, IntervalView[]>>
  seconds: Partial<Record<DirectionName, SecondsPlace>>
  events: EventView[]
  streams: StreamView[]
  reports: Partial<Record<DirectionName, ReportPoint[]>>
  /** `[time, end-to-end round trip ms]` */
  roundTrips: [number, number][]
  messages: MessageView[]
  /** What was cut or left out of these details, in words. */
  cut: string[]
}

/** As the file has it. */
export interface StoredDetail extends CallDetail {
  /** Of each message, null where it was not kept. */
  texts: (string | null)[]
}

/** A call record as `schemas/call.schema.json` has it; the page shows what is there. */
export interface CallRecordView {
  [field: string]: unknown
  call_id: string
  state: string
  quality: string
  caller?: string
  callee?: string
  caller_address?: string
  callee_address?: string
  start: string
  end?: string
  findings: FindingView[]
  media: Partial<Record<DirectionName, object>>
  validity: object
}
