import { parseAddress, UNKNOWN_SITE } from '../config/networks.js'
import type { AlertGroupKey, AlertScope } from '../config/alerts.js'
import type { Direction } from '../calls/records.js'

/** What rules group by and are scoped by. */
export interface AlertTags {
  /** Where media flows, as a person reads it: "berlin → hamburg via carrier-a". */
  path: string
  caller_site?: string
  callee_site?: string
  trunk?: string
  direction?: Direction
  codec?: string
}

/** Tags of an alert: what all that it is about have in common. */
export type CommonTags = Omit<AlertTags, 'path'>

/** Whose names a path is made of; addresses are of the media, else of signalling. */
export interface PathEnds {
  fromSite?: string
  toSite?: string
  trunk?: string
  fromAddress?: string
  toAddress?: string
}

/**
 * The path between two ends: each its site, else (with a trunk) the trunk, else its network. The trunk is added where
 * it is not an end itself.
 */
export function pathOf({ fromSite, toSite, trunk, fromAddress, toAddress }: PathEnds): string {
  const from = known(fromSite)
  const to = known(toSite)
  if (trunk !== undefined && from !== undefined && to === undefined) return `${from} → ${trunk}`
  if (trunk !== undefined && from === undefined && to !== undefined) return `${trunk} → ${to}`
  const ends = `${from ?? networkOf(fromAddress)} → ${to ?? networkOf(toAddress)}`
  return trunk === undefined ? ends : `${ends} via ${trunk}`
}

function known(site: string | undefined): string | undefined {
  return site === UNKNOWN_SITE ? undefined : site
}

/** The /24 or /64 of an address: streams of one subnet share their way. */
export function networkOf(address: string | undefined): string {
  const bytes = address === undefined ? undefined : parseAddress(address)
  if (bytes === undefined) return UNKNOWN_SITE
  if (bytes.length === 4) return `${bytes[0]}.${bytes[1]}.${bytes[2]}.0/24`
  const groups = [0, 2, 4, 6].map((k) => ((bytes[k] << 8) | bytes[k + 1]).toString(16))
  while (groups.at(-1) === '0') groups.pop()
  return `${groups.join(':')}::/64`
}

/** Which group of a rule a sample belongs to: undefined when it lacks what the rule groups by. */
export function groupKeyOf(tags: AlertTags, keys: readonly AlertGroupKey[]): string | undefined {
  const parts: string[] = []
  for (const key of keys) {
    const part = groupPart(tags, key)
    if (part === undefined) return undefined
    parts.push(part)
  }
  return parts.join(', ')
}

/** What every sample of a group has, whatever else: the keys of the group, and for a path its trunk. */
export function groupTags(tags: AlertTags, keys: readonly AlertGroupKey[]): CommonTags {
  const common: CommonTags = {}
  if (keys.includes('trunk') || keys.includes('path')) common.trunk = tags.trunk
  if (keys.includes('caller_site')) common.caller_site = tags.caller_site
  if (keys.includes('callee_site')) common.callee_site = tags.callee_site
  if (keys.includes('direction')) common.direction = tags.direction
  return common
}

function groupPart(tags: AlertTags, key: AlertGroupKey): string | undefined {
  switch (key) {
    case 'probe':
      return 'probe'
    case 'path':
      return tags.path
    case 'trunk':
      // Without trunks in the configuration, or for a call that crosses none, all such calls are one group.
      return tags.trunk ?? 'no trunk'
    case 'site':
      return known(tags.caller_site) ?? known(tags.callee_site)
    default:
      return tags[key]
  }
}

export function inScope(tags: AlertTags, scope: AlertScope): boolean {
  for (const key of SCOPE_KEYS) {
    const wanted = scope[key]
    if (wanted === undefined) continue
    const values = key === 'site' ? [tags.caller_site, tags.callee_site] : [tags[key]]
    if (!values.some((value) => value !== undefined && matches(value, wanted))) return false
  }
  return true
}

const SCOPE_KEYS = ['path', 'site', 'caller_site', 'callee_site', 'trunk', 'direction', 'codec'] as const

function matches(value: string, wanted: string | readonly string[]): boolean {
  const list = typeof wanted === 'string' ? [wanted] : wanted
  return list.some((pattern) =>
    pattern.endsWith('*') ? value.startsWith(pattern.slice(0, -1)) : value === pattern,
  )
}
