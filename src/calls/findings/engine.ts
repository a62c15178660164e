import type { FindingThresholds } from '../../config/finding-thresholds.js'
import type { UnreachableDatagram } from '../../decode/icmp.js'
import type { MediaCounts } from '../../rtp/row.js'
import { heldMs } from '../../sip/holds.js'
import type { CallEntry } from '../call-entry.js'
import { establishedMs } from '../call-record.js'
import { DIRECTIONS, type CallRecord, type Direction, type Finding } from '../records.js'
import type { StreamEntry } from '../stream-entry.js'
import { CallWatch, isOrdinary } from './call-watch.js'
import type { CallEvidence, LegNote, MediaEvidence } from './evidence.js'
import { findingsOf } from './findings.js'
import { LegMemory, type LegEntry } from './leg-memory.js'
import { PathMemory } from './path-memory.js'
import { STOPPED_MS } from './thresholds.js'

/** What the correlator knows when a call closes. */
export interface ClosingContext {
  nowMs: number
  mediaOnTap: boolean
}

/** Sockets are opened about when the call is answered: ICMP errors before are no fault of it, nor those after BYE. */
const SOCKET_GRACE_MS = 200

/** Gathers what findings rest on while calls run, and makes them when a call's record is made. */
export class FindingsEngine {
  private readonly paths = new PathMemory()
  private readonly legs = new LegMemory()

  constructor(private readonly thresholds: FindingThresholds) {}

  /** A stream passed probation, whatever it belongs to. */
  onStream(stream: StreamEntry): void {
    this.paths.onMedia(stream.sourceAddress, stream.destinationAddress)
  }

  /** Media between two hosts that no stream was made of. */
  onFlow(sourceAddress: string, destinationAddress: string): void {
    this.paths.onMedia(sourceAddress, destinationAddress)
  }

  /** A stream leaves its call, totals still in it. */
  onStreamLeft(stream: StreamEntry): void {
    if (stream.call) (stream.call.watch ??= new CallWatch()).onStreamLeft(stream)
  }

  onInterval(call: CallEntry, direction: Direction, counts: MediaCounts, startMs: number): void {
    if (!call.watch && isOrdinary(counts)) return
    const watch = (call.watch ??= new CallWatch())
    if (!watch.knowsPtime(direction)) {
      const firstMs = call.directions[direction].totals()?.counts.firstPacket ?? NaN
      if (firstMs < startMs) watch.afterOrdinary(direction)
    }
    watch.onInterval(direction, counts, startMs)
  }

  /** Media of the call could not be delivered. */
  onUnreachable(call: CallEntry, direction: Direction, icmp: UnreachableDatagram, timeMs: number): void {
    const { sip } = call
    if (sip) {
      const upMs = establishedMs(sip)
      if (upMs === undefined || timeMs < upMs + SOCKET_GRACE_MS || sip.endMs !== undefined) return
    }
    call.watch ??= new CallWatch()
    call.watch.onUnreachable(direction, icmp, timeMs)
  }

  /** The call's record is complete but for its findings. */
  close(call: CallEntry, record: CallRecord, context: ClosingContext): Finding[] {
    const watch = call.watch ?? new CallWatch()
    call.watch = undefined
    const evidence = this.evidenceOf(call, record, watch, context)
    const findings = findingsOf(evidence)
    this.remember(evidence, findings)
    return findings
  }

  private evidenceOf(
    call: CallEntry,
    record: CallRecord,
    watch: CallWatch,
    context: ClosingContext,
  ): CallEvidence {
    const { sip } = call
    const upMs = sip && establishedMs(sip)
    const endMs = sip?.byeMs ?? sip?.endMs ?? context.nowMs
    const media = {
      from_caller: mediaEvidence(call, record, watch, 'from_caller'),
      from_callee: mediaEvidence(call, record, watch, 'from_callee'),
    }
    const talkMs = sip && upMs !== undefined ? Math.max(0, endMs - upMs - heldMs(sip.holds, upMs, endMs)) : 0
    const stats = this.paths.statsOf(record)
    const stoppedS = upMs === undefined ? undefined : stoppedAfterS(media, upMs, endMs)
    const evidence: CallEvidence = {
      record,
      sip,
      media,
      establishedMs: upMs,
      endMs,
      talkMs,
      mediaOnTap: context.mediaOnTap,
      path: {
        callsBothWays: stats.bothWays,
        callsOneWay: stats.oneWay,
        pairsBothWays: this.paths.pairsBothWays,
        pairsOneWay: this.paths.pairsOneWay,
        stoppedAlike: stoppedS === undefined ? 0 : this.paths.stoppedAlike(record, stoppedS),
        otherLegs: this.legsOf(call, media, context.nowMs),
      },
      thresholds: this.thresholds,
    }
    return evidence
  }

  /** Finds this call's other legs, and leaves it for theirs. */
  private legsOf(call: CallEntry, media: CallEvidence['media'], nowMs: number): LegNote[] {
    const byeMs = call.sip?.byeMs
    if (!call.leg || byeMs === undefined) return []
    const leg: LegEntry = { callId: call.callId, leg: call.leg, media: {}, byeMs, closedMs: nowMs }
    for (const direction of DIRECTIONS) {
      const { packets, record: fields } = media[direction]
      if (packets > 0) leg.media[direction] = { codec: fields?.codec, dscp: fields?.dscp, packets }
    }
    const found = this.legs.find(leg)
    this.legs.add(leg)
    return found
  }

  private remember({ record, media, establishedMs: upMs, endMs }: CallEvidence, findings: Finding[]): void {
    const { from_caller, from_callee } = media
    const bothWays = from_caller.packets > 0 && from_callee.packets > 0
    const oneWay = findings.some(({ code }) => code === 'one_way_audio')
    const stopped = findings.some(({ code }) => code === 'media_stopped')
    const afterS = stopped && upMs !== undefined ? stoppedAfterS(media, upMs, endMs) : undefined
    this.paths.add(record, bothWays, oneWay, afterS)
  }
}

/** When the first of the directions stopped, seconds after the answer; undefined when both lasted. */
function stoppedAfterS(media: CallEvidence['media'], upMs: number, endMs: number): number | undefined {
  let earliest: number | undefined
  for (const direction of DIRECTIONS) {
    const { lastMs, packets } = media[direction]
    if (packets > 0 && endMs - lastMs >= STOPPED_MS && (earliest === undefined || lastMs < earliest))
      earliest = lastMs
  }
  return earliest === undefined ? undefined : (earliest - upMs) / 1000
}

function mediaEvidence(
  call: CallEntry,
  record: CallRecord,
  watch: CallWatch,
  direction: Direction,
): MediaEvidence {
  const sender = direction === 'from_caller' ? 'caller' : 'callee'
  const receiver = sender === 'caller' ? 'callee' : 'caller'
  const fields = record.media[direction]
  const { counts, codecs } = call.directions[direction].totals() ?? { counts: undefined, codecs: [] }
  const { rtcp } = call
  return {
    direction,
    sender,
    receiver,
    record: fields,
    packets: fields?.packets ?? 0,
    expected: fields?.expected,
    firstMs: counts?.firstPacket ?? NaN,
    lastMs: counts?.lastPacket ?? NaN,
    spanDuplicates: counts?.spanDuplicates ?? 0,
    eventPackets: counts?.eventPackets ?? 0,
    noisePackets: counts?.noisePackets ?? 0,
    codecs,
    streams: watch.streams.filter((stream) => stream.direction === direction),
    timing: watch.timing?.[direction],
    unreachable: watch.unreachable?.[direction],
    rtcpFromSender: rtcp?.compoundsFrom[sender] ?? 0,
    rtcpFromReceiver: rtcp?.compoundsFrom[receiver] ?? 0,
    beyondTap: rtcp?.lossBeyondTap(direction),
    senderProof: rtcp?.senderProof(direction),
    // What the probe did not measure was not lost.
    unseen: call.withoutRoom.includes(direction) ? undefined : rtcp?.unseen[direction],
  }
}
