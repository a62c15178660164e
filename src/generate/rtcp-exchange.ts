import { arrivalOrder, type ArrivalOrder, sightingMs } from './impairments.js'
import { AFTER_JUMP, KIND_AUDIO, LOST_AFTER_TAP, LOST_BEFORE_TAP } from './packet-list.js'
import {
  bye,
  compound,
  middle32,
  report,
  type ReportBlock,
  sdes,
  type SenderInfo,
  voipMetrics,
} from './rtcp-packet.js'
import { payloadLength } from './rtp-packet.js'
import type { DirectionSpec, RtcpSpec, Side } from './scenario.js'
import type { Sender } from './sender.js'

/** One end of an RTCP session. Times are of the tap. */
export interface RtcpEnd {
  side: Side
  sender: Sender
  spec: DirectionSpec
  cname: string
  /** Tap to this end and back, ms; one per report in turn. */
  legRttMs: number[]
  startMs: number
  endMs: number
}

export interface RtcpMessage {
  /** At the tap. */
  timeMs: number
  from: Side
  bytes: Uint8Array
  /** Set when it has VoIP metrics. */
  xr?: RtcpSpec['xr']
}

/** What a tap can compute: report's time minus the SR's time minus DLSR = the leg between tap and reporter. */
export interface RttSample {
  timeMs: number
  leg: Side
  rttMs: number
}

/** 2/65536 s: the least DLSR step that is also a whole number of 2^-12 ms, so that the tap's sum is exact. */
const DLSR_STEP_MS = 2000 / 65536

/** Receiver statistics of RFC 3550 A.1, A.3 and A.8, over what one end has received. */
class Receiver {
  private readonly order: ArrivalOrder
  private position = 0
  private segment = -1
  private baseExtended = 0
  private highest = 0
  private received = 0
  private expectedPrior = 0
  private receivedPrior = 0
  private jitter = 0
  private transit: number | null = null

  constructor(private readonly peer: RtcpEnd) {
    const copies = peer.spec.duplicates?.kind === 'network'
    const afterMs = peer.spec.duplicates?.after_ms ?? 0
    this.order = arrivalOrder(peer.sender.packets, LOST_BEFORE_TAP | LOST_AFTER_TAP, copies, afterMs)
  }

  /** Takes in what had passed the tap by `tapMs`. */
  advance(tapMs: number): void {
    const list = this.peer.sender.packets
    for (; this.position < this.order.codes.length; this.position++) {
      const code = this.order.codes[this.position]
      const timeMs = sightingMs(list, this.order, code)
      if (timeMs > tapMs) return
      this.receive(code >>> 1, timeMs)
    }
  }

  private receive(index: number, timeMs: number): void {
    const { packets, segments } = this.peer.sender
    const segment = packets.segment[index]
    if (segment < this.segment) return
    const extended = packets.extended[index]
    if (segment > this.segment) {
      this.segment = segment
      this.baseExtended = this.highest = extended
      this.received = this.expectedPrior = this.receivedPrior = this.jitter = 0
      this.transit = null
    }
    this.received++
    if (extended < this.highest || packets.kind[index] !== KIND_AUDIO) return
    this.highest = extended
    const clock = segments[segment].clockRateHz
    const transit = timeMs - packets.mediaMs[index]
    if (packets.has(index, AFTER_JUMP)) this.transit = null
    if (this.transit !== null)
      this.jitter += (Math.abs(transit - this.transit) * (clock / 1000) - this.jitter) / 16
    this.transit = transit
  }

  lossRate(): number {
    const expected = this.highest - this.baseExtended + 1
    return Math.max(0, Math.min(255, Math.floor(((expected - this.received) * 256) / expected)))
  }

  block(lsr: number, dlsr: number): ReportBlock | null {
    if (this.segment < 0) return null
    const expected = this.highest - this.baseExtended + 1
    const expectedNow = expected - this.expectedPrior
    const lostNow = expectedNow - (this.received - this.receivedPrior)
    this.expectedPrior = expected
    this.receivedPrior = this.received
    return {
      ssrc: this.peer.sender.segments[this.segment].ssrc,
      fractionLost:
        expectedNow > 0 && lostNow > 0 ? Math.min(255, Math.floor((lostNow * 256) / expectedNow)) : 0,
      cumulativeLost: expected - this.received,
      extendedHighest: this.highest >>> 0,
      jitter: Math.floor(this.jitter),
      lsr,
      dlsr,
    }
  }
}

/** One end's reports: counts what it sent, remembers the SR that it last saw. */
class Reporter {
  readonly receiver: Receiver
  count = 0
  /** The peer's latest SR: its NTP middle bits and when it passed the tap. */
  heard: { lsr: number; tapMs: number } | null = null
  private sent = 0
  private segmentPackets = 0
  private segmentOctets = 0

  constructor(
    readonly end: RtcpEnd,
    peer: RtcpEnd,
  ) {
    this.receiver = new Receiver(peer)
  }

  nextRttMs(): number {
    return this.end.legRttMs[this.count % this.end.legRttMs.length]
  }

  ssrc(): number {
    const { packets, segments } = this.end.sender
    return segments[this.sent > 0 ? packets.segment[this.sent - 1] : 0].ssrc
  }

  /** Sender info when something was sent since the last report. */
  senderInfo(sentAtMs: number, tapMs: number): SenderInfo | null {
    const { sender, spec } = this.end
    const { packets, segments } = sender
    const before = this.sent
    for (; this.sent < packets.length && packets.sentMs[this.sent] <= tapMs; this.sent++) {
      const i = this.sent
      if (i > 0 && segments[packets.segment[i]].ssrc !== segments[packets.segment[i - 1]].ssrc)
        this.segmentPackets = this.segmentOctets = 0
      this.segmentPackets++
      this.segmentOctets += payloadLength(sender, i, spec)
    }
    if (this.sent === before) return null
    const last = this.sent - 1
    const clock = segments[packets.segment[last]].clockRateHz * (1 + (spec.skew_ppm ?? 0) * 1e-6)
    const since = Math.round(((tapMs - packets.sentMs[last]) * clock) / 1000)
    return {
      timeMs: sentAtMs,
      rtpTimestamp: (packets.timestamp[last] + since) >>> 0,
      packets: this.segmentPackets,
      octets: this.segmentOctets,
    }
  }
}

/**
 * Runs an RTCP session between two ends. Each end reports every `interval_s`; a report answers the peer's latest SR with
 * a DLSR that makes the tap's round-trip time equal `legRttMs` (exactly, when that is a multiple of 2^-11 ms).
 */
export function exchangeReports(
  ends: [RtcpEnd, RtcpEnd],
  spec: RtcpSpec,
): { messages: RtcpMessage[]; rtts: RttSample[] } {
  const reporters = [new Reporter(ends[0], ends[1]), new Reporter(ends[1], ends[0])]
  const intervalMs = (spec.interval_s ?? 5) * 1000
  const messages: RtcpMessage[] = []
  const rtts: RttSample[] = []
  const turns = ends.flatMap((end, who) => {
    const times: { who: number; tapMs: number; last: boolean }[] = []
    const firstMs = end.startMs + (who === 0 ? intervalMs : intervalMs / 2)
    for (let tapMs = firstMs; tapMs < end.endMs; tapMs += intervalMs) times.push({ who, tapMs, last: false })
    if (spec.bye) times.push({ who, tapMs: end.endMs, last: true })
    return times
  })
  turns.sort((a, b) => a.tapMs - b.tapMs)
  for (const turn of turns) {
    const reporter = reporters[turn.who]
    const peer = reporters[1 - turn.who]
    const { end, heard } = reporter
    const rttMs = reporter.nextRttMs()
    // The report leaves half a round trip before it passes the tap; the SR arrived half a round trip after it did.
    let tapMs = turn.tapMs
    let dlsr = 0
    const steps = heard ? Math.floor((tapMs - rttMs - heard.tapMs) / DLSR_STEP_MS) : -1
    if (heard && steps >= 0) {
      dlsr = steps * 2
      tapMs = heard.tapMs + rttMs + steps * DLSR_STEP_MS
      rtts.push({ timeMs: tapMs, leg: end.side, rttMs })
    }
    const sentAtMs = tapMs - rttMs / 2
    reporter.receiver.advance(tapMs - rttMs)
    const block = reporter.receiver.block(heard && steps >= 0 ? heard.lsr : 0, dlsr)
    const info = reporter.senderInfo(sentAtMs, tapMs)
    const ssrc = reporter.ssrc()
    const parts = [report(ssrc, info, block ? [block] : [])]
    if (spec.sdes !== false) parts.push(sdes(ssrc, end.cname))
    const scores = typeof spec.xr === 'object' ? spec.xr : {}
    if (spec.xr && block)
      parts.push(
        voipMetrics(ssrc, {
          ssrc: block.ssrc,
          lossRate: reporter.receiver.lossRate(),
          roundTripMs: rttMs + peer.nextRttMs(),
          rFactor: scores.r_factor,
          mosLq: scores.mos_lq,
          mosCq: scores.mos_cq,
        }),
      )
    if (turn.last) parts.push(bye(ssrc))
    messages.push({ timeMs: tapMs, from: end.side, bytes: compound(parts), xr: block ? spec.xr : undefined })
    reporter.count++
    if (info) peer.heard = { lsr: middle32(sentAtMs), tapMs }
  }
  return { messages, rtts }
}
