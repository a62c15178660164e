import type { CallEntry } from '../calls/call-entry.js'
import type { CallObserver } from '../calls/observer.js'
import { hasPayloadMode } from '../calls/payload-mode.js'
import type { CallRecord, Direction } from '../calls/records.js'
import type { RtcpEnds } from '../calls/rtcp-claims.js'
import type { StreamEntry } from '../calls/stream-entry.js'
import type { RtcpCompound } from '../rtcp/packets.js'
import type { Party } from '../sip/call.js'
import { flowEnds, FlowTable } from './flow-key.js'

/** Media this long after a call's end are its own: as the correlator counts them. */
const TAIL_MS = 2000.001

/** When packets of one SSRC in a flow belong to a wanted call, ms since the epoch. */
export interface MediaWindow {
  ssrc: number
  fromMs: number
  toMs: number
  /** Bytes of payload that replay looks into: modes of AMR, the bandwidth of Opus. */
  payloadBytes: number
}

/** What belongs to the wanted calls between two ends. */
export interface CallFlow {
  media: MediaWindow[]
  /** Arrival of each RTCP packet. */
  rtcp: Set<number>
  /** All of it together, for what is said about the flow (ICMP). */
  fromMs: number
  toMs: number
}

interface OpenWindow {
  call: CallEntry
  flow: CallFlow
  window: MediaWindow
}

/** Learns from the probe which media and RTCP belong to the wanted calls. */
export class MediaCollector implements CallObserver {
  readonly flows = new FlowTable<CallFlow>()
  /** Call records of the wanted calls. */
  readonly calls: CallRecord[] = []
  /** Call-IDs seen, wanted or not; the first so many. */
  readonly seen: string[] = []
  seenCalls = 0
  streams = 0
  private readonly open = new Map<StreamEntry, OpenWindow>()
  /** Streams that a call has left, and when. */
  private readonly left = new WeakMap<StreamEntry, number>()
  private nowMs = -Infinity

  constructor(private readonly isWanted: (callId: string) => boolean) {}

  onTime(timeMs: number): void {
    this.nowMs = timeMs
  }

  onStream(call: CallEntry, _direction: Direction, stream: StreamEntry): void {
    const before = this.open.get(stream)
    const ended = before?.call.sip?.endMs !== undefined
    if (before) {
      this.open.delete(stream)
      // SDP that came late moves all of a stream; a call that is over keeps what it had.
      if (ended) before.window.toMs = Math.min(before.window.toMs, this.nowMs)
      else before.flow.media.splice(before.flow.media.indexOf(before.window), 1)
    }
    const leftMs = ended ? this.nowMs : this.left.get(stream)
    if (!this.isWanted(call.callId)) return
    const ends = flowEnds(
      stream.sourceAddress,
      stream.sourcePort,
      stream.destinationAddress,
      stream.destinationPort,
    )
    if (!ends) return
    const flow = this.flows.at(ends, newFlow)
    const window: MediaWindow = {
      ssrc: stream.ssrc,
      fromMs: leftMs ?? stream.firstArrival,
      toMs: Infinity,
      payloadBytes: 0,
    }
    flow.media.push(window)
    this.streams++
    this.open.set(stream, { call, flow, window })
  }

  onRtcp(call: CallEntry, _sender: Party, _compound: RtcpCompound, timeMs: number, ends: RtcpEnds): void {
    if (!this.isWanted(call.callId)) return
    const flow = flowEnds(ends.sourceAddress, ends.sourcePort, ends.destinationAddress, ends.destinationPort)
    if (!flow) return
    const found = this.flows.at(flow, newFlow)
    found.rtcp.add(timeMs)
    found.fromMs = Math.min(found.fromMs, timeMs)
    found.toMs = Math.max(found.toMs, timeMs)
  }

  onCallClosed(call: CallEntry, record: CallRecord): void {
    this.seenCalls++
    const wanted = this.isWanted(record.call_id)
    if (wanted) this.calls.push(record)
    else if (this.seen.length < MOST_SEEN) this.seen.push(record.call_id)
    const endMs = call.sip?.endMs === undefined ? Infinity : call.sip.endMs + TAIL_MS
    const formats = [...call.formats.from_caller, ...call.formats.from_callee]
    const payloadBytes = formats.some((format) => hasPayloadMode(format.encoding)) ? 2 : 0
    for (const [stream, { call: holder, flow, window }] of this.open) {
      if (holder !== call) continue
      this.open.delete(stream)
      this.left.set(stream, endMs === Infinity ? this.nowMs : endMs)
      window.toMs = Math.min(window.toMs, endMs)
      window.payloadBytes = payloadBytes
      flow.fromMs = Math.min(flow.fromMs, window.fromMs)
      flow.toMs = Math.max(flow.toMs, window.toMs)
    }
  }
}

/** Call-IDs that are remembered for the message that a wanted one is not there. */
const MOST_SEEN = 10_000

function newFlow(): CallFlow {
  return { media: [], rtcp: new Set(), fromMs: Infinity, toMs: -Infinity }
}
