import type { PacketBatch } from '../../capture/batch.js'
import type { WindowBuffer, WindowMemory } from '../../capture/window-memory.js'
import type { SlabRing } from './slab-ring.js'

interface Retired {
  buffer: WindowBuffer
  /** Number of the last slab whose frames may lie in it. */
  lastSlab: number
}

/**
 * Buffers for file windows in memory that the measuring thread sees too. One that was given back is used again when
 * the slabs filled until then were measured, so there are never more than the windows and the slabs under way need.
 */
export class SharedWindows implements WindowMemory {
  /** Number of the slab being filled. */
  filling = 0
  private readonly retired: Retired[] = []
  private readonly ids = new Map<Uint8Array, number>()

  /** `announce` tells the other thread of memory that slabs to come refer to. */
  constructor(
    private readonly ring: SlabRing,
    private readonly announce: (bytes: Uint8Array) => void,
  ) {}

  take(size: number): WindowBuffer {
    const { measured } = this.ring
    const index = this.retired.findIndex(
      ({ buffer, lastSlab }) => lastSlab < measured && buffer.bytes.length === size,
    )
    if (index >= 0) return this.retired.splice(index, 1)[0].buffer
    const memory = new SharedArrayBuffer(size)
    return { bytes: new Uint8Array(memory), view: new DataView(memory) }
  }

  giveBack(buffer: WindowBuffer): void {
    this.retired.push({ buffer, lastSlab: this.filling })
  }

  /** The id of the memory that `bytes` shows, announced when it is new. */
  idOf(bytes: Uint8Array): number {
    let id = this.ids.get(bytes)
    if (id === undefined) {
      id = this.ids.size
      this.ids.set(bytes, id)
      this.announce(bytes)
    }
    return id
  }

  /** The batch with its frames in shared memory: itself, unless its source has memory of its own. */
  shared(batch: PacketBatch): PacketBatch {
    if (batch.bytes.buffer instanceof SharedArrayBuffer) return batch
    const { bytes, frameOffset, capturedLength, first, end } = batch
    let from = bytes.length
    let to = 0
    for (let k = first; k < end; k++) {
      from = Math.min(from, frameOffset[k])
      to = Math.max(to, frameOffset[k] + capturedLength[k])
    }
    // In sizes that fit others too.
    const buffer = this.take(2 ** Math.ceil(Math.log2(Math.max(to - from, 65_536))))
    buffer.bytes.set(bytes.subarray(from, to))
    this.giveBack(buffer)
    return { ...batch, ...buffer, frameOffset: frameOffset.map((offset) => offset - from) }
  }
}
