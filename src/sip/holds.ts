import type { HoldPeriod, Party, PartyMedia } from './call.js'
import type { MediaDescription } from './sdp-types.js'

/** Hold periods kept per call; later ones are not recorded. */
export const MAX_HOLDS = 128

/** The discard port that stands in a WebRTC description until candidates are known (RFC 8839 4.3.1). */
const PLACEHOLDER_PORT = 9

function audioOf(description: PartyMedia | undefined): MediaDescription | undefined {
  return description?.media.find((media) => media.kind === 'audio' && media.port !== 0)
}

/** An unspecified address asks for no media (RFC 2543 B.5, kept by RFC 3264 8.4), unless ICE will fill it in. */
function hasNullAddress(audio: MediaDescription): boolean {
  const unspecified = audio.address === '0.0.0.0' || audio.address === '::'
  return unspecified && audio.port !== PLACEHOLDER_PORT && audio.candidates.length === 0
}

/** A description whose owner does not want to receive: hold, when it is offered (RFC 3264 8.4). */
export function offersHold(audio: MediaDescription): boolean {
  return audio.direction === 'sendonly' || audio.direction === 'inactive' || hasNullAddress(audio)
}

/** Whether the answerer holds: more one-way than the offer forced it to be. undefined when the offer hides it. */
function answersHold(offer: MediaDescription, answer: MediaDescription): boolean | undefined {
  if (hasNullAddress(answer)) return true
  if (answer.direction === 'sendonly') return true
  if (answer.direction !== 'inactive') return false
  return offer.direction === 'inactive' ? undefined : true
}

/** Who holds whom, from the completed offer/answer exchanges of one call. */
export class HoldWatch {
  private readonly holding: Record<Party, boolean> = { caller: false, callee: false }

  /**
   * Takes a completed exchange. Only a change by a re-INVITE or UPDATE makes a hold: a call that is one-way from its
   * first exchange (`initial`) is meant to be so.
   */
  exchange(
    holds: HoldPeriod[],
    offer: PartyMedia | undefined,
    answer: PartyMedia | undefined,
    timeMs: number,
    initial: boolean,
  ): void {
    const offered = audioOf(offer)
    if (!offer || !offered) return
    this.set(holds, offer.party, offersHold(offered), timeMs, initial)
    const answered = audioOf(answer)
    if (!answer || !answered) return
    const answererHolds = answersHold(offered, answered)
    if (answererHolds !== undefined) this.set(holds, answer.party, answererHolds, timeMs, initial)
  }

  /** Closes what is open at the end of the call. */
  end(holds: HoldPeriod[], timeMs: number): void {
    for (const hold of holds) hold.endMs ??= Math.max(hold.startMs, timeMs)
  }

  private set(holds: HoldPeriod[], by: Party, held: boolean, timeMs: number, initial: boolean): void {
    if (this.holding[by] === held) return
    this.holding[by] = held
    if (!held) {
      const open = holds.find((hold) => hold.by === by && hold.endMs === undefined)
      if (open) open.endMs = Math.max(open.startMs, timeMs)
    } else if (!initial && holds.length < MAX_HOLDS) {
      holds.push({ startMs: timeMs, by })
    }
  }
}

/** Time within [fromMs, toMs] during which at least one party held the other, ms. */
export function heldMs(holds: readonly HoldPeriod[], fromMs: number, toMs: number): number {
  let total = 0
  let coveredTo = fromMs
  for (const hold of [...holds].sort((left, right) => left.startMs - right.startMs)) {
    const start = Math.max(hold.startMs, coveredTo)
    const end = Math.min(hold.endMs ?? toMs, toMs)
    if (end > start) {
      total += end - start
      coveredTo = end
    }
  }
  return total
}
