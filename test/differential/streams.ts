import type { ReferencePacket } from '../reference/reference.js'

/** A clock-aligned instant (a multiple of 60 s), ms. */
export const START_MS = 1_750_000_020_000

type Changes = Partial<ReferencePacket> & { delayMs?: number }

/** Packet `index` of a perfect 20 ms G.711 stream that starts at START_MS, with changes. */
export function packet(index: number, changes: Changes = {}): ReferencePacket {
  const { delayMs = 0, ...fields } = changes
  return {
    timeMs: START_MS + index * 20 + delayMs,
    seq: index & 0xffff,
    ts: (index * 160) >>> 0,
    ssrc: 0x0badcafe,
    pt: 0,
    marker: false,
    payloadLength: 172,
    ...fields,
  }
}

/** Packets `from` to `to - 1` of that stream. */
export function stream(
  from: number,
  to: number,
  change: (index: number) => Changes = () => ({}),
): ReferencePacket[] {
  return Array.from({ length: to - from }, (_, k) => packet(from + k, change(from + k)))
}

export function inArrivalOrder(packets: readonly ReferencePacket[]): ReferencePacket[] {
  return [...packets].sort((a, b) => a.timeMs - b.timeMs)
}
