import type { Party, SipCall } from './call.js'
import type { SipAddress, SipMessage, SipPacket } from './message.js'
import { CallTrack, hopBetween, hopOf } from './tracker-call.js'
import { linkIdsOf, sessionIdOf } from './tracker-headers.js'

/** Requests that only exist within an INVITE dialog, or set one up: a call can be told from them alone. */
const CALL_REQUESTS = new Set(['INVITE', 'BYE', 'CANCEL', 'PRACK', 'UPDATE', 'INFO'])
const CALL_RESPONSES = new Set(['INVITE', 'BYE', 'PRACK', 'UPDATE'])

/** Sent by the caller alone; their CSeq is that of the INVITE or follows it. */
const CALLER_METHODS = new Set(['ACK', 'CANCEL', 'PRACK'])

/**
 * Whether a message of an unknown dialog shows that there is a call. An ACK alone does not (it may acknowledge a
 * failure), unless it carries an answer; INFO and UPDATE do within a dialog.
 */
export function showsCall(message: SipMessage): boolean {
  const inDialog = message.to.tag !== undefined
  if (message.kind === 'response') {
    return CALL_RESPONSES.has(message.cseq.method) && (inDialog || message.cseq.method === 'INVITE')
  }
  if (message.method === 'ACK') return inDialog && message.sdp !== undefined
  if (message.method === 'INVITE' || message.method === 'CANCEL' || message.method === 'BYE') return true
  return inDialog && CALL_REQUESTS.has(message.method)
}

/** Whether a message shows that a dialog is alive or about to be: nothing that a call leaves behind when it ended. */
export function showsLife(message: SipMessage): boolean {
  if (message.kind === 'request') return message.method === 'INVITE'
  return message.cseq.method === 'INVITE' && message.status >= 200 && message.status < 300
}

/** The first message is the initial INVITE itself. */
export function isInitialInvite(message: SipMessage): boolean {
  return message.kind === 'request' && message.method === 'INVITE' && message.to.tag === undefined
}

/**
 * Which party the From header of a first message names. Without the INVITE that is a guess: the sender of an
 * in-dialog request with CSeq 1 has not sent an INVITE before it, so it is the callee; otherwise the caller.
 */
function requesterOf(message: SipMessage): Party {
  const { number, method } = message.cseq
  if (isInitialInvite(message) || CALLER_METHODS.has(method) || number > 1) return 'caller'
  if (method === 'INVITE' && message.kind === 'response') return 'caller'
  return message.to.tag === undefined ? 'caller' : 'callee'
}

/** User part of an address, else its host. */
export function partyName(address: SipAddress): string {
  return address.uri.user || address.uri.host
}

/** A call as its first message shows it. `key` must be unique within the run. */
export function createCall(packet: SipPacket, key: string): CallTrack {
  const { message } = packet
  const sawInvite = isInitialInvite(message)
  const requester = requesterOf(message)
  const from = requester === 'caller' ? message.from : message.to
  const to = requester === 'caller' ? message.to : message.from
  const source = { address: packet.sourceAddress, port: packet.sourcePort }
  const destination = { address: packet.destinationAddress, port: packet.destinationPort }
  const callerSent = (message.kind === 'request') === (requester === 'caller')
  const call: SipCall = {
    callId: message.callId,
    key,
    state: 'in_progress',
    caller: partyName(from),
    callee: partyName(to),
    callerUri: from.uriText,
    calleeUri: to.uriText,
    fromTag: from.tag ?? '',
    toTag: '',
    callerSignalling: callerSent ? source : destination,
    calleeSignalling: callerSent ? destination : source,
    transport: packet.transport,
    vlan: packet.vlan,
    sawInvite,
    inviteMs: packet.timeMs,
    authChallenges: 0,
    redirects: 0,
    retransmissions: 0,
    userAgents: {},
    mediaHistory: [],
    holds: [],
    relatedCallIds: [],
    reinvites: 0,
    prack: false,
    referred: false,
    lastMs: packet.timeMs,
    defects: [],
    messagesFrom: { caller: 0, callee: 0 },
  }
  if (sawInvite) noteLinks(call, message)
  const track = new CallTrack(call, packet.timeMs)
  track.hops.push(hopOf(packet))
  track.indexKeys.push(indexKey(call.callId, call.fromTag))
  const otherTag = to.tag
  if (!sawInvite && otherTag && otherTag !== call.fromTag)
    track.indexKeys.push(indexKey(call.callId, otherTag))
  return track
}

function noteLinks(call: SipCall, message: SipMessage): void {
  call.sessionId ??= sessionIdOf(message)
  call.linkIds ??= linkIdsOf(message)
}

/** Corrects the guesses of a call whose initial INVITE comes after other messages of it. */
export function adoptInvite(track: CallTrack, packet: SipPacket): void {
  const { call } = track
  const { message } = packet
  const tag = message.from.tag ?? ''
  if (call.fromTag !== tag) {
    const remote = call.fromTag
    call.fromTag = tag
    call.toTag = call.toTag === '' ? '' : remote
    if (call.endedBy) call.endedBy = call.endedBy === 'caller' ? 'callee' : 'caller'
    const { caller, callee } = call.messagesFrom
    call.messagesFrom = { caller: callee, callee: caller }
  }
  call.caller = partyName(message.from)
  call.callee = partyName(message.to)
  call.callerUri = message.from.uriText
  call.calleeUri = message.to.uriText
  call.callerSignalling = { address: packet.sourceAddress, port: packet.sourcePort }
  call.calleeSignalling = { address: packet.destinationAddress, port: packet.destinationPort }
  call.transport = packet.transport
  call.vlan = packet.vlan
  call.sawInvite = true
  noteLinks(call, message)
  call.inviteMs = Math.min(call.inviteMs, packet.timeMs)
  track.hops[0] = hopOf(packet)
}

/** The track of a call that was saved: its main hop lies between both parties' sockets. */
export function restoredTrack(call: SipCall): CallTrack {
  const track = new CallTrack(call, call.inviteMs)
  const { callerSignalling: caller, calleeSignalling: callee } = call
  track.hops.push(hopBetween(caller.address, caller.port, callee.address, callee.port))
  track.indexKeys.push(indexKey(call.callId, call.fromTag))
  if (call.toTag !== '') {
    track.noteBranchTag(call.toTag)
    if (!call.sawInvite) track.indexKeys.push(indexKey(call.callId, call.toTag))
  }
  return track
}

/** A dialog is found by its Call-ID and the caller's tag, which all of its branches share. */
export function indexKey(callId: string, tag: string): string {
  return `${callId}\n${tag}`
}
