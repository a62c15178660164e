import type { PacketSource } from '../../src/capture/batch.js'

/** Capture files laid out byte by byte from the format drafts, independent of the reader and of PcapWriter. */

export function u16(value: number, little: boolean): number[] {
  return little ? [value & 255, (value >> 8) & 255] : [(value >> 8) & 255, value & 255]
}

export function u32(value: number, little: boolean): number[] {
  const bytes = [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255]
  return little ? bytes.reverse() : bytes
}

export interface HandPcap {
  magic: number
  little: boolean
  minor?: number
  linkWord?: number
  /** Bytes after the 16 of each record header (Kuznetzov: 8). */
  recordExtra?: number
  records: { seconds: number; fraction: number; frame: number[]; wire?: number; swapLengths?: boolean }[]
}

export function handPcap(file: HandPcap): Uint8Array {
  const { little } = file
  const bytes = [
    ...u32(file.magic, little),
    ...u16(2, little),
    ...u16(file.minor ?? 4, little),
    ...u32(0, little),
    ...u32(0, little),
    ...u32(65535, little),
    ...u32(file.linkWord ?? 1, little),
  ]
  for (const record of file.records) {
    const lengths = [record.frame.length, record.wire ?? record.frame.length]
    if (record.swapLengths === true) lengths.reverse()
    bytes.push(...u32(record.seconds, little), ...u32(record.fraction, little))
    bytes.push(...u32(lengths[0], little), ...u32(lengths[1], little))
    for (let i = 0; i < (file.recordExtra ?? 0); i++) bytes.push(0xee)
    bytes.push(...record.frame)
  }
  return Uint8Array.from(bytes)
}

export function padded(bytes: number[]): number[] {
  return [...bytes, ...new Array<number>((4 - (bytes.length % 4)) % 4).fill(0)]
}

/** A pcapng block around a body whose length is a multiple of 4. */
export function block(type: number, body: number[], little: boolean): number[] {
  const total = u32(12 + body.length, little)
  return [...u32(type, little), ...total, ...body, ...total]
}

export function option(code: number, value: number[], little: boolean): number[] {
  return [...u16(code, little), ...u16(value.length, little), ...padded(value)]
}

export function sectionHeader(little: boolean): number[] {
  const unknownLength = new Array<number>(8).fill(0xff)
  return block(
    0x0a0d0d0a,
    [...u32(0x1a2b3c4d, little), ...u16(1, little), ...u16(0, little), ...unknownLength],
    little,
  )
}

export function interfaceBlock(
  little: boolean,
  linkType: number,
  options: number[] = [],
  snap = 0,
): number[] {
  return block(1, [...u16(linkType, little), ...u16(0, little), ...u32(snap, little), ...options], little)
}

/** A 64-bit timestamp as an EPB has it: the high word first, whatever the byte order. */
export function timestamp(value: bigint, little: boolean): number[] {
  return [...u32(Number(value >> 32n), little), ...u32(Number(value & 0xffffffffn), little)]
}

export function u64(value: bigint, little: boolean): number[] {
  const words = timestamp(value, little)
  return little ? [...words.slice(4), ...words.slice(0, 4)] : words
}

export function enhancedPacket(
  little: boolean,
  interfaceId: number,
  time: bigint,
  frame: number[],
  wire = frame.length,
  options: number[] = [],
): number[] {
  const body = [
    ...u32(interfaceId, little),
    ...timestamp(time, little),
    ...u32(frame.length, little),
    ...u32(wire, little),
    ...padded(frame),
    ...options,
  ]
  return block(6, body, little)
}

export interface SeenPacket {
  timeMs: number
  captured: number
  wire: number
  link: number
  hex: string
}

/** Every packet of a source, copied. Closes the source. */
export async function readPackets(source: PacketSource): Promise<SeenPacket[]> {
  const seen: SeenPacket[] = []
  for (let batch = await source.next(); batch !== null; batch = await source.next()) {
    for (let i = batch.first; i < batch.end; i++) {
      const offset = batch.frameOffset[i]
      const captured = batch.capturedLength[i]
      seen.push({
        timeMs: batch.timeMs[i],
        captured,
        wire: batch.wireLength[i],
        link: batch.linkType[i],
        hex: Buffer.from(batch.bytes.subarray(offset, offset + captured)).toString('hex'),
      })
    }
  }
  await source.close()
  return seen
}
