import type { AlertSilence } from '../config/alerts.js'
import { inScope, type AlertTags } from './tags.js'

/** Whether an alert that begins at `startMs` falls into a silence. */
export function isSilenced(
  silences: readonly AlertSilence[],
  rule: string,
  tags: AlertTags,
  startMs: number,
): boolean {
  return silences.some(
    ({ rules, scope, from, until }) =>
      (rules === undefined || rules.includes(rule)) &&
      startMs >= Date.parse(from) &&
      startMs < Date.parse(until) &&
      inScope(tags, scope ?? {}),
  )
}
