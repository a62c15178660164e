import { MAX_CAPTURED_LENGTH } from './capture-parser.js'
import { DescriptorOutput } from './descriptor-output.js'

const HEADER_BYTES = 24
const RECORD_HEADER_BYTES = 16
const MAGIC_MICROSECONDS = 0xa1b2c3d4
const MAGIC_NANOSECONDS = 0xa1b23c4d
const FLUSH_BYTES = 1_048_576

export interface PcapWriterOptions {
  /** LINKTYPE_*; default 1, Ethernet. */
  linkType?: number
  /** Timestamps in nanoseconds instead of microseconds. Times come as float64 ms, good to 0.25 us. */
  nanoseconds?: boolean
  /** Snap length stated in the header, and where longer frames are cut; default 262144. */
  snapLength?: number
}

/** Lays out classic pcap (2.4, little endian) in a buffer that grows, or that `drain` empties. */
class PcapEncoder {
  bytes: Uint8Array
  length = 0
  private view: DataView
  private readonly nanoseconds: boolean
  private readonly snapLength: number

  constructor(options: PcapWriterOptions, size: number) {
    this.bytes = new Uint8Array(size)
    this.view = new DataView(this.bytes.buffer)
    this.nanoseconds = options.nanoseconds === true
    this.snapLength = Math.min(options.snapLength ?? MAX_CAPTURED_LENGTH, MAX_CAPTURED_LENGTH)
    const view = this.view
    view.setUint32(0, this.nanoseconds ? MAGIC_NANOSECONDS : MAGIC_MICROSECONDS, true)
    view.setUint16(4, 2, true)
    view.setUint16(6, 4, true)
    view.setUint32(16, this.snapLength, true)
    view.setUint32(20, options.linkType ?? 1, true)
    this.length = HEADER_BYTES
  }

  append(timeMs: number, source: Uint8Array, offset: number, length: number, wireLength: number): void {
    const captured = Math.min(length, this.snapLength)
    const start = this.length
    this.reserve(RECORD_HEADER_BYTES + captured)
    const unitsPerSecond = this.nanoseconds ? 1e9 : 1e6
    let seconds = Math.floor(timeMs / 1000)
    let rest = Math.round(((timeMs - seconds * 1000) * unitsPerSecond) / 1000)
    if (rest >= unitsPerSecond) {
      rest -= unitsPerSecond
      seconds++
    }
    const view = this.view
    view.setUint32(start, seconds, true)
    view.setUint32(start + 4, rest, true)
    view.setUint32(start + 8, captured, true)
    view.setUint32(start + 12, wireLength, true)
    this.bytes.set(source.subarray(offset, offset + captured), start + RECORD_HEADER_BYTES)
    this.length = start + RECORD_HEADER_BYTES + captured
  }

  private reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return
    const larger = new Uint8Array(Math.max(2 * this.bytes.length, this.length + count))
    larger.set(this.bytes.subarray(0, this.length))
    this.bytes = larger
    this.view = new DataView(larger.buffer)
  }
}

/** Collects a classic pcap file in memory. */
export class PcapWriter {
  packets = 0
  private readonly encoder: PcapEncoder

  constructor(options: PcapWriterOptions = {}) {
    this.encoder = new PcapEncoder(options, 65_536)
  }

  /** Adds a frame. `timeMs`: ms since the epoch, 0 or later. `wireLength`: its length before it was cut, bytes. */
  write(timeMs: number, frame: Uint8Array, wireLength: number = frame.length): void {
    this.encoder.append(timeMs, frame, 0, frame.length, wireLength)
    this.packets++
  }

  /** The file so far (a copy). */
  toBytes(): Uint8Array {
    return this.encoder.bytes.slice(0, this.encoder.length)
  }
}

/**
 * Writes a classic pcap file, 1 MiB at a time; `-` is standard output (see DescriptorOutput).
 */
export class PcapFileWriter {
  packets = 0
  private readonly encoder: PcapEncoder
  private readonly output: DescriptorOutput

  constructor(path: string, options: PcapWriterOptions = {}) {
    this.encoder = new PcapEncoder(options, FLUSH_BYTES + RECORD_HEADER_BYTES + MAX_CAPTURED_LENGTH)
    this.output = new DescriptorOutput(path)
  }

  /** As PcapWriter.write. */
  write(timeMs: number, frame: Uint8Array, wireLength: number = frame.length): void {
    this.writeRange(timeMs, frame, 0, frame.length, wireLength)
  }

  /** Adds the frame that lies at `offset` in `source`: a packet of a batch, without a view of its own. */
  writeRange(timeMs: number, source: Uint8Array, offset: number, length: number, wireLength: number): void {
    this.encoder.append(timeMs, source, offset, length, wireLength)
    this.packets++
    if (this.encoder.length >= FLUSH_BYTES) this.flush()
  }

  flush(): void {
    this.output.write(this.encoder.bytes, this.encoder.length)
    this.encoder.length = 0
  }

  close(): void {
    if (this.output.isClosed) return
    try {
      this.flush()
    } finally {
      this.output.close()
    }
  }
}
