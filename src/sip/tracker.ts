import type { CallListener, SignallingCounters, SipCall } from './call.js'
import type { SipMessage, SipPacket, SipResponse } from './message.js'
import { StandaloneRequests, type RegistrationFailure } from './registrations.js'
import type { CallTrack } from './tracker-call.js'
import {
  createCall,
  indexKey,
  isInitialInvite,
  restoredTrack,
  showsCall,
  showsLife,
} from './tracker-create.js'
import { DialogFlow } from './tracker-dialog.js'
import { InviteFlow } from './tracker-invite.js'
import { CallLife } from './tracker-life.js'
import { CallRelations, namedCallIds } from './tracker-relations.js'
import { countMessage, createCounters, methodOf } from './tracker-counters.js'
import { UsedCallIds } from './tracker-keys.js'

export const DEFAULT_MAX_CALLS = 100_000

/** How long after the answer an INVITE without To-tag may still be a copy or a parallel attempt of the same call. */
const SAME_CALL_WINDOW_MS = 2_000

/** A capture clock that steps back further than this was set, or another file began. */
const CLOCK_STEP_MS = 60_000

export interface TrackerOptions {
  /** Calls kept at once, default 100,000. Beyond it the least useful one is given up. */
  maxCalls?: number
}

/**
 * Follows calls, registrations and OPTIONS in the SIP messages that pass a tap. It sees what the tap sees: messages
 * may be missing, doubled, out of order, or seen on several hops. Takes O(1) amortised per message.
 */
export class SignallingTracker {
  readonly counters: SignallingCounters = createCounters()
  private readonly index = new Map<string, CallTrack>()
  private readonly newestByCallId = new Map<string, CallTrack>()
  private readonly usedCallIds = new UsedCallIds()
  private readonly standalone: StandaloneRequests
  private readonly life: CallLife
  private readonly invites: InviteFlow
  private readonly dialogs: DialogFlow
  private readonly relations = new CallRelations((callId) => this.newestByCallId.get(callId))
  private readonly maxCalls: number
  private nowMs = -Infinity

  constructor(
    private readonly listener: CallListener,
    options: TrackerOptions = {},
  ) {
    this.maxCalls = Math.max(1, options.maxCalls ?? DEFAULT_MAX_CALLS)
    this.standalone = new StandaloneRequests(this.counters, listener)
    this.life = new CallLife(listener, this.counters, (track) => this.forget(track))
    this.invites = new InviteFlow(listener, this.life)
    this.dialogs = new DialogFlow(listener, this.life, this.relations)
  }

  /** Calls held, those that ended within the last 32 s included. */
  get size(): number {
    return this.life.size
  }

  /** Addresses of record whose registration failed lately, bounded. */
  get registrationFailures(): readonly RegistrationFailure[] {
    return this.standalone.failures
  }

  /** Every call held whose end was not reported. */
  openCalls(): SipCall[] {
    const open: SipCall[] = []
    for (const track of this.life.tracks()) if (!track.ended) open.push(track.call)
    return open
  }

  onMessage(packet: SipPacket): void {
    const { message } = packet
    countMessage(this.counters, message)
    if (message.callId === '') {
      this.counters.malformed++
      return
    }
    const method = methodOf(message)
    if (method === 'REGISTER' || method === 'OPTIONS') {
      this.standalone.onMessage(packet)
      return
    }
    const known = this.find(message)
    if (known) this.continueCall(known, packet)
    // A BYE that comes long after the end belongs to the call that was forgotten, and is not another one.
    else if (showsCall(message) && (showsLife(message) || !this.usedCallIds.has(message.callId)))
      this.startCall(packet)
  }

  /** Lets packet time pass: timeouts, and the end of what only waited for stragglers. */
  onTime(timeMs: number): void {
    if (timeMs < this.nowMs - CLOCK_STEP_MS) {
      this.life.rebase(timeMs)
      this.standalone.rebase(timeMs)
    }
    this.nowMs = timeMs
    this.life.expire(timeMs)
    this.standalone.expire(timeMs)
  }

  /**
   * The capture ends at `timeMs`. Failures that waited for a retry and cancelled calls are reported; calls that are
   * still open stay `in_progress` without an event.
   */
  finish(timeMs: number): void {
    this.onTime(timeMs)
    this.life.finish(timeMs)
  }

  /** A call that an earlier run of the probe knew: its messages find it, its media are claimed. */
  restore(saved: SipCall, timeMs: number): void {
    if (this.life.size >= this.maxCalls) return
    const call: SipCall = { ...saved, key: this.usedCallIds.unique(saved.callId) }
    const track = restoredTrack(call)
    for (const key of track.indexKeys) this.index.set(key, track)
    this.newestByCallId.set(call.callId, track)
    const answered = call.answerMs !== undefined || call.ackMs !== undefined
    if (answered) this.life.answer(track, timeMs)
    else this.life.call(track, timeMs)
    this.listener.onCallStart(call)
    if (answered) this.listener.onAnswer(call)
  }

  /** Keeps a call young because of its media. */
  touch(call: SipCall, timeMs: number): void {
    const track = this.trackOf(call)
    if (!track) return
    call.lastMs = Math.max(call.lastMs, timeMs)
    this.life.touch(track, timeMs)
  }

  /** Forgets a call that its media show to be over. No event. */
  expire(call: SipCall): void {
    const track = this.trackOf(call)
    if (track) this.life.drop(track)
  }

  private trackOf(call: SipCall): CallTrack | undefined {
    const track = this.index.get(indexKey(call.callId, call.fromTag))
    return track?.call === call ? track : this.index.get(displacedKey(call))
  }

  /** Another call takes over the Call-ID and tag: messages find only that, the listener still finds both. */
  private displace(track: CallTrack, timeMs: number): void {
    this.life.settle(track, timeMs)
    if (track.ended) return
    const key = displacedKey(track.call)
    track.indexKeys.push(key)
    this.index.set(key, track)
  }

  private find(message: SipMessage): CallTrack | undefined {
    const from = this.index.get(indexKey(message.callId, message.from.tag ?? ''))
    if (from || message.to.tag === undefined) return from
    return this.index.get(indexKey(message.callId, message.to.tag))
  }

  private startCall(packet: SipPacket): void {
    const { callId } = packet.message
    if (this.life.size >= this.maxCalls) this.life.evict(packet.timeMs)
    const track = createCall(packet, this.usedCallIds.unique(callId))
    track.indexKeys.forEach((key, place) => {
      // The first key is the call's own, others are guesses that must not hide another call.
      if (place === 0 || !this.index.has(key)) this.index.set(key, track)
    })
    this.newestByCallId.set(callId, track)
    this.life.call(track, packet.timeMs)
    this.relations.welcome(track)
    track.seen.sight(packet)
    track.noteMessage(packet)
    this.listener.onCallStart(track.call)
    this.listener.onCallMessage?.(track.call, packet, 'new')
    this.assumeDialog(track, packet.message, packet.timeMs)
    this.dispatch(track, packet)
  }

  /** A first message from within an established dialog: the call is on, its beginning was missed. */
  private assumeDialog(track: CallTrack, message: SipMessage, timeMs: number): void {
    const method = methodOf(message)
    if (message.to.tag === undefined) return
    const request = method === 'INVITE' || method === 'INFO' || method === 'ACK'
    if (method !== 'UPDATE' && !(request && message.kind === 'request')) return
    const remote = track.requester(message) === 'caller' ? message.to.tag : message.from.tag
    track.call.toTag = remote ?? ''
    this.life.answer(track, timeMs)
  }

  private continueCall(track: CallTrack, packet: SipPacket): void {
    const { message, timeMs } = packet
    const sighting = track.seen.sight(packet)
    if (sighting === 'new' && this.startsAnother(track, packet)) {
      this.displace(track, timeMs)
      this.startCall(packet)
      return
    }
    const { call } = track
    this.listener.onCallMessage?.(call, packet, sighting)
    call.lastMs = Math.max(call.lastMs, timeMs)
    track.noteMessage(packet)
    const provisional = message.kind === 'response' && message.status < 200
    if (sighting === 'duplicate') {
      this.counters.duplicates = (this.counters.duplicates ?? 0) + 1
      return
    }
    // Retransmissions keep a transaction alive; an ACK is no transaction (RFC 3261 17), it only mirrors its response.
    if (methodOf(message) === 'INVITE') this.life.refresh(track, provisional, timeMs)
    else this.life.touch(track, timeMs)
    if (sighting === 'new') this.dispatch(track, packet)
    else if (message.kind === 'response' || message.method !== 'ACK') {
      call.retransmissions++
      this.counters.retransmissions++
    }
  }

  /** Whether a new message of a known Call-ID and tag belongs to another call than the known one. */
  private startsAnother(track: CallTrack, packet: SipPacket): boolean {
    const { message, timeMs } = packet
    const { call } = track
    if (!isInitialInvite(message)) {
      // The answer that everybody had given up waiting for.
      const answer = message.kind === 'response' && message.cseq.method === 'INVITE' && message.status >= 200
      return track.ended && call.state === 'timeout' && answer && message.status < 300
    }
    if (track.ended) return true
    const known = track.exchange('INVITE', message.cseq.number, 'caller')
    if (!call.sawInvite) return timeMs - track.createdMs > SAME_CALL_WINDOW_MS
    if (track.answered) return timeMs - (call.answerMs ?? call.ackMs ?? track.createdMs) > SAME_CALL_WINDOW_MS
    return !known && call.cancelMs !== undefined && !track.attemptPending()
  }

  private dispatch(track: CallTrack, packet: SipPacket): void {
    const { message } = packet
    if (message.kind === 'response' && message.cseq.method === 'BYE')
      this.noteByeAnswer(track, packet, message)
    if (track.ended) return
    const { call } = track
    if (message.kind === 'request' && message.method === 'INVITE') {
      this.invites.onRequest(track, packet, message)
      for (const callId of namedCallIds(message)) this.relations.link(track, callId)
    } else if (message.kind === 'response') {
      if (message.cseq.method === 'INVITE') this.invites.onResponse(track, packet, message)
      else this.dialogs.onResponse(track, packet, message)
    } else if (message.method === 'ACK') this.invites.onAck(track, packet, message)
    else this.dialogs.onRequest(track, packet, message)
    // The INVITE may have shown that the tag taken for the caller's was the callee's.
    const key = indexKey(call.callId, call.fromTag)
    if (!track.indexKeys.includes(key)) {
      track.indexKeys.push(key)
      this.index.set(key, track)
    }
  }

  /** Comes after the end as a rule, which is the BYE. */
  private noteByeAnswer(track: CallTrack, { timeMs }: SipPacket, message: SipResponse): void {
    const { call } = track
    if (call.byeMs === undefined || call.byeAnswerMs !== undefined || !track.isWinningDialog(message)) return
    if (message.status < 200 || message.status === 401 || message.status === 407) return
    call.byeAnswerMs = timeMs
    this.listener.onDisconnect?.(call)
  }

  private forget(track: CallTrack): void {
    for (const key of track.indexKeys) if (this.index.get(key) === track) this.index.delete(key)
    const { callId } = track.call
    if (this.newestByCallId.get(callId) === track) this.newestByCallId.delete(callId)
  }
}

function displacedKey(call: SipCall): string {
  return `displaced\n${call.key}`
}
