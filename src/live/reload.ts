import type { Config } from '../config/config.js'

/** What a running capture takes over; everything else needs a restart. */
const TAKEN_OVER: ReadonlySet<string> = new Set<keyof Config>([
  'sites',
  'trunks',
  'quality',
  'assumed_network_delay_ms',
])

/** Keys that differ, by whether a running capture can take them over. */
export function changedKeys(before: Config, after: Config): { taken: string[]; needRestart: string[] } {
  const old = new Map<string, unknown>(Object.entries(before))
  const taken: string[] = []
  const needRestart: string[] = []
  for (const [key, value] of Object.entries(after)) {
    if (JSON.stringify(old.get(key)) === JSON.stringify(value)) continue
    if (TAKEN_OVER.has(key)) taken.push(key)
    else needRestart.push(key)
  }
  return { taken, needRestart }
}

/** The configuration that is in force after a reload: the new one, but for what is fixed while calls run. */
export function afterReload(before: Config, after: Config): Config {
  return {
    ...before,
    sites: after.sites,
    trunks: after.trunks,
    quality: after.quality,
    assumed_network_delay_ms: after.assumed_network_delay_ms,
  }
}
