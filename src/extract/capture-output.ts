import { DescriptorOutput } from '../capture/descriptor-output.js'
import { PcapFileWriter } from '../capture/pcap-writer.js'

const SECTION_HEADER = 0x0a0d0d0a
const BYTE_ORDER_MAGIC = 0x1a2b3c4d
const INTERFACE_DESCRIPTION = 1
const ENHANCED_PACKET = 6
const OPTION_TIME_RESOLUTION = 9
const FLUSH_BYTES = 1_048_576

export interface CaptureOutput {
  write(timeMs: number, linkType: number, frame: Uint8Array, wireLength: number): void
  close(): void
}

export interface CaptureOutputOptions {
  /** LINKTYPE_* that may come: more than one needs pcapng. */
  linkTypes: readonly number[]
  /** Times are whole microseconds; else nanoseconds are written. */
  microseconds: boolean
}

/** `-` is standard output; the name says the format, several link types leave no choice. Files are created 0600. */
export function openCaptureOutput(path: string, options: CaptureOutputOptions): CaptureOutput {
  const { linkTypes, microseconds } = options
  if (linkTypes.length > 1 || /\.(?:pcapng|ntar)$/i.test(path))
    return new PcapngFileWriter(path, microseconds)
  const writer = new PcapFileWriter(path, { linkType: linkTypes[0], nanoseconds: !microseconds })
  return {
    write: (timeMs, _linkType, frame, wireLength) => writer.write(timeMs, frame, wireLength),
    close: () => writer.close(),
  }
}

/** One section; an interface for each link type, when it first comes (draft-ietf-opsawg-pcapng). */
class PcapngFileWriter implements CaptureOutput {
  private readonly interfaces: number[] = []
  private readonly unitsPerSecond: bigint
  private pieces: Buffer[] = []
  private size = 0
  private readonly output: DescriptorOutput

  constructor(
    path: string,
    private readonly microseconds: boolean,
  ) {
    this.unitsPerSecond = microseconds ? 1_000_000n : 1_000_000_000n
    this.output = new DescriptorOutput(path)
    const body = Buffer.alloc(16)
    body.writeUInt32LE(BYTE_ORDER_MAGIC, 0)
    body.writeUInt16LE(1, 4)
    // Length of the section: not known.
    body.fill(0xff, 8)
    this.block(SECTION_HEADER, body)
  }

  write(timeMs: number, linkType: number, frame: Uint8Array, wireLength: number): void {
    const seconds = Math.floor(timeMs / 1000)
    const units = Number(this.unitsPerSecond)
    const rest = Math.round(((timeMs - seconds * 1000) * units) / 1000)
    const time = BigInt(seconds) * this.unitsPerSecond + BigInt(rest)
    const head = Buffer.alloc(20)
    head.writeUInt32LE(this.interfaceOf(linkType), 0)
    head.writeUInt32LE(Number(time >> 32n), 4)
    head.writeUInt32LE(Number(time & 0xffff_ffffn), 8)
    head.writeUInt32LE(frame.length, 12)
    head.writeUInt32LE(wireLength, 16)
    this.block(ENHANCED_PACKET, head, Buffer.from(frame))
    if (this.size >= FLUSH_BYTES) this.flush()
  }

  private interfaceOf(linkType: number): number {
    const known = this.interfaces.indexOf(linkType)
    if (known >= 0) return known
    const body = Buffer.alloc(20)
    body.writeUInt16LE(linkType, 0)
    body.writeUInt16LE(OPTION_TIME_RESOLUTION, 8)
    body.writeUInt16LE(1, 10)
    body.writeUInt8(this.microseconds ? 6 : 9, 12)
    this.block(INTERFACE_DESCRIPTION, body)
    return this.interfaces.push(linkType) - 1
  }

  private block(type: number, ...parts: Buffer[]): void {
    const length = parts.reduce((sum, part) => sum + part.length, 0)
    const padding = -length & 3
    const total = 12 + length + padding
    const head = Buffer.alloc(8)
    head.writeUInt32LE(type, 0)
    head.writeUInt32LE(total, 4)
    const tail = Buffer.alloc(padding + 4)
    tail.writeUInt32LE(total, padding)
    this.pieces.push(head, ...parts, tail)
    this.size += total
  }

  private flush(): void {
    const bytes = Buffer.concat(this.pieces)
    this.pieces = []
    this.size = 0
    this.output.write(bytes)
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
