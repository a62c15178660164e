import type { PlacedPacket } from './order.js'
import type { Rule } from './measure.js'

/** Why two figures differ. Each was checked by counting again from the packets. */
export interface Reason {
  code: Rule | 'not_taken' | 'on_probation' | 'payload_type_reads_as_rtcp' | 'over_tcp'
  /** One sentence with its numbers. */
  text: string
  /** Packets that make the difference: how many, and the first few by frame number. */
  packets: number
  frames: number[]
}

/** Frames that a reason names. */
const MOST_FRAMES = 5

export function reason(code: Reason['code'], text: string, frames: readonly number[]): Reason {
  return { code, text, packets: frames.length, frames: frames.slice(0, MOST_FRAMES) }
}

/** What a rule does to this stream, in words. */
export function ruleReason(
  rule: Rule,
  packets: readonly PlacedPacket[],
  jumpFrames: readonly number[],
): Reason {
  const frames = rule === 'jumps' ? jumpFrames : framesOf(rule, packets)
  return reason(rule, TEXT[rule](frames.length, packets), frames)
}

function framesOf(rule: Rule, packets: readonly PlacedPacket[]): number[] {
  return packets.filter((packet, k) => AFFECTED[rule](packet, packets[k - 1])).map(({ frame }) => frame)
}

/** The packets that a rule treats otherwise than tshark does. */
const AFFECTED: Record<Rule, (packet: PlacedPacket, before: PlacedPacket | undefined) => boolean> = {
  copies: (packet) => packet.place === 'copy',
  stray: (packet) => packet.place === 'stray',
  segments: (packet, before) => before !== undefined && packet.segment !== before.segment,
  split: () => false,
  order: (packet) => packet.place === 'behind',
  events: (packet) => packet.kind === 'event',
  noise: (packet) => packet.kind === 'noise',
  clock: (packet) => packet.clockRateHz === 0 && packet.kind === 'media',
  fraction: (packet) => packet.clockRateHz % 1000 !== 0,
  jumps: () => false,
  every: (packet, before) => packet.marker || packet.kind === 'noise' || before?.kind === 'noise',
  absent: () => false,
}

const TEXT: Record<Rule, (count: number, packets: readonly PlacedPacket[]) => string> = {
  copies: (count) =>
    `${counted(count, 'repeat', 'repeats')} of a sequence number: tshark counts them as packets, as loss below zero, and in its times`,
  stray: (count) =>
    `${counted(count, 'packet', 'packets')} with a stray sequence number: in none of our figures`,
  segments: (count) =>
    `the sequence starts afresh ${counted(count, 'time', 'times')}: no loss by RFC 3550 A.1, and jitter begins again`,
  split: () => 'a long silence ended the stream: what followed is a record of its own',
  order: (count) =>
    `${counted(count, 'packet', 'packets')} out of order: tshark takes first and last sequence numbers as the ends, and feeds its times with them`,
  events: (count) =>
    `${counted(count, 'telephone-event packet', 'telephone-event packets')}: their timestamps stand still, which tshark takes for jitter`,
  noise: (count) =>
    `${counted(count, 'comfort noise packet', 'comfort noise packets')}: in tshark's times, not in ours`,
  clock: (_, packets) => `tshark knows no clock rate for ${typesOf(packets)} and so has no jitter`,
  fraction: (_, packets) => `tshark rounds the clock rate of ${typesOf(packets)} to whole kHz`,
  jumps: (count) =>
    `${counted(count, 'timestamp jump', 'timestamp jumps')} (neither time nor sequence explains the step): left out of our jitter`,
  every: (count) =>
    `${counted(count, 'packet', 'packets')} with the marker bit or next to comfort noise: left out of tshark's maximum and mean`,
  absent: (_, packets) => `no clock rate for ${typesOf(packets)}: tshark prints 0, we print nothing`,
}

export function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`
}

function typesOf(packets: readonly PlacedPacket[]): string {
  const types = [...new Set(packets.map((packet) => packet.payloadType))].sort((a, b) => a - b)
  return `payload type ${types.join(', ')}`
}
