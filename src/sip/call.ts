import type { MediaDescription } from './sdp-types.js'
import type { SipPacket, SipTransport } from './message.js'
import type { Sighting } from './transactions.js'
import type { RewriteClue } from './rewrite-clues.js'

export type Party = 'caller' | 'callee'

/** An endpoint as signalling shows it. */
export interface SignallingEndpoint {
  address: string
  port: number
}

/** Session description in force for one party, as it was seen on the wire. */
export interface PartyMedia {
  party: Party
  media: MediaDescription[]
  /** When the message that carried it was seen. */
  timeMs: number
  /** Source of the message that carried it (NAT: media often comes from here, not from the SDP address). */
  signallingAddress: string
  /** Where the message that carried it went. */
  peerAddress?: string
  /** VLAN of the message, -1 when untagged. */
  vlan: number
  /** To-tag of the branch it came from ('' for the caller's offer). Early media of several forks have several. */
  branchTag: string
  /** Set when it was offered, answered, or both are still open. */
  role: 'offer' | 'answer'
  /**
   * 0 or absent: the leg on which the first INVITE was seen. 1 and up: the same call seen on another leg (before and
   * behind a proxy); only in `mediaHistory`, never in force.
   */
  hop?: number
}

/** `completed|failed|cancelled|timeout|in_progress`; `media_only` never comes from signalling. */
export type CallState = 'completed' | 'failed' | 'cancelled' | 'timeout' | 'in_progress'

/** A stretch of hold: from a re-INVITE/UPDATE that made media one-way or inactive to the one that ended it. */
export interface HoldPeriod {
  startMs: number
  /** undefined while still held. */
  endMs?: number
  /** Who put the other on hold. */
  by: Party
}

/** A REFER without Replaces asks its receiver to call somebody (RFC 3515). */
export interface Referral {
  /** User part of Refer-To, else its host. */
  target: string
  timeMs: number
  /** Who sent it. */
  by: Party
}

export interface CallFailure {
  status: number
  reason: string
}

/**
 * One call (one INVITE dialog with its forks and retries) as seen in signalling. The tracker owns and updates it;
 * listeners read it. Times are packet times in ms since the epoch, undefined when the event was not seen.
 */
export interface SipCall {
  /** The Call-ID header. */
  callId: string
  /** Unique within the run (Call-ID plus a counter when a Call-ID is used again). */
  key: string
  state: CallState
  /** From / To of the initial INVITE: user part, else host. */
  caller: string
  callee: string
  callerUri: string
  calleeUri: string
  fromTag: string
  /** To-tag of the 2xx (the call); '' before. */
  toTag: string
  callerSignalling: SignallingEndpoint
  calleeSignalling: SignallingEndpoint
  transport: SipTransport
  vlan: number
  /** True when the initial INVITE was seen. */
  sawInvite: boolean
  inviteMs: number
  /** First 100. */
  tryingMs?: number
  /** First provisional other than 100. */
  progressMs?: number
  ringingMs?: number
  answerMs?: number
  ackMs?: number
  /** BYE, CANCEL's 487, or final failure. */
  endMs?: number
  byeMs?: number
  /** First final response to the BYE. */
  byeAnswerMs?: number
  cancelMs?: number
  endedBy?: Party
  /** Final status of the INVITE (last attempt) and its reason phrase. */
  finalStatus?: number
  finalReason?: string
  /** A 401/407 that was answered by a repeated INVITE is not a failure: counted here. */
  authChallenges: number
  /** From challenges to the INVITEs that answered them, ms: the caller's own time. */
  challengeWaitMs?: number
  redirects: number
  retransmissions: number
  userAgents: { caller?: string; callee?: string }
  sessionId?: string
  /** Identifiers in the initial INVITE that a B2BUA hands on to its other leg, bounded. */
  linkIds?: string[]
  /** Q.850 or SIP Reason header of BYE/CANCEL/failure, when there is one. */
  reasonHeader?: string
  callerMedia?: PartyMedia
  calleeMedia?: PartyMedia
  /** Every session description seen, in order (early media of forks and re-INVITEs included), bounded. */
  mediaHistory: PartyMedia[]
  holds: HoldPeriod[]
  /** Call-IDs named by Replaces, REFER (Refer-To with Replaces), or a 3xx follow-up. */
  relatedCallIds: string[]
  reinvites: number
  prack: boolean
  referred: boolean
  /** Who sent the latest REFER. */
  referredBy?: Party
  /** The latest REFER: whom the other party is to call. */
  referral?: Referral
  /** Last packet of this dialog. */
  lastMs: number
  /** Defects of messages in this call (SIP ALG traces, bad Content-Length, ...), unique, bounded. */
  defects: string[]
  /** Messages seen of each party, copies included: a mirror may show one of them only. */
  messagesFrom: Record<Party, number>
  /** It was given up because there were too many calls. */
  evicted?: boolean
  /** Traces of a device that rewrote addresses within messages (SIP ALG), unique by kind and party. */
  rewriteClues?: RewriteClue[]
}

/** Counts of what is not a call. */
export interface SignallingCounters {
  messages: number
  requests: Record<string, number>
  responses: Record<string, number>
  retransmissions: number
  /** Copies of a message within 50 ms, as a mirror makes them. */
  duplicates?: number
  /** An attempt is a REGISTER with the repetitions that its challenges ask for; unregistering is one as well. */
  registrations: {
    attempts: number
    successful: number
    failed: number
    challenged: number
    /** Those of `attempts` that removed a binding (Expires: 0). */
    unregistrations?: number
  }
  options: { requests: number; answered: number }
  malformed: number
  evictedCalls: number
  /** REGISTER and OPTIONS requests that were given up before their answer, to make room. */
  evictedRequests: number
}

/** A REGISTER attempt or an OPTIONS request that is decided, or (`status` undefined) one that begins. */
export interface StandaloneRequest {
  method: 'REGISTER' | 'OPTIONS'
  /** Final status; 0: no answer within 32 s, or given up; undefined: it has just begun. */
  status?: number
  /** Of the first request. */
  startMs: number
  /** Of the final response, or when it was given up. */
  endMs: number
  /** Addresses of the first request. */
  source: string
  destination: string
  vlan: number
  /** Host of its To. */
  realm: string
  /** A REGISTER that removes a binding (Expires: 0). */
  unregisters: boolean
  /** 401 and 407 answers on the way. */
  challenges: number
}

export interface CallListener {
  /** A message of a call, before its effects: for what shows messages themselves. */
  onCallMessage?(call: SipCall, packet: SipPacket, sighting: Sighting): void
  /** A call appeared (INVITE, or any in-dialog message of a call whose INVITE was not seen). */
  onCallStart(call: SipCall): void
  /** `call.callerMedia` / `calleeMedia` changed (offer, answer, early media, re-INVITE, UPDATE). */
  onMediaChange(call: SipCall, media: PartyMedia): void
  /** 2xx to the initial INVITE (not told for calls that were up when the capture began, or whose 2xx was missed). */
  onAnswer(call: SipCall): void
  /**
   * The call ended in signalling, or was given up because too many were open (then its state is `in_progress`);
   * `call.state` is final. A failure that may be tried again is told after the wait for that. More messages (retransmissions)
   * may still be absorbed.
   */
  onCallEnd(call: SipCall): void
  /**
   * The BYE was answered (`call.byeAnswerMs`), or went without an answer for 32 s. Not told for a BYE that was not seen
   * itself.
   */
  onDisconnect?(call: SipCall): void
  /** A REFER of the call (`call.referral`). */
  onReferral?(call: SipCall): void
  /** A REGISTER attempt or OPTIONS request begins, and is decided. */
  onStandalone?(request: StandaloneRequest): void
}
