const END_OF_OPTIONS = 0

/** IDB options (draft-ietf-opsawg-pcapng 4.2). */
const IF_TSRESOL = 9
const IF_FCSLEN = 13
const IF_TSOFFSET = 14
/** ISB options (4.6). */
const ISB_IFDROP = 5
const ISB_OSDROP = 7
/** EPB options (4.3). */
const EPB_FLAGS = 2
const EPB_DROPCOUNT = 4

/** Largest unit count per second with which seconds and rest are separated by 32-bit arithmetic. */
const MAX_EXACT_UNITS = 2 ** 30

/** What an Interface Description Block and later statistics say of one interface of a section. */
export interface CaptureInterface {
  linkType: number
  /** 0 = no limit. */
  snapLength: number
  /** Timestamp units per second. */
  unitsPerSecond: number
  unitsPerMs: number
  /** True when `unitsPerSecond` allows the exact way from 64-bit timestamps to ms. */
  exact: boolean
  offsetSeconds: number
  fcsBytes: number
  /** Sum of the drop counts that packets carry. */
  packetDrops: number
  /** Drops by the latest Interface Statistics Block: they count from the start of the capture. */
  statisticsDrops: number
}

/** An unsigned 64-bit integer as float64 (exact up to 2^53). */
export function readUint64(view: DataView, position: number, little: boolean): number {
  const first = view.getUint32(position, little)
  const second = view.getUint32(position + 4, little)
  return little ? second * 4294967296 + first : first * 4294967296 + second
}

/** A signed 64-bit integer as float64. */
function readInt64(view: DataView, position: number, little: boolean): number {
  const high = view.getInt32(little ? position + 4 : position, little)
  const low = view.getUint32(little ? position : position + 4, little)
  return high * 4294967296 + low
}

/** A drop counter; all ones means that the writer does not know. */
function readDrops(view: DataView, position: number, little: boolean): number {
  const value = readUint64(view, position, little)
  return value >= 2 ** 63 ? 0 : value
}

/**
 * if_fcslen is in bits (draft 4.2); writers that followed the old example ("4") put octets there. No frame check
 * sequence has under 16 bits or over 8 octets, so the two cannot be confused.
 */
function fcsOctets(value: number): number {
  return value >= 16 ? value >> 3 : value <= 8 ? value : 0
}

/** The interface that an IDB at `start` describes (options lie in start+16 .. end-4); null when its resolution makes no sense. */
export function readInterface(
  view: DataView,
  start: number,
  end: number,
  little: boolean,
): CaptureInterface | null {
  const found: CaptureInterface = {
    linkType: view.getUint16(start + 8, little),
    snapLength: view.getUint32(start + 12, little),
    unitsPerSecond: 1e6,
    unitsPerMs: 1e3,
    exact: true,
    offsetSeconds: 0,
    fcsBytes: 0,
    packetDrops: 0,
    statisticsDrops: 0,
  }
  let position = start + 16
  const limit = end - 4
  while (position + 4 <= limit) {
    const code = view.getUint16(position, little)
    const length = view.getUint16(position + 2, little)
    const value = position + 4
    if (code === END_OF_OPTIONS || value + length > limit) break
    if (code === IF_TSRESOL && length >= 1) {
      const resolution = view.getUint8(value)
      const exponent = resolution & 0x7f
      const binary = (resolution & 0x80) !== 0
      // Finer units do not fit 64 bits; libpcap refuses them too.
      if (exponent > (binary ? 63 : 19)) return null
      found.unitsPerSecond = (binary ? 2 : 10) ** exponent
      found.unitsPerMs = found.unitsPerSecond / 1000
      found.exact = found.unitsPerSecond <= MAX_EXACT_UNITS
    } else if (code === IF_TSOFFSET && length >= 8) {
      found.offsetSeconds = readInt64(view, value, little)
    } else if (code === IF_FCSLEN && length >= 1) {
      found.fcsBytes = fcsOctets(view.getUint8(value))
    }
    position = value + ((length + 3) & ~3)
  }
  return found
}

/** Reads the drop counters of an ISB at `start` into the interface. */
export function readStatistics(
  view: DataView,
  start: number,
  end: number,
  little: boolean,
  target: CaptureInterface,
): void {
  let position = start + 20
  const limit = end - 4
  let drops = 0
  while (position + 4 <= limit) {
    const code = view.getUint16(position, little)
    const length = view.getUint16(position + 2, little)
    const value = position + 4
    if (code === END_OF_OPTIONS || value + length > limit) break
    if ((code === ISB_IFDROP || code === ISB_OSDROP) && length >= 8) drops += readDrops(view, value, little)
    position = value + ((length + 3) & ~3)
  }
  if (drops > target.statisticsDrops) target.statisticsDrops = drops
}

/**
 * Reads the options of an EPB that lie in `start..limit`: adds epb_dropcount to the interface and returns the octets
 * of frame check sequence that epb_flags gives this packet, -1 when it does not say. Allocates nothing.
 */
export function readPacketOptions(
  view: DataView,
  start: number,
  limit: number,
  little: boolean,
  target: CaptureInterface,
): number {
  let position = start
  let fcsBytes = -1
  while (position + 4 <= limit) {
    const code = view.getUint16(position, little)
    const length = view.getUint16(position + 2, little)
    const value = position + 4
    if (code === END_OF_OPTIONS || value + length > limit) break
    if (code === EPB_DROPCOUNT && length >= 8) {
      target.packetDrops += readDrops(view, value, little)
    } else if (code === EPB_FLAGS && length >= 4) {
      const octets = (view.getUint32(value, little) >>> 5) & 15
      if (octets !== 0) fcsBytes = octets
    }
    position = value + ((length + 3) & ~3)
  }
  return fcsBytes
}
