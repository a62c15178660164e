/** A member of at most one `TimedList`. The links belong to the list. */
export interface TimedNode<T extends TimedNode<T>> {
  previous: T | undefined
  next: T | undefined
  list: TimedList<T> | undefined
  /** When the node was put at the list's end, ms. */
  listedMs: number
}

/**
 * Nodes in the order in which they were appended, all with the same delay until they are due: the first is always
 * the next one due and the oldest, so that timeouts and eviction take O(1) per node however many there are.
 */
export class TimedList<T extends TimedNode<T>> {
  first: T | undefined
  last: T | undefined
  size = 0

  /** @param delayMs from appending to being due; Infinity for never */
  constructor(readonly delayMs: number) {}

  /** Puts a node at the end, taking it out of the list it was in. */
  append(node: T, timeMs: number): void {
    node.list?.remove(node)
    node.list = this
    node.listedMs = timeMs
    node.previous = this.last
    if (this.last) this.last.next = node
    else this.first = node
    this.last = node
    this.size++
  }

  remove(node: T): void {
    if (node.list !== this) return
    if (node.previous) node.previous.next = node.next
    else this.first = node.next
    if (node.next) node.next.previous = node.previous
    else this.last = node.previous
    node.previous = undefined
    node.next = undefined
    node.list = undefined
    this.size--
  }

  /** The first node, if it is due. */
  due(timeMs: number): T | undefined {
    const node = this.first
    return node && timeMs - node.listedMs >= this.delayMs ? node : undefined
  }

  /** Makes every node as old as `timeMs`, for when the clock of the capture was set back. */
  rebase(timeMs: number): void {
    for (let node = this.first; node; node = node.next) node.listedMs = timeMs
  }
}
