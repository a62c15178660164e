import type { Party, PartyMedia, SipCall } from './call.js'
import { HoldWatch } from './holds.js'
import type { SipMessage, SipPacket } from './message.js'
import { rewriteClues } from './rewrite-clues.js'
import type { TimedList, TimedNode } from './tracker-list.js'
import { SeenMessages } from './transactions.js'

/** Bounds per call. */
export const MAX_EXCHANGES = 24
export const MAX_BRANCHES = 16
export const MAX_HOPS = 8
export const MAX_DEFECTS = 16
export const MAX_RELATED_CALLS = 16

/** A request and its responses, over all hops on which they are seen. */
export interface Exchange {
  method: string
  cseq: number
  /** Who sent the request. */
  by: Party
  /** An INVITE outside a dialog: an attempt to set up the call. */
  initial: boolean
  /** False when only responses were seen so far. */
  requestSeen: boolean
  /** Via branches of the request's copies, and the hop of each. */
  branches: string[]
  branchHops: number[]
  /** Final status on the caller's hop; 0 before. */
  finalStatus: number
  cancelled: boolean
  offer?: PartyMedia
  answer?: PartyMedia
}

/** A final response that was seen only behind a proxy: what the caller got unless it got something else. */
export interface DistantFinal {
  status: number
  reason: string
  timeMs: number
}

/** What the tracker knows of one call beyond the `SipCall` it shows to listeners. */
export class CallTrack implements TimedNode<CallTrack> {
  previous: CallTrack | undefined
  next: CallTrack | undefined
  list: TimedList<CallTrack> | undefined
  listedMs = 0

  readonly seen = new SeenMessages()
  readonly exchanges: Exchange[] = []
  /** Keys under which the tracker's index finds this call. */
  readonly indexKeys: string[] = []
  /** The hops on which the call is seen; 0 is that of the first INVITE. */
  readonly hops: Hop[] = []
  /** To-tags of all branches (RFC 3261 12.1.2: each is a dialog of its own). */
  readonly branchTags: string[] = []
  readonly holdWatch = new HoldWatch()
  /** A 2xx to the initial INVITE was seen, or an ACK that only a 2xx can have caused. */
  answered = false
  /** `onCallEnd` was called: what comes now is absorbed. */
  ended = false
  /** The end is known but not told yet, as messages of before the end may still come. */
  ending = false
  distantFinal: DistantFinal | undefined
  /** The attempt whose 2xx is the call; a client may have sent several at once. */
  winner: Exchange | undefined

  constructor(
    readonly call: SipCall,
    readonly createdMs: number,
  ) {}

  /** Which party sent a request, or for a response the request it answers: From is always the requester (RFC 3261 8.2.6.2). */
  requester(message: SipMessage): Party {
    const from = message.from.tag ?? ''
    if (from === this.call.fromTag) return 'caller'
    if ((message.to.tag ?? '') === this.call.fromTag) return 'callee'
    return from !== '' && (from === this.call.toTag || this.branchTags.includes(from)) ? 'callee' : 'caller'
  }

  exchange(method: string, cseq: number, by: Party): Exchange | undefined {
    return this.exchanges.find((known) => known.cseq === cseq && known.method === method && known.by === by)
  }

  open(method: string, cseq: number, by: Party, initial: boolean, requestSeen: boolean): Exchange {
    const exchange: Exchange = {
      method,
      cseq,
      by,
      initial,
      requestSeen,
      branches: [],
      branchHops: [],
      finalStatus: 0,
      cancelled: false,
    }
    if (this.exchanges.length >= MAX_EXCHANGES) {
      // The set-up itself is kept as long as the call: late forks and copies refer to it.
      const oldest = this.exchanges.findIndex((known) => !known.initial)
      this.exchanges.splice(Math.max(0, oldest), 1)
    }
    this.exchanges.push(exchange)
    return exchange
  }

  /** An attempt without a final response or CANCEL is under way. */
  attemptPending(): boolean {
    return this.exchanges.some((known) => known.initial && known.finalStatus === 0 && !known.cancelled)
  }

  /** The latest attempt to set up the call. */
  lastAttempt(): Exchange | undefined {
    return this.exchanges.findLast((known) => known.initial)
  }

  /**
   * The hop of a request: by both sockets (several hops may lie within one host), else by both addresses (ports of
   * TCP clients change). Unknown ones belong to the main leg: ACK and BYE may bypass a proxy.
   */
  requestHop(packet: SipPacket): number {
    const { sockets, addresses } = hopOf(packet)
    const exact = this.hops.findIndex((hop) => hop.sockets === sockets)
    if (exact >= 0) return exact
    return Math.max(
      0,
      this.hops.findIndex((hop) => hop.addresses === addresses),
    )
  }

  /** The hop of a response: that of the request with the same branch. */
  responseHop(exchange: Exchange, packet: SipPacket): number {
    const known = exchange.branches.indexOf(packet.message.viaBranch)
    return known >= 0 ? exchange.branchHops[known] : this.requestHop(packet)
  }

  /** Notes on which hop a copy of a request was seen, adding the hop when `learn`; returns it. */
  noteBranch(exchange: Exchange, packet: SipPacket, learn: boolean): number {
    const seen = hopOf(packet)
    const learns =
      learn && this.hops.length < MAX_HOPS && !this.hops.some((hop) => hop.sockets === seen.sockets)
    const hop = learns ? this.hops.push(seen) - 1 : this.requestHop(packet)
    if (exchange.branches.length < MAX_BRANCHES) {
      exchange.branches.push(packet.message.viaBranch)
      exchange.branchHops.push(hop)
    }
    return hop
  }

  noteBranchTag(tag: string): void {
    if (tag === '' || this.branchTags.includes(tag) || this.branchTags.length >= MAX_BRANCHES) return
    this.branchTags.push(tag)
  }

  /** Notes of any message: whose it is, what is wrong with it, and what was rewritten in it. */
  noteMessage(packet: SipPacket): void {
    const { message } = packet
    const requester = this.requester(message)
    const sender = message.kind === 'request' ? requester : otherParty(requester)
    this.call.messagesFrom[sender]++
    for (const defect of message.defects) pushUnique(this.call.defects, defect, MAX_DEFECTS)
    for (const clue of rewriteClues(packet, sender)) {
      const known = (this.call.rewriteClues ??= [])
      if (!known.some(({ kind, party }) => kind === clue.kind && party === sender)) known.push(clue)
    }
  }

  /** Whether an in-dialog message belongs to the dialog of the 2xx and not to a losing branch (RFC 3261 12). */
  isWinningDialog(message: SipMessage): boolean {
    const remote = this.requester(message) === 'caller' ? message.to.tag : message.from.tag
    return this.call.toTag === '' || remote === undefined || remote === this.call.toTag
  }
}

export function otherParty(party: Party): Party {
  return party === 'caller' ? 'callee' : 'caller'
}

export function pushUnique(list: string[], value: string, limit: number): void {
  if (list.length < limit && !list.includes(value)) list.push(value)
}

/** Both ends of a hop, in one order for both directions. */
export interface Hop {
  sockets: string
  addresses: string
}

export function hopOf(packet: SipPacket): Hop {
  const { sourceAddress, destinationAddress, sourcePort, destinationPort } = packet
  return hopBetween(sourceAddress, sourcePort, destinationAddress, destinationPort)
}

export function hopBetween(
  source: string,
  sourcePort: number,
  destination: string,
  destinationPort: number,
): Hop {
  return {
    sockets: inOrder(`${source} ${sourcePort}`, `${destination} ${destinationPort}`),
    addresses: inOrder(source, destination),
  }
}

function inOrder(left: string, right: string): string {
  return left < right ? `${left} ${right}` : `${right} ${left}`
}
