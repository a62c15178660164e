import type { PayloadFormat } from '../sip/sdp-types.js'

/** What a payload type carries; decides what it may feed. */
export const CLASS_AUDIO = 0
/** RFC 3389 comfort noise: counted, never timed. */
export const CLASS_NOISE = 1
/** RFC 4733 telephone-event: counted as events, never timed. */
export const CLASS_EVENT = 2

const CLASS_SHIFT = 28
const CLOCK_MASK = (1 << CLASS_SHIFT) - 1

/** RTP clock rate in Hz (0 = unknown) of a packed entry. */
export function clockOf(entry: number): number {
  return entry & CLOCK_MASK
}

export function classOf(entry: number): number {
  return entry >> CLASS_SHIFT
}

/** Most distinct payload maps at once; later ones fall back to the static table. */
export const MAX_PAYLOAD_MAPS = 4096

/** Clock rates of RFC 3551's static payload types, Hz. */
const STATIC_CLOCKS: ReadonlyArray<readonly [payloadType: number, clockRateHz: number]> = [
  [0, 8000], [2, 8000], [3, 8000], [4, 8000], [5, 8000], [6, 16000], [7, 8000], [8, 8000], [9, 8000], [10, 44100],
  [11, 44100], [12, 8000], [14, 90000], [15, 8000], [16, 11025], [17, 22050], [18, 8000], [25, 90000], [26, 90000],
  [28, 90000], [31, 90000], [32, 90000], [33, 90000], [34, 90000],
] // prettier-ignore

function packed(clockRateHz: number, payloadClass: number): number {
  return (payloadClass << CLASS_SHIFT) | clockRateHz
}

/**
 * Payload types as negotiated, interned: one map of 128 packed entries (clock rate and class) per distinct
 * negotiation, so that a stream stores only the map's number. Map 0 is RFC 3551's static table.
 */
export class PayloadMaps {
  readonly entries: Int32Array
  private readonly known = new Map<string, number>()
  /** Negotiations that found no room. */
  overflow = 0

  /** @param memory of `memoryBytes`, when threads share it: one of them, the first to have it, interns */
  constructor(
    private readonly most = MAX_PAYLOAD_MAPS,
    memory?: SharedArrayBuffer,
  ) {
    this.entries = memory ? new Int32Array(memory) : new Int32Array(most * 128)
    if (this.entries[0] === 0) this.fillStatic(0)
    this.known.set('', 0)
  }

  static memoryBytes(most = MAX_PAYLOAD_MAPS): number {
    return most * 512
  }

  /** The map's number for these formats (of both parties' descriptions, the later ones winning). */
  intern(formats: readonly PayloadFormat[]): number {
    const key = formats.map((f) => `${f.payloadType}:${f.encoding}:${f.clockRateHz}`).join(' ')
    const existing = this.known.get(key)
    if (existing !== undefined) return existing
    const map = this.known.size
    if (map >= this.most) {
      this.overflow++
      return 0
    }
    this.fillStatic(map)
    for (const format of formats) {
      if (format.payloadType < 0 || format.payloadType > 127) continue
      const payloadClass =
        format.encoding === 'TELEPHONE-EVENT'
          ? CLASS_EVENT
          : format.encoding === 'CN'
            ? CLASS_NOISE
            : CLASS_AUDIO
      const clock =
        format.clockRateHz > 0 && format.clockRateHz <= 1_000_000 ? Math.round(format.clockRateHz) : 0
      if (clock > 0 || payloadClass !== CLASS_AUDIO) {
        this.entries[map * 128 + format.payloadType] = packed(clock, payloadClass)
      }
    }
    this.known.set(key, map)
    return map
  }

  private fillStatic(map: number): void {
    this.entries.fill(0, map * 128, map * 128 + 128)
    for (const [payloadType, clock] of STATIC_CLOCKS)
      this.entries[map * 128 + payloadType] = packed(clock, CLASS_AUDIO)
    this.entries[map * 128 + 13] = packed(8000, CLASS_NOISE)
    this.entries[map * 128 + 19] = packed(8000, CLASS_NOISE)
  }
}
