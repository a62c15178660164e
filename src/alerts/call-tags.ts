import { traitsOf, type GroupValue } from '../aggregates/finding-calls.js'
import type { CallEntry } from '../calls/call-entry.js'
import { placesOf, type PlaceContext } from '../calls/places.js'
import type { CallRecord, Direction, IntervalRecord } from '../calls/records.js'
import { sipRoundTripMs } from '../calls/sip-round-trip.js'
import type { StreamEntry } from '../calls/stream-entry.js'
import type { Config } from '../config/config.js'
import { NameMap } from '../config/networks.js'
import type { AffectedCall } from './bad-sample.js'
import { WatchedStream, type StreamOwner } from './stream-watch.js'
import { pathOf, type AlertTags } from './tags.js'

type Places = ReturnType<typeof placesOf>

type StreamsOfCall = Partial<Record<Direction, WatchedStream>>

/** Names calls, their directions and paths for the rules. Looked up once per call and direction. */
export class CallTagger {
  private places!: PlaceContext
  private assumedDelayMs = 0
  private readonly streams = new WeakMap<CallEntry, StreamsOfCall>()

  constructor(config: Config) {
    this.reconfigure(config)
  }

  /** Streams that are on keep the names that they have. */
  reconfigure(config: Config): void {
    this.places = { config, names: new NameMap(config) }
    this.assumedDelayMs = config.assumed_network_delay_ms
  }

  /** The watched direction that a stream belongs to; a change of codec begins it anew. */
  streamOf(
    call: CallEntry,
    direction: Direction,
    stream: StreamEntry,
    codec: string | undefined,
  ): WatchedStream {
    let known = this.streams.get(call)
    if (!known) this.streams.set(call, (known = {}))
    const before = known[direction]
    const other = known[direction === 'from_caller' ? 'from_callee' : 'from_caller']
    if (before && (codec === undefined || before.tags.codec === codec)) return before
    const tags = {
      ...this.tagsOf(placesOf(call, this.places), direction, stream.sourceAddress, stream.destinationAddress),
      codec,
    }
    // Both directions are one call.
    const owner = before?.owner ?? other?.owner ?? ownerOf(call, stream, tags)
    const watched = new WatchedStream(owner, tags)
    known[direction] = watched
    return watched
  }

  knownStream(call: CallEntry, direction: Direction): WatchedStream | undefined {
    return this.streams.get(call)?.[direction]
  }

  /** One way, without packet time, codec and buffer: as the call's records have it. */
  networkDelayMs(call: CallEntry): number {
    const rtt = call.rtcp?.endToEnd
    if (rtt !== undefined && rtt.count > 0) return rtt.latest / 2
    const sipRttMs = call.sip && sipRoundTripMs(call.sip)
    return sipRttMs === undefined ? this.assumedDelayMs : sipRttMs / 2
  }

  directionTags(call: CallEntry, direction: Direction, record: IntervalRecord): AlertTags {
    const known = this.streams.get(call)?.[direction]
    if (known) return known.tags.codec === record.codec ? known.tags : { ...known.tags, codec: record.codec }
    return {
      ...this.tagsOf(placesOf(call, this.places), direction, ...mediaEnds(call, direction)),
      codec: record.codec,
    }
  }

  /** Of the call as a whole: its path is that from caller to callee. */
  callTags(call: CallEntry, record?: CallRecord): AlertTags {
    const [from, to] = mediaEnds(call, 'from_caller')
    const { path, ...places } = this.tagsOf(
      record ?? placesOf(call, this.places),
      'from_caller',
      record?.caller_address ?? from,
      record?.callee_address ?? to,
    )
    const { from_caller, from_callee } = record?.media ?? {}
    return { ...places, path, direction: undefined, codec: from_caller?.codec ?? from_callee?.codec }
  }

  affected(call: CallEntry, tags: AlertTags): AffectedCall {
    const { sip } = call
    return {
      callId: call.callId,
      caller: sip?.caller ?? '',
      callee: sip?.callee ?? '',
      startMs: sip?.inviteMs ?? -Infinity,
      endMs: Infinity,
      tags,
    }
  }

  affectedBy(record: CallRecord, tags: AlertTags): AffectedCall {
    return {
      callId: record.call_id,
      caller: record.caller ?? '',
      callee: record.callee ?? '',
      startMs: Date.parse(record.start),
      endMs: record.end === undefined ? Infinity : Date.parse(record.end),
      tags,
    }
  }

  private tagsOf(places: Places, direction: Direction, from?: string, to?: string): AlertTags {
    const { caller_site, callee_site, trunk } = places
    const [fromSite, toSite] =
      direction === 'from_caller' ? [caller_site, callee_site] : [callee_site, caller_site]
    const path = pathOf({ fromSite, toSite, trunk, fromAddress: from, toAddress: to })
    return { path, caller_site, callee_site, trunk, direction }
  }
}

function ownerOf(call: CallEntry, stream: StreamEntry, tags: AlertTags): StreamOwner {
  const startMs = call.sip?.inviteMs ?? stream.firstArrival
  return {
    get callId() {
      return call.callId
    },
    caller: call.sip?.caller ?? '',
    callee: call.sip?.callee ?? '',
    startMs,
    get isOver() {
      return call.closed
    },
    get endMs() {
      return call.sip?.endMs ?? Infinity
    },
    traits: (media) => liveTraits(call, tags, media),
  }
}

/** As `traitsOfRecord`, of a call that runs. */
export function liveTraits(
  { sip }: CallEntry,
  tags: AlertTags,
  media: readonly { codec?: string; dscp?: number }[],
): GroupValue[] {
  return traitsOf({
    trunk: tags.trunk,
    callerSite: tags.caller_site,
    calleeSite: tags.callee_site,
    media,
    userAgents: [sip?.userAgents.caller, sip?.userAgents.callee],
    hosts: [sip?.callerSignalling.address, sip?.calleeSignalling.address],
  })
}

/** Addresses of a direction's media, else of the call's signalling. */
function mediaEnds(call: CallEntry, direction: Direction): [string | undefined, string | undefined] {
  for (const stream of call.streams) {
    if (!stream.audio || stream.direction === undefined) continue
    const ends: [string, string] = [stream.sourceAddress, stream.destinationAddress]
    return stream.direction === direction ? ends : [ends[1], ends[0]]
  }
  const caller = call.sip?.callerSignalling.address
  const callee = call.sip?.calleeSignalling.address
  return direction === 'from_caller' ? [caller, callee] : [callee, caller]
}
