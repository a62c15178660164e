import type { FindingCode, MosDriver } from '../calls/records.js'
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
  /** What a bad call is found to have, the first to look at. */
  finding?: FindingCode
  /** Class of a failed set-up, as in the evidence of `setup_failed`; of several calls that of more than half. */
  failure?: string
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

/** The bad samples as one: percentiles and peaks of the worst, rates and scores as means. */
export function worstOf(bad: readonly { evidence?: Evidence }[]): Evidence | undefined {
  const all = bad.map(({ evidence }) => evidence).filter((evidence) => evidence !== undefined)
  if (all.length === 0) return undefined
  const drivers = all.map(({ mosDriver }) => mosDriver).filter((driver) => driver !== undefined)
  return {
    jitterP95Ms: highest(all.map(({ jitterP95Ms }) => jitterP95Ms)),
    pdvP95Ms: highest(all.map(({ pdvP95Ms }) => pdvP95Ms)),
    pdvMaxMs: highest(all.map(({ pdvMaxMs }) => pdvMaxMs)),
    lossPercent: mean(all.map(({ lossPercent }) => lossPercent)),
    latePercent: mean(all.map(({ latePercent }) => latePercent)),
    mosCq: mean(all.map(({ mosCq }) => mosCq)),
    mosDriver: mostFrequent(drivers),
    finding: mostFrequent(all.map(({ finding }) => finding).filter((code) => code !== undefined)),
    failure: thatOfMost(all.map(({ failure }) => failure)),
  }
}

function known(values: readonly (number | undefined)[]): number[] {
  return values.filter((value): value is number => value !== undefined && !Number.isNaN(value))
}

function highest(values: readonly (number | undefined)[]): number | undefined {
  const numbers = known(values)
  return numbers.length > 0 ? Math.max(...numbers) : undefined
}

function mean(values: readonly (number | undefined)[]): number | undefined {
  const numbers = known(values)
  return numbers.length > 0 ? numbers.reduce((sum, value) => sum + value, 0) / numbers.length : undefined
}

/** What more than half of them are. */
function thatOfMost(values: readonly (string | undefined)[]): string | undefined {
  const top = mostFrequent(values)
  return 2 * values.filter((value) => value === top).length > values.length ? top : undefined
}

export function mostFrequent<T>(values: readonly T[]): T | undefined {
  const counts = new Map<T, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  let best: T | undefined
  for (const [value, count] of counts) if (best === undefined || count > (counts.get(best) ?? 0)) best = value
  return best
}
