import { pathOf } from './filter.js'
import type { ListedCall } from './data.js'

/** Calls with a quality that somebody complains about. */
export function isBad(call: ListedCall): boolean {
  return call.quality === 'broken' || call.quality === 'poor'
}

export interface FindingRow {
  code: string
  severity: 'critical' | 'warning' | 'info'
  calls: number
  badCalls: number
  /** The path that most of these calls took, when more than half of them (and two) did. */
  mostlyOn?: string
}

const SEVERITY: Record<string, FindingRow['severity']> = { c: 'critical', w: 'warning', i: 'info' }
const SEVERITY_RANK = { critical: 0, warning: 1, info: 2 }

/** Findings over all calls: what is worst and most frequent first. */
export function groupFindings(calls: readonly ListedCall[]): FindingRow[] {
  const groups = new Map<string, FindingRow & { paths: Map<string, number> }>()
  for (const call of calls) {
    for (const finding of new Set(call.findings)) {
      const code = finding.slice(2)
      const severity = SEVERITY[finding[0]] ?? 'info'
      let group = groups.get(code)
      if (!group) groups.set(code, (group = { code, severity, calls: 0, badCalls: 0, paths: new Map() }))
      if (SEVERITY_RANK[severity] < SEVERITY_RANK[group.severity]) group.severity = severity
      group.calls++
      if (isBad(call)) group.badCalls++
      const path = pathOf(call)
      group.paths.set(path, (group.paths.get(path) ?? 0) + 1)
    }
  }
  const rows = [...groups.values()].map(({ paths, ...row }) => {
    const [path, times] = [...paths].reduce((best, entry) => (entry[1] > best[1] ? entry : best), ['', 0])
    return { ...row, mostlyOn: times >= 2 && times * 2 > row.calls ? path : undefined }
  })
  return rows.sort((a, b) => SEVERITY_RANK[a.severity] - SEVERITY_RANK[b.severity] || b.calls - a.calls)
}

export interface PathRow {
  path: string
  calls: number
  answered: number
  badCalls: number
  lowestMos: number | null
  /** Median over calls that have one. */
  medianMos: number | null
  worstLoss: number | null
}

/** Calls by path, those with most bad calls first. */
export function groupPaths(calls: readonly ListedCall[]): PathRow[] {
  const groups = new Map<string, ListedCall[]>()
  for (const call of calls) {
    const path = pathOf(call)
    const group = groups.get(path)
    if (group) group.push(call)
    else groups.set(path, [call])
  }
  const rows = [...groups].map(([path, members]): PathRow => {
    const scores = members.map((call) => call.mos).filter((value) => value !== null)
    scores.sort((a, b) => a - b)
    const losses = members.map((call) => call.lossPercent).filter((value) => value !== null)
    return {
      path,
      calls: members.length,
      answered: members.filter((call) => call.durationS !== null).length,
      badCalls: members.filter(isBad).length,
      lowestMos: scores[0] ?? null,
      medianMos: scores[Math.ceil(scores.length / 2) - 1] ?? null,
      worstLoss: losses.length > 0 ? Math.max(...losses) : null,
    }
  })
  return rows.sort((a, b) => b.badCalls - a.badCalls || b.calls - a.calls || (a.path < b.path ? -1 : 1))
}
