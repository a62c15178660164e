import type { ListedCall } from './data.js'

/** What the table of calls shows, and in which order. */
export interface Choice {
  search: string
  quality?: string
  state?: string
  finding?: string
  path?: string
  sort: SortKey
  descending: boolean
}

export type SortKey =
  | 'worst'
  | 'startMs'
  | 'durationS'
  | 'caller'
  | 'callee'
  | 'state'
  | 'codec'
  | 'findings'
  | 'mos'
  | 'lossPercent'
  | 'latePercent'
  | 'jitterMs'

export const NO_CHOICE: Choice = { search: '', sort: 'worst', descending: false }

/** A call's path: sites and trunk where they are configured, else the signalling addresses. */
export function pathOf(call: ListedCall): string {
  const from = call.callerSite || call.callerAddress || 'unknown'
  const to = call.calleeSite || call.calleeAddress || 'unknown'
  return call.trunk === '' ? `${from} → ${to}` : `${from} → ${to} (${call.trunk})`
}

/** Calls that match: every word of the search has to be somewhere in the call. */
export function matching(calls: readonly ListedCall[], choice: Choice): ListedCall[] {
  const words = choice.search
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '')
  const found = calls.filter(
    (call) =>
      words.every((word) => call.searched.includes(word)) &&
      (choice.quality === undefined || call.quality === choice.quality) &&
      (choice.state === undefined || call.state === choice.state) &&
      (choice.path === undefined || pathOf(call) === choice.path) &&
      (choice.finding === undefined || call.findings.some((finding) => finding.slice(2) === choice.finding)),
  )
  return found.sort(orderOf(choice))
}

const QUALITY_RANK: Record<string, number> = { broken: 0, poor: 1, fair: 2, good: 4 }

/** Calls that people suffered from first, then those that never came about, then the good ones. */
function badness(call: ListedCall): number {
  const rank = QUALITY_RANK[call.quality]
  if (rank !== undefined) return rank
  return call.state === 'failed' || call.state === 'timeout' ? 3 : 5
}

function orderOf({ sort, descending }: Choice): (a: ListedCall, b: ListedCall) => number {
  const sign = descending ? -1 : 1
  const byTime = (a: ListedCall, b: ListedCall): number => a.startMs - b.startMs || a.index - b.index
  if (sort === 'worst')
    return (a, b) => sign * (badness(a) - badness(b) || (a.mos ?? 5) - (b.mos ?? 5) || byTime(a, b))
  const value = (call: ListedCall): string | number | null =>
    sort === 'findings' ? call.findings.filter((finding) => !finding.startsWith('i')).join() : call[sort]
  return (a, b) => {
    const x = value(a)
    const y = value(b)
    // What is not known stands last, whichever way.
    if (x === null || x === '') return y === null || y === '' ? byTime(a, b) : 1
    if (y === null || y === '') return -1
    const order = typeof x === 'number' && typeof y === 'number' ? x - y : compareTexts(String(x), String(y))
    return sign * order || byTime(a, b)
  }
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
