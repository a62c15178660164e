import type { SkipReason } from '../../decode/packet.js'
import type { MeterCounters, MeterOptions } from '../../rtp/meter.js'
import type { RingSocket } from '../../capture/ring/ring-socket.js'

// From a media worker. Bodies begin with the slot (int32; 4 bytes of padding), where there is one.
export const STREAM_START = 1
/** The row at +8 (`RowCodec`). */
export const ROW = 2
export const RESUME = 3
/** Start of the second (double) at +8, its peak at +16. */
export const BURST_SECOND = 4
/** As before, and what the open interval has so far at +24. */
export const SECOND = 5
/** The packet at +8 (`CarriedPacket`). */
export const SAMPLE = 6
export const STREAM_END = 7
/**
 * Time (double), link type, length on the wire, captured bytes, number of states (int32), the frame; then, from the next
 * multiple of 8 on, how far the streams were that its RTCP is about: slot, highest sequence number, lost, clock rate (int32).
 */
export const FRAME = 8
/** `WorkerCounts` as JSON. */
export const COUNTS = 9
/** Its rings are empty, and nothing more will come out of them. */
export const DRAINED = 10
/** Every stream has ended; the last message. */
export const FINISHED = 11
/** Ends of a flow for which the table had no room, from +8 on (int32), and when (double, at +56). */
export const NO_ROOM = 12

/** Body of a message with nothing but a slot. */
export const SLOT_BYTES = 8
export const BURST_SECOND_BYTES = 24
export const ROW_AT = 8
export const SECOND_ROW_AT = 24
export const PACKET_AT = 8
export const FRAME_AT = 24
export const FLOW_AT = 8
export const FLOW_TIME_AT = 56
export const NO_ROOM_BYTES = 64
export const STATE_BYTES = 16
/** Where the states behind a frame begin, from the start of the body. */
export function statesAt(captured: number): number {
  return FRAME_AT + ((captured + 7) & ~7)
}

// To a media worker. Bodies: slot, argument (int32 each).
/** The argument is the number of the request: it is put into `DONE` afterwards. */
export const CUT = 1
export const CONCLUDE = 2
export const SET_PAYLOAD_MAP = 3
export const SET_SAMPLED = 4
export const SET_BOUND = 5
export const BEGIN_SEGMENT = 6
export const RECYCLE = 7
/** No packets from now on. */
export const STOP = 8
/** Ends every stream, and then itself. */
export const FINISH = 9
/** A packet that another thread unwrapped (`CarriedPacket`). */
export const PACKET = 10
export const ORDER_BYTES = 8

// Control words shared with a media worker: int32.
/** Raised when there is something for the worker to read. */
export const WAKE = 0
/** Number of the last request that was carried out. */
export const DONE = 1
/** The worker reads its messages: it can be told what to do. */
export const RUNNING = 2
/** Number of the last request that was made. */
export const ASKED = 3
/** Not 0: the worker takes no frames out of its rings; it carries out its orders. */
export const HELD_UP = 4
export const CONTROL_WORDS = 16

// Figures of a media worker as of a moment ago: doubles.
export const PACKETS = 0
export const BYTES = 1
export const RTP_PACKETS = 2
export const ACTIVE_STREAMS = 3
export const FIRST_MS = 4
export const LAST_MS = 5
export const RECEIVED = 6
export const KERNEL_DROPS = 7
export const FREEZES = 8
/** Time spent on packets, ms. */
export const BUSY_MS = 9
/** Written by the other side: every packet of before this time that it unwrapped was sent, ms since the epoch. */
export const UNWRAPPED_UNTIL_MS = 10
/** Every packet of before this time was measured, ms since the epoch. */
export const MEASURED_MS = 11
/** Every packet that came before this time of the clock was measured, ms since the epoch. */
export const CAUGHT_UP_MS = 12
export const FIGURES = 16

/** What a media worker counts beside its figures. */
export interface WorkerCounts {
  meter: MeterCounters
  skipped: Partial<Record<SkipReason, number>>
}

/** What a media worker is started with. */
export interface MediaTask {
  /** Its place among the workers, from 0. */
  index: number
  workers: number
  sockets: readonly RingSocket[]
  /** Strides of all workers' streams. */
  states: SharedArrayBuffer
  announced: SharedArrayBuffer
  announcedPlaces: number
  payloadMaps: SharedArrayBuffer
  up: SharedArrayBuffer
  down: SharedArrayBuffer
  control: SharedArrayBuffer
  figures: SharedArrayBuffer
  /** `maxStreams`: each worker's. */
  meter: MeterOptions & { maxStreams: number }
  /** Somebody looks at seconds. */
  seconds: boolean
}
