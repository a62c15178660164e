import type { CaptureParser, ParseDamage } from './capture-parser.js'
import { MAX_CAPTURED_LENGTH, MAX_RECORD_BYTES } from './capture-parser.js'
import type { FrameBatch } from './frame-batch.js'
import { readInterface, readPacketOptions, readStatistics, type CaptureInterface } from './pcapng-options.js'

/** A palindrome, so that it reads the same in both byte orders. */
export const SECTION_HEADER = 0x0a0d0d0a
export const BYTE_ORDER_MAGIC = 0x1a2b3c4d
const INTERFACE_DESCRIPTION = 1
/** Obsolete, but on disk: carries a drop count. */
const PACKET = 2
const SIMPLE_PACKET = 3
const NAME_RESOLUTION = 4
const INTERFACE_STATISTICS = 5
const ENHANCED_PACKET = 6

/** Type, length and the first word of the body; also the smallest block. */
const MIN_BLOCK_BYTES = 12
/** The total length again, at a block's end. */
const TRAILER_BYTES = 4
/** Bytes around the frame in an EPB and in a PB: 8 of block header, 20 of packet header, 4 of trailer. */
const PACKET_OVERHEAD = 32
/** Largest block that is stepped over, bytes: where libpcap stops believing lengths (sf-pcapng.c). */
const MAX_SKIPPED_BYTES = 16 * 1024 * 1024
const MAX_INTERFACES = 65_536
const MAX_INT32 = 0x7fffffff

const NO_TIME_NOTE =
  'packets in Simple Packet Blocks have no time of their own: they get the time of the packet before'
/** RFC 3339 has years of four digits, and a clock before the epoch was never set. */
const LAST_TIME_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999)
const STRANGE_TIME_NOTE =
  'packets with times before 1970 or after 9999 are read with the time of the packet before (is the time resolution of their interface right?)'

/**
 * pcapng (draft-ietf-opsawg-pcapng):
 *
 *     block   type | total length | body, padded to 4 | total length
 *     EPB     6 | total | interface | time high | time low | captured | on the wire | frame | options | total
 *
 * Sections follow each other in any byte order; interface numbers restart in each.
 */
export class PcapngParser implements CaptureParser {
  needed = MIN_BLOCK_BYTES
  atRecordStart = true
  damage: ParseDamage | null = null
  readonly notes: string[] = []

  private littleEndian = true
  private interfaces: CaptureInterface[] = []
  private dropsOfEndedSections = 0
  /** Length of a block that is stepped over, and how much of it is left; 0 when none is under way. */
  private skippedTotal = 0
  private skip = 0
  private lastTimeMs = 0

  get reportedDrops(): number {
    let drops = this.dropsOfEndedSections
    // Statistics repeat what packets said, so the larger of the two counts.
    for (const entry of this.interfaces) drops += Math.max(entry.packetDrops, entry.statisticsDrops)
    return drops
  }

  parse(batch: FrameBatch, start: number, end: number): number {
    const view = batch.view
    const capacity = batch.frameOffset.length
    let position = start
    this.needed = MIN_BLOCK_BYTES
    while (batch.end < capacity) {
      if (this.skip > 0) {
        const next = this.stepOver(view, position, end)
        if (next < 0) break
        position = next
        if (this.skip > 0) break
      }
      const available = end - position
      if (available < MIN_BLOCK_BYTES) break
      const type = view.getUint32(position, this.littleEndian)
      if (type === SECTION_HEADER && !this.readByteOrder(view, position)) break
      const little = this.littleEndian
      const total = view.getUint32(position + 4, little)
      const isRead =
        type === SECTION_HEADER || (type <= ENHANCED_PACKET && type !== NAME_RESOLUTION && type !== 0)
      const most = isRead ? MAX_RECORD_BYTES : MAX_SKIPPED_BYTES
      if (total < MIN_BLOCK_BYTES || (total & 3) !== 0 || total > most) {
        const what = type === SECTION_HEADER ? 'section header' : `block of type ${type}`
        this.fail(position, `a ${what} claims a length of ${total} bytes`)
        break
      }
      if (total > available) {
        if (!isRead) {
          this.skip = total
          this.skippedTotal = total
          continue
        }
        this.needed = total
        break
      }
      if (!this.checkTrailer(view, position, total)) break
      if (type === ENHANCED_PACKET) {
        const id = view.getUint32(position + 8, little)
        if (!this.readPacket(batch, position, total, id, 0)) break
      } else if (type === PACKET) {
        const id = view.getUint16(position + 8, little)
        const drops = view.getUint16(position + 10, little)
        // 0xFFFF: not known (draft, appendix on the Packet Block).
        if (!this.readPacket(batch, position, total, id, drops === 0xffff ? 0 : drops)) break
      } else if (type === SIMPLE_PACKET) {
        if (!this.readSimplePacket(batch, position, total)) break
      } else if (!this.readOther(view, type, position, total)) {
        break
      }
      position += total
    }
    return position
  }

  /**
   * Goes on over the block that is skipped, and returns the place reached; -1 when its two lengths differ. Its last four
   * bytes are looked at like those of any other block, so that damage is found wherever the windows end.
   */
  private stepOver(view: DataView, position: number, end: number): number {
    const body = Math.min(Math.max(this.skip - TRAILER_BYTES, 0), end - position)
    this.skip -= body
    const reached = position + body
    this.atRecordStart = false
    if (this.skip > TRAILER_BYTES || end - reached < TRAILER_BYTES) {
      this.needed = TRAILER_BYTES
      return reached
    }
    const total = this.skippedTotal
    if (!this.checkTrailer(view, reached + TRAILER_BYTES - total, total)) return -1
    this.skip = 0
    this.atRecordStart = true
    return reached + TRAILER_BYTES
  }

  /** `position` may lie before the window: the block is a skipped one then. */
  private checkTrailer(view: DataView, position: number, total: number): boolean {
    const trailer = view.getUint32(position + total - TRAILER_BYTES, this.littleEndian)
    return trailer === total || this.fail(position, `a block's two lengths differ (${total} and ${trailer})`)
  }

  private note(text: string): void {
    if (!this.notes.includes(text)) this.notes.push(text)
  }

  private fail(position: number, message: string): boolean {
    this.damage = { position, message }
    return false
  }

  /** Takes the byte order of the section that starts here. */
  private readByteOrder(view: DataView, position: number): boolean {
    if (view.getUint32(position + 8, true) === BYTE_ORDER_MAGIC) this.littleEndian = true
    else if (view.getUint32(position + 8, false) === BYTE_ORDER_MAGIC) this.littleEndian = false
    else return this.fail(position, 'a section header without the byte-order magic')
    return true
  }

  /** EPB and PB differ in how they name the interface only. */
  private readPacket(
    batch: FrameBatch,
    position: number,
    total: number,
    interfaceId: number,
    drops: number,
  ): boolean {
    const { view, end: index } = batch
    const little = this.littleEndian
    if (total < PACKET_OVERHEAD) return this.fail(position, `a packet block of ${total} bytes`)
    if (interfaceId >= this.interfaces.length) {
      return this.fail(position, `a packet names interface ${interfaceId}, which was not described`)
    }
    const source = this.interfaces[interfaceId]
    let captured = view.getUint32(position + 20, little)
    let wire = view.getUint32(position + 24, little)
    if (captured > total - PACKET_OVERHEAD || captured > MAX_CAPTURED_LENGTH) {
      return this.fail(position, `a packet claims ${captured} captured bytes in a block of ${total}`)
    }
    source.packetDrops += drops
    const options = position + 28 + ((captured + 3) & ~3)
    const optionsEnd = position + total - 4
    let fcsBytes = source.fcsBytes
    if (options + 4 <= optionsEnd) {
      const own = readPacketOptions(view, options, optionsEnd, little, source)
      if (own >= 0) fcsBytes = own
    }
    if (wire < captured || wire > MAX_INT32) wire = captured
    if (fcsBytes !== 0 && wire >= fcsBytes) {
      wire -= fcsBytes
      if (captured > wire) captured = wire
    }
    const high = view.getUint32(position + 12, little)
    const low = view.getUint32(position + 16, little)
    const units = high * 4294967296 + low
    let time: number
    if (source.exact) {
      // float64 cannot hold nanoseconds since the epoch. The seconds come out right (at worst one off, which the rest
      // makes good), and the rest is small, so it is exact modulo 2^32 whatever was rounded away above.
      const seconds = Math.floor(units / source.unitsPerSecond)
      const rest = (low - Math.imul(seconds, source.unitsPerSecond)) | 0
      time = (seconds + source.offsetSeconds) * 1000 + rest / source.unitsPerMs
    } else {
      time = units / source.unitsPerMs + source.offsetSeconds * 1000
    }
    if (time >= 0 && time <= LAST_TIME_MS) this.lastTimeMs = time
    else this.note(STRANGE_TIME_NOTE)
    batch.frameOffset[index] = position + 28
    batch.capturedLength[index] = captured
    batch.wireLength[index] = wire
    batch.timeMs[index] = this.lastTimeMs
    batch.linkType[index] = source.linkType
    batch.end = index + 1
    return true
  }

  private readSimplePacket(batch: FrameBatch, position: number, total: number): boolean {
    if (total < 16) return this.fail(position, `a simple packet block of ${total} bytes`)
    if (this.interfaces.length === 0) {
      return this.fail(position, 'a simple packet before any interface was described')
    }
    const source = this.interfaces[0]
    const index = batch.end
    const wire = Math.min(batch.view.getUint32(position + 8, this.littleEndian), MAX_INT32)
    let captured = Math.min(wire, total - 16)
    if (source.snapLength !== 0 && captured > source.snapLength) captured = source.snapLength
    if (captured > MAX_CAPTURED_LENGTH) {
      return this.fail(position, `a simple packet of ${captured} bytes`)
    }
    const stripped = source.fcsBytes !== 0 && wire >= source.fcsBytes ? wire - source.fcsBytes : wire
    this.note(NO_TIME_NOTE)
    batch.frameOffset[index] = position + 12
    batch.capturedLength[index] = Math.min(captured, stripped)
    batch.wireLength[index] = stripped
    batch.timeMs[index] = this.lastTimeMs
    batch.linkType[index] = source.linkType
    batch.end = index + 1
    return true
  }

  /** Sections, interfaces and statistics; names, secrets, journal, custom and unknown blocks are stepped over. */
  private readOther(view: DataView, type: number, position: number, total: number): boolean {
    const little = this.littleEndian
    if (type === SECTION_HEADER) {
      if (total < 28) return this.fail(position, `a section header of ${total} bytes`)
      const major = view.getUint16(position + 12, little)
      if (major !== 1) return this.fail(position, `pcapng version ${major} is not known (1 is usual)`)
      this.dropsOfEndedSections = this.reportedDrops
      this.interfaces = []
    } else if (type === INTERFACE_DESCRIPTION) {
      if (total < 20) return this.fail(position, `an interface description of ${total} bytes`)
      if (this.interfaces.length >= MAX_INTERFACES) {
        return this.fail(position, `more than ${MAX_INTERFACES} interfaces in a section`)
      }
      const found = readInterface(view, position, position + total, little)
      if (found === null)
        return this.fail(position, 'an interface with a timestamp resolution beyond 64 bits')
      this.interfaces.push(found)
    } else if (type === INTERFACE_STATISTICS) {
      if (total < 24) return this.fail(position, `interface statistics of ${total} bytes`)
      const id = view.getUint32(position + 8, little)
      if (id < this.interfaces.length) {
        readStatistics(view, position, position + total, little, this.interfaces[id])
      }
    }
    return true
  }
}
