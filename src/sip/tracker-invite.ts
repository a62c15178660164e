import type { CallListener, Party } from './call.js'
import type { SipPacket, SipRequest, SipResponse } from './message.js'
import { hopOf, otherParty, type CallTrack, type Exchange } from './tracker-call.js'
import { adoptInvite } from './tracker-create.js'
import { MAX_TEXT, noteReason, noteUserAgent, sessionIdOf } from './tracker-headers.js'
import type { CallLife } from './tracker-life.js'
import {
  borrowDistantAnswer,
  chooseBranch,
  commit,
  describe,
  noteInitialDirections,
  setInForce,
} from './tracker-media.js'

function isChallenge(status: number): boolean {
  return status === 401 || status === 407
}

function isRedirect(status: number): boolean {
  return status >= 300 && status < 400
}

/** INVITE requests and their responses: attempts to set up the call, and re-INVITEs within it. */
export class InviteFlow {
  constructor(
    private readonly listener: CallListener,
    private readonly life: CallLife,
  ) {}

  /** An INVITE that is neither a retransmission nor the start of another call. */
  onRequest(track: CallTrack, packet: SipPacket, message: SipRequest): void {
    const { call } = track
    const initial = message.to.tag === undefined
    if (initial && !call.sawInvite) adoptInvite(track, packet)
    const by = initial ? 'caller' : track.requester(message)
    let exchange = track.exchange('INVITE', message.cseq.number, by)
    if (exchange?.requestSeen) {
      this.copyOnOtherHop(track, exchange, packet)
      return
    }
    if (!exchange) {
      if (initial) this.beginAttempt(track, packet)
      else if (!this.answersChallenge(track, by)) call.reinvites++
      exchange = track.open('INVITE', message.cseq.number, by, initial, true)
    } else if (!initial && !exchange.initial) call.reinvites++
    exchange.requestSeen = true
    if (initial) exchange.initial = true
    const hop = track.noteBranch(exchange, packet, false)
    if (exchange.initial && exchange.finalStatus === 0 && !track.answered)
      this.life.call(track, packet.timeMs)
    noteUserAgent(track, by, message)
    call.sessionId ??= sessionIdOf(message)
    this.takeOffer(track, exchange, packet, hop)
  }

  /** A re-INVITE sent again with credentials is the same re-INVITE. */
  private answersChallenge(track: CallTrack, by: Party): boolean {
    const before = track.exchanges.findLast(
      (known) => known.method === 'INVITE' && !known.initial && known.by === by,
    )
    return before !== undefined && isChallenge(before.finalStatus)
  }

  private takeOffer(track: CallTrack, exchange: Exchange, packet: SipPacket, hop: number): void {
    const { call } = track
    const tag = exchange.by === 'caller' ? '' : call.toTag
    const offer = describe(track, packet, exchange.by, 'offer', tag, hop)
    if (!offer || hop > 0 || exchange.offer) return
    exchange.offer = offer
    // Before the first answer the offer is all there is: early media go to it.
    if (exchange.initial && !track.answered) setInForce(track, offer, this.listener)
    // The response overtook its request, so that it could not be known for the answer to this offer.
    else if (exchange.answer) commit(track, exchange, packet.timeMs, this.listener)
    else if (exchange.initial && !call.callerMedia) setInForce(track, offer, this.listener)
  }

  onResponse(track: CallTrack, packet: SipPacket, message: SipResponse): void {
    const by = track.requester(message)
    const number = message.cseq.number
    let exchange = track.exchange('INVITE', number, by)
    if (!exchange) {
      const initial = by === 'caller' && !track.answered
      exchange = track.open('INVITE', number, by, initial, false)
    }
    const hop = track.responseHop(exchange, packet)
    if (exchange.initial) this.onInitialResponse(track, exchange, packet, message, hop)
    else this.onReinviteResponse(track, exchange, packet, message, hop)
  }

  /** What a failure or CANCEL left open is continued by another INVITE of the same Call-ID and tag. */
  private beginAttempt(track: CallTrack, packet: SipPacket): void {
    const { call } = track
    const before = track.lastAttempt()
    if (!before) return
    const status = before.finalStatus
    if (isChallenge(status)) call.authChallenges++
    else if (isRedirect(status)) {
      call.redirects++
      call.calleeSignalling = { address: packet.destinationAddress, port: packet.destinationPort }
    }
    if (track.answered || !this.life.awaitsRetry(track)) return
    if (isChallenge(status) && call.endMs !== undefined)
      call.challengeWaitMs = (call.challengeWaitMs ?? 0) + Math.max(0, packet.timeMs - call.endMs)
    call.finalStatus = undefined
    call.finalReason = undefined
    call.reasonHeader = undefined
    call.endMs = undefined
    // The caller may turn to another server: then that is the leg to follow.
    if (packet.sourceAddress === call.callerSignalling.address) track.hops[0] = hopOf(packet)
  }

  private copyOnOtherHop(track: CallTrack, exchange: Exchange, packet: SipPacket): void {
    const hop = track.noteBranch(exchange, packet, exchange.initial)
    this.takeOffer(track, exchange, packet, hop)
  }

  private onInitialResponse(
    track: CallTrack,
    exchange: Exchange,
    packet: SipPacket,
    message: SipResponse,
    hop: number,
  ): void {
    const { status } = message
    const tag = message.to.tag ?? ''
    track.noteBranchTag(tag)
    if (status >= 300) {
      this.onFailure(track, exchange, packet, message, hop)
      return
    }
    if (status < 200) this.onProvisional(track, packet, message)
    else this.onSuccess(track, exchange, packet, message, hop)
    this.takeInitialBody(track, exchange, packet, tag, hop)
    if (status >= 200 && hop === 0 && tag === track.call.toTag && exchange === track.winner) {
      chooseBranch(track, this.listener)
      noteInitialDirections(track, packet.timeMs)
    }
  }

  private onProvisional(track: CallTrack, packet: SipPacket, message: SipResponse): void {
    const { call } = track
    if (track.answered) return
    if (message.status === 100) call.tryingMs ??= packet.timeMs
    else {
      call.progressMs ??= packet.timeMs
      if (message.status === 180) call.ringingMs ??= packet.timeMs
      noteUserAgent(track, 'callee', message)
    }
    this.life.proceed(track, packet.timeMs)
  }

  private onSuccess(
    track: CallTrack,
    exchange: Exchange,
    packet: SipPacket,
    message: SipResponse,
    hop: number,
  ): void {
    const { call } = track
    const tag = message.to.tag ?? ''
    if (hop === 0) exchange.finalStatus = message.status
    if (call.answerMs !== undefined) return
    // A dialog that was known before (BYE or ACK came first) decides which branch is the call.
    if (call.toTag !== '' && call.toTag !== tag) return
    call.toTag = tag
    call.answerMs = packet.timeMs
    call.finalStatus = message.status
    call.finalReason = message.reason.slice(0, MAX_TEXT)
    if (!track.ending) call.endMs = undefined
    noteUserAgent(track, 'callee', message)
    track.winner = exchange
    // Of several attempts at once, the latest offer was taken so far.
    const offer = track.lastAttempt() === exchange ? undefined : exchange.offer
    if (offer?.party === 'caller') setInForce(track, offer, this.listener)
    this.life.answer(track, packet.timeMs)
    this.listener.onAnswer(call)
  }

  private takeInitialBody(
    track: CallTrack,
    exchange: Exchange,
    packet: SipPacket,
    tag: string,
    hop: number,
  ): void {
    const offered = exchange.offer?.party === 'caller' || !exchange.requestSeen
    const described = describe(track, packet, 'callee', offered ? 'answer' : 'offer', tag, hop)
    if (!described || hop > 0) return
    if (track.answered && (tag !== track.call.toTag || (track.winner && track.winner !== exchange))) return
    if (offered) exchange.answer = described
    else exchange.offer = described
    setInForce(track, described, this.listener)
  }

  private onFailure(
    track: CallTrack,
    exchange: Exchange,
    packet: SipPacket,
    message: SipResponse,
    hop: number,
  ): void {
    const { call } = track
    if (track.answered) return
    if (hop > 0) {
      // A forking proxy keeps failures of single branches to itself (RFC 3261 16.7).
      track.distantFinal = {
        status: message.status,
        reason: message.reason.slice(0, MAX_TEXT),
        timeMs: packet.timeMs,
      }
      return
    }
    exchange.finalStatus = message.status
    if (track.attemptPending()) {
      // The next INVITE was captured before this response to the previous one.
      if (isChallenge(message.status)) call.authChallenges++
      else if (isRedirect(message.status)) call.redirects++
      return
    }
    noteReason(track, message)
    if (!isChallenge(message.status)) noteUserAgent(track, 'callee', message)
    const reason = message.reason.slice(0, MAX_TEXT)
    this.life.fail(track, { status: message.status, reason }, packet.timeMs)
  }

  private onReinviteResponse(
    track: CallTrack,
    exchange: Exchange,
    packet: SipPacket,
    message: SipResponse,
    hop: number,
  ): void {
    const { status } = message
    if (status >= 300) {
      if (hop === 0) exchange.finalStatus = status
      exchange.answer = undefined
      return
    }
    if (status === 100) return
    const responder = otherParty(exchange.by)
    const offered = exchange.offer !== undefined && exchange.offer.party === exchange.by
    const known = offered || !exchange.requestSeen
    const tag = responder === 'callee' ? track.call.toTag : ''
    const described = describe(track, packet, responder, known ? 'answer' : 'offer', tag, hop)
    if (described && hop === 0) {
      if (known) exchange.answer = described
      else exchange.offer = described
    }
    if (status < 200 || exchange.finalStatus >= 200 || hop > 0) return
    exchange.finalStatus = status
    if (exchange.requestSeen) commit(track, exchange, packet.timeMs, this.listener)
    else if (exchange.answer) setInForce(track, exchange.answer, this.listener)
  }

  /** An ACK: it may carry the answer to an offer of the 2xx, and proves a 2xx that was not seen. */
  onAck(track: CallTrack, packet: SipPacket, message: SipRequest): void {
    const { call } = track
    const by = track.requester(message)
    const exchange = track.exchange('INVITE', message.cseq.number, by)
    const initial = exchange ? exchange.initial : by === 'caller' && !track.answered
    if (initial && !this.acknowledgesSuccess(track, exchange, message)) return
    if (initial) {
      if (!track.isWinningDialog(message)) return
      if (call.toTag === '') call.toTag = message.to.tag ?? ''
      call.ackMs ??= packet.timeMs
      if (!track.answered) {
        this.life.answer(track, packet.timeMs)
        chooseBranch(track, this.listener)
      }
    }
    this.takeAnswer(track, exchange, packet, by)
    if (initial) borrowDistantAnswer(track, this.listener)
  }

  /** The ACK of a failure has the branch of its INVITE, that of a 2xx has its own (RFC 3261 17.1.1.3, 13.2.2.4). */
  private acknowledgesSuccess(
    track: CallTrack,
    exchange: Exchange | undefined,
    message: SipRequest,
  ): boolean {
    if (track.answered) return exchange === undefined || exchange.finalStatus < 300
    if (!exchange) return message.sdp !== undefined
    if (exchange.finalStatus >= 300 || exchange.cancelled) return false
    return message.viaBranch !== '' && exchange.requestSeen && !exchange.branches.includes(message.viaBranch)
  }

  private takeAnswer(track: CallTrack, exchange: Exchange | undefined, packet: SipPacket, by: Party): void {
    const hop = track.requestHop(packet)
    const tag = by === 'callee' ? track.call.toTag : ''
    const described = describe(track, packet, by, 'answer', tag, hop)
    if (!described || hop > 0) return
    if (exchange?.offer && exchange.offer.party !== by) {
      exchange.answer = described
      commit(track, exchange, packet.timeMs, this.listener)
    } else if (!exchange || !exchange.requestSeen) {
      setInForce(track, described, this.listener)
    }
  }
}
