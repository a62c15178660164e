import type { AlertsConfig } from '../config/alerts.js'
import type { Config } from '../config/config.js'

/** What a running capture takes over; everything else needs a restart. */
const TAKEN_OVER: ReadonlySet<string> = new Set<keyof Config>([
  'sites',
  'trunks',
  'quality',
  'assumed_network_delay_ms',
])

/** Of the section `alerts`, which rules at work take over. */
const ALERT_KEYS_TAKEN_OVER: ReadonlySet<string> = new Set<keyof AlertsConfig>([
  'shipped_rules',
  'rules',
  'silences',
  'notifiers',
])

/** Keys that differ, by whether a running capture can take them over. */
export function changedKeys(before: Config, after: Config): { taken: string[]; needRestart: string[] } {
  const taken: string[] = []
  const needRestart: string[] = []
  for (const key of differing(before, after)) {
    if (key === 'alerts') {
      for (const part of differing(before.alerts, after.alerts))
        (takesOver(before, part) ? taken : needRestart).push(`alerts.${part}`)
    } else if (TAKEN_OVER.has(key)) taken.push(key)
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
    alerts: before.alerts.enabled
      ? {
          ...before.alerts,
          shipped_rules: after.alerts.shipped_rules,
          rules: after.alerts.rules,
          silences: after.alerts.silences,
          notifiers: after.alerts.notifiers,
        }
      : before.alerts,
  }
}

function differing(before: object, after: object): string[] {
  const [old, now] = [before, after].map((config) => new Map<string, unknown>(Object.entries(config)))
  const keys = new Set([...now.keys(), ...old.keys()])
  return [...keys].filter((key) => JSON.stringify(old.get(key)) !== JSON.stringify(now.get(key)))
}

/** Without alerts there is nobody to take over anything. */
function takesOver(before: Config, part: string): boolean {
  return before.alerts.enabled && ALERT_KEYS_TAKEN_OVER.has(part)
}
