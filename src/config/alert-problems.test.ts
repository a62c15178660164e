import { describe, expect, it } from 'vitest'
import { CallprobeError } from '../errors.js'
import { allRules, rulesInForce } from './alert-rules.js'
import { parseConfig } from './load.js'

function messageOf(alerts: string): string {
  try {
    parseConfig(`alerts:\n  ${alerts.replaceAll('\n', '\n  ')}\n`, 'p.yaml')
  } catch (error) {
    if (error instanceof CallprobeError) return error.message
    throw error
  }
  return ''
}

describe('alert rules in the configuration', () => {
  it('are the ten shipped ones without a section', () => {
    expect(rulesInForce(parseConfig('', 'p.yaml').alerts).map(({ name }) => name)).toEqual([
      'burst_jitter',
      'loss_bursts',
      'mos_drop',
      'one_way_audio',
      'setup_failures',
      'bad_calls_shared',
      'no_calls',
      'capture_drops',
      'spool_growing',
      'mirror_quiet',
    ])
  })

  it('change a shipped rule by its name, key by key', () => {
    const { alerts } = parseConfig(
      'alerts: {rules: [{name: mos_drop, above: 50, severity: info}, {name: no_calls, enabled: false}]}',
      'p.yaml',
    )
    const shipped = allRules({ shipped_rules: true, rules: [] }).find(({ name }) => name === 'mos_drop')
    const changed = rulesInForce(alerts)
    expect(changed.find(({ name }) => name === 'mos_drop')).toEqual({
      ...shipped,
      above: 50,
      severity: 'info',
    })
    expect(changed.some(({ name }) => name === 'no_calls')).toBe(false)
  })

  it('are valid as they are shipped', () => {
    const names = allRules({ shipped_rules: true, rules: [] }).map(
      ({ name }) => `{name: ${name}, enabled: true}`,
    )
    expect(messageOf(`rules: [${names.join(', ')}]`)).toBe('')
  })

  it.each([
    [
      'rules: [{name: x, over: intervals, metric: jiter_p95_ms, measure: p95, above: 4}]',
      'there is no metric "jiter_p95_ms" over intervals; did you mean "jitter_p95_ms"?',
    ],
    [
      'rules: [{name: x, over: calls, bad: [{finding: one_way_adio}], above: 4}]',
      'unknown value "one_way_adio"; did you mean "one_way_audio"?',
    ],
    [
      'rules: [{name: x, over: calls, bad: [{finding: [no_media, one_way_adio]}], above: 4}]',
      'unknown value "one_way_adio"; did you mean "one_way_audio"?',
    ],
    [
      'rules: [{name: x, measure: shared_percent, bad: [{metric: jitter_p95_ms, above: 3}], above: 80}]',
      'shared_percent is for rules over calls',
    ],
    ['rules: [{name: x, over: calls, measure: shared_percent, above: 80}]', 'it needs bad'],
    ['rules: [{name: x, over: calls, bad: [{finding: no_media}]}]', 'needs a threshold'],
    ['rules: [{name: x, over: calls, above: 4}]', 'it needs bad'],
    ['rules: [{name: x, over: calls, measure: p95, above: 4}]', 'it needs a metric'],
    ['rules: [{name: x, over: calls, metric: duration_s, measure: mean, above: 4, below: 2}]', 'not both'],
    ['rules: [{name: x, over: calls, metric: duration_s, measure: mean, above: 4, clear: 5}]', 'calm side'],
    [
      'rules: [{name: x, over: seconds, bad: [{metric: burst}], above: 4}]',
      'give above or below beside metric "burst"',
    ],
    [
      'rules: [{name: x, over: seconds, bad: [{metric: burst, above: 0, finding: no_media}], above: 4}]',
      'one of metric, finding, state, quality',
    ],
    ['rules: [{name: x, over: intervals, bad: [{finding: no_media}], above: 4}]', 'over: calls'],
    [
      'rules: [{name: x, over: calls, bad: [{quality: [broken]}], above: 4, repeats: 2}]',
      'for rules over seconds',
    ],
    ['rules: [{name: x, over: probe, metric: quiet_s, above: 4}]', 'measure a metric'],
    ['rules: [{name: x, over: calls, metric: duration_s, measure: last, above: 4}]', 'for rules over probe'],
    [
      'rules: [{name: x, over: calls, bad: [{quality: [broken]}], above: 4, inhibited_by: [capture_drop]}]',
      'did you mean "capture_drops"?',
    ],
    ['rules: [{name: mos_drop, above: 3}, {name: mos_drop, above: 4}]', 'two rules named "mos_drop"'],
    [
      'silences: [{rules: [mos-drop], from: 2026-01-01T00:00:00Z, until: 2026-01-02T00:00:00Z}]',
      'did you mean "mos_drop"?',
    ],
    ['silences: [{from: 2026-01-02T00:00:00Z, until: 2026-01-01T00:00:00Z}]', 'must end after it begins'],
    ['time_zone: Europe/Brelin', 'is no time zone'],
    ['notifiers: [{name: a, type: webhook}]', 'needs url, url_env or url_file'],
    ['notifiers: [{name: a, type: webhook, url: "ftp://x/"}]', 'must be an http or https address'],
    ['notifiers: [{name: a, type: webhook, url: "http://x/", url_env: X}]', 'give one of url, url_env'],
    ['notifiers: [{name: a, type: syslog, host: h, url: "http://x/"}]', 'url is not for syslog'],
    ['notifiers: [{name: a, type: email, host: h, from: a@b}]', 'needs to'],
    [
      'notifiers: [{name: a, type: syslog, host: h}, {name: a, type: syslog, host: i}]',
      'two notifiers named "a"',
    ],
    ['notifiers: [{name: a, type: syslog, host: h, only: {rules: [x]}}]', 'there is no rule "x"'],
  ])('refuses %s', (section, message) => {
    expect(messageOf(section)).toContain(message)
  })

  it('points at the line of the mistake', () => {
    expect(messageOf('rules:\n  - name: mos_drop\n    clear: 99')).toContain(
      'p.yaml:4:14: rule "mos_drop": clear (99)',
    )
  })

  it('does not repeat credentials that an address should not have had', () => {
    const message = messageOf('notifiers: [{name: a, type: webhook, url: "https://me:s3cr3t@x/"}]')
    expect(message).toContain('no credentials in url')
    expect(message).not.toContain('s3cr3t')
  })
})
