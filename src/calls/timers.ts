interface Timer {
  dueMs: number
  order: number
  run: (dueMs: number) => void
}

/** Events at packet times: a binary heap. `next` is the earliest due time, so that the loop compares one number. */
export class Timers {
  private readonly heap: Timer[] = []
  private order = 0
  /** Infinity when nothing is due. */
  next = Infinity

  get size(): number {
    return this.heap.length
  }

  at(dueMs: number, run: (dueMs: number) => void): void {
    const { heap } = this
    const timer = { dueMs, order: this.order++, run }
    let at = heap.length
    heap.push(timer)
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!before(timer, heap[parent])) break
      heap[at] = heap[parent]
      at = parent
    }
    heap[at] = timer
    this.next = heap[0].dueMs
  }

  /** Runs what is due at `nowMs`, in order. What they add is run too when it is due. */
  run(nowMs: number): void {
    while (this.heap.length > 0 && this.heap[0].dueMs <= nowMs) {
      const timer = this.pop()
      this.next = this.heap.length > 0 ? this.heap[0].dueMs : Infinity
      timer.run(timer.dueMs)
    }
  }

  private pop(): Timer {
    const { heap } = this
    const first = heap[0]
    const last = heap.pop() as Timer
    if (heap.length === 0) return first
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1], heap[child])) child++
      if (!before(heap[child], last)) break
      heap[at] = heap[child]
      at = child
    }
    heap[at] = last
    return first
  }
}

function before(a: Timer, b: Timer): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order)
}
