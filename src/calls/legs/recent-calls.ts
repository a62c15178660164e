import type { CallEntry } from '../call-entry.js'

/** Calls under one key that are compared; a load test has thousands with one number. */
const MOST_PER_KEY = 32

/** Calls of the last few seconds by a key, oldest first. */
export class RecentCalls {
  /** Calls that were not kept for want of room. */
  overflow = 0
  private readonly byKey = new Map<string, CallEntry[]>()
  private readonly order: { key: string; call: CallEntry; timeMs: number }[] = []
  private first = 0

  constructor(
    private readonly keepMs: number,
    private readonly most: number,
  ) {}

  get size(): number {
    return this.order.length - this.first
  }

  get(key: string): readonly CallEntry[] {
    return this.byKey.get(key) ?? []
  }

  add(key: string, call: CallEntry, timeMs: number): void {
    const list = this.byKey.get(key)
    if (this.size >= this.most || (list && list.length >= MOST_PER_KEY)) {
      this.overflow++
      return
    }
    if (list) list.push(call)
    else this.byKey.set(key, [call])
    this.order.push({ key, call, timeMs })
  }

  /** Forgets what is too old at `timeMs`. */
  expire(timeMs: number): void {
    while (this.first < this.order.length && this.order[this.first].timeMs < timeMs - this.keepMs) {
      const { key, call } = this.order[this.first++]
      const list = this.byKey.get(key)
      const place = list?.indexOf(call) ?? -1
      if (list && place >= 0) list.splice(place, 1)
      if (list?.length === 0) this.byKey.delete(key)
    }
    if (this.first > 1024 && this.first * 2 > this.order.length) {
      this.order.splice(0, this.first)
      this.first = 0
    }
  }
}
