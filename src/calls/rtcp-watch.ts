import type { ReportBlock, RtcpCompound, RtcpPacket } from '../rtcp/packets.js'
import type { StreamStart } from '../rtcp/report-span.js'
import { RttMeter, type RttSample } from '../rtcp/rtt.js'
import { FarEndView, type FarEndSummary } from '../rtcp/view.js'
import type { Party } from '../sip/call.js'
import type { Direction, MediaFields } from './records.js'
import type { RtcpDiscard } from './rtcp-discards.js'
import { RttSeries } from './rtt-series.js'
import { XrReports, type XrFields } from './xr-fields.js'

/** The other leg's sample may be this old for an end-to-end round trip (DESIGN: section 2, rtt). */
const OTHER_LEG_MS = 15_000
/** SSRCs per direction whose reports are followed. */
const MOST_SSRCS = 16
/** More packets than this between two reports of a sender are another count, not media. */
const MOST_BETWEEN_REPORTS = 100_000

/** RFC 3550 A.1 MAX_MISORDER: sequence numbers that may be swapped around a report. */
const MOST_MISORDERED = 100

/** What the tap knows of a stream when a report about it passes. */
export interface TapState {
  /** Loss by gaps in the sequence, so far. */
  lost: number
  /** Highest sequence number so far, 16 bits. */
  highest: number
  /** The stream's first packet, when its start was seen. */
  start?: StreamStart
  clockRateHz: number
}

/** The tap's state of a stream of a direction, undefined when the call has none with that SSRC. */
export type TapStateOf = (direction: Direction, ssrc: number) => TapState | undefined

interface WatchedSsrc {
  view: FarEndView
  /** At the last report: what RTCP and the tap had counted. Signed, as reported. */
  rtcpLost?: number
  tapLost?: number
  /** At the sender's last report: its packet count, and the tap's state then. */
  sentBefore?: { packets: number; highest: number; lost: number }
  /** Between the sender's reports: packets that it sent, and those that passed the tap. */
  sent: number
  arrived: number
  /** By its last report it sends nothing any more: an RR, or an SR with the count of the one before. */
  idle: boolean
}

/** What RTCP says of a direction of which the tap has no media (or none of that SSRC). */
export interface UnseenMedia {
  /** Report blocks of the receiver: it got packets that the tap did not see. */
  receiverReports: number
  /** Sender reports of the sender, and the packets that it counted from the first to the last of them. */
  senderReports: number
  packetsSent: number
}

/** Between a sender's reports: what it sent, and what of that passed the tap. */
export interface SenderProof {
  sent: number
  arrived: number
  /** By its last report it sends nothing any more. */
  idle: boolean
}

/** As of the last report: losses that both saw, that only the receiver saw, and that only the tap saw. */
export interface LossBeyondTap {
  beforeTap: number
  afterTap: number
  mirror: number
}

/** The far ends' view of one call: their reports about each direction, and round trips on both legs. */
export class RtcpWatch {
  readonly rtt = new RttMeter()
  readonly legs: Record<Party, RttSeries> = { caller: new RttSeries(), callee: new RttSeries() }
  readonly endToEnd = new RttSeries()
  private readonly watched: Record<Direction, Map<number, WatchedSsrc>> = {
    from_caller: new Map(),
    from_callee: new Map(),
  }
  private readonly xr: Partial<Record<Direction, XrReports>> = {}
  encrypted = false
  /** Reports about streams that this call does not have: rewritten by something in between, or stale. */
  foreignReports = 0
  /** Compounds seen of each party. */
  readonly compoundsFrom: Record<Party, number> = { caller: 0, callee: 0 }
  readonly unseen: Partial<Record<Direction, UnseenMedia>> = {}
  private unseenCounts?: Map<number, number>

  /** @param sender whose compound it is */
  onCompound(compound: RtcpCompound, sender: Party, timeMs: number, tapState: TapStateOf): void {
    this.compoundsFrom[sender]++
    if (compound.encrypted) this.encrypted = true
    for (const packet of compound.packets) this.onPacket(packet, sender, timeMs, tapState)
  }

  private onPacket(packet: RtcpPacket, sender: Party, timeMs: number, tapState: TapStateOf): void {
    // A party reports on what it receives: what the other one sent.
    const received: Direction = sender === 'caller' ? 'from_callee' : 'from_caller'
    const sent: Direction = sender === 'caller' ? 'from_caller' : 'from_callee'
    if (packet.type === 'sr' && packet.sender) {
      this.rtt.onSenderReport(packet.ssrc, packet.sender.ntpMiddle32, timeMs)
      const watched = this.watch(sent, packet.ssrc, tapState)
      watched?.view.onSenderInfo(packet.sender, timeMs)
      if (watched) noteSent(watched, packet.sender.packetCount, tapState(sent, packet.ssrc))
      else this.noteUnseenSender(sent, packet.ssrc, packet.sender.packetCount)
    }
    if (packet.type === 'rr') {
      // Who has sent within its last two intervals sends SR (RFC 3550 6.4).
      const watched = this.watched[sent].get(packet.ssrc)
      if (watched) watched.idle = true
    }
    if (packet.type === 'sr' || packet.type === 'rr') {
      for (const report of packet.reports)
        this.onReport(report, packet.ssrc, sender, received, timeMs, tapState)
    }
    if (packet.type !== 'xr') return
    for (const block of packet.blocks) {
      if (block.type === 'receiver_reference_time') {
        this.rtt.onReceiverReferenceTime(packet.ssrc, block.ntpMiddle32, timeMs)
      } else if (block.type === 'dlrr') {
        for (const { ssrc, lrr, dlrr } of block.reports) {
          this.sample(this.rtt.onDlrr(packet.ssrc, ssrc, lrr, dlrr, timeMs), sender)
        }
      } else if ('ssrc' in block) {
        const watched = this.watch(received, block.ssrc, tapState)
        if (!watched) continue
        watched.view.onXrBlock(block, timeMs)
        const reports = (this.xr[received] ??= new XrReports())
        reports.onBlock(block, timeMs, watched.view.clockRate ?? 0)
      }
    }
  }

  private onReport(
    report: ReportBlock,
    reporterSsrc: number,
    sender: Party,
    received: Direction,
    timeMs: number,
    tapState: TapStateOf,
  ): void {
    // The round trip needs the SR that passed, not the media.
    this.sample(this.rtt.onReportBlock(reporterSsrc, report.ssrc, report.lsr, report.dlsr, timeMs), sender)
    const watched = this.watch(received, report.ssrc, tapState)
    if (!watched) {
      // A block about a source of which nothing came says that all was lost (RFC 3550 6.4.1).
      if (report.fractionLost < 255) this.unseenOf(received).receiverReports++
      return
    }
    watched.view.onReportBlock(reporterSsrc, report, timeMs)
    watched.rtcpLost = report.cumulativeLost
    watched.tapLost = tapState(received, report.ssrc)?.lost
  }

  /** The view of an SSRC that the call has a stream of in this direction. */
  private watch(direction: Direction, ssrc: number, tapState: TapStateOf): WatchedSsrc | undefined {
    const known = this.watched[direction].get(ssrc)
    const tap = tapState(direction, ssrc)
    if (!known && (!tap || this.watched[direction].size >= MOST_SSRCS)) {
      this.foreignReports++
      return undefined
    }
    const watched = known ?? { view: new FarEndView(), sent: 0, arrived: 0, idle: false }
    if (!known) this.watched[direction].set(ssrc, watched)
    if (tap) {
      if (tap.clockRateHz > 0) watched.view.clockRate = tap.clockRateHz
      watched.view.start ??= tap.start
    }
    return watched
  }

  private sample(sample: RttSample | undefined, sender: Party): void {
    if (!sample) return
    const other = this.legs[sender === 'caller' ? 'callee' : 'caller']
    this.legs[sender].add(sample.rttMs, sample.timeMs)
    if (sample.timeMs - other.latestMs <= OTHER_LEG_MS) {
      this.endToEnd.add(sample.rttMs + other.latest, sample.timeMs)
    }
  }

  /** Reports of which nothing came, by reason. */
  get discards(): Partial<Record<RtcpDiscard, number>> {
    const { counters } = this.rtt
    return {
      reports_about_others: this.foreignReports,
      round_trips_negative: counters.negative,
      round_trips_implausible: counters.implausible,
      round_trips_without_reference: counters.zeroReference,
      round_trips_of_unknown_reference: counters.unknownReference,
      round_trips_too_old: counters.tooOld,
      round_trips_repeated: counters.repeatedReports,
    }
  }

  private unseenOf(direction: Direction): UnseenMedia {
    return (this.unseen[direction] ??= { receiverReports: 0, senderReports: 0, packetsSent: 0 })
  }

  private noteUnseenSender(direction: Direction, ssrc: number, packets: number): void {
    const unseen = this.unseenOf(direction)
    unseen.senderReports++
    const counts = (this.unseenCounts ??= new Map())
    const before = counts.get(ssrc)
    if (before === undefined && counts.size >= MOST_SSRCS) return
    counts.set(ssrc, packets)
    const sent = before === undefined ? 0 : (packets - before) | 0
    if (sent > 0 && sent < MOST_BETWEEN_REPORTS) unseen.packetsSent += sent
  }

  /** undefined without two reports of the direction's sender. */
  senderProof(direction: Direction): SenderProof | undefined {
    const proof = { sent: 0, arrived: 0, idle: true }
    for (const { sent, arrived, idle } of this.watched[direction].values()) {
      proof.sent += sent
      proof.arrived += arrived
      proof.idle &&= idle
    }
    return proof.sent > 0 ? proof : undefined
  }

  /** undefined before any report about the direction. */
  lossBeyondTap(direction: Direction): LossBeyondTap | undefined {
    let beyond: LossBeyondTap | undefined
    for (const { rtcpLost, tapLost } of this.watched[direction].values()) {
      if (rtcpLost === undefined || tapLost === undefined) continue
      beyond ??= { beforeTap: 0, afterTap: 0, mirror: 0 }
      // Duplicates make the reported count negative: then it says nothing of loss.
      beyond.afterTap += Math.max(0, rtcpLost - tapLost)
      beyond.mirror += rtcpLost < 0 ? 0 : Math.max(0, tapLost - rtcpLost)
      beyond.beforeTap += rtcpLost < 0 ? tapLost : Math.min(tapLost, rtcpLost)
    }
    return beyond
  }

  /** What the receiver's XR blocks say of a direction. */
  xrFields(direction: Direction): XrFields | undefined {
    return this.xr[direction]?.fields()
  }

  /** What the far end reported of a direction, beside the tap's numbers. */
  fields(direction: Direction): Partial<MediaFields> {
    const summaries: FarEndSummary[] = []
    for (const { view } of this.watched[direction].values()) summaries.push(view.summary())
    const reported = summaries.filter((summary) => summary.expected !== undefined)
    const fields: Partial<MediaFields> = {}
    if (reported.length > 0) {
      const expected = reported.reduce((sum, summary) => sum + (summary.expected ?? 0), 0)
      fields.rtcp_lost = reported.reduce((sum, summary) => sum + (summary.lost ?? 0), 0)
      fields.rtcp_loss_percent = expected > 0 ? (100 * fields.rtcp_lost) / expected : undefined
    }
    const jitter = summaries.filter((summary) => summary.jitterMeanMs !== undefined)
    if (jitter.length > 0) {
      const reports = jitter.reduce((sum, summary) => sum + summary.reports, 0)
      fields.rtcp_jitter_ms =
        jitter.reduce((sum, summary) => sum + (summary.jitterMeanMs ?? 0) * summary.reports, 0) / reports
    }
    const latest = summaries.reduce<FarEndSummary | undefined>(
      (best, summary) => ((summary.endpoint?.timeMs ?? -1) > (best?.endpoint?.timeMs ?? -1) ? summary : best),
      undefined,
    )?.endpoint
    fields.rtcp_mos_lq = latest?.mosLq
    fields.rtcp_mos_cq = latest?.mosCq
    return fields
  }
}

/** Compares what the sender counted since its last report with what passed the tap since then. */
function noteSent(watched: WatchedSsrc, packets: number, tap: TapState | undefined): void {
  const before = watched.sentBefore
  if (!before) {
    if (tap) watched.sentBefore = { packets, highest: tap.highest, lost: tap.lost }
    return
  }
  const { highest, lost } = tap ?? before
  watched.sentBefore = { packets, highest, lost }
  const sent = (packets - before.packets) | 0
  const expected = (highest - before.highest) & 0xffff
  // A count that began anew, on either side.
  if (sent < 0 || sent > MOST_BETWEEN_REPORTS || expected > 2 * sent + MOST_MISORDERED) return
  watched.idle = sent === 0 && expected === 0
  watched.sent += sent
  watched.arrived += Math.max(0, expected - Math.max(0, lost - before.lost))
}
