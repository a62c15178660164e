import { parseAddress } from '../decode/address.js'
import type { AnnouncedEndpoints } from '../rtp/announced.js'
import type { Party, PartyMedia } from '../sip/call.js'
import type { MediaDescription } from '../sip/sdp-types.js'
import type { CallEntry } from './call-entry.js'
import type { Direction } from './records.js'
import type { StreamEntry } from './stream-entry.js'

/** A transport address where a party of a call said it would take media. */
export interface MediaClaim {
  call: CallEntry
  party: Party
  address: string
  port: number
  vlan: number
  /** m= kind: audio, video, ... */
  kind: string
  sinceMs: number
  /** To-tag of the branch that announced it, '' for the caller. */
  branchTag: string
  /** Leg of the call on which it was announced: 0 is that of the first INVITE, others lie behind proxies. */
  leg: number
  /** Not the SDP's address but the one the message came from: behind NAT. */
  behindNat: boolean
}

/** Most addresses claimed at once; later ones are not bound by SDP, and are counted. */
export const MAX_CLAIMS = 500_000

/** Calls that share a stream announce it within this time of each other. */
const SHARED_WITHIN_MS = 5000

const NONE: readonly MediaClaim[] = []

/** What a stream is bound by. */
export type StreamEnds = Pick<
  StreamEntry,
  'sourceAddress' | 'sourcePort' | 'destinationAddress' | 'destinationPort' | 'vlan'
> & {
  /** When its first packet came, ms since the epoch. */
  firstArrival?: number
}

export interface Binding {
  call: CallEntry
  direction: Direction
  kind: string
  leg: number
}

/** By address and port: which calls expect media there. */
export class MediaClaims {
  private readonly byEndpoint = new Map<string, MediaClaim[]>()
  private size = 0
  overflow = 0

  constructor(private readonly announced: AnnouncedEndpoints) {}

  get isEmpty(): boolean {
    return this.size === 0
  }

  /** Claims every address of a description. Host names, refused and non-RTP media are passed over. */
  claim(call: CallEntry, described: PartyMedia): void {
    for (const media of described.media) {
      if (media.port === 0 || !/RTP\//i.test(media.protocol)) continue
      for (const [address, port] of addressesOf(media))
        this.add(call, described, media.kind, address, port, false)
      if (described.signallingAddress !== media.address) {
        this.add(call, described, media.kind, described.signallingAddress, media.port, true)
      }
    }
  }

  private add(
    call: CallEntry,
    { party, vlan, timeMs, branchTag, hop: leg = 0 }: PartyMedia,
    kind: string,
    address: string,
    port: number,
    behindNat: boolean,
  ): void {
    const parsed = parseAddress(address)
    if (parsed === undefined || port <= 0 || port > 0xffff || isUnspecified(parsed.words)) return
    const known = call.claims.find(
      (claim) =>
        claim.address === address &&
        claim.port === port &&
        claim.party === party &&
        claim.kind === kind &&
        claim.branchTag === branchTag,
    )
    if (known) {
      known.sinceMs = timeMs
      known.leg = Math.min(known.leg, leg)
      return
    }
    if (this.size >= MAX_CLAIMS) {
      this.overflow++
      return
    }
    this.size++
    const claim: MediaClaim = {
      call,
      party,
      address,
      port,
      vlan,
      kind,
      sinceMs: timeMs,
      branchTag,
      leg,
      behindNat,
    }
    call.addClaim(claim)
    const key = endpointKey(address, port)
    const claims = this.byEndpoint.get(key)
    if (claims) claims.push(claim)
    else this.byEndpoint.set(key, [claim])
    const w = parsed.words
    this.announced.add(w[0], w[1], w[2], w[3], port)
  }

  release(call: CallEntry): void {
    for (const claim of call.claims) {
      const key = endpointKey(claim.address, claim.port)
      const claims = this.byEndpoint.get(key)
      if (!claims) continue
      const left = claims.filter((other) => other !== claim)
      this.size -= claims.length - left.length
      if (left.length > 0) this.byEndpoint.set(key, left)
      else this.byEndpoint.delete(key)
      const w = parseAddress(claim.address)?.words
      if (w) this.announced.remove(w[0], w[1], w[2], w[3], claim.port)
    }
    call.dropClaims()
  }

  private claimsAt(address: string, port: number): readonly MediaClaim[] {
    return this.byEndpoint.get(endpointKey(address, port)) ?? NONE
  }

  /** The other calls with a claim on the same address and port. */
  rivals({ call, address, port }: MediaClaim): CallEntry[] {
    return this.claimsAt(address, port)
      .filter((other) => other.call !== call && !other.call.closed)
      .map((other) => other.call)
  }

  /**
   * Calls other than the stream's own that announced both its ends at the same time: behind a PBX that stays out of the
   * media, two calls have one pair of streams. Where VLANs tell calls with the same addresses apart, only those of the
   * stream's VLAN.
   */
  sharers(stream: StreamEntry): Binding[] {
    const { sourcePort, destinationPort, vlan } = stream
    const receivers = this.claimsAt(stream.destinationAddress, destinationPort)
    const senders = this.claimsAt(stream.sourceAddress, sourcePort)
    const ownReceiver = receivers.find((claim) => claim.call === stream.call)
    const ownSender = senders.find((claim) => claim.call === stream.call)
    if (!ownReceiver || !ownSender) return []
    const byVlan = ownReceiver.vlan === vlan || ownSender.vlan === vlan
    const sharers: Binding[] = []
    for (const { call, party, kind, leg, vlan: claimVlan, sinceMs, behindNat } of receivers) {
      if (call === stream.call || call.closed || behindNat || call.sip?.endMs !== undefined) continue
      const sender = senders.find((claim) => claim.call === call && claim.party !== party && !claim.behindNat)
      if (!sender || (byVlan && claimVlan !== vlan && sender.vlan !== vlan)) continue
      if (Math.abs(sinceMs - ownReceiver.sinceMs) > SHARED_WITHIN_MS) continue
      if (Math.abs(sender.sinceMs - ownSender.sinceMs) > SHARED_WITHIN_MS) continue
      sharers.push({ call, direction: party === 'caller' ? 'from_callee' : 'from_caller', kind, leg })
    }
    return sharers
  }

  /** Whether it runs to or from a place that a call which has ended since had announced. */
  isOfEnded(stream: StreamEnds): boolean {
    const hasEnded = ({ call }: MediaClaim): boolean => call.sip?.endMs !== undefined
    return (
      this.claimsAt(stream.destinationAddress, stream.destinationPort).some(hasEnded) ||
      this.claimsAt(stream.sourceAddress, stream.sourcePort).some(hasEnded)
    )
  }

  /** Whether one party of the call announced where the stream goes, and the other where it comes from. */
  announcedBoth(stream: StreamEnds, call: CallEntry): boolean {
    const receivers = this.claimsAt(stream.destinationAddress, stream.destinationPort)
    const senders = this.claimsAt(stream.sourceAddress, stream.sourcePort)
    return receivers.some(
      (receiver) =>
        receiver.call === call &&
        senders.some((sender) => sender.call === call && sender.party !== receiver.party),
    )
  }

  /**
   * Whether a stream runs to or from a branch of a forked call that another branch won. Its media were early media:
   * they are streams, not part of the call.
   */
  isOfLosingBranch(stream: StreamEntry, call: CallEntry): boolean {
    const toTag = call.sip?.answerMs === undefined ? '' : call.sip.toTag
    if (toTag === '') return false
    const { sourcePort, destinationPort } = stream
    let losing = false
    for (const { party, address, port, branchTag } of call.claims) {
      if (party !== 'callee' || branchTag === '') continue
      const isSource = address === stream.sourceAddress && port === sourcePort
      const isDestination = address === stream.destinationAddress && port === destinationPort
      if (!isSource && !isDestination) continue
      if (branchTag === toTag) return false
      losing = true
    }
    return losing
  }

  /**
   * The call and direction of a stream: the party that announced its destination receives it; else the party that
   * announced its source sends it (symmetric RTP). Of several claims: one that both ends agree on, in the stream's
   * VLAN, from SDP rather than guessed behind NAT, of a call that has not ended, and the latest.
   */
  bind(stream: StreamEnds): Binding | undefined {
    if (this.size === 0) return undefined
    const { sourcePort, destinationPort, vlan } = stream
    const receivers = this.claimsAt(stream.destinationAddress, destinationPort)
    const senders = this.claimsAt(stream.sourceAddress, sourcePort)
    let best: Binding | undefined
    let bestScore = -Infinity
    const consider = (
      claim: MediaClaim,
      sender: Party,
      others: readonly MediaClaim[],
      ownWeight: number,
    ): void => {
      if (claim.call.closed) return
      const agreed = others.some((other) => other.call === claim.call && other.party !== claim.party)
      const endMs = claim.call.sip?.endMs
      const ended = endMs !== undefined
      // What begins after the end of a call that announced only one of its ends is rather of a call not yet announced.
      if (ended && !agreed && stream.firstArrival !== undefined && stream.firstArrival > endMs) return
      const score =
        (agreed ? 16 : 0) +
        (claim.vlan === vlan ? 8 : 0) +
        (claim.behindNat ? 0 : 4) +
        (ended ? 0 : 32) +
        ownWeight +
        // The latest of equals; times differ by far less than this allows.
        claim.sinceMs / 1e14
      if (score <= bestScore) return
      bestScore = score
      best = {
        call: claim.call,
        direction: sender === 'caller' ? 'from_caller' : 'from_callee',
        kind: claim.kind,
        leg: claim.leg,
      }
    }
    for (const claim of receivers) consider(claim, claim.party === 'caller' ? 'callee' : 'caller', senders, 1)
    for (const claim of senders) consider(claim, claim.party, receivers, 0)
    return best
  }
}

function endpointKey(address: string, port: number): string {
  return `${address} ${port}`
}

function addressesOf(media: MediaDescription): [address: string, port: number][] {
  const addresses: [string, number][] = [[media.address, media.port]]
  for (const candidate of media.candidates) {
    if (candidate.component === 1 && candidate.transport.toLowerCase() === 'udp') {
      addresses.push([candidate.address, candidate.port])
    }
  }
  return addresses
}

function isUnspecified(words: Int32Array): boolean {
  return words[0] === 0 && words[1] === 0 && words[2] === 0 && words[3] === 0
}
