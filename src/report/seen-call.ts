import type { BatchReader } from './call-batch.js'
import { INTERVAL_NUMBERS, REPORT_NUMBERS } from './direction-log.js'
import { readEvents } from './event-list.js'
import { endpoint, readMessages, type SeenMessages } from './message-list.js'
import type { EventView, IntervalView, ReportPoint, StreamView } from './page/data.js'
import { readSeconds, type SeenSeconds } from './packed-seconds.js'

/** Everything about one call that the report shows beside its record, as `CallLog.write` wrote it. */
export interface SeenCall {
  /** Events, RTCP reports and streams beyond the limits. */
  leftOut: number
  messages: SeenMessages
  events: EventView[]
  streams: StreamView[]
  from_caller: SeenDirection
  from_callee: SeenDirection
  roundTrips: [number, number][]
}

export interface SeenDirection {
  intervals: IntervalView[]
  reports: ReportPoint[]
  seconds: SeenSeconds
}

export function readSeenCall(reader: BatchReader): SeenCall {
  return {
    leftOut: reader.number(),
    messages: readMessages(reader),
    events: [...readEvents(reader), ...readEvents(reader), ...readEvents(reader)],
    streams: Array.from({ length: reader.number() }, () => readStream(reader)),
    from_caller: readDirection(reader),
    from_callee: readDirection(reader),
    roundTrips: Array.from({ length: reader.number() }, () => [reader.number(), reader.number()]),
  }
}

function readStream(reader: BatchReader): StreamView {
  return {
    direction: reader.number() === 0 ? 'from_caller' : 'from_callee',
    audio: reader.number() === 1,
    source: endpoint(reader.wholeText(), reader.number()),
    destination: endpoint(reader.wholeText(), reader.number()),
    ssrc: reader.wholeText(),
    codec: reader.wholeText(),
    dscp: reader.number(),
    firstMs: reader.number(),
    lastMs: reader.number(),
    packets: reader.number(),
  }
}

function readDirection(reader: BatchReader): SeenDirection {
  return {
    intervals: rowsOf(reader, INTERVAL_NUMBERS),
    reports: rowsOf(reader, REPORT_NUMBERS),
    seconds: readSeconds(reader),
  }
}

function rowsOf(reader: BatchReader, numbers: number): (number | null)[][] {
  return Array.from({ length: reader.number() }, () => Array.from({ length: numbers }, () => reader.known()))
}
