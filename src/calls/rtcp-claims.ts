import type { Party, PartyMedia } from '../sip/call.js'
import type { CallEntry } from './call-entry.js'
import { MAX_CLAIMS } from './media-claims.js'
import type { StreamEntry } from './stream-entry.js'

/** The ends of an RTCP packet. */
export interface RtcpEnds {
  sourceAddress: string
  sourcePort: number
  destinationAddress: string
  destinationPort: number
}

export interface RtcpBinding {
  call: CallEntry
  /** The party whose report it is. */
  sender: Party
}

/** By address and port: whose RTCP goes there. Takes in a=rtcp, rtcp-mux, port + 1, and addresses behind NAT. */
export class RtcpClaims {
  private readonly byEndpoint = new Map<string, RtcpBinding[]>()
  private readonly keysOf = new Map<CallEntry, Set<string>>()
  private size = 0
  overflow = 0

  /** Where a party will take RTCP for its audio. */
  claim(call: CallEntry, described: PartyMedia): void {
    for (const media of described.media) {
      if (media.port === 0 || !/RTP\//i.test(media.protocol)) continue
      const address = media.rtcpAddress ?? media.address
      // The RTP port too: peers that multiplex without saying so (RFC 5761 lets the answer decide).
      this.add(call, described.party, address, media.rtcpPort)
      this.add(call, described.party, media.address, media.port)
      this.add(call, described.party, described.signallingAddress, media.rtcpPort)
      this.add(call, described.party, described.signallingAddress, media.port)
      for (const candidate of media.candidates)
        this.add(call, described.party, candidate.address, candidate.port)
    }
  }

  private add(call: CallEntry, party: Party, address: string, port: number): void {
    if (address === '' || port <= 0) return
    const key = `${address} ${port}`
    let keys = this.keysOf.get(call)
    if (!keys) this.keysOf.set(call, (keys = new Set()))
    const known = this.byEndpoint.get(key)
    if (keys.has(key) && known?.some((claim) => claim.call === call && claim.sender === party)) return
    if (this.size >= MAX_CLAIMS) {
      this.overflow++
      return
    }
    this.size++
    keys.add(key)
    if (known) known.push({ call, sender: party })
    else this.byEndpoint.set(key, [{ call, sender: party }])
  }

  release(call: CallEntry): void {
    for (const key of this.keysOf.get(call) ?? []) {
      const claims = this.byEndpoint.get(key)
      if (!claims) continue
      const left = claims.filter((claim) => claim.call !== call)
      this.size -= claims.length - left.length
      if (left.length > 0) this.byEndpoint.set(key, left)
      else this.byEndpoint.delete(key)
    }
    this.keysOf.delete(call)
  }

  /** The call that a packet between these ends belongs to: one that both ends agree on, else the latest. */
  bind(ends: RtcpEnds): RtcpBinding | undefined {
    const from = this.byEndpoint.get(`${ends.sourceAddress} ${ends.sourcePort}`) ?? []
    const to = this.byEndpoint.get(`${ends.destinationAddress} ${ends.destinationPort}`) ?? []
    const agreed = from.findLast((sender) =>
      to.some((receiver) => receiver.call === sender.call && receiver.sender !== sender.sender),
    )
    if (agreed) return agreed
    const receiver = to.at(-1)
    if (receiver) return { call: receiver.call, sender: receiver.sender === 'caller' ? 'callee' : 'caller' }
    return from.at(-1)
  }
}

/** The same without signalling: RTCP runs on the port of a known stream, or on the next one. */
export function bindToStreams(
  ends: RtcpEnds,
  streamsAt: (address: string, port: number) => Iterable<StreamEntry>,
): RtcpBinding | undefined {
  for (const offset of [1, 0]) {
    for (const stream of streamsAt(ends.sourceAddress, ends.sourcePort - offset)) {
      if (!stream.call || !stream.direction) continue
      const { sourceAddress, destinationAddress, sourcePort, destinationPort } = stream
      const forward =
        sourceAddress === ends.sourceAddress &&
        sourcePort === ends.sourcePort - offset &&
        destinationAddress === ends.destinationAddress &&
        destinationPort === ends.destinationPort - offset
      const backward =
        sourceAddress === ends.destinationAddress &&
        sourcePort === ends.destinationPort - offset &&
        destinationAddress === ends.sourceAddress &&
        destinationPort === ends.sourcePort - offset
      if (!forward && !backward) continue
      const mediaSender: Party = stream.direction === 'from_caller' ? 'caller' : 'callee'
      const other: Party = mediaSender === 'caller' ? 'callee' : 'caller'
      return { call: stream.call, sender: forward ? mediaSender : other }
    }
  }
  return undefined
}
