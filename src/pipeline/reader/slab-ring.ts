import { RowSlab, SLAB_BYTES } from './row-slab.js'

/** Slabs that go around: some are measured or wait for it while others are filled. */
const SLABS = 8
/** A thread that waits for room is woken when so many slabs were measured, not for each. */
const WAKE_EVERY = 4
const CONTROL_BYTES = 64
const FILLED = 0
const MEASURED = 1

/**
 * Slabs that one thread fills and another measures, in turn. Their numbers count up from 0; the numbers of those that
 * were filled and measured lie in shared memory too, so that neither thread sends a message for each.
 */
export class SlabRing {
  private readonly control: Int32Array
  private readonly slabs: readonly RowSlab[]

  constructor(memory: SharedArrayBuffer) {
    this.control = new Int32Array(memory, 0, CONTROL_BYTES / 4)
    this.slabs = Array.from({ length: SLABS }, (_, n) => new RowSlab(memory, CONTROL_BYTES + n * SLAB_BYTES))
  }

  static memory(): SharedArrayBuffer {
    return new SharedArrayBuffer(CONTROL_BYTES + SLABS * SLAB_BYTES)
  }

  /** The slab of that number. */
  slab(number: number): RowSlab {
    return this.slabs[number % SLABS]
  }

  /** Slabs filled so far. */
  get filled(): number {
    return Atomics.load(this.control, FILLED)
  }

  /** Slabs measured so far. */
  get measured(): number {
    return Atomics.load(this.control, MEASURED)
  }

  /** The slab under way is full. */
  handOver(): void {
    Atomics.add(this.control, FILLED, 1)
    Atomics.notify(this.control, FILLED)
  }

  /** Waits until the slab of that number may be filled. Blocks the thread. */
  awaitRoom(number: number): void {
    for (let { measured } = this; number - measured >= SLABS; measured = this.measured)
      Atomics.wait(this.control, MEASURED, measured)
  }

  /** The oldest slab was measured. */
  giveBack(): void {
    const measured = Atomics.add(this.control, MEASURED, 1) + 1
    if (measured % WAKE_EVERY === 0) Atomics.notify(this.control, MEASURED)
  }

  /** Waits until more than `number` slabs were filled, or `ms` have passed. Blocks the thread. */
  awaitSlab(number: number, ms: number): boolean {
    if (this.filled > number) return true
    Atomics.wait(this.control, FILLED, number, ms)
    return this.filled > number
  }
}
