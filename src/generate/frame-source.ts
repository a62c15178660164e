/** A frame of the capture, a view into a shared buffer (mind its `byteOffset`). `timeMs` is a multiple of 2^-12 ms because that is a float64's step at today's dates. */
export interface GeneratedPacket {
  timeMs: number
  frame: Uint8Array
  /** Length before the snap length cut it; absent when whole. */
  wireLength?: number
}

/** Yields packets in time order. */
export interface FrameSource {
  /** Time of the next packet or a lower bound of it; Infinity at the end. */
  readonly nextMs: number
  /** The next packet, or null when `nextMs` was only a lower bound (it is exact afterwards). */
  take(): GeneratedPacket | null
}

/** Packets that are known as a whole. They need not be sorted; equal times keep their order. */
export class ListSource implements FrameSource {
  private position = 0

  constructor(private readonly packets: GeneratedPacket[]) {
    packets.sort((a, b) => a.timeMs - b.timeMs)
  }

  get nextMs(): number {
    return this.position < this.packets.length ? this.packets[this.position].timeMs : Infinity
  }

  take(): GeneratedPacket | null {
    return this.packets[this.position++] ?? null
  }
}

/** Opens its inner source only when its time comes, and lets go of it at its end, so that memory follows live calls. */
export class LazySource implements FrameSource {
  private inner: FrameSource | null = null
  private done = false

  /** @param startMs no packet of the source is earlier */
  constructor(
    private readonly startMs: number,
    private readonly open: () => FrameSource,
  ) {}

  get nextMs(): number {
    if (this.done) return Infinity
    return this.inner ? this.inner.nextMs : this.startMs
  }

  take(): GeneratedPacket | null {
    if (!this.inner) {
      this.inner = this.open()
      if (this.inner.nextMs < this.startMs) throw new Error('a source began before its announced start')
      this.finishIfEmpty()
      return null
    }
    const packet = this.inner.take()
    this.finishIfEmpty()
    return packet
  }

  private finishIfEmpty(): void {
    if (this.inner?.nextMs !== Infinity) return
    this.inner = null
    this.done = true
  }
}

/** Merges sources by time with a binary heap; ties go to the source given first. */
export class MergedSource implements FrameSource {
  private readonly heap: { source: FrameSource; rank: number; timeMs: number }[] = []

  constructor(sources: FrameSource[]) {
    sources.forEach((source, rank) => {
      if (source.nextMs !== Infinity) this.heap.push({ source, rank, timeMs: source.nextMs })
    })
    for (let i = (this.heap.length >> 1) - 1; i >= 0; i--) this.sink(i)
  }

  get nextMs(): number {
    return this.heap.length > 0 ? this.heap[0].timeMs : Infinity
  }

  take(): GeneratedPacket | null {
    while (this.heap.length > 0) {
      const top = this.heap[0]
      const packet = top.source.take()
      top.timeMs = top.source.nextMs
      if (top.timeMs === Infinity) {
        const last = this.heap.pop()
        if (last && this.heap.length > 0) this.heap[0] = last
      }
      this.sink(0)
      if (packet) return packet
    }
    return null
  }

  private before(i: number, j: number): boolean {
    const a = this.heap[i]
    const b = this.heap[j]
    return a.timeMs < b.timeMs || (a.timeMs === b.timeMs && a.rank < b.rank)
  }

  private sink(i: number): void {
    for (;;) {
      let least = i
      const left = 2 * i + 1
      if (left < this.heap.length && this.before(left, least)) least = left
      if (left + 1 < this.heap.length && this.before(left + 1, least)) least = left + 1
      if (least === i) return
      const swapped = this.heap[i]
      this.heap[i] = this.heap[least]
      this.heap[least] = swapped
      i = least
    }
  }
}
