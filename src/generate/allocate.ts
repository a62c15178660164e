const SLAB_BYTES = 65536

/** Cuts zeroed byte arrays out of slabs: far cheaper than an ArrayBuffer each. Slabs are never used twice. */
function makePool(): (length: number) => Uint8Array {
  let slab = new Uint8Array(0)
  let used = 0
  return (length) => {
    if (used + length > slab.length) {
      slab = new Uint8Array(Math.max(SLAB_BYTES, length))
      used = 0
    }
    used += length
    return slab.subarray(used - length, used)
  }
}

/** For payloads and packets that a frame will contain. Kept apart from frames, so that it can be collected. */
export const allocateScratch = makePool()
/** For finished frames. */
export const allocateFrame = makePool()
