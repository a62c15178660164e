import type { CallEntry } from '../calls/call-entry.js'
import type { CallObserver } from '../calls/observer.js'
import { modePlaces, type ModePlaces } from '../calls/payload-mode.js'
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
  /** What of the payload replay looks into: modes of AMR, the bandwidth of Opus and EVS. */
  modes: ModePlaces
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

/** A stream that a call has now; without a window when the call is not wanted. */
interface Held {
  flow?: CallFlow
  window?: MediaWindow
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
  private readonly held = new Map<CallEntry, Map<StreamEntry, Held>>()
  private readonly holders = new WeakMap<StreamEntry, CallEntry>()
  /** Streams that a call has left, and when. */
  private readonly left = new WeakMap<StreamEntry, number>()
  private nowMs = -Infinity

  constructor(private readonly isWanted: (callId: string) => boolean) {}

  onTime(timeMs: number): void {
    this.nowMs = timeMs
  }

  onStream(call: CallEntry, _direction: Direction, stream: StreamEntry): void {
    this.leave(stream)
    this.holders.set(stream, call)
    let streams = this.held.get(call)
    if (!streams) this.held.set(call, (streams = new Map()))
    const held: Held = {}
    streams.set(stream, held)
    if (!this.isWanted(call.callId)) return
    const { sourceAddress, sourcePort, destinationAddress, destinationPort } = stream
    const ends = flowEnds(sourceAddress, sourcePort, destinationAddress, destinationPort)
    if (!ends) return
    held.flow = this.flows.at(ends, newFlow)
    held.window = {
      ssrc: stream.ssrc,
      fromMs: this.left.get(stream) ?? stream.firstArrival,
      toMs: Infinity,
      modes: { payloadTypes: new Set(), bytes: 0 },
    }
    held.flow.media.push(held.window)
    this.streams++
  }

  /** SDP that came late moves all of a stream to its call; a call that is over keeps what it had. */
  private leave(stream: StreamEntry): void {
    const before = this.holders.get(stream)
    const streams = before && this.held.get(before)
    const held = streams?.get(stream)
    if (!before || !streams || !held) return
    streams.delete(stream)
    const { flow, window } = held
    if (before.sip?.endMs !== undefined) {
      this.left.set(stream, this.nowMs)
      if (window) window.toMs = Math.min(window.toMs, this.nowMs)
    } else if (flow && window) flow.media.splice(flow.media.indexOf(window), 1)
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
    const modes = modePlaces(formats)
    for (const [stream, { flow, window }] of this.held.get(call) ?? []) {
      this.left.set(stream, endMs === Infinity ? this.nowMs : endMs)
      if (!flow || !window) continue
      window.toMs = Math.min(window.toMs, endMs)
      window.modes = modes
      flow.fromMs = Math.min(flow.fromMs, window.fromMs)
      flow.toMs = Math.max(flow.toMs, window.toMs)
    }
    this.held.delete(call)
  }
}

/** Call-IDs that are remembered for the message that a wanted one is not there. */
const MOST_SEEN = 10_000

function newFlow(): CallFlow {
  return { media: [], rtcp: new Set(), fromMs: Infinity, toMs: -Infinity }
}
