/** A segment that came before what precedes it. */
interface HeldSegment {
  sequence: number
  /** Own copy: the frame's buffer is reused. */
  bytes: Uint8Array
  /** Payload bytes on the wire; more than `bytes` when the frame was cut. */
  length: number
  timeMs: number
}

/** One direction of a connection. `User` is the consumer's own state (a message framer, say). */
export class TcpDirection<User> {
  user: User | undefined
  /** Bytes handed out. */
  deliveredBytes = 0
  /** Next sequence number to hand out, int32; meaningless until `started`. */
  next = 0
  started = false
  /** Sequence number of the SYN this direction began with, if it was seen. */
  synSequence = 0
  synSequenceKnown = false
  /** All up to the sender's FIN was handed out. */
  finished = false
  /** Sequence number of the FIN. */
  finSequence = 0
  finSeen = false
  /** Segments in a row that were far from `next`. */
  farSegments = 0
  /** Highest sequence number that the other side acknowledged. */
  acknowledged = 0
  acknowledgedKnown = false
  heldBytes = 0
  /** Sorted by sequence number, all above `next`. */
  readonly held: HeldSegment[] = []

  /** What comes next is the byte with this sequence number. */
  start(sequence: number): void {
    this.next = sequence
    this.started = true
    this.finished = false
    this.finSeen = false
    this.farSegments = 0
    this.acknowledgedKnown = false
  }

  /** Inserts a segment in order; false when it only repeats one that is held already. */
  hold(sequence: number, bytes: Uint8Array, length: number, timeMs: number): boolean {
    let i = this.held.length
    while (i > 0 && ((sequence - this.held[i - 1].sequence) | 0) < 0) i--
    const before = this.held[i - 1]
    if (before !== undefined && ((before.sequence + before.length - (sequence + length)) | 0) >= 0)
      return false
    this.held.splice(i, 0, { sequence, bytes: bytes.slice(), length, timeMs })
    this.heldBytes += bytes.length
    return true
  }

  /** Takes out the first held segment. */
  takeFirst(): HeldSegment | undefined {
    const first = this.held.shift()
    if (first !== undefined) this.heldBytes -= first.bytes.length
    return first
  }

  /** Forgets all held segments; returns how many bytes they were. */
  discard(): number {
    const bytes = this.heldBytes
    this.held.length = 0
    this.heldBytes = 0
    return bytes
  }

  /** When the oldest of the held segments came. */
  get waitingSinceMs(): number {
    let since = Infinity
    for (const segment of this.held) if (segment.timeMs < since) since = segment.timeMs
    return since
  }
}
