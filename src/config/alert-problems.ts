import { FINDING_CODES, QUALITIES, RECORD_STATES } from '../calls/records.js'
import { CALL_METRICS, INTERVAL_METRICS, PROBE_METRICS, SECOND_METRICS } from './alert-metrics.js'
import { allRules, isCalmSide } from './alert-rules.js'
import type { AlertRule, AlertsConfig, AlertsProblem, SampleCondition } from './alerts.js'
import { notifierProblems } from './alert-notifier-problems.js'
import { didYouMean } from './nearest.js'

/** What is wrong with the section beyond its schema. */
export function* alertsProblems(config: Partial<AlertsConfig>): Generator<AlertsProblem> {
  const section = { shipped_rules: config.shipped_rules ?? true, rules: config.rules ?? [] }
  const all = allRules(section)
  const names = all.map((rule) => rule.name)
  const seen = new Set<string>()
  for (const [i, file] of section.rules.entries()) {
    const path = ['rules', i]
    if (seen.has(file.name)) {
      yield { path: [...path, 'name'], message: `alerts has two rules named "${file.name}": join them` }
      continue
    }
    seen.add(file.name)
    const rule = all.find((candidate) => candidate.name === file.name)
    if (rule) yield* ruleProblems(rule, path, names)
  }
  for (const [i, notifier] of (config.notifiers ?? []).entries())
    yield* notifierProblems(notifier, ['notifiers', i])
  yield* otherProblems(config, names)
}

function* ruleProblems(
  rule: AlertRule,
  path: (string | number)[],
  names: readonly string[],
): Generator<AlertsProblem> {
  const of = `rule "${rule.name}"`
  if (rule.above !== undefined && rule.below !== undefined)
    yield { path, message: `${of}: give above or below, not both` }
  if (rule.above === undefined && rule.below === undefined && rule.baseline === undefined)
    yield { path, message: `${of} needs a threshold: above, below or baseline` }
  if (rule.clear !== undefined && !isCalmSide(rule.clear, rule))
    yield {
      path: [...path, 'clear'],
      message: `${of}: clear (${rule.clear}) must lie on the calm side of the threshold`,
    }
  const countsBad = ['share_percent', 'shared_percent', 'count'].includes(rule.measure)
  if (['share_percent', 'shared_percent'].includes(rule.measure) && rule.bad.length === 0)
    yield { path, message: `${of} measures a share of bad samples: it needs bad` }
  if (rule.measure === 'shared_percent' && rule.over !== 'calls')
    yield { path: [...path, 'measure'], message: `${of}: shared_percent is for rules over calls` }
  if (!countsBad && rule.metric === undefined)
    yield { path, message: `${of} measures ${rule.measure}: it needs a metric` }
  if (rule.metric !== undefined) yield* metricProblems(rule, rule.metric, [...path, 'metric'])
  if (rule.over === 'probe' && countsBad)
    yield { path, message: `${of} looks at the probe: measure a metric (last, mean, max, min, increase)` }
  if (rule.over !== 'probe' && (rule.measure === 'last' || rule.measure === 'increase'))
    yield { path: [...path, 'measure'], message: `${of}: ${rule.measure} is for rules over probe` }
  if (rule.over !== 'seconds' && (rule.repeats ?? rule.bad_seconds ?? rule.together > 1) !== false)
    yield { path, message: `${of}: repeats, bad_seconds and together are for rules over seconds` }
  for (const list of ['where', 'bad'] as const)
    for (const [k, condition] of rule[list].entries())
      yield* conditionProblems(rule, condition, [...path, list, k])
  for (const name of rule.inhibited_by)
    if (!names.includes(name))
      yield {
        path: [...path, 'inhibited_by'],
        message: `${of}: there is no rule "${name}"${didYouMean(name, names)}`,
      }
}

function* conditionProblems(
  rule: AlertRule,
  condition: SampleCondition,
  path: (string | number)[],
): Generator<AlertsProblem> {
  const of = `rule "${rule.name}"`
  const { metric, finding, state, quality, above, below } = condition
  if ([metric, finding, state, quality].filter((part) => part !== undefined).length !== 1) {
    yield { path, message: `${of}: a condition has one of metric, finding, state, quality` }
    return
  }
  if (metric !== undefined) {
    if ((above === undefined) === (below === undefined))
      yield { path, message: `${of}: give above or below beside metric "${metric}"` }
    yield* metricProblems(rule, metric, [...path, 'metric'])
    return
  }
  if (rule.over !== 'calls')
    yield { path, message: `${of}: finding, state and quality are known of calls (over: calls)` }
  const known: readonly string[] = finding !== undefined ? FINDING_CODES : state ? RECORD_STATES : QUALITIES
  for (const value of finding !== undefined ? [finding].flat() : (state ?? quality ?? []))
    if (!known.includes(value))
      yield { path, message: `${of}: unknown value "${value}"${didYouMean(value, known)}` }
}

function* metricProblems(
  rule: AlertRule,
  metric: string,
  path: (string | number)[],
): Generator<AlertsProblem> {
  const known = metricsOf(rule)
  if (!known.includes(metric))
    yield {
      path,
      message: `rule "${rule.name}": there is no metric "${metric}" over ${rule.over}${didYouMean(metric, known)}`,
    }
}

function metricsOf({ over }: AlertRule): readonly string[] {
  switch (over) {
    case 'seconds':
      return SECOND_METRICS
    case 'intervals':
      return INTERVAL_METRICS
    case 'calls':
      return CALL_METRICS
    case 'call_starts':
      return []
    case 'probe':
      return PROBE_METRICS
  }
}

function* otherProblems(config: Partial<AlertsConfig>, rules: readonly string[]): Generator<AlertsProblem> {
  const named = new Set<string>()
  for (const [i, { name, only }] of (config.notifiers ?? []).entries()) {
    if (named.has(name))
      yield { path: ['notifiers', i, 'name'], message: `alerts has two notifiers named "${name}"` }
    named.add(name)
    yield* unknownRules(only?.rules ?? [], rules, ['notifiers', i, 'only', 'rules'])
  }
  for (const [i, { rules: about, from, until }] of (config.silences ?? []).entries()) {
    yield* unknownRules(about ?? [], rules, ['silences', i, 'rules'])
    if (!(Date.parse(from) < Date.parse(until)))
      yield { path: ['silences', i], message: `a silence must end after it begins (${from}, ${until})` }
  }
  if (config.time_zone !== undefined && !isTimeZone(config.time_zone))
    yield {
      path: ['time_zone'],
      message: `"${config.time_zone}" is no time zone (names look like Europe/Berlin)`,
    }
}

function* unknownRules(
  about: readonly string[],
  rules: readonly string[],
  path: (string | number)[],
): Generator<AlertsProblem> {
  for (const [i, name] of about.entries())
    if (!rules.includes(name))
      yield { path: [...path, i], message: `there is no rule "${name}"${didYouMean(name, rules)}` }
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}
