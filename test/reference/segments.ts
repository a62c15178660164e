/** Takes one SSRC's packets apart into segments, and each segment's packets into distinct, duplicate, reordered. */
import type { ReferenceOptions, ReferencePacket } from './reference.js'

/** RFC 3550 A.1: MAX_DROPOUT and MAX_MISORDER. */
const JUMP_FORWARD = 3000
const JUMP_BACK = 100

export interface DistinctPacket {
  packet: ReferencePacket
  /** Extended sequence number; a segment counts from its first packet's sequence. */
  extended: number
  /** Nothing higher had arrived. */
  inOrder: boolean
}

export interface Segment {
  /** In arrival order. */
  distinct: DistinctPacket[]
  /** The same by extended sequence number. */
  byExtended: Map<number, ReferencePacket>
  duplicates: number
  reordered: number
  lowest: number
  highest: number
}

function signed16(value: number): number {
  return (value << 16) >> 16
}

/** `actual` lies within 20 % of `expected`. */
export function inStep(actual: number, expected: number): boolean {
  return Math.abs(actual - expected) <= 0.2 * Math.abs(expected)
}

function startSegment(first: ReferencePacket): Segment {
  return {
    distinct: [{ packet: first, extended: first.seq, inOrder: true }],
    byExtended: new Map([[first.seq, first]]),
    duplicates: 0,
    reordered: 0,
    lowest: first.seq,
    highest: first.seq,
  }
}

function highestPacket(segment: Segment): ReferencePacket {
  const found = segment.byExtended.get(segment.highest)
  if (found === undefined) throw new Error('a segment always holds its highest packet')
  return found
}

/** False for one that is neither a packet of its own nor a repeat. */
function add(segment: Segment, packet: ReferencePacket, extended: number): boolean {
  const twin = segment.byExtended.get(extended)
  if (twin !== undefined) {
    // The same sequence number with other content is neither a repeat nor a packet of its own.
    const same = twin.ts === packet.ts && twin.payloadLength === packet.payloadLength
    if (same) segment.duplicates++
    return same
  }
  const inOrder = extended > segment.highest
  if (!inOrder) segment.reordered++
  segment.distinct.push({ packet, extended, inOrder })
  segment.byExtended.set(extended, packet)
  segment.highest = Math.max(segment.highest, extended)
  segment.lowest = Math.min(segment.lowest, extended)
  return true
}

/**
 * Extended sequence number of the packet in this segment, or undefined when it jumps: 3,000 or more forward, or 100
 * or more back, unless the RTP timestamp went forward in step with the sequence.
 */
function place(
  segment: Segment,
  packet: ReferencePacket,
  options: ReferenceOptions,
  ptimeMs: number,
): number | undefined {
  const top = highestPacket(segment)
  const step = signed16(packet.seq - top.seq)
  if (step < JUMP_FORWARD && step > -JUMP_BACK) return segment.highest + step
  const clock = options.clockRates[packet.pt]
  if (clock === undefined || clock !== options.clockRates[top.pt]) return undefined
  const forward = (packet.seq - top.seq) & 0xffff
  const elapsedMs = (((packet.ts - top.ts) >>> 0) * 1000) / clock
  return inStep(elapsedMs, forward * ptimeMs) ? segment.highest + forward : undefined
}

/** `packets`: of one SSRC, in arrival order. */
export function splitIntoSegments(
  packets: ReferencePacket[],
  options: ReferenceOptions,
  ptimeMs: number,
): { segments: Segment[]; strays: number } {
  const segments: Segment[] = []
  let strays = 0
  let candidate: ReferencePacket | undefined
  let candidateRepeats = 0
  for (const packet of packets) {
    const segment = segments.at(-1)
    if (segment === undefined) {
      segments.push(startSegment(packet))
      continue
    }
    const extended = place(segment, packet, options, ptimeMs)
    if (extended !== undefined) {
      if (candidate !== undefined && extended > segment.highest) {
        strays += 1 + candidateRepeats
        candidate = undefined
      }
      if (!add(segment, packet, extended)) strays++
    } else if (candidate !== undefined && packet.seq === ((candidate.seq + 1) & 0xffff)) {
      const next = startSegment(candidate)
      next.duplicates = candidateRepeats
      add(next, packet, candidate.seq + 1)
      segments.push(next)
      candidate = undefined
    } else if (candidate !== undefined && packet.seq === candidate.seq && packet.ts === candidate.ts) {
      candidateRepeats++
    } else {
      if (candidate !== undefined) strays += 1 + candidateRepeats
      candidate = packet
      candidateRepeats = 0
    }
  }
  if (candidate !== undefined) strays += 1 + candidateRepeats
  return { segments, strays }
}
