import type { MosDriver } from '../calls/records.js'
import type { AlertTags } from './tags.js'

/** Who was on a call, for telling many callers from one phone. Times in ms since the epoch. */
export interface AffectedCall {
  callId: string
  /** '' when not known. */
  caller: string
  callee: string
  startMs: number
  /** Infinity while it runs. */
  endMs: number
  tags: AlertTags
}

/** What the bad samples of affected calls looked like; NaN or absent when not known. */
export interface Evidence {
  jitterP95Ms?: number
  pdvP95Ms?: number
  pdvMaxMs?: number
  lossPercent?: number
  latePercent?: number
  mosCq?: number
  mosDriver?: MosDriver
}

/** Calls at a time from which a party is no single phone but a PBX, a hotline or a trunk. */
const SEVERAL_AT_A_TIME = 3

/**
 * Callers or callees, whichever are fewer. A party that was in three calls at the same time counts for as many as its
 * calls: it is no single phone.
 */
export function partiesOf(calls: readonly AffectedCall[]): number {
  return Math.min(countParties(calls, 'caller'), countParties(calls, 'callee'))
}

function countParties(calls: readonly AffectedCall[], side: 'caller' | 'callee'): number {
  const byParty = new Map<string, AffectedCall[]>()
  for (const call of calls) {
    // Media without signalling has no parties: each call stands for itself.
    const party = call[side] === '' ? `\n${call.callId}` : call[side]
    const of = byParty.get(party)
    if (of) of.push(call)
    else byParty.set(party, [call])
  }
  let parties = 0
  for (const of of byParty.values()) parties += mostAtATime(of) >= SEVERAL_AT_A_TIME ? of.length : 1
  return parties
}

function mostAtATime(calls: readonly AffectedCall[]): number {
  if (calls.length < SEVERAL_AT_A_TIME) return calls.length
  const events = calls.flatMap(({ startMs, endMs }) => [
    { at: startMs, step: 1 },
    { at: endMs, step: -1 },
  ])
  events.sort((a, b) => a.at - b.at || a.step - b.step)
  let now = 0
  let most = 0
  for (const { step } of events) {
    now += step
    if (now > most) most = now
  }
  return most
}
