import type { SipCall } from '../../sip/call.js'
import type { CallEntry } from '../call-entry.js'
import { DIRECTIONS, type Confidence } from '../records.js'
import { numberKey, type Leg, type LegEvidence } from './leg.js'
import { RecentCalls } from './recent-calls.js'

/** A B2BUA calls on within moments; a leg that begins later than this is only found by what its headers say. */
const NEXT_LEG_MS = 4_000
/** Without a host that both legs share the numbers must follow on each other faster. */
const NEXT_HOST_MS = 2_000
/** How long after a REFER its receiver may call (it rings, people wait). */
const TRANSFER_MS = 60_000
const MOST_RECENT = 20_000
const MOST_TRANSFERS = 1_000
/** Call-IDs that one call is linked with. */
const MOST_RELATED = 16

interface Candidate {
  call: CallEntry
  sip: SipCall
  score: number
}

/**
 * Finds the legs of one call: a B2BUA or SBC answers one call and places another with a Call-ID of its own. Told by
 * Session-ID (RFC 7989), by headers that carry an identifier on, by the same media address in both offers, else by
 * numbers, time and hosts. The first leg seen is the call; KPIs count the others apart. Also finds the call that a
 * blind transfer (REFER) leads to. Work per call, none per packet.
 */
export class LegLinker {
  /** Calls that were joined to an earlier one as its further leg. */
  linked = 0
  private readonly byId = new Map<string, CallEntry>()
  private readonly byCallee = new RecentCalls(NEXT_LEG_MS, MOST_RECENT)
  private readonly bySocket = new RecentCalls(NEXT_LEG_MS, MOST_RECENT)
  private readonly transfers = new RecentCalls(TRANSFER_MS, MOST_TRANSFERS)

  /** @param open an open call by its Call-ID */
  constructor(private readonly open: (callId: string) => CallEntry | undefined) {}

  /** Calls not compared with others for want of room. */
  get overflow(): number {
    return this.byCallee.overflow + this.bySocket.overflow + this.transfers.overflow
  }

  /** A call begins with the INVITE that was just seen. */
  onStart(call: CallEntry): void {
    const { sip } = call
    if (!sip?.sawInvite) return
    this.expire(sip.inviteMs)
    this.joinById(call, sip)
    this.joinByNumbers(call, sip)
    this.joinTransfer(call, sip)
    this.byCallee.add(numberKey(sip.callee), call, sip.inviteMs)
  }

  /** The caller's offer is known, perhaps for the first time. */
  onOffer(call: CallEntry): void {
    const { sip } = call
    const media = sip?.callerMedia?.media.find(({ kind }) => kind === 'audio')
    if (!sip || !media || media.port === 0 || sip.answerMs !== undefined || !sip.sawInvite) return
    this.expire(sip.inviteMs)
    const socket = `${media.address} ${media.port}`
    const sameSocket = this.bySocket.get(socket)
    if (sameSocket.includes(call)) return
    const other = sameSocket.find((known) => known.sip && isNextHop(known.sip, sip))
    if (other) this.join(other, call, 'high', 'media')
    this.bySocket.add(socket, call, sip.inviteMs)
  }

  /** A REFER without Replaces: the call that follows it is found by its number. */
  onReferral(call: CallEntry): void {
    const referral = call.sip?.referral
    if (!referral) return
    this.transfers.expire(referral.timeMs)
    this.transfers.add(numberKey(referral.target), call, referral.timeMs)
  }

  /**
   * Before the record: media that keep their SSRC through the B2BUA make a likely leg a sure one. KPIs counted the call
   * long before.
   */
  beforeRecord(call: CallEntry): void {
    const { leg } = call
    if (!leg || leg.confidence === 'high' || !sharesSsrc(call, leg.peer)) return
    const sure = { confidence: 'high', evidence: 'media' } as const
    call.leg = { ...leg, ...sure }
    const { peer } = leg
    if (peer.leg) peer.leg = { ...peer.leg, ...sure }
  }

  onClosed(call: CallEntry): void {
    if (!call.sip) return
    for (const id of idsOf(call.sip)) if (this.byId.get(id) === call) this.byId.delete(id)
  }

  private expire(timeMs: number): void {
    this.byCallee.expire(timeMs)
    this.bySocket.expire(timeMs)
    this.transfers.expire(timeMs)
  }

  private joinById(call: CallEntry, sip: SipCall): void {
    for (const id of idsOf(sip)) {
      const known = this.byId.get(id)
      if (!known || known.closed) this.byId.set(id, call)
      else if (known.sip && isNextHop(known.sip, sip))
        this.join(known, call, 'high', id.startsWith('session') ? 'session_id' : 'header')
    }
    for (const id of sip.linkIds ?? []) {
      const named = this.open(id)
      if (named?.sip && isNextHop(named.sip, sip)) this.join(named, call, 'high', 'header')
    }
  }

  private joinByNumbers(call: CallEntry, sip: SipCall): void {
    if (call.leg) return
    const candidates: Candidate[] = []
    for (const known of this.byCallee.get(numberKey(sip.callee))) {
      const score = known.sip ? likeness(known.sip, sip) : 0
      if (known.sip && score > 0) candidates.push({ call: known, sip: known.sip, score })
    }
    if (candidates.length === 0) return
    const best = Math.max(...candidates.map(({ score }) => score))
    const equal = candidates.filter(({ score }) => score === best)
    // Several calls that look the same: which of them goes on here is a guess.
    this.join(equal[0].call, call, equal.length > 1 || best < 2 ? 'low' : 'medium', 'numbers')
  }

  /** The receiver of a REFER, or the B2BUA in between, calls the number that it named. */
  private joinTransfer(call: CallEntry, sip: SipCall): void {
    for (const referring of this.transfers.get(numberKey(sip.callee))) {
      const from = referring.sip
      const hosts = from && [from.callerSignalling.address, from.calleeSignalling.address]
      if (referring !== call && hosts?.includes(sip.callerSignalling.address)) relate(referring, call)
    }
  }

  private join(earlier: CallEntry, later: CallEntry, confidence: Confidence, evidence: LegEvidence): void {
    const known = later.leg
    if (known?.role === 'first' || (known && !isSurer(confidence, known.confidence))) return
    const of = earlier.leg?.of ?? earlier.callId
    if (!earlier.leg) earlier.leg = { role: 'first', of, confidence, evidence, peer: later }
    else if (earlier.leg.role === 'first' && isSurer(confidence, earlier.leg.confidence))
      earlier.leg = { ...earlier.leg, confidence, evidence }
    if (!known) this.linked++
    later.leg = { role: 'further', of, confidence, evidence, peer: earlier }
    relate(earlier, later)
  }
}

/** The leg as KPIs take it: with a guess for evidence a call counts as one of its own. */
export function countedLeg(leg: Leg | undefined): 'first' | 'further' {
  return leg?.role === 'further' && leg.confidence !== 'low' ? 'further' : 'first'
}

const SURENESS: readonly Confidence[] = ['low', 'medium', 'high']

function isSurer(a: Confidence, b: Confidence): boolean {
  return SURENESS.indexOf(a) > SURENESS.indexOf(b)
}

/** Identifiers under which other legs find the call. */
function idsOf({ sessionId, linkIds }: SipCall): string[] {
  const ids = (linkIds ?? []).map((id) => `header ${id}`)
  // RFC 7989 5: an all-zero identifier is "not known".
  if (sessionId !== undefined && !/^0+$/.test(sessionId)) ids.push(`session ${sessionId.toLowerCase()}`)
  return ids
}

/** A repeated call takes the same way again, or comes after the end of the first; the next leg does neither. */
function isNextHop(a: SipCall, b: SipCall): boolean {
  if (a.endMs !== undefined || a.callId === b.callId) return false
  const sameCaller =
    a.callerSignalling.address === b.callerSignalling.address &&
    a.callerSignalling.port === b.callerSignalling.port
  const sameCallee =
    a.calleeSignalling.address === b.calleeSignalling.address &&
    a.calleeSignalling.port === b.calleeSignalling.port
  if (sameCaller && sameCallee) return false
  // One program with many sockets towards one server: a load generator, or TCP.
  return !(sameCallee && a.callerSignalling.address === b.callerSignalling.address)
}

/** 0: not legs of one call; 1: perhaps; 2 and 3: likely. The numbers called are alike already. */
function likeness(a: SipCall, b: SipCall): number {
  const laterMs = b.inviteMs - a.inviteMs
  if (laterMs < 0 || laterMs > NEXT_LEG_MS || !isNextHop(a, b)) return 0
  if (a.answerMs !== undefined) return 0
  const sameCaller = numberKey(a.caller) === numberKey(b.caller)
  const sharesHost = a.calleeSignalling.address === b.callerSignalling.address
  if (sameCaller && sharesHost) return 3
  if (laterMs > NEXT_HOST_MS) return 0
  if (sameCaller) return a.callerSignalling.address === b.callerSignalling.address ? 0 : 2
  return sharesHost ? 1 : 0
}

function sharesSsrc(a: CallEntry, b: CallEntry): boolean {
  return DIRECTIONS.some((direction) =>
    a.directions[direction].ssrcs.some((ssrc) => b.directions[direction].ssrcs.includes(ssrc)),
  )
}

function relate(a: CallEntry, b: CallEntry): void {
  a.related = withId(a.related, b.callId)
  b.related = withId(b.related, a.callId)
}

function withId(ids: readonly string[] | undefined, id: string): readonly string[] {
  if (ids === undefined) return [id]
  return ids.includes(id) || ids.length >= MOST_RELATED ? ids : [...ids, id]
}
