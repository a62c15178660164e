import type { Config } from '../config/config.js'
import type { CaptureLosses } from './capture-losses.js'
import { NameMap } from '../config/networks.js'
import type { DecodedPacket } from '../decode/packet.js'
import { formatAddress } from '../decode/address.js'
import { parseRtcp } from '../rtcp/parse.js'
import { parseQualityReport } from '../rtcp/quality-report.js'
import type { StreamControl } from '../rtp/stream-control.js'
import type { FlowEnds, IntervalRow, StreamListener } from '../rtp/row.js'
import type { CallListener, PartyMedia, SipCall, StandaloneRequest } from '../sip/call.js'
import type { PayloadFormat } from '../sip/sdp-types.js'
import type { SignallingTracker } from '../sip/tracker.js'
import { CallEntry } from './call-entry.js'
import { callRecord, rfc3339, type RecordContext } from './call-record.js'
import { placesOf } from './places.js'
import type { ClosedInterval } from './direction-media.js'
import { fileReport } from './endpoint-reports.js'
import { MediaClaims, type StreamEnds } from './media-claims.js'
import { hasPayloadMode, PayloadModes } from './payload-mode.js'
import { addCodecUse, formatOf, NO_FORMATS, resolveCodec, type CodecUse } from './media-codecs.js'
import { newDraft } from './media-draft.js'
import {
  fillCounts,
  fillDistributions,
  fillScores,
  packetTimeMs,
  type ScoringContext,
} from './media-fields.js'
import { giveBack, takeTotals } from './media-totals.js'
import {
  DIRECTIONS,
  RECORD_SCHEMA,
  type CallRecord,
  type Direction,
  type IntervalRecord,
  type ProbeRecord,
  type Quality,
  type RecordState,
  type StreamRecord,
  type TimestampSource,
} from './records.js'
import type { CallObserver } from './observer.js'
import { bindToStreams, RtcpClaims, type RtcpEnds } from './rtcp-claims.js'
import { RtcpDiscards } from './rtcp-discards.js'
import { RtcpWatch, type TapState } from './rtcp-watch.js'
import { sipRoundTripMs } from './sip-round-trip.js'
import { SecondWatch, type MediaSecond } from './second-watch.js'
import { StreamBinder } from './stream-binder.js'
import { StreamEntry } from './stream-entry.js'
import { Timers } from './timers.js'
import { parseUnreachable } from '../decode/icmp.js'
import { FindingsEngine } from './findings/engine.js'
import { LegLinker } from './legs/linker.js'
import { UnboundStreams } from './unbound-streams.js'
import { streamValidity } from './validity.js'

/** Media this long after the end of a call are still its own, to the microsecond (DESIGN: section 2). */
const TAIL_MS = 2000.001
/** Streams without signalling whose calls are made as soon as they begin; those of more, at their first interval. */
export const FOLLOWED_AT_ONCE = 1024
/** Damaged capture files of one run whose calls say so. */
const MOST_CUTS = 1024
/** Media from a call's addresses are its remains, not a call of their own, for this long after. */
const LEFTOVER_MS = 60_000

export interface CorrelatorCounts {
  calls: number
  callsByState: Partial<Record<RecordState, number>>
  callsByQuality: Partial<Record<Quality, number>>
  streams: number
  claimOverflow: number
}

/**
 * Binds dialogs to streams and writes their records. All its work is per message, per stream or per interval; time
 * comes from packets.
 */
export class Correlator implements CallListener, StreamListener {
  readonly counts: CorrelatorCounts = {
    calls: 0,
    callsByState: {},
    callsByQuality: {},
    streams: 0,
    claimOverflow: 0,
  }
  /** RTCP from which nothing followed; a call's when its record is written. */
  readonly rtcpDiscards = new RtcpDiscards()
  private meter!: StreamControl
  private tracker!: SignallingTracker
  private claims!: MediaClaims
  private binder!: StreamBinder
  private rtcpClaims!: RtcpClaims
  private readonly timers = new Timers()
  private entries: (StreamEntry | undefined)[] = []
  private readonly calls = new Map<string, CallEntry>()
  private readonly legs = new LegLinker((callId) => this.calls.get(callId))
  private unbound!: UnboundStreams
  private readonly leftovers = new Map<string, number>()
  private readonly findings: FindingsEngine
  private scoring: ScoringContext
  private names: NameMap
  private emergencyNumbers: ReadonlySet<string>
  /** Live capture: what was missed. */
  captureLosses: CaptureLosses | undefined
  private mediaOnTap = false
  /** The configuration has sites or trunks. */
  private namesPlaces: boolean
  private nowMs = 0
  /** When capture files ended early or were damaged. */
  private readonly cutsMs: number[] = []
  private readonly lastSeen = (slot: number): number => this.meter.lastSeen(slot)
  /** Set when an observer looks at messages, or at seconds: nobody else pays for them. */
  onCallMessage?: CallListener['onCallMessage']
  onSecond?: StreamListener['onSecond']
  private readonly seconds?: SecondWatch

  constructor(
    private config: Config,
    private readonly timestampSource: TimestampSource,
    private readonly emit: (record: ProbeRecord) => void,
    private readonly observers: readonly CallObserver[] = [],
  ) {
    this.names = new NameMap(config)
    this.emergencyNumbers = new Set(config.emergency_numbers)
    this.findings = new FindingsEngine(config.findings)
    this.namesPlaces = config.sites.length > 0 || config.trunks.length > 0
    this.scoring = {
      jitterBuffer: config.jitter_buffer,
      networkDelayMs: config.assumed_network_delay_ms,
      delaySource: 'assumed',
    }
    if (observers.some((observer) => observer.onSipMessage)) {
      this.onCallMessage = (sip, packet, sighting) => {
        const call = this.calls.get(sip.key)
        if (call) for (const observer of observers) observer.onSipMessage?.(call, packet, sighting)
      }
    }
    if (observers.some((observer) => observer.onSecond)) {
      this.seconds = new SecondWatch()
      this.onSecond = (slot, startMs, peakMs) => this.showSecond(slot, startMs, peakMs)
    }
  }

  private showSecond(slot: number, startMs: number, peakMs: number): void {
    const stream = this.entry(slot)
    if (!stream || !this.seconds) return
    const second = this.seconds.close(this.meter.peek(slot), startMs, peakMs)
    if (second.isEmpty) return
    this.showSecondOf(stream, second)
    for (const share of stream.shares) this.showSecondOf(share, second)
  }

  private showSecondOf(stream: StreamEntry, second: MediaSecond): void {
    const { call, direction } = stream
    if (!call || !direction) return
    const codec = second.payloadType < 0 ? undefined : this.resolve(second.payloadType, stream)
    for (const observer of this.observers) observer.onSecond?.(call, direction, stream, second, codec)
  }

  /** The stages before this one, which report to it. `slots`: most there can be, where they are not used from 0 on. */
  connect(meter: StreamControl, tracker: SignallingTracker, slots?: number): void {
    // Slots of several workers lie far apart: an array that had to grow to them would be slow.
    if (slots !== undefined) this.entries = new Array<StreamEntry | undefined>(slots)
    this.meter = meter
    this.tracker = tracker
    this.unbound = new UnboundStreams(meter.keys)
    this.claims = new MediaClaims(meter.announced)
    this.binder = new StreamBinder({
      ...{ meter, claims: this.claims, unbound: this.unbound },
      ...{ findings: this.findings, observers: this.observers },
      resolve: (payloadType, stream) => this.resolve(payloadType, stream),
      nowMs: () => this.nowMs,
    })
    this.rtcpClaims = new RtcpClaims()
  }

  /** Names of places, thresholds of quality and the assumed delay may change while calls run; the rest is fixed. */
  reconfigure(config: Config): void {
    this.config = config
    this.names = new NameMap(config)
    this.emergencyNumbers = new Set(config.emergency_numbers)
    this.namesPlaces = config.sites.length > 0 || config.trunks.length > 0
    this.scoring = { ...this.scoring, networkDelayMs: config.assumed_network_delay_ms }
  }

  /** Calls whose record is not written yet, those without signalling left out. */
  get openCalls(): number {
    return this.calls.size
  }

  /** When `onTime` next has something to do. */
  get nextTimeMs(): number {
    return this.timers.next
  }

  onTime(timeMs: number): void {
    this.nowMs = timeMs
    this.timers.run(timeMs)
    for (const observer of this.observers) observer.onTime?.(timeMs)
  }

  /** A capture file ended early or was damaged behind the packet of that time. */
  onCut(timeMs: number): void {
    if (this.cutsMs.length < MOST_CUTS) this.cutsMs.push(timeMs)
  }

  /** End of the capture: every open call gets its record. Pauses now and then, for slow outputs. */
  *finish(timeMs: number): Generator<void> {
    this.nowMs = timeMs
    this.timers.run(timeMs)
    for (const call of [...this.calls.values()]) {
      this.close(call)
      yield
    }
    yield* this.meter.finish()
    this.counts.claimOverflow = this.claims.overflow + this.rtcpClaims.overflow
  }

  onCallStart(sip: SipCall): void {
    const call = new CallEntry(sip.callId, sip)
    this.calls.set(sip.key, call)
    this.claimDescriptions(call)
    this.legs.onStart(call)
    for (const observer of this.observers) observer.onCallStart?.(call)
  }

  onMediaChange(sip: SipCall, _media: PartyMedia): void {
    const call = this.calls.get(sip.key)
    if (!call) return
    this.claimDescriptions(call)
    this.legs.onOffer(call)
  }

  onAnswer(sip: SipCall): void {
    const call = this.calls.get(sip.key)
    if (!call) return
    this.claimDescriptions(call)
    const idleMs = this.config.timeouts.call_idle_s * 1000
    this.timers.at(this.nowMs + idleMs, () => this.checkIdle(call))
    for (const observer of this.observers) observer.onCallAnswered?.(call)
  }

  onCallEnd(sip: SipCall): void {
    const call = this.calls.get(sip.key)
    if (!call) return
    this.timers.at((sip.endMs ?? this.nowMs) + TAIL_MS, () => this.close(call))
    for (const observer of this.observers) observer.onCallEnded?.(call)
  }

  onReferral(sip: SipCall): void {
    const call = this.calls.get(sip.key)
    if (call) this.legs.onReferral(call)
  }

  onDisconnect(sip: SipCall): void {
    for (const observer of this.observers) observer.onDisconnect?.(sip)
  }

  onStandalone(request: StandaloneRequest): void {
    for (const observer of this.observers) observer.onStandalone?.(request)
  }

  /** Claims what the call's descriptions name, and binds streams that were there first. */
  private claimDescriptions(call: CallEntry): void {
    const sip = call.sip
    if (!sip) return
    const described = [...sip.mediaHistory, sip.callerMedia, sip.calleeMedia].filter(
      (media): media is PartyMedia => media !== undefined,
    )
    const claimedUntilMs = call.claimedUntilMs
    for (const media of described) {
      if (media.timeMs < claimedUntilMs) continue
      // Their own time: a capture agent's clock (HEP) need not be that of the packets.
      call.claimedUntilMs = Math.max(call.claimedUntilMs, media.timeMs)
      this.claims.claim(call, media)
      this.rtcpClaims.claim(call, media)
    }
    this.renegotiate(call, sip)
    this.binder.onEarlierLegs(call)
    for (const claim of call.claims) {
      this.binder.onClaim(claim)
      for (const stream of this.unboundAt(claim.address, claim.port)) this.binder.rebind(stream)
    }
  }

  /** Payload types in force, for the call's streams. */
  private renegotiate(call: CallEntry, sip: SipCall): void {
    const caller = formatsOf(sip.callerMedia)
    const callee = formatsOf(sip.calleeMedia)
    for (const stream of call.streams) {
      if (stream.audio && this.claims.isOfLosingBranch(stream, call)) this.demote(stream, call)
      this.meter.cut(stream.slot)
    }
    // The receiver says which payload types it takes; a sender's own list fills in what the receiver left out.
    call.formats = { from_caller: [...caller, ...callee], from_callee: [...callee, ...caller] }
    call.encrypted = [sip.callerMedia, sip.calleeMedia].some((d) => d?.media.some((m) => m.encrypted))
    for (const stream of call.streams) {
      stream.latestUse = undefined
      this.binder.applyFormats(stream, call)
    }
  }

  /** Early media of a branch that lost: no longer part of the direction. */
  private demote(stream: StreamEntry, call: CallEntry): void {
    if (stream.direction) call.directions[stream.direction].detach(stream)
    stream.audio = false
  }

  /** A datagram that says it is RTCP. */
  onRtcp(p: DecodedPacket): void {
    const ends: RtcpEnds = {
      sourceAddress: formatAddress(p.ipVersion, p.source0, p.source1, p.source2, p.source3),
      sourcePort: p.sourcePort,
      destinationAddress: formatAddress(
        p.ipVersion,
        p.destination0,
        p.destination1,
        p.destination2,
        p.destination3,
      ),
      destinationPort: p.destinationPort,
    }
    const binding =
      this.rtcpClaims.bind(ends) ?? bindToStreams(ends, (address, port) => this.unboundAt(address, port))
    if (!binding) {
      this.rtcpDiscards.note('packets_of_no_call')
      return
    }
    const { call, sender } = binding
    const compound = parseRtcp(p.bytes, p.payloadOffset, p.payloadCaptured, {
      expectEncrypted: call.encrypted,
      wireLength: p.payloadLength,
    })
    call.rtcp ??= new RtcpWatch()
    call.rtcp.onCompound(compound, sender, p.timeMs, (direction, ssrc) =>
      this.tapState(call, direction, ssrc, p.timeMs),
    )
    for (const observer of this.observers) observer.onRtcp?.(call, sender, compound, p.timeMs, ends)
  }

  /** An ICMP message: it may say that media of a call cannot be delivered. */
  onIcmp(p: DecodedPacket): void {
    const icmp = parseUnreachable(p)
    if (!icmp) return
    const binding = this.claims.bind({ ...icmp, vlan: p.vlan })
    if (binding?.kind === 'audio')
      this.findings.onUnreachable(binding.call, binding.direction, icmp, p.timeMs)
    if (binding) return
    for (const stream of this.unboundAt(icmp.sourceAddress, icmp.sourcePort)) {
      if (!stream.call || !stream.direction || !stream.audio) continue
      if (stream.destinationAddress !== icmp.destinationAddress) continue
      this.findings.onUnreachable(stream.call, stream.direction, icmp, p.timeMs)
    }
  }

  /** A voice quality report (RFC 6035) in the body of a PUBLISH or NOTIFY. */
  onQualityReport(body: string, senderAddress: string): void {
    const report = parseQualityReport(body)
    const call = this.calls.get(report?.callId ?? report?.dialog?.callId ?? '')
    if (!report || !call || !fileReport(report, call, senderAddress))
      this.rtcpDiscards.note('quality_reports_of_no_call')
  }

  private tapState(
    call: CallEntry,
    direction: Direction,
    ssrc: number,
    timeMs: number,
  ): TapState | undefined {
    let state: TapState | undefined
    for (const stream of call.streams) {
      if (stream.ssrc !== ssrc || stream.direction !== direction || (state && !stream.audio)) continue
      const live = this.meter.sequenceState(stream.slot, timeMs)
      const start = { sequence: stream.firstSequence, timeMs: stream.firstArrival }
      // A source that moved (NAT rebinding) goes on in the stream that came last.
      state = {
        lost: (state?.lost ?? 0) + live.lost - stream.lostApart,
        highest: live.highest,
        start: state ? state.start : call.sip?.sawInvite === true ? start : undefined,
        clockRateHz: live.clockRateHz,
      }
    }
    return state
  }

  /** Scoring with the delay that is known best: RTCP on both legs, else SIP's round trips, else the assumption. */
  private scoringOf(call: CallEntry, atEnd = false): ScoringContext {
    const rtt = call.rtcp?.endToEnd
    if (rtt !== undefined && rtt.count > 0) {
      const rttMs = atEnd ? (rtt.percentile(50) ?? rtt.latest) : rtt.latest
      return { ...this.scoring, networkDelayMs: rttMs / 2, delaySource: 'rtcp' }
    }
    const sipRttMs = call.sip && sipRoundTripMs(call.sip)
    if (sipRttMs !== undefined) return { ...this.scoring, networkDelayMs: sipRttMs / 2, delaySource: 'sip' }
    return this.scoring
  }

  onStreamStart(slot: number): void {
    this.mediaOnTap = true
    this.counts.streams++
    // On a busy tap without signalling, a stream's call is made when there is something to say of it.
    const busy = this.unbound.size >= FOLLOWED_AT_ONCE
    if (!busy || !this.claims.isEmpty || this.leftovers.size > 0) {
      this.follow(slot)
      return
    }
    this.unbound.add(slot)
    if (this.unbound.between(slot).some((other) => this.entries[other])) this.followUnsignalled(slot)
  }

  /** A stream that is being followed; made when it was only noted so far. */
  private entry(slot: number): StreamEntry | undefined {
    return this.entries[slot] ?? (this.unbound.has(slot) ? this.followUnsignalled(slot) : undefined)
  }

  private *unboundAt(address: string, port: number): Generator<StreamEntry> {
    for (const slot of this.unbound.at(address, port)) {
      const stream = this.entry(slot)
      if (stream) yield stream
    }
  }

  private makeEntry(slot: number): StreamEntry {
    const stream = new StreamEntry(slot, this.meter.identity(slot))
    this.entries[slot] = stream
    this.findings.onStream(stream)
    return stream
  }

  private follow(slot: number): void {
    const stream = this.makeEntry(slot)
    const binding = this.claims.bind(stream)
    if (binding) {
      this.binder.attach(stream, binding.call, binding.direction, binding.kind, binding.leg)
      return
    }
    this.unbound.add(slot)
    // Media of a call that is over is no call of its own.
    if (!this.isLeftover(stream) && !this.claims.isOfEnded(stream)) this.pair(stream)
  }

  /** A stream that was only noted, and all others between its ends: they are one call. */
  private followUnsignalled(slot: number): StreamEntry | undefined {
    for (const other of this.unbound.between(slot)) {
      if (!this.entries[other]) this.pair(this.makeEntry(other))
    }
    return this.entries[slot]
  }

  /** Media without signalling: the call of the stream's reverse, else one of its own. The first sender is the caller. */
  private pair(stream: StreamEntry): void {
    for (const slot of this.unbound.between(stream.slot)) {
      const partner = this.entries[slot]
      if (!partner?.call || partner.call.sip) continue
      const same = partner.sourcePort === stream.sourcePort && partner.sourceAddress === stream.sourceAddress
      const direction = same ? partner.direction : opposite(partner.direction)
      this.binder.attach(stream, partner.call, direction ?? 'from_caller', 'audio')
      return
    }
    this.binder.attach(stream, new CallEntry(stream), 'from_caller', 'audio')
  }

  private isLeftover(stream: StreamEntry): boolean {
    if (this.leftovers.size === 0) return false
    const { sourcePort, destinationPort } = stream
    const until = Math.max(
      this.leftovers.get(`${stream.sourceAddress} ${sourcePort}`) ?? 0,
      this.leftovers.get(`${stream.destinationAddress} ${destinationPort}`) ?? 0,
    )
    return until > this.nowMs
  }

  onRow(row: IntervalRow): void {
    const stream = this.entry(row.slot)
    if (!stream) return
    this.seconds?.onRow(row)
    this.count(stream, row)
    for (const share of stream.shares) this.count(share, row)
  }

  onResume(slot: number): void {
    const stream = this.entry(slot)
    if (stream) this.binder.onResume(stream)
  }

  private count(stream: StreamEntry, row: IntervalRow): void {
    stream.totals ??= takeTotals()
    stream.totals.add(row, row.lostBefore)
    stream.segments += row.segments
    if (row.first || stream.segments <= 1) stream.lowestSequence = row.segmentLowest
    stream.highestSequence = row.segmentHighest
    const uses = this.codecUses(row, stream)
    for (const use of uses) addCodecUse(stream.codecs, use)
    stream.modes?.restart()
    const { call, direction } = stream
    if (!call || !direction || !stream.audio) return
    // Of an interval that goes on (SDP changed in it) there is more to come.
    stream.handOutUntil(this.nowMs < row.intervalEnd ? row.lastPacket : row.intervalEnd)
    const media = call.directions[direction]
    const scoring = this.scoringOf(call)
    let closed = media.addRow(row, uses, scoring)
    if (closed) this.emitInterval(call, direction, closed)
    while ((closed = media.closeWaiting(scoring, this.lastSeen))) this.emitInterval(call, direction, closed)
  }

  /** Once a second, a packet of a stream whose codec tells its mode in the payload. */
  onPayloadSample(slot: number, p: DecodedPacket): void {
    const stream = this.entry(slot)
    const { call, direction } = stream ?? {}
    if (!stream || !call || !direction || call.encrypted) return
    const format = formatOf(p.bytes[p.payloadOffset + 1] & 0x7f, call.formats[direction])
    if (!format || !hasPayloadMode(format.encoding)) return
    stream.modes ??= new PayloadModes()
    stream.modes.sample(p, format)
  }

  /** What flows but is not measured is not missing. */
  onNoRoom(flow: FlowEnds): void {
    this.mediaOnTap = true
    const ends = flowText(flow)
    this.findings.onFlow(ends.sourceAddress, ends.destinationAddress)
    const { call, direction, kind } = this.claims.bind(ends) ?? {}
    if (!call || !direction || kind !== 'audio' || call.withoutRoom.includes(direction)) return
    if (call.sip?.endMs !== undefined && flow.firstArrival > call.sip.endMs) return
    call.withoutRoom = [...call.withoutRoom, direction]
  }

  onBurstSecond(slot: number, startMs: number, peakMs: number): void {
    const stream = this.entry(slot)
    if (!stream) return
    for (const { call, direction, audio } of [stream, ...stream.shares]) {
      if (!call || !direction || !audio) continue
      call.directions[direction].noteBurstSecond(startMs, peakMs)
      for (const observer of this.observers) observer.onBurstSecond?.(call, direction, startMs, peakMs)
    }
  }

  private codecUses(row: IntervalRow, stream: StreamEntry): CodecUse[] {
    const uses: CodecUse[] = []
    for (let k = 0; k < row.payloadTypes; k++) {
      const { payloadType, packets } = row.typeCounts[k]
      const use = this.resolve(payloadType, stream)
      uses.push({ ...use, packets, mediaMs: packets * packetTimeMs(row, [use]) })
    }
    return uses
  }

  private resolve(payloadType: number, stream: StreamEntry): CodecUse {
    const { modes, latestUse } = stream
    // Once a second and more, and mostly the same.
    if (latestUse?.payloadType === payloadType && modes === undefined) return latestUse
    const { call, direction } = stream
    const formats = call && direction ? call.formats[direction] : NO_FORMATS
    return (stream.latestUse = resolveCodec(payloadType, formats, this.config.g711_plc, modes))
  }

  onStreamEnd(slot: number): void {
    const stream = this.entries[slot]
    if (!stream) return
    this.entries[slot] = undefined
    this.seconds?.forget(slot)
    this.unbound.remove(stream.slot)
    this.emit(this.streamRecord(stream))
    for (const share of stream.shares) this.leave(share)
    this.leave(stream)
  }

  /** A stream that ended leaves what it counted with its call. */
  private leave(stream: StreamEntry): void {
    const { call, direction } = stream
    if (call && direction) {
      this.findings.onStreamLeft(stream)
      call.streams.delete(stream)
      if (stream.audio) call.directions[direction].finish(stream)
      if (!call.sip && call.streams.size === 0) this.close(call)
    }
    stream.giveBack()
  }

  /** Writes a call's record; streams that still run end with it. */
  private close(call: CallEntry): void {
    if (call.closed) return
    for (const stream of [...call.streams]) this.binder.release(stream)
    call.closed = true
    for (const direction of DIRECTIONS) {
      const scoring = this.scoringOf(call)
      let closed: ClosedInterval | undefined
      while ((closed = call.directions[direction].closeInterval(scoring)))
        this.emitInterval(call, direction, closed)
    }
    this.legs.beforeRecord(call)
    const record = callRecord(call, this.context(call))
    if (this.captureLosses?.sawNothingOf(record, call.sip)) {
      // Its record of before the restart stands.
      this.forget(call)
      return
    }
    record.findings = this.findings.close(call, record, { nowMs: this.nowMs, mediaOnTap: this.mediaOnTap })
    // Media that the mirror does not show is no broken call, and no good one; what is seen to be poor is.
    if (record.quality !== 'poor' && isHidden(record)) record.quality = 'unknown'
    this.counts.calls++
    this.counts.callsByState[record.state] = (this.counts.callsByState[record.state] ?? 0) + 1
    this.counts.callsByQuality[record.quality] = (this.counts.callsByQuality[record.quality] ?? 0) + 1
    this.emit(record)
    for (const observer of this.observers) observer.onCallClosed?.(call, record)
    this.forget(call)
  }

  private forget(call: CallEntry): void {
    if (call.rtcp) this.rtcpDiscards.add(call.rtcp.discards)
    for (const direction of DIRECTIONS) call.directions[direction].release()
    if (call.sip) {
      this.rememberLeftovers(call)
      this.claims.release(call)
      this.rtcpClaims.release(call)
      this.legs.onClosed(call)
      this.calls.delete(call.sip.key)
    }
  }

  private rememberLeftovers(call: CallEntry): void {
    const until = this.nowMs + LEFTOVER_MS
    for (const claim of call.claims) {
      const key = `${claim.address} ${claim.port}`
      this.leftovers.set(key, until)
      this.timers.at(until, (dueMs) => {
        if ((this.leftovers.get(key) ?? 0) <= dueMs) this.leftovers.delete(key)
      })
    }
  }

  /** An answered call without BYE whose media stopped long ago is over. */
  private checkIdle(call: CallEntry): void {
    if (call.closed || !call.sip || call.sip.endMs !== undefined) return
    const idleMs = this.config.timeouts.call_idle_s * 1000
    let last = Math.max(call.sip.lastMs, call.lastMediaMs)
    for (const stream of call.streams) last = Math.max(last, this.meter.lastSeen(stream.slot))
    if (this.nowMs - last < idleMs) {
      this.timers.at(last + idleMs, () => this.checkIdle(call))
      return
    }
    call.sip.state = 'timeout'
    this.close(call)
    this.tracker.expire(call.sip)
  }

  private context(call?: CallEntry): RecordContext {
    return {
      config: this.config,
      names: this.names,
      emergencyNumbers: this.emergencyNumbers,
      scoring: call ? this.scoringOf(call, true) : this.scoring,
      timestampSource: this.timestampSource,
      nowMs: this.nowMs,
      mediaOnTap: this.mediaOnTap,
      captureLosses: this.captureLosses,
      cutsMs: this.cutsMs,
    }
  }

  private emitInterval(
    call: CallEntry,
    direction: Direction,
    { startMs, endMs, fields, counts }: ClosedInterval,
  ): void {
    this.findings.onInterval(call, direction, counts, startMs)
    fields.type = 'interval'
    fields.schema = RECORD_SCHEMA
    fields.probe = this.config.probe
    fields.call_id = call.callId
    fields.direction = direction
    fields.start = rfc3339(startMs)
    fields.end = rfc3339(endMs)
    if (call.encrypted) fields.encrypted = true
    // What the receiver has reported so far, to be drawn beside what the tap saw.
    if (call.rtcp) Object.assign(fields, call.rtcp.fields(direction))
    if (this.namesPlaces) Object.assign(fields, placesOf(call, this.context()))
    // Its head is complete now.
    const record = fields as IntervalRecord
    this.emit(record)
    for (const observer of this.observers) observer.onIntervalClosed?.(call, direction, record, counts)
    giveBack(counts)
  }

  private streamRecord(stream: StreamEntry): StreamRecord {
    const { firstArrival } = stream
    const counts = stream.wholeTotals()
    const codecs = stream.wholeCodecs()
    const record = newDraft()
    record.type = 'stream'
    record.schema = RECORD_SCHEMA
    record.probe = this.config.probe
    const { recordedCall } = stream
    record.call_id = recordedCall?.callId
    record.direction = stream.recordedDirection
    record.start = rfc3339(Number.isNaN(counts.firstPacket) ? firstArrival : counts.firstPacket)
    record.end = rfc3339(Number.isNaN(counts.lastPacket) ? firstArrival : counts.lastPacket)
    record.source_address = stream.sourceAddress
    record.source_port = stream.sourcePort
    record.destination_address = stream.destinationAddress
    record.destination_port = stream.destinationPort
    if (stream.vlan >= 0) record.vlan = stream.vlan
    record.ssrc = stream.ssrcText
    record.stray = counts.stray
    fillCounts(record, counts, codecs, this.scoring)
    fillDistributions(record, counts)
    fillScores(record, counts, codecs, this.scoring)
    record.segments = counts.segments
    if (recordedCall?.encrypted) record.encrypted = true
    record.validity = streamValidity(stream, counts, this.context())
    // Its head is complete now.
    return record as StreamRecord
  }
}

function formatsOf(described: PartyMedia | undefined): PayloadFormat[] {
  return described?.media.flatMap((media) => media.formats) ?? []
}

function opposite(direction: Direction | undefined): Direction | undefined {
  return direction && (direction === 'from_caller' ? 'from_callee' : 'from_caller')
}

function isHidden({ findings }: CallRecord): boolean {
  return findings.some(({ code }) => code === 'mirror_one_direction')
}

function flowText({ ipVersion, source, destination, ...rest }: FlowEnds): StreamEnds {
  return {
    ...rest,
    sourceAddress: formatAddress(ipVersion, ...source),
    destinationAddress: formatAddress(ipVersion, ...destination),
  }
}
