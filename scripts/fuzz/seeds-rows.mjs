// Seeds of the targets whose inputs are rows: frames, segments, packets, messages.
import { tunnelFrames } from './tunnel-frames.mjs'

/** In the order of src/decode/fuzz-target.ts. */
const LINK_TYPES = [
  1, 101, 0, 9, 50, 51, 104, 105, 107, 108, 113, 127, 166, 197, 204, 228, 229, 239, 276, 12, 7,
]

/** A frame as src/decode/fuzz-target.ts takes it: link type, length, bytes cut off, frame. */
function frameRow({ linkType, bytes }, cut = 0) {
  const type = Math.max(0, LINK_TYPES.indexOf(linkType))
  return Buffer.concat([Buffer.from([type, bytes.length >> 8, bytes.length & 255, cut]), bytes])
}

/** @param {import('./material.mjs').Material} material */
export async function decodeSeeds(material, maxLength) {
  const seeds = tunnelFrames().map((frame) => frameRow(frame))
  for (const frames of await material.frameLists()) {
    let row = Buffer.alloc(0)
    for (const frame of frames) {
      const next = frameRow(frame)
      if (row.length + next.length > maxLength / 2) {
        seeds.push(row)
        row = Buffer.alloc(0)
        if (seeds.length % 4 === 0) break
      }
      if (next.length < maxLength) row = Buffer.concat([row, next])
    }
    if (row.length > 0) seeds.push(row)
  }
  return seeds.map((seed) => new Uint8Array(seed))
}

const SYN = 0x02
const ACK = 0x10
const FIN = 0x01

/** Segments as src/decode/fuzz-target.ts takes them: side and flags, sequence, step, acknowledgement, length, time. */
export function tcpSeeds() {
  const segment = (side, flags, sequence, length, acknowledgement = 100) => [
    ...[(side << 7) | flags, 100 + sequence, 0, acknowledgement, length, 1],
    ...new Array(length).fill(65 + (sequence % 26)),
  ]
  const rows = [
    [
      ...segment(0, SYN, 0, 0),
      ...segment(1, SYN | ACK, 0, 0),
      ...segment(0, ACK, 1, 20),
      ...segment(0, ACK | FIN, 21, 5),
    ],
    // Out of order, overlapping, repeated, with a hole that is acknowledged.
    [
      ...segment(0, ACK, 40, 20),
      ...segment(0, ACK, 0, 20),
      ...segment(0, ACK, 10, 30),
      ...segment(0, ACK, 0, 20),
    ],
    [
      ...segment(0, ACK, 0, 10),
      ...segment(0, ACK, 30, 10),
      ...segment(1, ACK, 0, 10, 140),
      ...segment(1, 0x04, 10, 0),
    ],
  ]
  return rows.map((row) => Uint8Array.from(row))
}

/** Rows of src/sip/tracker-fuzz.ts: what, hosts, tags, CSeq, branch, extras, call, pause. */
export function trackerSeeds() {
  const invite = [0, 0, 0, 1, 0, 1, 0, 0]
  const [ringing, answer] = [12, 14].map((what) => [what, 1, 1, 1, 0, 2, 0, 3])
  const ack = [1, 0, 1, 1, 0, 0, 0, 2]
  const bye = [2, 0, 1, 2, 1, 0, 0, 5]
  const byeAnswer = [23, 1, 1, 2, 1, 0, 0, 2]
  const reinvite = [0, 0, 1, 2, 2, 2, 0, 4]
  const rows = [
    [invite, ringing, answer, ack, bye, byeAnswer],
    [invite, answer, ack, reinvite, [14, 1, 1, 2, 2, 3, 0, 2], bye],
    [invite, [16, 1, 1, 1, 0, 0, 0, 2], ack, [0, 0, 0, 2, 1, 1, 0, 2], answer],
    [invite, [3, 0, 0, 1, 0, 0, 0, 4], [19, 1, 1, 1, 0, 0, 0, 2]],
    [
      [8, 0, 0, 1, 0, 0, 1, 0],
      [28, 1, 1, 1, 0, 0, 1, 2],
      [8, 0, 0, 2, 1, 0, 1, 2],
      [29, 1, 1, 2, 1, 0, 1, 2],
    ],
  ]
  return rows.map((row) => Uint8Array.from(row.flat()))
}

/** Rows of src/rtp/fuzz-target.ts. Small numbers are the ordinary: in order, 20 ms apart. */
export function rtpSeeds() {
  const packet = (changes = {}) => {
    const row = [0, 0, 0, 0, 0, 0, 0, 0]
    for (const [at, value] of Object.entries(changes)) row[Number(at)] = value
    return row
  }
  const calm = (count, changes) => Array.from({ length: count }, () => packet(changes))
  const options = [0, 1, 2, 5, 9].map((option) => [option, 0, 0, 0, 0, 0, 0, 0])
  const rows = options.flatMap((first) => [
    [first, ...calm(40)],
    [
      first,
      ...calm(10),
      packet({ 2: 3 }),
      ...calm(10),
      packet({ 2: 9 }),
      ...calm(10),
      packet({ 2: 15 }),
      ...calm(3),
    ],
    [first, ...calm(10), packet({ 4: 9 }), ...calm(10), packet({ 4: 13 }), ...calm(5, { 4: 11 })],
    [first, ...calm(8), ...calm(8, { 1: 1 }), ...calm(8, { 1: 2, 5: 5 }), ...calm(4, { 1: 3, 5: 6 })],
    [
      first,
      packet({ 0: 200, 1: 0 }),
      ...calm(10),
      packet({ 0: 210 }),
      ...calm(5),
      packet({ 0: 220 }),
      packet({ 0: 230 }),
    ],
  ])
  return rows.map((row) => Uint8Array.from(row.flat()))
}
