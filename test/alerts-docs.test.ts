import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { PLACEHOLDERS } from '../src/alerts/notifiers/template.js'
import { readSchema } from '../src/calls/validate.js'
import { SHIPPED_RULES } from '../src/config/alert-defaults.js'
import { PROBE_METRICS, SECOND_METRICS } from '../src/config/alert-metrics.js'
import { parseConfig } from '../src/config/load.js'
import { ROOT } from './helpers/programs.js'

const PAGE = readFileSync(join(ROOT, 'docs/alerting.md'), 'utf8')
const BLOCKS = [...PAGE.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, text]) => text)

describe('docs/alerting.md', () => {
  it('has examples that are valid configurations', () => {
    expect(BLOCKS.length).toBeGreaterThanOrEqual(4)
    for (const block of BLOCKS) {
      const text = block.startsWith('alerts:') ? block : `alerts:\n  notifiers:\n${block}`
      expect(() => parseConfig(text, 'example'), text).not.toThrow()
    }
  })

  it.each(SHIPPED_RULES.map((rule) => [rule.name, rule] as const))(
    'explains %s with its severity',
    (name, { severity }) => {
      const row = PAGE.split('\n').find((line) => line.startsWith(`| \`${name}\` |`))
      expect(row).toBeDefined()
      expect(row).toContain(`| ${severity} |`)
    },
  )

  it('names every key of a rule and of a notifier, every metric and placeholder', () => {
    const { alert_rule, alert_notifier } = readSchema('config').$defs
    const mentioned = (word: string): boolean => new RegExp(`\\b${word}\\b`).test(PAGE)
    const keys = [...Object.keys(alert_rule.properties), ...Object.keys(alert_notifier.properties)]
    const ours = keys.filter((key) => !key.startsWith('password_') && !mentioned(key))
    expect(ours).toEqual([])
    expect([...SECOND_METRICS, ...PROBE_METRICS].filter((metric) => !mentioned(metric))).toEqual([])
    const inner = ['slack_text', 'teams_facts', 'pagerduty_summary', 'pagerduty_details']
    expect(
      [...PLACEHOLDERS].filter((name) => !inner.includes(name) && !PAGE.includes(`{{${name}}}`)),
    ).toEqual([])
  })
})
