import type { AlertRule, AlertRuleFile, AlertsConfig } from './alerts.js'
import { RULE_DEFAULTS, SHIPPED_RULES } from './alert-defaults.js'

/** The rules in force: shipped ones, changed by the file's of the same name, then the file's own. */
export function rulesInForce(config: Pick<AlertsConfig, 'shipped_rules' | 'rules'>): AlertRule[] {
  return allRules(config).filter((rule) => rule.enabled)
}

/** As `rulesInForce`, with those that are disabled. */
export function allRules({
  shipped_rules,
  rules,
}: Pick<AlertsConfig, 'shipped_rules' | 'rules'>): AlertRule[] {
  const files = new Map<string, AlertRuleFile>()
  if (shipped_rules) for (const rule of SHIPPED_RULES) files.set(rule.name, rule)
  for (const rule of rules) files.set(rule.name, merged(files.get(rule.name), rule))
  return [...files.values()].map((rule) => ({
    ...RULE_DEFAULTS,
    ...rule,
    shared: { ...RULE_DEFAULTS.shared, ...rule.shared },
  }))
}

/** A change of threshold from above to below (or back) replaces both, and the hysteresis that belonged to it. */
function merged(shipped: AlertRuleFile | undefined, change: AlertRuleFile): AlertRuleFile {
  if (shipped === undefined) return change
  const { above, below, clear, shared, ...rest } = shipped
  const joined = { ...shared, ...change.shared }
  const keepsThreshold = change.above === undefined && change.below === undefined
  if (keepsThreshold) return { ...rest, above, below, clear, ...change, shared: joined }
  const usable = clear !== undefined && isCalmSide(clear, change)
  return { ...rest, ...(usable ? { clear } : {}), ...change, shared: joined }
}

/** Whether a value for `clear` lies where the rule does not fire. */
export function isCalmSide(clear: number, { above, below }: Pick<AlertRule, 'above' | 'below'>): boolean {
  return (above === undefined || clear <= above) && (below === undefined || clear >= below)
}
