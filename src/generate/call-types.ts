import type { Endpoint } from './addresses.js'
import type { Dialogue, SipPacket } from './dialogue.js'
import type { DirectionName, Party } from './parties.js'
import type { Random } from './random.js'
import type { CallSpec, Side } from './scenario.js'
import type { Format } from './sender.js'
import type { SessionWriter } from './session-writer.js'

/** A losing branch of a forked INVITE. */
export interface Branch {
  party: Party
  ringMs: number
  earlyMedia: boolean
}

export type CallState = 'completed' | 'failed' | 'cancelled' | 'timeout' | 'in_progress'

/** What happened in signalling, times of the first sighting at the tap, on whichever hop. */
export interface CallFlow {
  packets: SipPacket[]
  state: CallState
  status?: number
  inviteMs: number
  /** First provisional response but 100. */
  progressMs?: number
  ringingMs?: number
  /** The callee's 183 with a session description. */
  earlyMediaMs?: number
  answerMs?: number
  ackMs?: number
  byeMs?: number
  /** End of the call's outcome: BYE, final failure, or the moment the caller gives up waiting. */
  endMs: number
  endedBy?: Side
  authChallenges: number
  retransmissions: number
  holdMs: number
  pauses: Record<DirectionName, { startMs: number; endMs: number }[]>
  changes: Record<DirectionName, { timeMs: number; format?: Format; source?: Endpoint }[]>
  branches: Branch[]
}

export interface CallSetup {
  spec: CallSpec
  startMs: number
  repetition: number
  callId: string
  caller: Party
  callee: Party
  formats: Record<DirectionName, Format>
  /** First values of the legs' round-trip times, ms. */
  legMs: Record<Side, number>
  rtcpMux: boolean
  random: Random
}

/** A call while its script is played. */
export interface CallInProgress {
  setup: CallSetup
  flow: CallFlow
  dialogue: Dialogue
  session: SessionWriter
  /** To-tag of the branch that answers. */
  calleeTag: string
  /** CSeq last used by each side. */
  sequences: Record<Side, number>
}

/** How long an element thinks before it answers. */
export const THINK_MS = 1

export function other(side: Side): Side {
  return side === 'caller' ? 'callee' : 'caller'
}

export function partyOf(setup: CallSetup, side: Side): Party {
  return side === 'caller' ? setup.caller : setup.callee
}
