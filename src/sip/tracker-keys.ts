import { textHash } from './transactions.js'

const SLOT_BITS = 18

/**
 * Gives each call a key that is unique within the run: the Call-ID, with a running number when that Call-ID was used
 * before. Remembers the last 262,144 Call-IDs or so in 1 MB (by hash: a collision only adds a number).
 */
export class UsedCallIds {
  private readonly slots = new Int32Array(1 << SLOT_BITS)
  private reuses = 0

  /** Whether a call had this Call-ID before. */
  has(callId: string): boolean {
    return this.slots[slotOf(callId)] === markOf(callId)
  }

  unique(callId: string): string {
    const used = this.has(callId)
    this.slots[slotOf(callId)] = markOf(callId)
    return used ? `${callId}#${++this.reuses + 1}` : callId
  }
}

function slotOf(callId: string): number {
  return textHash(callId, 0x2f0b4c47) >>> (32 - SLOT_BITS)
}

/** Never 0, which marks a free slot. */
function markOf(callId: string): number {
  return textHash(callId) || 1
}
