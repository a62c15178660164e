import { JITTER_BUCKETS, PDV_BUCKETS } from './layout.js'
import { percentile } from './histogram.js'
import type { RtpMeter } from './meter.js'
import type { IntervalRow, StreamListener } from './row.js'

/** What one stream's rows add up to. */
interface StreamSums {
  packets: number
  measured: number
  duplicates: number
  stray: number
  lost: number
  segments: number
  finalPackets: number
  lossRuns: number
  badTotal: number
  lowest: number
  highest: number
  ended: boolean
}

function fail(what: string): never {
  throw new Error(`meter broke a promise: ${what}`)
}

function check(holds: boolean, what: string): void {
  if (!holds) fail(what)
}

const COUNTS = [
  ...(['packets', 'bytes', 'lost', 'duplicates', 'spanDuplicates', 'reordered'] as const),
  ...([
    'lateFixed50',
    'lateFixed200',
    'lateAdaptive',
    'lateConfigured',
    'timestampJumps',
    'dtmfEvents',
  ] as const),
  ...([
    'eventPackets',
    'noisePackets',
    'burstSeconds',
    'stray',
    'segments',
    'jitterUpdates',
    'measured',
  ] as const),
  ...(['burstCount', 'burstPackets', 'burstBad', 'gapBad', 'badTotal', 'badRuns', 'finalPackets'] as const),
  ...(['edgeBursts', 'clockRateHz', 'dscp'] as const),
]
const TIMES = ['jitterSum', 'jitterMax', 'pdvMax', 'longestGap', 'depthSum', 'ptimeMs'] as const
const RANKS = [1, 50, 95, 99, 100]
/** Histogram buckets are 16 bits wide and stay at their limit. */
const BUCKET_LIMIT = 65_535

function sum(counts: ArrayLike<number>): number {
  let total = 0
  for (let k = 0; k < counts.length; k++) total += counts[k]
  return total
}

function isFull(counts: ArrayLike<number>): boolean {
  for (let k = 0; k < counts.length; k++) if (counts[k] === BUCKET_LIMIT) return true
  return false
}

/** Listens to a meter and checks what must hold of every row, whatever the packets. Throws when it does not. */
export class MeterChecks implements StreamListener {
  /** Streams that run, by slot. */
  readonly running = new Map<number, StreamSums>()
  started = 0
  /** Packets, duplicates and strays of all streams so far. */
  accounted = 0
  private meter: RtpMeter | undefined
  private readonly onStart: (slot: number) => void

  /** @param onStart what a call would do with the new stream */
  constructor(onStart: (slot: number) => void) {
    this.onStart = onStart
  }

  connect(meter: RtpMeter): void {
    this.meter = meter
  }

  onStreamStart(slot: number): void {
    check(!this.running.has(slot), 'a slot is given to one stream at a time')
    const zero = { packets: 0, measured: 0, duplicates: 0, stray: 0, lost: 0, segments: 0, finalPackets: 0 }
    this.running.set(slot, { ...zero, lossRuns: 0, badTotal: 0, lowest: 0, highest: 0, ended: false })
    this.started++
    const identity = this.meter?.identity(slot)
    check(
      identity !== undefined && identity.ssrc >= 0 && identity.sourcePort >= 0,
      'a stream has an identity',
    )
    this.onStart(slot)
  }

  onRow(row: IntervalRow): void {
    const stream = this.running.get(row.slot)
    if (stream === undefined) throw new Error('meter broke a promise: rows come from streams that run')
    check(!stream.ended, 'no row follows the last')
    checkCounts(row)
    checkDistributions(row)
    check(row.first === (stream.segments === 0), 'the first row, and no other, says so')
    stream.packets += row.packets
    stream.measured += row.measured
    // Not of each row: packets that came before their clock rate was known are measured in the row in which it is.
    check(stream.measured <= stream.packets, 'measured packets are packets')
    stream.duplicates += row.duplicates
    stream.stray += row.stray
    stream.lost += row.lost - row.lostBefore
    stream.segments += row.segments
    stream.finalPackets += row.finalPackets
    stream.badTotal += row.badTotal
    stream.lossRuns += sum(row.lossRuns)
    stream.lowest = row.segmentLowest
    stream.highest = row.segmentHighest
    stream.ended = row.last
    this.accounted += row.packets + row.duplicates + row.stray
    check(stream.lost >= 0, 'losses of a stream are not negative')
    const span = stream.highest - stream.lowest + 1
    check(span >= 1, 'a segment has a packet')
    // DESIGN section 2: lost = highest - lowest extended sequence number + 1 - distinct packets.
    if (row.last && stream.segments === 1) {
      if (stream.lost !== span - stream.packets)
        fail(`${stream.lost} lost of ${span} with ${stream.packets} here`)
    }
    check(stream.finalPackets <= span || stream.segments > 1, 'the burst counters take each packet once')
    check(stream.badTotal <= stream.finalPackets, 'what is bad went through the burst counters')
    check(stream.lossRuns <= stream.badTotal, 'a run of losses has a lost packet')
  }

  onStreamEnd(slot: number): void {
    const stream = this.running.get(slot)
    check(stream !== undefined && stream.ended, 'a stream ends once, after its last row')
    this.running.delete(slot)
  }
}

function checkCounts(row: IntervalRow): void {
  for (const name of COUNTS)
    if (!Number.isInteger(row[name]) || row[name] < 0) fail(`${name} is a count, not ${row[name]}`)
  check(Number.isInteger(row.lostBefore), 'corrections of losses are whole numbers')
  for (const name of TIMES) if (!(row[name] >= 0 && row[name] < Infinity)) fail(`${name} is ${row[name]}`)
  check(row.intervalStart < row.intervalEnd, 'an interval ends after it starts')
  check(row.packets === 0 || row.firstPacket <= row.lastPacket, 'the last packet is not before the first')
  check(row.payloadType >= -1 && row.payloadType < 128, 'payload types have 7 bits')
  check(row.spanDuplicates <= row.duplicates, 'copies by the mirror are duplicates')
  check(row.reordered <= row.packets, 'reordered packets are packets')
  check(row.jitterUpdates <= row.measured, 'what updates jitter is measured')
  check(row.noisePackets + row.eventPackets <= row.packets, 'noise and events are packets')
  check(row.dtmfEvents <= row.eventPackets, 'an event has a packet')
  for (const late of [row.lateFixed50, row.lateFixed200, row.lateAdaptive, row.lateConfigured])
    check(late <= row.measured, 'what is late was measured')
  if (Math.abs(row.skewPpm) > 500.001) fail(`skew of ${row.skewPpm} ppm`)
  check(row.burstBad <= row.burstPackets, 'a burst is longer than what is bad in it')
  let typed = 0
  for (let k = 0; k < row.payloadTypes; k++) typed += row.typeCounts[k].packets
  check(typed <= row.packets, 'packets have one payload type each')
}

function checkDistributions(row: IntervalRow): void {
  // A long outage gives many rows without a packet.
  if (row.packets === 0 && row.pdvMax === 0) return
  check(isFull(row.pdv) || sum(row.pdv) === row.measured, 'each measured packet has a delay variation')
  check(isFull(row.jitter) || sum(row.jitter) === row.jitterUpdates, 'each update of the jitter is counted')
  check(
    row.jitterSum <= row.jitterMax * row.jitterUpdates * 1.0001 + 0.001,
    'the mean is not over the maximum',
  )
  for (const [counts, buckets, maximum] of [
    [row.pdv, PDV_BUCKETS, row.pdvMax],
    [row.jitter, JITTER_BUCKETS, row.jitterMax],
  ] as const) {
    let before = 0
    for (const rank of RANKS) {
      const value = percentile(counts, buckets, rank, maximum)
      if (value === undefined) break
      if (!(value >= before && value <= maximum))
        fail(`percentile ${rank} is ${value}, before ${before}, of ${maximum}`)
      before = value
    }
  }
}
