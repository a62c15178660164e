import { expectedTicks, type PlacedPacket } from './order.js'

/**
 * Where our definitions leave tshark's, one by one. With no rule in force `measure` counts as tshark does, with all of
 * them as we do; what turns one number into the other explains the difference.
 */
export const RULES = [
  'copies',
  'stray',
  'segments',
  'split',
  'order',
  'events',
  'noise',
  'clock',
  'fraction',
  'jumps',
  'every',
  'absent',
] as const
export type Rule = (typeof RULES)[number]

/** The figures that both programs print. Jitter and delta in ms; jitter is absent when nothing updated it. */
export interface Measured {
  packets: number
  lost: number
  maxDeltaMs: number
  meanJitterMs: number | undefined
  maxJitterMs: number | undefined
  /** Frames that `jumps` left out. */
  jumpFrames: number[]
}

export interface Setting {
  /** The rate that SDP, or our codec table, gives types for which tshark has none. */
  clockRateHz: number | undefined
  /** Where our probe began another record of the same stream (after a silence that ended the first); to 1 ms. */
  splitsMs: readonly number[]
}

const JUMP_MS = 200
const PAUSED_TIMESTAMP_MS = 500

/** Counts one stream from its packets by the rules in force. */
export function measure(
  packets: readonly PlacedPacket[],
  rules: ReadonlySet<Rule>,
  setting: Setting,
): Measured {
  const counted = packets.filter(
    (packet) =>
      !(rules.has('copies') && packet.place === 'copy') && !(rules.has('stray') && packet.place === 'stray'),
  )
  return {
    packets: counted.length,
    lost: lostOf(counted, rules, setting),
    ...timesOf(counted, rules, setting),
  }
}

function lostOf(packets: readonly PlacedPacket[], rules: ReadonlySet<Rule>, setting: Setting): number {
  return pieces(packets, rules, setting).reduce((sum, piece) => sum + lostWithin(piece, rules), 0)
}

/** The stretches over which loss is counted and jitter runs on: by our rules segments and records, by tshark's all. */
function pieces(
  packets: readonly PlacedPacket[],
  rules: ReadonlySet<Rule>,
  setting: Setting,
): PlacedPacket[][] {
  const all: PlacedPacket[][] = []
  for (const [k, packet] of packets.entries()) {
    if (k === 0 || begins(packets[k - 1], packet, rules, setting)) all.push([])
    all[all.length - 1].push(packet)
  }
  return all
}

function begins(
  before: PlacedPacket,
  packet: PlacedPacket,
  rules: ReadonlySet<Rule>,
  setting: Setting,
): boolean {
  if (rules.has('segments') && packet.segment !== before.segment) return true
  return (
    rules.has('split') &&
    setting.splitsMs.some((splitMs) => before.timeMs < splitMs - 2 && packet.timeMs >= splitMs - 2)
  )
}

function lostWithin(packets: readonly PlacedPacket[], rules: ReadonlySet<Rule>): number {
  if (packets.length === 0) return 0
  if (!rules.has('order')) return expectedByLast(packets) - packets.length
  let lowest = Infinity
  let highest = -Infinity
  let extended = packets[0].sequence
  for (const packet of packets) {
    extended += ((packet.sequence - extended) << 16) >> 16
    lowest = Math.min(lowest, extended)
    highest = Math.max(highest, extended)
  }
  return highest - lowest + 1 - packets.length
}

/** tshark: from the first packet's sequence number to the last one's, with a guess at how often it wrapped. */
function expectedByLast(packets: readonly PlacedPacket[]): number {
  const first = packets[0]
  let cycles = 0
  let under = false
  let previous = first
  for (const packet of packets.slice(1)) {
    if (isInTime(packet, first)) {
      const wrapped =
        packet.sequence < first.sequence || (packet.sequence === 0 && previous.sequence === 0xffff)
      if (wrapped && !under) {
        cycles++
        under = true
      } else if (packet.sequence > first.sequence && under) {
        under = false
      }
    }
    previous = packet
  }
  return previous.sequence + cycles * 65_536 - first.sequence + 1
}

/** tshark: not before the stream's first timestamp, counted around the clock. */
function isInTime(packet: PlacedPacket, first: PlacedPacket): boolean {
  return (packet.timestamp - first.timestamp) >>> 0 < 0x8000_0000
}

function timesOf(packets: readonly PlacedPacket[], rules: ReadonlySet<Rule>, setting: Setting): Times {
  const running = new RunningTimes(rules, setting)
  for (const piece of pieces(packets, rules, setting)) running.piece(piece)
  return running.result()
}

type Times = Omit<Measured, 'packets' | 'lost'>

interface Reference {
  extended: number
  timeMs: number
  timestamp: number
}

/** Jitter (RFC 3550 A.8) and the longest time between packets, over the pieces of a stream. */
class RunningTimes {
  private maxDelta = 0
  private max = 0
  private mean = 0
  private sum = 0
  private updates = 0
  private total = 0
  private readonly jumpFrames: number[] = []

  constructor(
    private readonly rules: ReadonlySet<Rule>,
    private readonly setting: Setting,
  ) {}

  piece(packets: readonly PlacedPacket[]): void {
    const { rules } = this
    const [first] = packets
    let jitter = 0
    let lastSeen = first
    // What the next step of jitter is measured from.
    let previous: Reference | undefined = this.feeds(first) ? first : undefined
    let before = first
    this.total++
    for (const packet of packets.slice(1)) {
      const regular =
        rules.has('every') ||
        (!packet.marker && packet.kind !== 'noise' && before.kind !== 'noise' && isInTime(packet, first))
      before = packet
      if (rules.has('order') && packet.place === 'behind') continue
      if (regular) this.maxDelta = Math.max(this.maxDelta, packet.timeMs - lastSeen.timeMs)
      lastSeen = packet
      if (!this.feeds(packet)) continue
      const rate = this.rateOf(packet)
      if (previous !== undefined && rate > 0 && !this.isJump(packet, previous, rate)) {
        const ticks = (packet.timestamp - previous.timestamp) | 0
        const deviation = Math.abs(packet.timeMs - previous.timeMs - ticks / this.ticksPerMs(rate))
        jitter += (deviation - jitter) / 16
        if (regular) this.note(jitter)
      }
      // Without a rate tshark moves on in time, but not in the timestamp.
      const timestamp = rate > 0 || previous === undefined ? packet.timestamp : previous.timestamp
      previous = { extended: packet.extended, timeMs: packet.timeMs, timestamp }
      this.total++
    }
  }

  private feeds(packet: PlacedPacket): boolean {
    if (this.rules.has('events') && packet.kind === 'event') return false
    return !(this.rules.has('noise') && packet.kind === 'noise')
  }

  private note(jitter: number): void {
    this.updates++
    this.sum += jitter
    this.max = Math.max(this.max, jitter)
    // tshark's mean: each packet that it leaves out stands in it with the mean of those before.
    this.mean = (this.mean * (this.total - 1) + jitter) / this.total
  }

  private rateOf(packet: PlacedPacket): number {
    // tshark knows the rate of telephone-event, and does not use it.
    if (packet.kind === 'event') return 0
    if (packet.clockRateHz > 0) return packet.clockRateHz
    return this.rules.has('clock') ? (this.setting.clockRateHz ?? 0) : 0
  }

  /** tshark divides the rate by 1000 in whole numbers: 44,100 Hz become 44 ticks per ms. */
  private ticksPerMs(rate: number): number {
    return this.rules.has('fraction') ? rate / 1000 : Math.trunc(rate / 1000)
  }

  /** A step of the timestamp that neither time nor sequence explains, or a pause during which the clock stood still. */
  private isJump(packet: PlacedPacket, previous: Reference, rate: number): boolean {
    if (!this.rules.has('jumps')) return false
    const ticks = (packet.timestamp - previous.timestamp) | 0
    const deviation = packet.timeMs - previous.timeMs - (ticks * 1000) / rate
    if (Math.abs(deviation) <= JUMP_MS) return false
    const expected = expectedTicks(packet.extended - previous.extended, packet.ptimeTicks, rate)
    const jumped =
      Math.abs(ticks - expected) > 0.2 * expected || (packet.marker && deviation > PAUSED_TIMESTAMP_MS)
    if (jumped) this.jumpFrames.push(packet.frame)
    return jumped
  }

  result(): Times {
    const { updates, maxDelta: maxDeltaMs, jumpFrames } = this
    if (updates === 0) {
      const none = this.rules.has('absent') ? undefined : 0
      return { maxDeltaMs, meanJitterMs: none, maxJitterMs: none, jumpFrames }
    }
    const meanJitterMs = this.rules.has('every') ? this.sum / updates : this.mean
    return { maxDeltaMs, meanJitterMs, maxJitterMs: this.max, jumpFrames }
  }
}
