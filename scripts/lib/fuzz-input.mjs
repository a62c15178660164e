// Inputs for scripts/fuzz.mjs: pieces of the bundled captures, and ways to spoil them.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './run.mjs'

const LONGEST = 4096

/** mulberry32: small, seeded, good enough to spoil bytes. Returns numbers in [0, 1). */
export function randomNumbers(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** The frames of a classic little-endian pcap file, as the fixtures are. */
function framesOf(file) {
  const frames = []
  for (let at = 24; at + 16 <= file.length;) {
    const length = file.readUInt32LE(at + 8)
    frames.push(file.subarray(at + 16, at + 16 + length))
    at += 16 + length
  }
  return frames
}

/** A frame as src/decode/fuzz-target.ts takes it: link type 0 (Ethernet), length, nothing cut off, bytes. */
function framed(frame) {
  return Buffer.concat([Buffer.from([0, frame.length >> 8, frame.length & 255, 0]), frame])
}

/**
 * Starting points: captures' beginnings, frames alone and in a row, SIP messages, their bodies, RTP and RTCP packets.
 * Every parser gets all of them: another parser's input is a good strange one.
 */
export function seeds() {
  const folder = join(ROOT, 'fixtures')
  const found = [Buffer.alloc(0)]
  for (const name of readdirSync(folder).filter((entry) => entry.endsWith('.pcap'))) {
    const file = readFileSync(join(folder, name))
    found.push(file.subarray(0, LONGEST))
    const frames = framesOf(file)
    for (const frame of [...frames.slice(0, 8), ...frames.slice(-8)]) found.push(framed(frame))
    found.push(Buffer.concat(frames.slice(0, 6).map(framed)))
    for (const frame of frames) {
      const sip = frame.indexOf('SIP/2.0')
      if (sip < 0) {
        if (found.length % 16 === 0) found.push(frame.subarray(42))
        continue
      }
      const message = frame.subarray(
        frame.indexOf('\r\n') < sip ? 42 : Math.max(0, frame.lastIndexOf('\0', sip) + 1),
      )
      found.push(message)
      const body = message.indexOf('\r\n\r\n')
      if (body > 0 && body + 4 < message.length) found.push(message.subarray(body + 4))
    }
  }
  return found
}

const STRANGE = [0, 1, 0x7f, 0x80, 0xff, 0x0d, 0x0a, 0x20, 0x3a, 0x3b, 0x2c, 0x22, 0x3c, 0x5c]

/** One to eight random changes: bytes, runs cut out, doubled or moved, the end cut off, a piece of another seed. */
export function spoil(seed, others, random) {
  let bytes = Buffer.from(seed)
  const below = (limit) => Math.floor(random() * limit)
  for (let left = 1 + below(8); left > 0; left--) {
    const at = below(bytes.length + 1)
    const length = Math.min(bytes.length - at, 1 + below(32))
    const kind = below(7)
    if (kind === 0 && at < bytes.length) bytes[at] ^= 1 << below(8)
    else if (kind === 1 && at < bytes.length) bytes[at] = STRANGE[below(STRANGE.length)]
    else if (kind === 2 && at + 4 <= bytes.length)
      bytes.writeUInt32BE([0, 1, 0x7fffffff, 0xffffffff][below(4)], at)
    else if (kind === 3) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)])
    else if (kind === 4) bytes = Buffer.concat([bytes.subarray(0, at + length), bytes.subarray(at)])
    else if (kind === 5) bytes = Buffer.from(bytes.subarray(0, at))
    else {
      const other = others[below(others.length)]
      const from = below(other.length + 1)
      bytes = Buffer.concat([
        bytes.subarray(0, at),
        other.subarray(from, from + 1 + below(256)),
        bytes.subarray(at),
      ])
    }
  }
  return new Uint8Array(bytes.subarray(0, LONGEST))
}
