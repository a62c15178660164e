import { FindingGroups } from '../aggregates/finding-groups.js'
import { registrationFinding } from '../aggregates/registration-finding.js'
import type { ProbeCounters } from '../aggregates/probe-health.js'
import type { PacketBatch } from '../capture/batch.js'
import { Correlator } from '../calls/correlator.js'
import type { CaptureLosses } from '../calls/capture-losses.js'
import type { CallObserver } from '../calls/observer.js'
import type { ProbeRecord, SummaryRecord, TimestampSource } from '../calls/records.js'
import type { Config } from '../config/config.js'
import { PacketDecoder } from '../decode/decoder.js'
import { KIND_ICMP, KIND_TCP, KIND_UDP, type SkipReason } from '../decode/packet.js'
import { FORESIGHT, NEXT_ROW, threadRows } from '../rtp/described-batch.js'
import { PACKET_RTCP, RtpMeter, type MeterOptions } from '../rtp/meter.js'
import type { SipCall } from '../sip/call.js'
import { SignallingTracker } from '../sip/tracker.js'
import type { ForwardedFrame, MediaWorkers } from './media/media-workers.js'
import { SignallingInput } from './signalling-input.js'

/** Slow events (timeouts of signalling, sweeps) are looked at once per this much packet time. */
const TICK_MS = 100

/** Queues of an interface and several interfaces disorder packets by less; more is a clock that was set, or another file. */
const TIME_STEP_MS = 1000

/** What the probe itself counted; the command adds files and wall-clock figures. */
export type ProbeCounts = Omit<
  SummaryRecord,
  | 'type'
  | 'schema'
  | 'probe'
  | 'truncated_files'
  | 'processing_ms'
  | 'packets_per_s'
  | 'files'
  | 'findings'
  | 'bad_calls'
>

/** How the configuration wants streams measured. */
export function meterOptions(config: Config): MeterOptions & { maxStreams: number } {
  return {
    maxStreams: config.limits.streams,
    intervalMs: config.interval_s * 1000,
    burstPdvMs: config.burst_second.pdv_ms,
    burstPackets: config.burst_second.packets,
    jitterBuffer: config.jitter_buffer,
    idleMs: config.timeouts.stream_idle_s * 1000,
    earlyPackets: config.limits.early_packets,
  }
}

/**
 * The whole path of a packet on one thread: frame -> decode -> RTP meter, or SIP -> tracker; the correlator makes
 * records of both. Time comes from the packets. With media workers only what they do not measure comes by here.
 */
export class Probe {
  readonly decoder: PacketDecoder
  /** Absent with media workers. */
  readonly meter: RtpMeter | undefined
  private readonly streams: RtpMeter | MediaWorkers
  readonly tracker: SignallingTracker
  /** Findings over all calls so far. */
  readonly findingGroups = new FindingGroups()
  private readonly correlator: Correlator
  private readonly signalling: SignallingInput
  private packets = 0
  private bytes = 0
  private rtpPackets = 0
  private rtcpPackets = 0
  private firstMs = Infinity
  private lastMs = -Infinity
  /** Newest time since the last step back. */
  private newestMs = -Infinity
  private timeStepsBack = 0
  private timeStepBackMaxMs = 0
  private cuts = 0
  private tickAt = -Infinity
  /** The earlier of the next tick and the correlator's next event. */
  private wakeAt = -Infinity

  constructor(
    config: Config,
    timestampSource: TimestampSource,
    emit: (record: ProbeRecord) => void,
    observers: readonly CallObserver[] = [],
    captureLosses?: CaptureLosses,
    private readonly workers?: MediaWorkers,
  ) {
    this.correlator = new Correlator(config, timestampSource, emit, [...observers, this.findingGroups])
    this.correlator.captureLosses = captureLosses
    if (workers) {
      workers.connect(this.correlator, (frame) => this.onForwarded(frame))
      this.streams = workers
    } else {
      this.streams = this.meter = new RtpMeter(this.correlator, meterOptions(config))
    }
    this.tracker = new SignallingTracker(this.correlator, { maxCalls: config.limits.calls })
    this.correlator.connect(this.streams, this.tracker, workers?.slots)
    this.decoder = new PacketDecoder({
      fragmentDatagrams: config.limits.fragments,
      fragmentTimeoutMs: config.timeouts.fragment_s * 1000,
    })
    this.signalling = new SignallingInput(
      this.tracker,
      (body, sender) => this.correlator.onQualityReport(body, sender),
      {
        extraPorts: config.sip_ports,
        maxConnections: config.limits.tcp_connections,
        tcpIdleMs: config.timeouts.tcp_idle_s * 1000,
      },
    )
  }

  /** Takes in a batch of frames. */
  onBatch(batch: PacketBatch): void {
    const { bytes, view, frameOffset, capturedLength, wireLength, timeMs, linkType, first, end } = batch
    const { decoder, meter } = this
    if (meter === undefined) {
      this.onOtherBatch(batch)
      return
    }
    const { fastPath } = meter
    let rtp = 0
    let counted = first
    for (let begin = first; begin < end; begin += FORESIGHT) {
      const until = Math.min(end, begin + FORESIGHT)
      const row = batch.rows === threadRows ? begin : NEXT_ROW
      // Described while they were read, or by another thread, or not yet.
      if (batch.rows === undefined) fastPath.describe(batch, begin, until, row)
      else if (batch.rows !== threadRows) fastPath.take(batch.rows, begin, row, until - begin)
      fastPath.foresee(row, until - begin)
      this.noteTime(timeMs[begin])
      let due = begin
      for (let k = begin; k < until;) {
        if (k === due) {
          if (timeMs[k] >= this.wakeAt) {
            this.count(wireLength, counted, k, rtp)
            counted = k
            rtp = 0
            this.wake(timeMs[k])
          }
          while (++due < until && timeMs[due] < this.wakeAt);
        }
        const measured = begin + fastPath.follow(row, timeMs, begin, k - begin, due - begin)
        if (measured !== k) {
          rtp += measured - k
          k = measured
          continue
        }
        const kind = decoder.decode(
          bytes,
          view,
          frameOffset[k],
          capturedLength[k],
          wireLength[k],
          linkType[k],
          timeMs[k],
        )
        k++
        if (kind === KIND_UDP) {
          const at = decoder.payloadOffset
          if (decoder.payloadCaptured >= 12 && decoder.bytes[at] >> 6 === 2) {
            const result = meter.onPacket(decoder)
            if (result === PACKET_RTCP) this.onRtcp()
            else rtp++
          } else if (decoder.payloadCaptured > 0) {
            this.signalling.onDatagram(decoder)
          }
        } else if (kind === KIND_TCP) {
          this.onSegment()
        } else if (kind === KIND_ICMP) {
          this.correlator.onIcmp(decoder)
        }
      }
    }
    this.count(wireLength, counted, end, rtp)
    if (end > first) {
      this.noteEnds(timeMs[first], timeMs[end - 1])
      // Ticks wait while a clock that was set back makes up for it.
      if (timeMs[end - 1] < this.tickAt - TIME_STEP_MS) meter.sweepFor(timeMs[end - 1])
    }
  }

  /** A batch with media workers: nearly nothing in it is media. */
  private onOtherBatch(batch: PacketBatch): void {
    const { bytes, view, frameOffset, capturedLength, wireLength, timeMs, linkType, first, end } = batch
    for (let k = first; k < end; k++) {
      if (timeMs[k] >= this.wakeAt) this.wake(timeMs[k])
      this.count(wireLength, k, k + 1, 0)
      this.onOther(bytes, view, frameOffset[k], capturedLength[k], wireLength[k], linkType[k], timeMs[k])
    }
    if (end === first) return
    this.noteEnds(timeMs[first], timeMs[end - 1])
    this.workers?.unwrappedUntil(timeMs[end - 1])
  }

  /** A frame that a media worker counted and left to this thread. */
  private onForwarded({ bytes, view, offset, captured, wireLength, linkType, timeMs }: ForwardedFrame): void {
    this.onOther(bytes, view, offset, captured, wireLength, linkType, timeMs)
  }

  private onOther(
    bytes: Uint8Array,
    view: DataView,
    offset: number,
    captured: number,
    wireLength: number,
    linkType: number,
    timeMs: number,
  ): void {
    const { decoder } = this
    const kind = decoder.decode(bytes, view, offset, captured, wireLength, linkType, timeMs)
    if (kind === KIND_UDP) {
      const at = decoder.payloadOffset
      if (decoder.payloadCaptured >= 12 && decoder.bytes[at] >> 6 === 2) {
        if (this.workers?.onPacket(decoder) === PACKET_RTCP) this.onRtcp()
      } else if (decoder.payloadCaptured > 0) {
        this.signalling.onDatagram(decoder)
      }
    } else if (kind === KIND_TCP) {
      this.onSegment()
    } else if (kind === KIND_ICMP) {
      this.correlator.onIcmp(decoder)
    }
  }

  /** A TCP segment: signalling, or what a capture agent sends. */
  private onSegment(): void {
    this.signalling.onSegment(this.decoder)
    this.readAgents()
  }

  /** What capture agents sent over TCP is taken in as what they send over UDP. */
  private readAgents(): void {
    const { decoder, signalling } = this
    for (const { bytes, timeMs } of signalling.takeHepMessages()) {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      if (decoder.decodeHep(bytes, view, 0, bytes.length, timeMs) !== KIND_UDP) continue
      if (decoder.payloadCaptured < 12 || decoder.bytes[decoder.payloadOffset] >> 6 !== 2)
        signalling.onDatagram(decoder)
      else if (this.streams.onPacket(decoder) === PACKET_RTCP) this.onRtcp()
      else if (this.meter) this.rtpPackets++
    }
  }

  /** First and last time of a batch. */
  private noteEnds(firstMs: number, lastMs: number): void {
    // Both ends for both: a clock that was set back makes the later packet the earlier.
    this.firstMs = Math.min(this.firstMs, firstMs, lastMs)
    this.lastMs = Math.max(this.lastMs, firstMs, lastMs)
    this.noteTime(lastMs)
  }

  /** Looks at every so many packets whether their time goes on. */
  private noteTime(timeMs: number): void {
    const backMs = this.newestMs - timeMs
    if (backMs > TIME_STEP_MS) {
      this.timeStepsBack++
      this.timeStepBackMaxMs = Math.max(this.timeStepBackMaxMs, backMs)
      this.newestMs = timeMs
    } else if (backMs < 0) this.newestMs = timeMs
  }

  /** Counts the frames `from` to `end` (exclusive) of a batch. */
  private count(wireLength: Int32Array, from: number, end: number, rtp: number): void {
    let bytes = 0
    for (let k = from; k < end; k++) bytes += wireLength[k]
    this.packets += end - from
    this.bytes += bytes
    this.rtpPackets += rtp
  }

  /** Captures that ended early or were damaged: so many, of all whose packets came by so far. */
  noteCuts(cuts: number): void {
    if (cuts === this.cuts) return
    this.cuts = cuts
    this.correlator.onCut(this.range.lastMs)
  }

  /** Live capture: nothing came, and time went on to `timeMs` all the same. */
  onQuiet(timeMs: number): void {
    if (timeMs >= this.wakeAt) this.wake(timeMs)
  }

  /** Takes in what the media workers have measured since the last call. */
  onMessages(): void {
    this.workers?.read()
  }

  /** Calls that an earlier run of the probe left open. */
  resume(calls: readonly SipCall[], timeMs: number): void {
    this.correlator.onTime(timeMs)
    for (const call of calls) this.tracker.restore(call, timeMs)
  }

  /** Takes over what may change while calls run: names of places, thresholds of quality, the assumed delay. */
  reconfigure(config: Config): void {
    this.correlator.reconfigure(config)
  }

  /** What is held now. */
  get open(): { calls: number; streams: number } {
    return { calls: this.correlator.openCalls, streams: this.streams.counters.active }
  }

  private onRtcp(): void {
    this.rtcpPackets++
    this.correlator.onRtcp(this.decoder)
  }

  private wake(timeMs: number): number {
    // A correlator event (media tail over, idle call) is due at its own time, not at the next tick.
    this.correlator.onTime(timeMs)
    if (timeMs >= this.tickAt) {
      this.tracker.onTime(timeMs)
      this.signalling.onTime(timeMs)
      this.readAgents()
      // By packet time, not by batch: how a file is cut into batches must not show in the records.
      this.meter?.sweepFor(timeMs)
      this.tickAt = timeMs + TICK_MS
    }
    this.wakeAt = Math.min(this.tickAt, this.correlator.nextTimeMs)
    return this.wakeAt
  }

  /** End of the capture: every stream and call gets its record. Yields now and then, so that outputs keep up. */
  *finish(): Generator<void> {
    this.decoder.finish()
    this.signalling.finish()
    this.readAgents()
    const lastMs = this.range.lastMs
    const endMs = Number.isFinite(lastMs) ? lastMs : 0
    this.tracker.finish(endMs)
    yield* this.correlator.finish(endMs)
  }

  get packetCount(): number {
    return this.packets + (this.workers?.packets ?? 0)
  }

  private get rtpCount(): number {
    return this.rtpPackets + (this.workers?.rtpPackets ?? 0)
  }

  private get skipped(): Partial<Record<SkipReason, number>> {
    const { skippedByReason } = this.decoder
    return this.workers?.addSkipped(skippedByReason) ?? skippedByReason
  }

  /** Times of the first and the last packet. */
  private get range(): { firstMs: number; lastMs: number } {
    const { firstMs, lastMs } = this.workers ?? { firstMs: NaN, lastMs: NaN }
    return {
      firstMs: Number.isNaN(firstMs) ? this.firstMs : Math.min(this.firstMs, firstMs),
      lastMs: Number.isNaN(lastMs) ? this.lastMs : Math.max(this.lastMs, lastMs),
    }
  }

  /** What it counts of itself, so far. */
  health(): ProbeCounters {
    return {
      packets: this.packetCount,
      bytes: this.bytes + (this.workers?.bytes ?? 0),
      rtpPackets: this.rtpCount,
      rtcpPackets: this.rtcpPackets,
      sipMessages: this.signalling.messages,
      skipped: sumOf(this.skipped) + this.signalling.malformed,
      evictions: sumOf(this.evictions()),
      ...this.open,
    }
  }

  counts(): ProbeCounts {
    const { correlator, decoder, tracker, signalling } = this
    const sip = tracker.counters
    const packets = this.packetCount
    const { firstMs, lastMs } = this.range
    const seen = packets > 0 && Number.isFinite(firstMs)
    return {
      start: seen ? new Date(firstMs).toISOString() : undefined,
      end: seen ? new Date(lastMs).toISOString() : undefined,
      duration_ms: seen ? lastMs - firstMs : undefined,
      packets,
      bytes: this.bytes + (this.workers?.bytes ?? 0),
      calls: correlator.counts.calls,
      calls_by_state: correlator.counts.callsByState,
      calls_by_quality: correlator.counts.callsByQuality,
      streams: correlator.counts.streams,
      rtp_packets: this.rtpCount,
      rtcp_packets: this.rtcpPackets,
      sip_messages: signalling.messages,
      sip_requests: sip.requests,
      sip_responses: sip.responses,
      sip_retransmissions: sip.retransmissions,
      sip_malformed: signalling.malformed + sip.malformed,
      sip_unreadable:
        Object.keys(signalling.unreadable).length > 0 ? { ...signalling.unreadable } : undefined,
      registrations: {
        attempts: sip.registrations.attempts,
        successful: sip.registrations.successful,
        failed: sip.registrations.failed,
        challenged: sip.registrations.challenged,
      },
      options: sip.options,
      tunnels: decoder.tunnels,
      skipped: this.skipped,
      rtcp_discarded: correlator.rtcpDiscards.byReason,
      evictions: this.evictions(),
      time_steps_back: this.timeStepsBack > 0 ? this.timeStepsBack : undefined,
      time_step_back_max_ms: this.timeStepsBack > 0 ? this.timeStepBackMaxMs : undefined,
    }
  }

  /** Findings over all calls, for the summary: looks at every call held, so not for every second. */
  groupedFindings(): Pick<SummaryRecord, 'findings' | 'bad_calls'> {
    const { counters, registrationFailures } = this.tracker
    const registrations = registrationFinding(counters.registrations, registrationFailures)
    const findings = [...this.findingGroups.summary(), ...(registrations ? [registrations] : [])]
    return { findings, bad_calls: this.findingGroups.badCalls() }
  }

  /** Every bound that cost something. */
  private evictions(): Record<string, number> {
    const { tracker, correlator } = this
    const streams = this.streams.counters
    const tcp = this.signalling.tcpCounters
    const all: Record<string, number> = {
      calls: tracker.counters.evictedCalls,
      requests_outside_calls: tracker.counters.evictedRequests,
      streams: streams.displaced,
      stream_packets_without_room: streams.noRoomPackets,
      stream_candidates_without_room: streams.candidatesTurnedAway,
      early_packets: streams.earlyPacketsDropped,
      payload_maps: streams.payloadMapOverflow,
      announced_addresses: streams.announcedOverflow + correlator.counts.claimOverflow,
      tcp_connections: tcp.connectionsEvicted,
      tcp_hold_limit: tcp.holdLimitReached,
      fragmented_datagrams: this.skipped.fragment_table_full ?? 0,
      finding_values: this.findingGroups.overflow,
      resteered_packets: this.workers?.packetsDropped ?? 0,
    }
    return Object.fromEntries(Object.entries(all).filter(([, count]) => count > 0))
  }
}

function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0)
}
