import type { Endpoint } from './addresses.js'
import { parseAddress } from './addresses.js'
import type { Codec } from './codecs.js'
import { ScenarioError } from './errors.js'
import {
  AFTER_JUMP,
  EVENT_END,
  KIND_AUDIO,
  KIND_COMFORT_NOISE,
  KIND_EVENT,
  MARKER,
  PacketList,
  type SenderSegment,
} from './packet-list.js'
import { plannedEvents, type PlannedEvent } from './events.js'
import type { Random } from './random.js'
import type { DirectionSpec } from './scenario.js'

/** A codec in use, with its payload type and packet time. */
export interface Format {
  codec: Codec
  payloadType: number
  ptimeMs: number
}

/** When one side sends, times in ms since the epoch. `at_s` of the direction counts from `zeroMs`. */
export interface SendingTimes {
  zeroMs: number
  startMs: number
  /** Nothing is sent at or after this. */
  endMs: number
  /** Media is silent here (hold). */
  pauses: { startMs: number; endMs: number }[]
  /** Formats taken into use later (re-INVITE), and new source endpoints. */
  changes: { timeMs: number; format?: Format; source?: Endpoint }[]
}

export interface Sender {
  packets: PacketList
  segments: SenderSegment[]
  formats: Format[]
  sources: Endpoint[]
  events: number
  timestampJumps: number
}

export function parseSsrc(value: number | string | undefined, random: Random): number {
  if (value === undefined) return random.uint32()
  const ssrc = Number(value)
  if (!Number.isInteger(ssrc) || ssrc < 0 || ssrc > 0xffffffff)
    throw new ScenarioError(`ssrc: "${value}" is not a number of 32 bits`)
  return ssrc
}

/** Something that happens to the sender once, at the first packet at or after `timeMs`. */
interface Turn {
  timeMs: number
  apply: () => void
}

/** Sends one direction packet by packet on its own clock. One use: construct, then `run`. */
class SenderClock {
  readonly packets = new PacketList()
  readonly segments: SenderSegment[] = []
  readonly formats: Format[]
  readonly sources: Endpoint[]
  timestampJumps = 0
  private extended: number
  private timestampBase: number
  private jumped = false
  private pendingMarker = true
  private source = 0

  constructor(
    private readonly spec: DirectionSpec,
    private readonly times: SendingTimes,
    format: Format,
    source: Endpoint,
    private readonly random: Random,
  ) {
    this.formats = [format]
    this.sources = [source]
    this.extended = spec.initial_sequence ?? random.below(0x8000)
    this.timestampBase = spec.initial_timestamp ?? random.uint32()
    this.segments.push({ ssrc: parseSsrc(spec.ssrc, random), clockRateHz: format.codec.clockRateHz })
  }

  get format(): Format {
    return this.formats[this.formats.length - 1]
  }

  private segment(): SenderSegment {
    return this.segments[this.segments.length - 1]
  }

  run(): void {
    const { spec, times } = this
    const turns = this.turns()
    const events = plannedEvents(spec, times.zeroMs, this.format.ptimeMs)
    const rate = 1 + (spec.skew_ppm ?? 0) * 1e-6
    let nextTurn = 0
    let nextEvent = 0
    let running: { event: PlannedEvent; tick: number; mediaMs: number } | null = null
    let silentBefore = false
    for (let mediaMs = 0; ; mediaMs += this.format.ptimeMs) {
      const wallMs = times.startMs + mediaMs / rate
      if (wallMs >= times.endMs) return
      for (; nextTurn < turns.length && turns[nextTurn].timeMs <= wallMs; nextTurn++) turns[nextTurn].apply()
      const paused = times.pauses.some((pause) => wallMs >= pause.startMs && wallMs < pause.endMs)
      if (!running && nextEvent < events.length && wallMs >= events[nextEvent].startMs)
        running = { event: events[nextEvent++], tick: 0, mediaMs }
      if (running) {
        if (!paused) this.sendEvent(wallMs, running.mediaMs, running.event, running.tick)
        if (++running.tick === running.event.ticks + 2) running = null
        continue
      }
      const silence = this.silence(mediaMs)
      if (paused || silence >= 0) {
        if (!paused && this.wantsComfortNoise(silence, silentBefore)) this.sendComfortNoise(wallMs, mediaMs)
        silentBefore = true
        this.pendingMarker = true
        continue
      }
      silentBefore = false
      this.sendAudio(wallMs, mediaMs)
    }
  }

  /** Milliseconds into the silence of the DTX cycle, or -1 while talking. */
  private silence(mediaMs: number): number {
    const dtx = this.spec.dtx
    if (!dtx) return -1
    const talkMs = dtx.talk_s * 1000
    const phase = mediaMs % (talkMs + dtx.silence_s * 1000)
    return phase < talkMs ? -1 : phase - talkMs
  }

  private wantsComfortNoise(silenceMs: number, silentBefore: boolean): boolean {
    if (silenceMs < 0 || this.spec.dtx?.comfort_noise === false) return false
    if (!silentBefore) return true
    const interval = this.spec.dtx?.comfort_noise_interval_ms
    return interval !== undefined && silenceMs % interval < this.format.ptimeMs
  }

  private turns(): Turn[] {
    const { spec, times } = this
    const at = (seconds: number): number => times.zeroMs + seconds * 1000
    const turns: Turn[] = []
    for (const change of spec.ssrc_change ?? [])
      turns.push({
        timeMs: at(change.at_s),
        apply: () => this.changeSsrc(parseSsrc(change.ssrc, this.random)),
      })
    for (const reset of spec.sequence_reset ?? [])
      turns.push({ timeMs: at(reset.at_s), apply: () => this.resetSequence(reset.to) })
    for (const jump of spec.timestamp_jump ?? [])
      turns.push({ timeMs: at(jump.at_s), apply: () => this.jumpTimestamp(jump.by_ms) })
    for (const change of spec.address_change ?? []) {
      const address = change.address
      turns.push({
        timeMs: at(change.at_s),
        apply: () => {
          const last = this.sources[this.sources.length - 1]
          this.useSource({
            address: address === undefined ? last.address : parseAddress(address, 'address_change'),
            port: change.port ?? last.port,
          })
        },
      })
    }
    for (const change of times.changes) {
      const { format, source } = change
      turns.push({
        timeMs: change.timeMs,
        apply: () => {
          if (format) this.useFormat(format)
          if (source) this.useSource(source)
        },
      })
    }
    return turns.sort((a, b) => a.timeMs - b.timeMs)
  }

  private useSource(source: Endpoint): void {
    this.sources.push(source)
    this.source = this.sources.length - 1
  }

  private useFormat(format: Format): void {
    const clockChanges = format.codec.clockRateHz !== this.format.codec.clockRateHz
    this.formats.push(format)
    // RFC 7160: a new clock rate under the same SSRC has no defined timestamps, so a careful sender takes a new SSRC.
    if (clockChanges) this.changeSsrc(this.random.uint32())
  }

  private changeSsrc(ssrc: number): void {
    this.segments.push({ ssrc, clockRateHz: this.format.codec.clockRateHz })
    this.extended = this.random.below(0x8000)
    this.timestampBase = this.random.uint32()
    this.pendingMarker = true
  }

  /** A step of less than 3000 forward is loss to any receiver (RFC 3550 A.1), so it stays in the segment. */
  private resetSequence(to: number | undefined): void {
    const last = this.extended - 1
    const next = to ?? (last + 5000 + this.random.below(50000)) & 0xffff
    const step = (next - last) & 0xffff
    if (step === 0 || step > 65536 - 100)
      throw new ScenarioError(`sequence_reset: ${next} is too close behind ${last & 0xffff} to be a reset`)
    if (step < 3000) {
      this.extended = last + step
      return
    }
    this.segments.push({ ...this.segment() })
    this.extended = next
  }

  private jumpTimestamp(byMs: number): void {
    this.timestampBase += Math.round((byMs * this.segment().clockRateHz) / 1000)
    this.timestampJumps++
    this.jumped = true
  }

  /** Unwrapped: the packet list's column keeps the low 32 bits. */
  private timestampAt(mediaMs: number): number {
    return this.timestampBase + Math.round((mediaMs * this.segment().clockRateHz) / 1000)
  }

  private send(wallMs: number, mediaMs: number, kind: number, payloadType: number): number {
    const list = this.packets
    const i = list.add()
    list.sentMs[i] = wallMs
    list.mediaMs[i] = mediaMs
    list.extended[i] = this.extended++
    list.timestamp[i] = this.timestampAt(mediaMs)
    list.segment[i] = this.segments.length - 1
    list.kind[i] = kind
    list.payloadType[i] = payloadType
    list.format[i] = this.formats.length - 1
    list.source[i] = this.source
    if (this.jumped) list.flags[i] |= AFTER_JUMP
    this.jumped = false
    return i
  }

  private sendAudio(wallMs: number, mediaMs: number): void {
    const i = this.send(wallMs, mediaMs, KIND_AUDIO, this.flippedType(wallMs) ?? this.format.payloadType)
    const marker = this.spec.marker ?? 'talkspurt'
    const first = i === 0
    if (
      marker === 'always' ||
      (marker === 'first' && first) ||
      (marker === 'talkspurt' && this.pendingMarker)
    )
      this.packets.flags[i] |= MARKER
    this.pendingMarker = false
  }

  private flippedType(wallMs: number): number | undefined {
    const seconds = (wallMs - this.times.zeroMs) / 1000
    return this.spec.payload_flips?.find(
      (flip) => seconds >= flip.at_s && seconds < flip.at_s + (flip.duration_s ?? Infinity),
    )?.payload_type
  }

  private sendComfortNoise(wallMs: number, mediaMs: number): void {
    // RFC 3389: payload type 13 has an 8-kHz clock; other clocks would need a type of their own.
    if (this.segment().clockRateHz === 8000) this.send(wallMs, mediaMs, KIND_COMFORT_NOISE, 13)
  }

  /** RFC 4733: one timestamp and a growing duration; the last packet is sent three times with E. */
  private sendEvent(wallMs: number, startMediaMs: number, event: PlannedEvent, tick: number): void {
    const i = this.send(wallMs, startMediaMs, KIND_EVENT, this.spec.dtmf_payload_type ?? 101)
    const { packets } = this
    const elapsedMs = Math.min(tick + 1, event.ticks) * this.format.ptimeMs
    packets.event[i] = event.code
    packets.eventDuration[i] = Math.min(65535, Math.round((elapsedMs * this.segment().clockRateHz) / 1000))
    if (tick === 0) packets.flags[i] |= MARKER
    if (tick >= event.ticks - 1) packets.flags[i] |= EVENT_END
  }
}

/** All packets that one side sends, undisturbed. */
export function sendDirection(
  spec: DirectionSpec,
  times: SendingTimes,
  format: Format,
  source: Endpoint,
  random: Random,
): Sender {
  const clock = new SenderClock(spec, times, format, source, random)
  if (!spec.no_media) clock.run()
  const { packets, segments, formats, sources, timestampJumps } = clock
  const events = packets.kind
    .subarray(0, packets.length)
    .reduce((count, kind, i) => (kind === KIND_EVENT && packets.has(i, MARKER) ? count + 1 : count), 0)
  return { packets, segments, formats, sources, events, timestampJumps }
}
