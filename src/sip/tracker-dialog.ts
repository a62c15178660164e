import type { CallListener } from './call.js'
import type { SipPacket, SipRequest, SipResponse } from './message.js'
import { otherParty, type CallTrack } from './tracker-call.js'
import { noteReason, noteUserAgent, referralOf } from './tracker-headers.js'
import type { CallLife } from './tracker-life.js'
import { chooseBranch, commit, describe } from './tracker-media.js'
import { namedCallIds, type CallRelations } from './tracker-relations.js'

/** What happens within a dialog besides INVITE: its end, and changes of media. */
export class DialogFlow {
  constructor(
    private readonly listener: CallListener,
    private readonly life: CallLife,
    private readonly relations: CallRelations,
  ) {}

  onRequest(track: CallTrack, packet: SipPacket, message: SipRequest): void {
    switch (message.method) {
      case 'BYE':
        this.onBye(track, packet, message)
        break
      case 'CANCEL':
        this.onCancel(track, packet, message)
        break
      case 'PRACK':
        track.call.prack = true
        this.onOffer(track, packet, message)
        break
      case 'UPDATE':
        this.onOffer(track, packet, message)
        break
      case 'REFER':
        track.call.referred = true
        track.call.referredBy = track.requester(message)
        track.call.referral = referralOf(message, track.call.referredBy, packet.timeMs)
        this.listener.onReferral?.(track.call)
        for (const callId of namedCallIds(message)) this.relations.link(track, callId)
        break
    }
  }

  onResponse(track: CallTrack, packet: SipPacket, message: SipResponse): void {
    const { method } = message.cseq
    if (method === 'BYE') this.onByeResponse(track, packet, message)
    else if (method === 'PRACK' || method === 'UPDATE') this.onAnswer(track, packet, message)
  }

  /** A BYE of the answered dialog ends the call; one of a losing branch only ends that (RFC 3261 13.2.2.4). */
  private onBye(track: CallTrack, packet: SipPacket, message: SipRequest): void {
    const { call } = track
    if (track.ended || !track.isWinningDialog(message)) return
    const by = track.requester(message)
    call.byeMs ??= packet.timeMs
    call.endedBy ??= by
    noteReason(track, message)
    noteUserAgent(track, by, message)
    this.hangUp(track, packet, message)
  }

  /** The BYE itself may have been missed. A 481 says that the dialog is gone. */
  private onByeResponse(track: CallTrack, packet: SipPacket, message: SipResponse): void {
    if (track.ended || track.ending || message.status < 200 || !track.isWinningDialog(message)) return
    if (message.status >= 300 && message.status !== 481) return
    track.call.endedBy ??= track.requester(message)
    this.hangUp(track, packet, message)
  }

  private hangUp(track: CallTrack, packet: SipPacket, message: SipRequest | SipResponse): void {
    const { call } = track
    if (track.answered) {
      this.life.end(track, 'completed', packet.timeMs, packet.timeMs)
      return
    }
    const remote = track.requester(message) === 'caller' ? message.to.tag : message.from.tag
    if (call.toTag === '' && remote !== undefined) call.toTag = remote
    if (call.toTag !== '') chooseBranch(track, this.listener)
    if (track.ending) return
    // The 2xx (or the whole beginning) may follow within moments: responses take other paths than requests.
    this.life.endSoon(track, 'completed', packet.timeMs, packet.timeMs)
  }

  /** RFC 3261 9.1: a CANCEL has the branch and CSeq of what it cancels; it has no effect after a final response. */
  private onCancel(track: CallTrack, packet: SipPacket, message: SipRequest): void {
    const { call } = track
    if (track.ended || track.answered) return
    const exchange =
      track.exchange('INVITE', message.cseq.number, 'caller') ??
      track.open('INVITE', message.cseq.number, 'caller', true, false)
    // Behind a forking proxy single branches are cancelled all the time.
    if (track.responseHop(exchange, packet) > 0) return
    if (exchange.finalStatus !== 0) return
    exchange.cancelled = true
    if (track.attemptPending()) return
    call.cancelMs ??= packet.timeMs
    call.endedBy ??= 'caller'
    noteReason(track, message)
    this.life.cancel(track, packet.timeMs)
  }

  /** PRACK and UPDATE may carry an offer of their own (RFC 3262 5, RFC 3311 5.1); PRACK also an answer. */
  private onOffer(track: CallTrack, packet: SipPacket, message: SipRequest): void {
    const by = track.requester(message)
    const known = track.exchange(message.method, message.cseq.number, by)
    const exchange = known ?? track.open(message.method, message.cseq.number, by, false, true)
    exchange.requestSeen = true
    const hop = track.noteBranch(exchange, packet, false)
    const awaiting =
      message.method === 'PRACK'
        ? track.exchanges.findLast((other) => other.offer && other.offer.party !== by && !other.answer)
        : undefined
    const tag = by === 'callee' ? (message.from.tag ?? '') : ''
    const described = describe(track, packet, by, awaiting ? 'answer' : 'offer', tag, hop)
    if (!described || hop > 0 || known?.offer || !track.isWinningDialog(message)) return
    if (awaiting) {
      awaiting.answer = described
      commit(track, awaiting, packet.timeMs, this.listener)
    } else {
      exchange.offer = described
    }
  }

  private onAnswer(track: CallTrack, packet: SipPacket, message: SipResponse): void {
    if (message.status < 200 || message.status >= 300 || !track.isWinningDialog(message)) return
    const by = track.requester(message)
    const exchange = track.exchange(message.cseq.method, message.cseq.number, by)
    if (!exchange || exchange.finalStatus !== 0) return
    const hop = track.responseHop(exchange, packet)
    const responder = otherParty(by)
    const tag = responder === 'callee' ? (message.to.tag ?? '') : ''
    const described = describe(track, packet, responder, 'answer', tag, hop)
    if (!described || hop > 0) return
    exchange.finalStatus = message.status
    exchange.answer = described
    commit(track, exchange, packet.timeMs, this.listener)
  }
}
