import { gzipSync } from 'node:zlib'
import { tunnelFrames } from './tunnel-frames.mjs'

/** A pcap record header and its frame. */
function pcapRecord({ bytes: frame, wireLength = frame.length }, seconds, fraction, little) {
  const header = Buffer.alloc(16)
  const words = [seconds, fraction, frame.length, wireLength]
  words.forEach((word, i) => (little ? header.writeUInt32LE(word, i * 4) : header.writeUInt32BE(word, i * 4)))
  return Buffer.concat([header, frame])
}

/** A pcap file of these frames. The magic number says resolution and byte order. */
function pcap(frames, linkType, magic, little) {
  const header = Buffer.alloc(24)
  const put = (value, at) => (little ? header.writeUInt32LE(value, at) : header.writeUInt32BE(value, at))
  put(magic, 0)
  put(little ? 0x00040002 : 0x00020004, 4)
  put(65_535, 16)
  put(linkType, 20)
  const perSecond = magic === 0xa1b23c4d ? 1e9 : 1e6
  const records = frames.map((frame) => {
    const { timeMs } = frame
    const seconds = Math.floor(timeMs / 1000)
    return pcapRecord(frame, seconds >>> 0, Math.floor((timeMs / 1000 - seconds) * perSecond), little)
  })
  return Buffer.concat([header, ...records])
}

/** One pcapng block (draft-ietf-opsawg-pcapng): type, length, body, length. */
function block(type, body, little) {
  const padded = Buffer.concat([body, Buffer.alloc(-body.length & 3)])
  const bytes = Buffer.alloc(padded.length + 12)
  const put = (value, at) => (little ? bytes.writeUInt32LE(value, at) : bytes.writeUInt32BE(value, at))
  put(type, 0)
  put(bytes.length, 4)
  padded.copy(bytes, 8)
  put(bytes.length, bytes.length - 4)
  return bytes
}

/** 32-bit words of one byte order. */
function words(values, little) {
  const bytes = Buffer.alloc(values.length * 4)
  values.forEach((value, i) =>
    little ? bytes.writeUInt32LE(value, i * 4) : bytes.writeUInt32BE(value, i * 4),
  )
  return bytes
}

function option(code, value, little) {
  const head = Buffer.alloc(4)
  if (little) {
    head.writeUInt16LE(code, 0)
    head.writeUInt16LE(value.length, 2)
  } else {
    head.writeUInt16BE(code, 0)
    head.writeUInt16BE(value.length, 2)
  }
  return Buffer.concat([head, value, Buffer.alloc(-value.length & 3)])
}

/** A section with two interfaces (microseconds; 2^-10 s with an offset) and every kind of packet block. */
function pcapng(frames, linkType, little) {
  const section = Buffer.concat([words([0x1a2b3c4d, little ? 1 : 0x00010000], little), Buffer.alloc(8, 0xff)])
  const first = words([linkType | (little ? 0 : linkType << 16), 0], little)
  const interfaceBody = (options) =>
    Buffer.concat([
      little ? first : Buffer.from([linkType >> 8, linkType & 255, 0, 0, 0, 0, 0, 0]),
      ...options,
    ])
  const tsOptions = [
    option(9, Buffer.from([0x8a]), little),
    option(14, words(little ? [3, 0] : [0, 3], little), little),
    option(2, Buffer.from('eth0'), little),
    option(0, Buffer.alloc(0), little),
  ]
  const packets = frames.map(({ timeMs, bytes }, i) => {
    const ticks = BigInt(Math.round(timeMs * 1000))
    const time = [Number(ticks >> 32n), Number(ticks & 0xffffffffn)]
    const lengths = [bytes.length, bytes.length]
    if (i % 7 === 5) return block(3, Buffer.concat([words([bytes.length], little), bytes]), little)
    if (i % 7 === 6) return block(2, Buffer.concat([words([0, ...time, ...lengths], little), bytes]), little)
    return block(6, Buffer.concat([words([0, ...time, ...lengths], little), bytes]), little)
  })
  const statistics = Buffer.concat([words([0, 0, 0], little), option(5, Buffer.alloc(8, 1), little)])
  return Buffer.concat([
    block(0x0a0d0d0a, section, little),
    block(1, interfaceBody([]), little),
    block(1, interfaceBody(tsOptions), little),
    ...packets,
    block(5, statistics, little),
    block(4, Buffer.alloc(8), little),
    block(0x0bad, Buffer.alloc(12), little),
  ])
}

/** A zstd frame (RFC 8878 3.1.1) with one raw and one RLE block. */
function zstd(content) {
  const raw = content.subarray(0, Math.min(content.length, 0xffff))
  const blockHeader = (type, size, last) => {
    const value = (size << 3) | (type << 1) | last
    return Buffer.from([value & 255, (value >> 8) & 255, value >> 16])
  }
  const size = Buffer.alloc(4)
  size.writeUInt32LE(raw.length + 7)
  const magic = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xa0])
  return Buffer.concat([
    magic,
    size,
    blockHeader(0, raw.length, 0),
    raw,
    blockHeader(1, 7, 1),
    Buffer.from([0]),
  ])
}

/** As many of the first frames as fit. */
function within(frames, bytes) {
  const fitting = []
  let total = 24
  for (const frame of frames) {
    total += 36 + frame.bytes.length
    if (total > bytes) break
    fitting.push(frame)
  }
  return fitting
}

/** Small captures of every format, and the beginnings of real ones. @param {import('./material.mjs').Material} material */
export async function captureSeeds(material, maxLength) {
  const seeds = material.captures().map((bytes) => Buffer.from(bytes.subarray(0, maxLength / 2)))
  const lists = (await material.frameLists()).filter((frames) => frames.length > 0)
  lists.push(...tunnelFrames().map((frame) => [{ timeMs: 1000, ...frame }]))
  lists.forEach((frames, i) => {
    const fitting = within(frames, maxLength * 0.75)
    if (fitting.length === 0) return
    const { linkType } = fitting[0]
    seeds.push(pcap(fitting, linkType, [0xa1b2c3d4, 0xa1b23c4d][i % 2], i % 4 < 2))
    if (i % 2 === 0) seeds.push(pcapng(fitting, linkType, i % 4 === 0))
  })
  const [small] = seeds.filter((seed) => seed.length < maxLength / 3)
  seeds.push(Buffer.concat([small, small]))
  return seeds.map((seed) => new Uint8Array(seed))
}

/** Captures in gzip and zstd frames, one and two in a row. Unpacking is slow beside parsing: a target of its own. */
export async function compressedSeeds(material, maxLength) {
  const plain = await captureSeeds(material, maxLength / 2)
  return plain
    .filter((_, i) => i % 8 === 0)
    .flatMap((seed) => [gzipSync(seed), zstd(seed), Buffer.concat([gzipSync(seed), gzipSync(seed)])])
    .map((seed) => new Uint8Array(seed))
}

/** IPv4 over plain Ethernet: 14 + 20 + 8 bytes before the payload, and 18 of RTP. */
const RTP_AT = 42
const KEPT_BYTES = 60

/** The frame cut behind its RTP header, so that many fit into an input. */
function withoutVoice(frame) {
  const { bytes } = frame
  const isRtp =
    bytes.length > KEPT_BYTES && bytes[23] === 17 && bytes[RTP_AT] >> 6 === 2 && bytes[RTP_AT + 1] < 192
  return isRtp ? { ...frame, bytes: bytes.subarray(0, KEPT_BYTES), wireLength: bytes.length } : frame
}

/** The same, and whole short calls without their voice. */
export async function pipelineSeeds(material, maxLength) {
  const calls = material.generated().map((frames) => within(frames.map(withoutVoice), maxLength * 0.9))
  const whole = calls.map((frames) => new Uint8Array(pcap(frames, 1, 0xa1b2c3d4, true)))
  return [...(await captureSeeds(material, maxLength)), ...whole]
}
