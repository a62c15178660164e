import type { FlowTable } from './flow-key.js'
import { filler, fillPieces, type FramePlans, type Piece } from './frame-plan.js'
import { keptOfMedia } from './frame-selector.js'
import type { CallFlow } from './media-collector.js'
import type { SeenMedia } from './signalling-scanner.js'
import type { TcpStream } from './tcp-messages.js'

/** Messages of capture agents that are remembered. */
const MOST_MESSAGES = 1_000_000
/** Segments back from a message to one that begins with a message: what replay knows an agent's connection by. */
const MOST_BACK = 64

/** A message of a capture agent (HEP version 3) in the stream of a TCP connection. */
export interface HepMessage {
  stream: TcpStream
  start: number
  end: number
  /** Where its payload lies in the stream. */
  payloadStart: number
  payloadEnd: number
  /** SIP: whether it is wanted, and its secrets within the payload. */
  wanted: boolean
  secrets: readonly { start: number; end: number }[]
  /** RTP or RTCP. */
  media?: SeenMedia
}

/**
 * What capture agents sent over TCP: segments that carry the wanted messages, each with all of itself, so that the stream
 * can be read again. What else they carry (other calls, audio, secrets) is written over.
 */
export class HepMessages {
  forgotten = 0
  private readonly messages: HepMessage[] = []

  add(message: HepMessage): void {
    if (this.messages.length >= MOST_MESSAGES) this.forgotten++
    else this.messages.push(message)
  }

  plan(plans: FramePlans, flows: FlowTable<CallFlow>, payload: boolean): void {
    const chosen = new Set<Piece>()
    const kept = new Map<HepMessage, number>()
    for (const message of this.messages) {
      const keep = keptOf(message, flows, payload)
      if (keep < 0) continue
      kept.set(message, keep)
      for (const piece of carriers(message)) chosen.add(piece)
    }
    for (const { frame, timeMs } of chosen) plans.choose(frame, timeMs)
    for (const message of this.messages) {
      const pieces = message.stream.piecesOf(message.start, message.end).filter((piece) => chosen.has(piece))
      if (pieces.length === 0) continue
      const from = message.payloadStart + (kept.get(message) ?? 0)
      const hidden = [
        ...(kept.has(message) ? message.secrets : []).map(({ start, end }) => ({
          start: message.payloadStart + start,
          end: message.payloadStart + end,
        })),
        { start: from, end: message.payloadEnd },
      ]
      for (const { start, end } of hidden) {
        if (start < end) fillPieces(plans, pieces, start, filler(end - start))
      }
    }
  }
}

/** Bytes of its payload that stay; -1 when the message is not wanted. */
function keptOf(
  { wanted, media, payloadStart, payloadEnd }: HepMessage,
  flows: FlowTable<CallFlow>,
  payload: boolean,
): number {
  const length = payloadEnd - payloadStart
  if (wanted) return length
  return media ? Math.min(length, keptOfMedia(media, length, flows, payload)) : -1
}

/** The segments of a message, from one on that begins with a message. */
function carriers({ stream, start, end }: HepMessage): Piece[] {
  const pieces = stream.piecesOf(start, end)
  let first = pieces.at(0)
  for (let n = 0; first && !first.opens && n < MOST_BACK; n++) {
    const before: Piece[] = stream.piecesOf(first.start - 1, first.start)
    if (before.length === 0) break
    pieces.push(...before)
    first = before[0]
  }
  return pieces
}
