import { MAX_CAPTURED_LENGTH } from '../capture/capture-parser.js'
import { FrameBatch, type RecordReader } from '../capture/frame-batch.js'
import { LINKTYPE_ETHERNET } from '../decode/link.js'
import {
  describePacket,
  frameDescriber,
  MOST_BYTES,
  plainPacketAt,
  R_LENGTH_FLAGS,
  ROW_32,
} from './packet-rows.js'

/** Frames of a described batch: few enough for the nearest caches. */
const DESCRIBED_FRAMES = 256
const MOST_FRAMES = DESCRIBED_FRAMES - 1
/** Frames that are looked up ahead of their turn, so that the waits for memory overlap. */
export const FORESIGHT = 32
/** Rows that measuring uses by itself: for the next frames, and for a packet that came alone. */
export const NEXT_ROW = DESCRIBED_FRAMES
export const LONE_ROW = NEXT_ROW + FORESIGHT

/**
 * The rows of this thread, always the same: the compiler takes their address for a constant. The first of them belong to
 * the thread's described batch.
 */
export const threadRows = new Int32Array((LONE_ROW + 1) * ROW_32)

const RECORD_HEADER_BYTES = 16
/**
 * How far ahead of the record at hand memory is fetched before it is waited for: the cache lines of 256 bytes for each
 * record, which is all of them where packets are voice.
 */
const LOOK_AHEAD_BYTES = 2048
const LINE_BYTES = 64

const batch = new FrameBatch(DESCRIBED_FRAMES)
batch.records = recordReader(batch, threadRows)

/**
 * The thread's batch whose frames are described while they are read, which takes a third of the time of reading and then
 * describing. For one reader at a time: undefined while another has it.
 */
export function describedBatch(): FrameBatch | undefined {
  return batch.inUse ? undefined : batch
}

/** In one loop over arrays that stay the same: see fast-path.ts for why. */
function recordReader(batch: FrameBatch, rows: Int32Array): RecordReader {
  const { frameOffset, capturedLength, wireLength, timeMs, linkType } = batch
  const describeFrames = frameDescriber(rows)
  /** Only keeps the loads ahead from being optimised away. */
  const lookedAhead = new Int32Array(1)

  function read(position: number, end: number, unitsPerMs: number, link: number): number {
    const { view } = batch
    const aheadLimit = end - LOOK_AHEAD_BYTES - 4 * LINE_BYTES
    let at = position
    let ahead = 0
    let n = batch.end
    for (; n < DESCRIBED_FRAMES && end - at >= RECORD_HEADER_BYTES; n++) {
      const p = at & MOST_BYTES
      if (p < aheadLimit) {
        const line = p + LOOK_AHEAD_BYTES
        ahead ^= view.getInt32(line, true) ^ view.getInt32(line + LINE_BYTES, true)
        ahead ^= view.getInt32(line + 2 * LINE_BYTES, true) ^ view.getInt32(line + 3 * LINE_BYTES, true)
      }
      const captured = view.getUint32(p + 8, true)
      const wire = view.getUint32(p + 12, true)
      const offset = p + RECORD_HEADER_BYTES
      if (captured > MAX_CAPTURED_LENGTH || captured === 0 || wire < captured || wire > MOST_BYTES) break
      if (captured > end - offset) break
      const k = n & MOST_FRAMES
      frameOffset[k] = offset
      capturedLength[k] = captured
      wireLength[k] = wire
      timeMs[k] = view.getUint32(p, true) * 1000 + view.getUint32(p + 4, true) / unitsPerMs
      linkType[k] = link
      const packet =
        captured === wire && link === LINKTYPE_ETHERNET ? plainPacketAt(view, offset, captured) : 0
      if (packet === 0) rows[k * ROW_32 + R_LENGTH_FLAGS] = 0
      else describePacket(view, packet, rows, k * ROW_32)
      at = offset + captured
    }
    batch.end = n
    lookedAhead[0] = ahead
    return at
  }

  return { rows, read, describe: (frame) => describeFrames(batch, frame, frame + 1, frame) }
}
