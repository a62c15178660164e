import type { FlowTable } from './flow-key.js'
import { ssrcAt } from './frame-cut.js'
import { fillPieces, type FramePlans, type Piece } from './frame-plan.js'
import { keptHead } from './frame-selector.js'
import type { CallFlow, MediaWindow } from './media-collector.js'
import type { FragmentedMedia } from './signalling-scanner.js'
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
  media?: { packet: FragmentedMedia['packet']; timeMs: number; head: Uint8Array }
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

  plan(
    plans: FramePlans,
    flows: FlowTable<CallFlow>,
    windowOf: (flow: CallFlow, ssrc: number, timeMs: number) => MediaWindow | undefined,
    payload: boolean,
  ): void {
    const chosen = new Set<Piece>()
    const kept = new Map<HepMessage, number>()
    for (const message of this.messages) {
      const keep = keptOf(message, flows, windowOf, payload)
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
        if (start < end) fillPieces(plans, pieces, start, new Uint8Array(end - start).fill(FILLER))
      }
    }
  }
}

const FILLER = 0x78

/** Bytes of its payload that stay; -1 when the message is not wanted. */
function keptOf(
  { wanted, media, payloadStart, payloadEnd }: HepMessage,
  flows: FlowTable<CallFlow>,
  windowOf: (flow: CallFlow, ssrc: number, timeMs: number) => MediaWindow | undefined,
  payload: boolean,
): number {
  const length = payloadEnd - payloadStart
  if (wanted) return length
  if (!media || media.head.length < 12) return -1
  const { packet, timeMs, head } = media
  const flow = flows.find({
    source: Int32Array.of(packet.source0, packet.source1, packet.source2, packet.source3),
    sourcePort: packet.sourcePort,
    destination: Int32Array.of(
      packet.destination0,
      packet.destination1,
      packet.destination2,
      packet.destination3,
    ),
    destinationPort: packet.destinationPort,
  })
  if (!flow) return -1
  if (flow.rtcp.has(timeMs)) return length
  const window = windowOf(flow, ssrcAt(head, 0), timeMs)
  if (!window) return -1
  return payload ? length : keptHead(window, head, 0, head.length, length)
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
