import type { PayloadFormat } from '../../src/sip/sdp-types.js'
import type { ReferenceOptions, ReferencePacket } from '../reference/reference.js'
import { Random } from './random.js'

/** A random RTP stream as a tap would see it. */
export interface Scenario {
  seed: number
  /** What was done to it, for the message of a failure. */
  features: string[]
  /** In order of arrival. */
  packets: ReferencePacket[]
  options: ReferenceOptions
  formats: PayloadFormat[]
  ptimeMs: number
  dtmfEvents: number
}

interface Codec {
  pt: number
  clock: number
  encoding: string
  ptimes: number[]
}

const CODECS: Codec[] = [
  { pt: 0, clock: 8000, encoding: 'PCMU', ptimes: [10, 20, 30, 60] },
  { pt: 97, clock: 16_000, encoding: 'AMR-WB', ptimes: [20] },
  { pt: 111, clock: 48_000, encoding: 'OPUS', ptimes: [10, 20, 60] },
]
const NOISE_PT = 13
const EVENT_PT = 101

/** One packet as sent, before the network. */
interface Sent {
  atMs: number
  seq: number
  ts: number
  pt: number
  marker: boolean
  payloadLength: number
}

/** Builds the stream of a seed. */
export function scenario(seed: number): Scenario {
  const random = new Random(seed)
  const features: string[] = []
  const codec = random.chance(0.6) ? CODECS[0] : random.pick(CODECS)
  const ptimeMs = random.chance(0.6) && codec.ptimes.includes(20) ? 20 : random.pick(codec.ptimes)
  features.push(`${codec.encoding}/${codec.clock} ${ptimeMs} ms`)
  const sender = new Sender(random, codec, ptimeMs, features)
  const sent = sender.run(lengthOf(random, ptimeMs))
  const packets = new Network(random, ptimeMs, features).carry(sent)
  return {
    seed,
    features,
    packets,
    options: {
      clockRates: { [codec.pt]: codec.clock, [NOISE_PT]: 8000, [EVENT_PT]: codec.clock },
      classes: { [NOISE_PT]: 'cn', [EVENT_PT]: 'telephone-event' },
      ptimeMs,
    },
    formats: [
      { payloadType: codec.pt, encoding: codec.encoding, clockRateHz: codec.clock, channels: 1, fmtp: '' },
      { payloadType: NOISE_PT, encoding: 'CN', clockRateHz: 8000, channels: 1, fmtp: '' },
      {
        payloadType: EVENT_PT,
        encoding: 'TELEPHONE-EVENT',
        clockRateHz: codec.clock,
        channels: 1,
        fmtp: '',
      },
    ],
    ptimeMs,
    dtmfEvents: sender.events,
  }
}

/** Mostly short, some long enough for skew and interval boundaries; the reference is slow on the latter. */
function lengthOf(random: Random, ptimeMs: number): number {
  const seconds = random.chance(0.12) ? random.between(31, 70) : random.between(1, 28)
  return Math.min(6000, Math.max(50, Math.round((seconds * 1000) / ptimeMs)))
}

/** A phone: talkspurts, comfort noise, key presses, restarts. */
class Sender {
  events = 0
  private readonly sent: Sent[] = []
  private atMs = 0
  private seq: number
  private ts: number
  private readonly step: number

  constructor(
    private readonly random: Random,
    private readonly codec: Codec,
    private readonly ptimeMs: number,
    private readonly features: string[],
  ) {
    this.seq = random.chance(0.25) ? random.integer(65_300, 65_535) : random.integer(0, 65_535)
    this.ts = random.chance(0.25)
      ? 0x1_0000_0000 - random.integer(1, 200_000)
      : Math.floor(random.next() * 0x1_0000_0000)
    this.step = (ptimeMs * codec.clock) / 1000
  }

  run(count: number): Sent[] {
    const { random } = this
    const silence = random.chance(0.25) ? random.pick(['marked', 'unmarked', 'noise', 'stopped']) : 'none'
    const keys = random.chance(0.2)
    const jumps = random.chance(0.12)
    const resets = random.chance(0.1)
    const slips = random.chance(0.1)
    const markers = random.chance(0.2)
    this.note(silence !== 'none' && `silence ${silence}`)
    this.note(keys && 'keys')
    this.note(jumps && 'timestamp jumps')
    this.note(resets && 'sequence resets')
    this.note(slips && 'slips')
    this.note(markers && 'stray markers')
    this.audio(true)
    let calm = 60
    while (this.sent.length < count) {
      calm--
      if (calm > 0 || !random.chance(0.01)) {
        this.audio(markers && random.chance(0.02))
        continue
      }
      calm = 30
      if (silence !== 'none' && random.chance(0.6)) this.pause(silence)
      else if (keys && random.chance(0.5)) this.key()
      else if (jumps && random.chance(0.4)) this.jump()
      else if (slips && random.chance(0.4)) this.slip()
      else if (resets && random.chance(0.25)) this.reset()
    }
    return this.sent
  }

  private note(feature: string | false): void {
    if (feature !== false) this.features.push(feature)
  }

  private push(pt: number, ts: number, marker: boolean, payloadLength: number): void {
    this.sent.push({ atMs: this.atMs, seq: this.seq, ts: ts >>> 0, pt, marker, payloadLength })
    this.seq = (this.seq + 1) & 0xffff
  }

  private advance(packets: number): void {
    this.atMs += this.ptimeMs * packets
    this.ts = (this.ts + this.step * packets) % 0x1_0000_0000
  }

  private audio(marker: boolean): void {
    this.push(this.codec.pt, this.ts, marker, 40 + (this.seq % 7))
    this.advance(1)
  }

  private pause(kind: string): void {
    if (kind === 'noise') {
      const updates = this.random.integer(1, 4)
      for (let k = 0; k < updates; k++) {
        this.push(NOISE_PT, this.ts, false, 14)
        this.advance(this.random.integer(2, Math.round(1500 / this.ptimeMs)))
      }
    } else if (kind === 'stopped') {
      // The sender's clock stands still.
      this.atMs += this.random.between(100, 1500)
    } else {
      this.advance(this.random.integer(3, Math.round(4000 / this.ptimeMs)))
    }
    this.audio(kind === 'stopped' ? this.random.chance(0.7) : kind !== 'unmarked')
  }

  /** RFC 4733: all packets carry the event's first timestamp; the end goes out three times. */
  private key(): void {
    this.events++
    const started = this.ts
    const updates = this.random.integer(2, 8)
    for (let k = 0; k < updates; k++) {
      this.push(EVENT_PT, started, k === 0, 16)
      this.advance(1)
    }
    const sameSequence = this.random.chance(0.3)
    for (let k = 0; k < 3; k++) {
      this.push(EVENT_PT, started, false, 16)
      if (sameSequence && k < 2) this.seq = (this.seq - 1) & 0xffff
    }
    // Sent back to back: the audio's clock goes on from the event's own end.
    this.audio(false)
  }

  private jump(): void {
    const seconds = this.random.between(0.5, 60) * (this.random.chance(0.5) ? 1 : -1)
    const ticks = Math.round(seconds * this.codec.clock)
    this.ts = (((this.ts + ticks) % 0x1_0000_0000) + 0x1_0000_0000) % 0x1_0000_0000
    this.audio(this.random.chance(0.5))
  }

  /** Packets that were never sent, over which the timestamp advanced more or less than the sequence. */
  private slip(): void {
    const missing = this.random.chance(0.3) ? this.random.integer(3000, 9000) : this.random.integer(20, 600)
    const ticks = Math.round(this.step * missing * this.random.between(0.6, 1.4))
    this.seq = (this.seq + missing) & 0xffff
    this.ts = (this.ts + ticks) % 0x1_0000_0000
    this.atMs += this.ptimeMs * missing * (this.random.chance(0.5) ? 1 : 0.05)
    for (let k = 0; k < 20; k++) this.audio(false)
  }

  /** Another sequence number and timestamp, as after a restart, out of reach of anything that is merely late. */
  private reset(): void {
    const distance = this.random.integer(3500, 60_000)
    this.seq = (this.seq + distance) & 0xffff
    this.ts = Math.floor(this.random.next() * 0x1_0000_0000)
    this.audio(this.random.chance(0.5))
  }
}

/** What happens between sender and tap. */
class Network {
  constructor(
    private readonly random: Random,
    private readonly ptimeMs: number,
    private readonly features: string[],
  ) {}

  carry(sent: Sent[]): ReferencePacket[] {
    const start = 1_750_000_000_000 + this.random.next() * 60_000
    const skew = this.random.chance(0.3) ? this.random.between(-300, 300) : 0
    if (skew !== 0) this.features.push(`skew ${skew.toFixed(0)} ppm`)
    const delays = this.delays(sent)
    const survivors = this.lose(sent.length)
    let arrivals: ReferencePacket[] = sent.map((packet, k) => ({
      // A fast sender's clock sends what it calls 20 ms apart a little closer.
      timeMs: start + packet.atMs * (1 - skew * 1e-6) + delays[k],
      seq: packet.seq,
      ts: packet.ts,
      ssrc: 0x1234_5678,
      pt: packet.pt,
      marker: packet.marker,
      payloadLength: packet.payloadLength,
    }))
    arrivals = arrivals.filter((_, k) => survivors[k])
    arrivals = this.outage(arrivals)
    arrivals = inOrderOfArrival(this.disorder(arrivals))
    return inOrderOfArrival(this.repeat(arrivals)).map((packet) => ({
      ...packet,
      timeMs: toMicro(packet.timeMs),
    }))
  }

  /** Queueing delay of each packet, ms; keeps the order within the network unless `disorder` breaks it. */
  private delays(sent: Sent[]): Float64Array {
    const { random } = this
    const delays = new Float64Array(sent.length)
    const kind = random.pick(['none', 'uniform', 'gaussian', 'spikes', 'queueing', 'step', 'mixed'])
    if (kind === 'none') return delays
    this.features.push(`jitter ${kind}`)
    const size = random.pick([0.5, 3, 10, 30])
    const from = 20
    let queue = 0
    let base = 0
    let spike = 0
    for (let k = from; k < sent.length; k++) {
      const mixed = kind === 'mixed'
      if (kind === 'uniform' || mixed) delays[k] += size * random.next()
      if (kind === 'gaussian') delays[k] += Math.abs(random.gaussian()) * size
      if (kind === 'spikes' || mixed) {
        if (random.chance(0.004)) spike = random.between(30, 700)
        delays[k] += spike
        spike = spike < 1 ? 0 : Math.max(0, spike - this.ptimeMs * random.between(0.2, 2))
      }
      if (kind === 'queueing') {
        if (random.chance(0.003)) queue += random.between(50, 1500)
        delays[k] += queue
        queue = Math.max(0, queue - this.ptimeMs * random.between(0, 0.9))
      }
      if (kind === 'step') {
        if (random.chance(0.002)) base = random.pick([0, 23, 75, 131, 263, 409])
        delays[k] += base + size * 0.2 * random.next()
      }
    }
    return delays
  }

  private lose(count: number): boolean[] {
    const { random } = this
    const kind = random.pick(['none', 'none', 'random', 'gilbert', 'single'])
    const kept = new Array<boolean>(count).fill(true)
    if (kind === 'none') return kept
    this.features.push(`loss ${kind}`)
    const probability = random.pick([0.002, 0.01, 0.05, 0.15])
    const leave = random.between(0.05, 0.6)
    let bad = false
    for (let k = 10; k < count; k++) {
      if (kind === 'random') kept[k] = !random.chance(probability)
      else if (kind === 'gilbert') {
        bad = bad ? !random.chance(leave) : random.chance(probability / 3)
        kept[k] = !bad
      } else if (k % 50 === 25) kept[k] = !random.chance(0.5)
    }
    return kept
  }

  /** One or two whole stretches that never arrive; the longest beyond RFC 3550's MAX_DROPOUT. */
  private outage(packets: ReferencePacket[]): ReferencePacket[] {
    const { random } = this
    if (!random.chance(0.15) || packets.length < 200) return packets
    const from = random.integer(50, packets.length - 60)
    const length = Math.min(random.pick([20, 60, 130, 300, 900, 5000]), packets.length - from - 30)
    this.features.push(`outage ${length}`)
    return [...packets.slice(0, from), ...packets.slice(from + length)]
  }

  private disorder(packets: ReferencePacket[]): ReferencePacket[] {
    const { random } = this
    // The meter takes 20 ms for the packet time until it has seen two equal steps.
    if (this.ptimeMs === 20 && random.chance(0.08)) {
      this.features.push('first packets reordered')
      packets[0].timeMs = packets[2].timeMs + 0.5
    }
    if (!random.chance(0.3)) return packets
    const most = random.pick([1, 3, 10, 30])
    const probability = random.pick([0.002, 0.02, 0.1])
    this.features.push(`reordering ${most}`)
    for (let k = 5; k < packets.length - 1; k++) {
      if (!random.chance(probability)) continue
      const behind = packets[Math.min(packets.length - 1, k + random.integer(1, most))]
      if (behind.timeMs >= packets[k].timeMs) packets[k].timeMs = behind.timeMs + random.between(0.1, 0.9)
    }
    return packets
  }

  private repeat(packets: ReferencePacket[]): ReferencePacket[] {
    const { random } = this
    if (!random.chance(0.25)) return packets
    const delay = random.pick([0.01, 30])
    const probability = random.pick([0.01, 0.2, 1])
    this.features.push(`duplicates ${probability} after ${delay} ms`)
    const repeats = packets.filter(() => random.chance(probability))
    return [...packets, ...repeats.map((packet) => ({ ...packet, timeMs: packet.timeMs + delay }))]
  }
}

function inOrderOfArrival(packets: ReferencePacket[]): ReferencePacket[] {
  return [...packets].sort((a, b) => a.timeMs - b.timeMs)
}

/** As a capture file would have it: whole microseconds. */
function toMicro(timeMs: number): number {
  return Math.round(timeMs * 1000) / 1000
}
