import type { CallListener, CallState, SignallingCounters } from './call.js'
import type { SipResponse } from './message.js'
import type { CallTrack } from './tracker-call.js'
import { TimedList } from './tracker-list.js'
import { TRANSACTION_LIFETIME_MS } from './transactions.js'

/** RFC 3261 16.6, Timer C: an INVITE may stay unanswered for three minutes after its last provisional response. */
export const PROVISIONAL_TIMEOUT_MS = 180_000
/** How long a challenged or redirected INVITE may take to come again: people type passwords. */
export const CHALLENGE_WAIT_MS = 64_000
/** How long other failures may take to be tried again by a program (422, 488, 503, ...). */
export const RETRY_WAIT_MS = 2_000
/** How far a mirror may shuffle the messages of one call. */
export const REORDER_WAIT_MS = 1_000

/** Failures that end the attempt for good: nobody tries again without a human. */
const PERSONAL_REFUSALS = new Set([486, 487, 600, 603])

function retryWait(status: number): 'challenge' | 'retry' | 'none' {
  if (status === 401 || status === 407 || (status >= 300 && status < 400)) return 'challenge'
  return PERSONAL_REFUSALS.has(status) ? 'none' : 'retry'
}

/** After a CANCEL these only say that it took effect, though 487 would be right; a 408 or 5xx has its own cause. */
function followsCancel(status: number): boolean {
  return (status >= 400 && status < 500 && status !== 408) || status === 600 || status === 603
}

/** The states of calls and their timeouts. Each call is in one list; all steps are O(1). */
export class CallLife {
  /** INVITE sent, nothing heard. */
  private readonly calling = new TimedList<CallTrack>(TRANSACTION_LIFETIME_MS)
  private readonly proceeding = new TimedList<CallTrack>(PROVISIONAL_TIMEOUT_MS)
  /** CANCEL seen, its 487 not. */
  private readonly cancelling = new TimedList<CallTrack>(TRANSACTION_LIFETIME_MS)
  private readonly challenged = new TimedList<CallTrack>(CHALLENGE_WAIT_MS)
  private readonly retryable = new TimedList<CallTrack>(RETRY_WAIT_MS)
  private readonly reordered = new TimedList<CallTrack>(REORDER_WAIT_MS)
  private readonly talking = new TimedList<CallTrack>(Infinity)
  private readonly lingering = new TimedList<CallTrack>(TRANSACTION_LIFETIME_MS)
  /** In the order in which calls are given up when there are too many. */
  private readonly lists = [
    this.lingering,
    this.challenged,
    this.retryable,
    this.cancelling,
    this.calling,
    this.reordered,
    this.proceeding,
    this.talking,
  ]

  /** @param forget takes a call out of the tracker's index */
  constructor(
    private readonly listener: CallListener,
    private readonly counters: SignallingCounters,
    private readonly forget: (track: CallTrack) => void,
  ) {}

  get size(): number {
    return this.lists.reduce((sum, list) => sum + list.size, 0)
  }

  *tracks(): Generator<CallTrack> {
    for (const list of this.lists) for (let track = list.first; track; track = track.next) yield track
  }

  /** An INVITE was sent (again). */
  call(track: CallTrack, timeMs: number): void {
    this.place(track, this.calling, timeMs)
  }

  /** A provisional response came. */
  proceed(track: CallTrack, timeMs: number): void {
    if (track.list !== this.cancelling) this.place(track, this.proceeding, timeMs)
  }

  /**
   * A retransmission shows that the transaction is still alive. One of an INVITE that nothing answered does not buy it
   * time: Timer B runs from the first (RFC 3261 17.1.1.2).
   */
  refresh(track: CallTrack, provisional: boolean, timeMs: number): void {
    if (track.list === this.talking) this.talking.append(track, timeMs)
    else if (provisional && track.list === this.proceeding) track.list.append(track, timeMs)
  }

  cancel(track: CallTrack, timeMs: number): void {
    this.place(track, this.cancelling, timeMs)
  }

  answer(track: CallTrack, timeMs: number): void {
    track.answered = true
    this.place(track, this.talking, timeMs)
  }

  /** Puts an answered call at the young end of the idle order. */
  touch(track: CallTrack, timeMs: number): void {
    if (track.list === this.talking) this.talking.append(track, timeMs)
  }

  /** A final response of 300 and more to the attempt. */
  fail(track: CallTrack, response: Pick<SipResponse, 'status' | 'reason'>, timeMs: number): void {
    const { call } = track
    call.finalStatus = response.status
    call.finalReason = response.reason
    if (track.ending) {
      // A BYE before the answer: it was never one (RFC 3261 15.1.2: the INVITE then gets a 487).
      call.state = 'cancelled'
      return
    }
    call.endMs = timeMs
    const cancelled = call.cancelMs !== undefined && followsCancel(response.status)
    if (cancelled || response.status === 487) {
      this.end(track, 'cancelled', timeMs, timeMs)
      return
    }
    const wait = retryWait(response.status)
    if (wait === 'none') this.end(track, 'failed', timeMs, timeMs)
    else this.place(track, wait === 'challenge' ? this.challenged : this.retryable, timeMs)
  }

  /** Waiting for the next attempt after a failure that allows one. */
  awaitsRetry(track: CallTrack): boolean {
    return track.list === this.challenged || track.list === this.retryable
  }

  /** The end is known, but messages of before it may still come. */
  endSoon(track: CallTrack, state: CallState, endMs: number, timeMs: number): void {
    track.call.state = state
    track.call.endMs = endMs
    track.ending = true
    this.reordered.append(track, timeMs)
  }

  end(track: CallTrack, state: CallState, endMs: number, timeMs: number): void {
    if (track.ended) return
    const { call } = track
    call.state = state
    call.endMs = endMs
    track.ended = true
    track.ending = false
    track.holdWatch.end(call.holds, endMs)
    this.lingering.append(track, timeMs)
    this.listener.onCallEnd(call)
  }

  /** Resolves a call that nothing more is expected of. */
  settle(track: CallTrack, timeMs: number): void {
    const { call, list } = track
    if (list === this.reordered) this.end(track, call.state, call.endMs ?? timeMs, timeMs)
    else if (list === this.cancelling) this.end(track, 'cancelled', call.cancelMs ?? timeMs, timeMs)
    else if (this.awaitsRetry(track)) this.end(track, 'failed', call.endMs ?? timeMs, timeMs)
  }

  /** Everything that is due at `timeMs`. */
  expire(timeMs: number): void {
    for (const list of [this.calling, this.proceeding]) this.expireUnanswered(list, timeMs)
    for (const list of [this.cancelling, this.challenged, this.retryable, this.reordered]) {
      for (let track = list.due(timeMs); track; track = list.due(timeMs)) this.settle(track, timeMs)
    }
    for (let track = this.lingering.due(timeMs); track; track = this.lingering.due(timeMs)) {
      const { byeMs, byeAnswerMs } = track.call
      if (byeMs !== undefined && byeAnswerMs === undefined) this.listener.onDisconnect?.(track.call)
      this.drop(track)
    }
  }

  /** The capture ends: what only waited for more is resolved, open calls stay as they are. */
  finish(timeMs: number): void {
    for (const list of [this.cancelling, this.challenged, this.retryable, this.reordered]) {
      while (list.first) this.settle(list.first, timeMs)
    }
  }

  /** Gives up the least useful call. Only calls that had not ended count as evicted. */
  evict(timeMs: number): void {
    const track = this.lists.find((list) => list.first)?.first
    if (!track) return
    if (!track.ended) {
      this.counters.evictedCalls++
      track.call.evicted = true
      this.settle(track, timeMs)
      if (!track.ended) {
        track.ended = true
        this.listener.onCallEnd(track.call)
      }
    }
    this.drop(track)
  }

  drop(track: CallTrack): void {
    track.list?.remove(track)
    track.ended = true
    this.forget(track)
  }

  /** For a capture whose clock was set back: no call is older than now. */
  rebase(timeMs: number): void {
    for (const list of this.lists) list.rebase(timeMs)
  }

  private place(track: CallTrack, list: TimedList<CallTrack>, timeMs: number): void {
    if (!track.ended && !track.ending) list.append(track, timeMs)
  }

  private expireUnanswered(list: TimedList<CallTrack>, timeMs: number): void {
    for (let track = list.due(timeMs); track; track = list.due(timeMs)) {
      const { distantFinal, call } = track
      const dueMs = track.listedMs + list.delayMs
      if (distantFinal) {
        call.finalStatus = distantFinal.status
        call.finalReason = distantFinal.reason
        this.end(track, distantFinal.status === 487 ? 'cancelled' : 'failed', distantFinal.timeMs, timeMs)
      } else {
        this.end(track, 'timeout', dueMs, timeMs)
      }
    }
  }
}
