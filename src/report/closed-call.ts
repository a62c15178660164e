import type { CallRecord } from '../calls/records.js'
import type {
  DirectionName,
  EventView,
  IntervalView,
  ReportPoint,
  SecondsPlace,
  StreamView,
} from './page/data.js'

/** A SIP message as it was seen; addresses and title as they may be shown, the text not yet. */
export interface HeldMessage {
  timeMs: number
  source: string
  destination: string
  transport: string
  title: string
  cseq: string
  /** The message that this one repeats: place in the list. */
  repeats?: number
  /** Copy of another message, made by the mirror. */
  copy: boolean
  /** Absent when it was not kept. */
  text?: string
  /** Characters that were cut off. */
  cut: number
}

/** What is known of a call beside its record, at its end. Plain data: it goes to another thread. */
export interface ClosedLog {
  events: EventView[]
  streams: StreamView[]
  intervals: Record<DirectionName, IntervalView[]>
  reports: Record<DirectionName, ReportPoint[]>
  roundTrips: [number, number][]
  messages: HeldMessage[]
  messagesLeftOut: number
  /** Events, reports and streams beyond their limits. */
  leftOut: number
}

/** A call that is over, ready for its place in the file. */
export interface ClosedCall {
  /** As it may be shown. */
  record: CallRecord
  log: ClosedLog
  /** Where its seconds are in the batch's bytes. */
  seconds: Partial<Record<DirectionName, SecondsPlace>>
}

/** Calls that share a block of the file. */
export interface CallBatch {
  calls: ClosedCall[]
  seconds: Uint8Array
}

/** A batch as the file has it. */
export interface PackedBatch {
  /** Compressed details; absent: none of its calls has any. */
  block?: Uint8Array
  /** The calls in the table: JSON of each, joined by commas. */
  rows: string
  /** What its details were before compression. */
  rawBytes: number
  goodCallsShortened: number
  callsWithoutDetails: number
}
