import type { CallListener, Party, PartyMedia } from './call.js'
import type { SipPacket } from './message.js'
import type { MediaDescription } from './sdp-types.js'
import type { CallTrack, Exchange } from './tracker-call.js'

export const MAX_MEDIA_HISTORY = 32

function sameMedia(left: readonly MediaDescription[], right: readonly MediaDescription[]): boolean {
  return left.length === right.length && JSON.stringify(left) === JSON.stringify(right)
}

/**
 * Records the session description of a message in `mediaHistory` and returns it; the earlier entry when the party's
 * latest one on this branch says the same (a 200 that repeats its 183, a session refresh).
 */
export function describe(
  track: CallTrack,
  packet: SipPacket,
  party: Party,
  role: 'offer' | 'answer',
  branchTag: string,
  hop: number,
): PartyMedia | undefined {
  const { sdp } = packet.message
  if (!sdp) return undefined
  const { mediaHistory } = track.call
  const latest = mediaHistory.findLast(
    (known) => known.party === party && known.branchTag === branchTag && (known.hop ?? 0) === hop,
  )
  if (latest && sameMedia(latest.media, sdp.media)) return latest
  const described: PartyMedia = {
    party,
    media: sdp.media,
    timeMs: packet.timeMs,
    signallingAddress: packet.sourceAddress,
    peerAddress: packet.destinationAddress,
    vlan: packet.vlan,
    branchTag,
    role,
  }
  if (hop > 0) described.hop = hop
  // The first offer and answer stay; what goes is the oldest after them.
  if (mediaHistory.length >= MAX_MEDIA_HISTORY) mediaHistory.splice(2, 1)
  mediaHistory.push(described)
  return described
}

/** Makes a description the one in force for its party. */
export function setInForce(track: CallTrack, described: PartyMedia, listener: CallListener): void {
  const { call } = track
  const current = described.party === 'caller' ? call.callerMedia : call.calleeMedia
  if (current && current.branchTag === described.branchTag && sameMedia(current.media, described.media))
    return
  if (described.party === 'caller') call.callerMedia = described
  else call.calleeMedia = described
  listener.onMediaChange(call, described)
}

/**
 * Completes an offer/answer exchange within the dialog (RFC 3264 8): from now on both descriptions are in force. An
 * offer that is refused never gets here, so that the media agreed on before stay (RFC 3261 14.1).
 */
export function commit(track: CallTrack, exchange: Exchange, timeMs: number, listener: CallListener): void {
  const { offer, answer } = exchange
  if (!offer || !answer) return
  setInForce(track, offer, listener)
  setInForce(track, answer, listener)
  const initial = exchange.initial || !track.answered
  track.holdWatch.exchange(track.call.holds, offer, answer, timeMs, initial)
}

/** Notes who was to send from the start on, as agreed on when the call is answered: that is no hold. */
export function noteInitialDirections(track: CallTrack, timeMs: number): void {
  const { callerMedia, calleeMedia, holds } = track.call
  const callerOffered = callerMedia?.role === 'offer'
  const offer = callerOffered ? callerMedia : calleeMedia
  track.holdWatch.exchange(holds, offer, callerOffered ? calleeMedia : callerMedia, timeMs, true)
}

/** Takes the answer's branch as the call: its description is the callee's, be it from this 2xx or an earlier 18x. */
export function chooseBranch(track: CallTrack, listener: CallListener): void {
  const { call } = track
  const chosen =
    call.mediaHistory.findLast((known) => isCallee(known) && !known.hop && known.branchTag === call.toTag) ??
    call.mediaHistory.findLast((known) => isCallee(known) && known.branchTag === '')
  if (chosen) setInForce(track, chosen, listener)
  else if (call.calleeMedia && call.calleeMedia.branchTag !== call.toTag) call.calleeMedia = undefined
}

/** Takes what was seen on another leg when the caller's leg showed no answer at all. */
export function borrowDistantAnswer(track: CallTrack, listener: CallListener): void {
  const { call } = track
  if (call.calleeMedia) return
  const distant = call.mediaHistory.findLast((known) => isCallee(known) && known.branchTag === call.toTag)
  if (distant) setInForce(track, distant, listener)
}

function isCallee(known: PartyMedia): boolean {
  return known.party === 'callee'
}
