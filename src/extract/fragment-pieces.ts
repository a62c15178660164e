import type { PacketBatch } from '../capture/batch.js'
import type { Piece } from './frame-plan.js'
import { fragmentHeader } from './ip-headers.js'

interface Waiting {
  pieces: Piece[]
  sinceMs: number
}

/**
 * Remembers which frames carried the fragments of each IP datagram. Bounded like the decoder's own table: so many
 * datagrams, so long; the oldest gives way.
 */
export class FragmentPieces {
  /** Fragments in whose frame no header of theirs was found. */
  lost = 0
  private readonly waiting = new Map<string, Waiting>()

  constructor(
    private readonly mostDatagrams: number,
    private readonly timeoutMs: number,
  ) {}

  /** Takes frame `index` of the batch; returns the datagram's pieces so far, this one included. */
  add(batch: PacketBatch, index: number, frame: number): Piece[] {
    const timeMs = batch.timeMs[index]
    const header = fragmentHeader(batch, index)
    if (header === undefined) {
      this.lost++
      return []
    }
    let waiting = this.waiting.get(header.key)
    if (waiting === undefined || timeMs - waiting.sinceMs > this.timeoutMs) {
      this.waiting.delete(header.key)
      if (this.waiting.size >= this.mostDatagrams) this.dropOldest()
      waiting = { pieces: [], sinceMs: timeMs }
      this.waiting.set(header.key, waiting)
    }
    const present = batch.capturedLength[index] - header.payloadAt
    waiting.pieces.push({
      frame,
      timeMs,
      start: header.fragment.start,
      length: header.payloadLength,
      captured: Math.max(0, Math.min(present, header.payloadLength)),
      at: header.payloadAt,
    })
    return waiting.pieces
  }

  private dropOldest(): void {
    for (const key of this.waiting.keys()) {
      this.waiting.delete(key)
      return
    }
  }
}
