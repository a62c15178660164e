/**
 * A set that mostly holds one element, as the streams of a direction do: it costs a pointer until there are two. Hundreds
 * of thousands of them are held at once.
 */
export class Few<T extends object> implements Iterable<T> {
  private held: T | Set<T> | undefined

  get size(): number {
    return this.held === undefined ? 0 : this.held instanceof Set ? this.held.size : 1
  }

  has(element: T): boolean {
    return this.held instanceof Set ? this.held.has(element) : this.held === element
  }

  add(element: T): void {
    if (this.held === undefined) this.held = element
    else if (this.held instanceof Set) this.held.add(element)
    else if (this.held !== element) this.held = new Set([this.held, element])
  }

  delete(element: T): void {
    if (this.held instanceof Set) {
      this.held.delete(element)
      if (this.held.size === 0) this.held = undefined
    } else if (this.held === element) {
      this.held = undefined
    }
  }

  [Symbol.iterator](): Iterator<T> {
    const { held } = this
    return (held === undefined ? [] : held instanceof Set ? held : [held])[Symbol.iterator]()
  }
}
