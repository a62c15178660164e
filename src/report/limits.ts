/**
 * What a report holds at most. Each of these is counted when it is reached, and the page says so. Memory while the run
 * goes on is about the text of the calls that are open, plus 42 bytes per second and stream of theirs (with room for up to
 * three times as many more), plus 16 batches of calls that wait to be packed (packing.ts), plus the file.
 */
export const LIMITS = {
  /** Calls in the table. */
  calls: 50_000,
  /**
   * Details, characters and bytes before compression (to a tenth or so); from half of it on, calls of good quality leave out messages and
   * seconds.
   */
  detailBytes: 220_000_000,
  /** SIP messages of one call, and characters of one message and of all that one call keeps. */
  messages: 250,
  messageCharacters: 24_000,
  callCharacters: 150_000,
  /** SIP text of all calls that are open. */
  openCharacters: 128_000_000,
  /** Points of a direction; a longer one takes 2, 4, ... seconds per point. */
  points: 1800,
  /** Points of all calls that are open. */
  openPoints: 4_000_000,
  intervals: 2000,
  reports: 1000,
  events: 200,
  streams: 40,
} as const

/** What the limits cost, over the run. */
export interface ReportCuts {
  callsNotListed: number
  callsWithoutDetails: number
  goodCallsShortened: number
  messagesLeftOut: number
  messagesCut: number
  pointsLeftOut: number
}

export function noCuts(): ReportCuts {
  return {
    callsNotListed: 0,
    callsWithoutDetails: 0,
    goodCallsShortened: 0,
    messagesLeftOut: 0,
    messagesCut: 0,
    pointsLeftOut: 0,
  }
}
