import type { CallDetail, DirectionName, EventView } from './data.js'
import type { Seconds } from './second-codes.js'

export const DIRECTIONS: readonly DirectionName[] = ['from_caller', 'from_callee']

/** One direction on the common axis; null where nothing is known. */
export interface Track {
  packets: (number | null)[]
  lossPercent: (number | null)[]
  latePercent: (number | null)[]
  jitterMean: (number | null)[]
  jitterP95: (number | null)[]
  pdvP50: (number | null)[]
  pdvP95: (number | null)[]
  pdvMax: (number | null)[]
  delay: (number | null)[]
  mosSecond: (number | null)[]
  mosInterval: (number | null)[]
  rtcpLoss: (number | null)[]
  rtcpJitter: (number | null)[]
  /** Band by band. */
  heat: (number | null)[][]
}

/** Both directions of a call on one axis of seconds since `originMs`. */
export interface Timeline {
  originMs: number
  /** Seconds per point. */
  step: number
  /** Start of each point; the last one only closes the one before. */
  x: number[]
  tracks: Record<DirectionName, Track>
  roundTrip: (number | null)[]
  events: EventView[]
}

/** Puts everything that has a time on one grid. undefined when there is nothing to draw. */
export function timelineOf(
  detail: CallDetail,
  seconds: Partial<Record<DirectionName, Seconds>>,
): Timeline | undefined {
  const present = DIRECTIONS.map((direction) => seconds[direction]).filter((one) => one !== undefined)
  if (present.length === 0) return undefined
  const stepMs = Math.max(...present.map((one) => one.stepMs))
  const startMs = Math.floor(Math.min(...present.map((one) => one.startMs)) / 1000) * 1000
  const endMs = Math.max(...present.map((one) => one.startMs + one.count * one.stepMs))
  const events = detail.events
  const first = Math.min(startMs, ...events.map(({ timeMs }) => Math.floor(timeMs / 1000) * 1000))
  const last = Math.max(
    endMs,
    ...events.map(({ timeMs, endMs: end }) => Math.ceil((end ?? timeMs) / 1000) * 1000),
  )
  // A stray event far away must not squeeze the media into nothing.
  const originMs = Math.max(first, startMs - 120_000)
  const points = Math.ceil((Math.min(last, endMs + 120_000) - originMs) / stepMs)
  const x = Array.from({ length: points + 1 }, (_, i) => (i * stepMs) / 1000)
  const place = (timeMs: number): number => Math.floor((timeMs - originMs) / stepMs)
  const tracks = Object.fromEntries(
    DIRECTIONS.map((direction) => [
      direction,
      trackOf(detail, direction, seconds[direction], points + 1, place),
    ]),
  ) as Record<DirectionName, Track>
  const roundTrip = empty(points + 1)
  for (const [timeMs, rttMs] of detail.roundTrips)
    if (place(timeMs) in roundTrip) roundTrip[place(timeMs)] = rttMs
  return { originMs, step: stepMs / 1000, x, tracks, roundTrip, events }
}

function empty(length: number): (number | null)[] {
  return new Array<number | null>(length).fill(null)
}

function trackOf(
  detail: CallDetail,
  direction: DirectionName,
  seconds: Seconds | undefined,
  length: number,
  place: (timeMs: number) => number,
): Track {
  const track: Track = {
    packets: empty(length),
    lossPercent: empty(length),
    latePercent: empty(length),
    jitterMean: empty(length),
    jitterP95: empty(length),
    pdvP50: empty(length),
    pdvP95: empty(length),
    pdvMax: empty(length),
    delay: empty(length),
    mosSecond: empty(length),
    mosInterval: empty(length),
    rtcpLoss: empty(length),
    rtcpJitter: empty(length),
    heat: [],
  }
  if (seconds) fillSeconds(track, seconds, length, place)
  for (const [from, to, mos] of detail.intervals[direction] ?? []) {
    if (from === null || to === null || mos === null) continue
    const end = Math.min(length - 1, place(to - 1))
    for (let i = Math.max(0, place(from)); i <= end; i++)
      if (track.packets[i] !== null) track.mosInterval[i] = mos
  }
  for (const [timeMs, loss, , jitter] of detail.reports[direction] ?? []) {
    if (timeMs === null || !(place(timeMs) in track.rtcpLoss)) continue
    track.rtcpLoss[place(timeMs)] = loss
    track.rtcpJitter[place(timeMs)] = jitter
  }
  return track
}

function fillSeconds(
  track: Track,
  seconds: Seconds,
  length: number,
  place: (timeMs: number) => number,
): void {
  track.heat = seconds.heat.map(() => empty(length))
  for (let k = 0; k < seconds.count; k++) {
    const i = place(seconds.startMs + k * seconds.stepMs)
    const { packets, lost, late } = seconds.counts
    const expected = packets[k] + lost[k]
    if (expected === 0 || i < 0 || i >= length) continue
    track.packets[i] = packets[k]
    track.lossPercent[i] = (100 * lost[k]) / expected
    track.latePercent[i] = (100 * late[k]) / expected
    track.jitterMean[i] = seconds.times.jitterMean[k]
    track.jitterP95[i] = seconds.times.jitterP95[k]
    track.pdvP50[i] = seconds.times.pdvP50[k]
    track.pdvP95[i] = seconds.times.pdvP95[k]
    track.pdvMax[i] = seconds.times.pdvMax[k]
    track.delay[i] = seconds.times.delay[k]
    track.mosSecond[i] = seconds.mos[k]
    seconds.heat.forEach((band, b) => (track.heat[b][i] = band[k]))
  }
}
