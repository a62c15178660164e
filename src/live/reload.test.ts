import { describe, expect, it } from 'vitest'
import { parseConfig } from '../config/load.js'
import { afterReload, changedKeys } from './reload.js'

const parse = (text: string): ReturnType<typeof parseConfig> => parseConfig(text, 'probe.yaml')

describe('a configuration that is read again', () => {
  it('needs no restart for silences, rules and notifiers, and says which of them changed', () => {
    const before = parse('alerts: {rules: [{name: mos_drop, above: 40}]}')
    const silenced = parse(
      'alerts: {rules: [{name: mos_drop, above: 40}], silences: [{from: 2026-03-02T00:00:00Z, until: 2026-03-03T00:00:00Z}]}',
    )
    expect(changedKeys(before, silenced)).toEqual({ taken: ['alerts.silences'], needRestart: [] })
    const more = parse(
      'alerts: {rules: [{name: mos_drop, above: 50}], notifiers: [{name: a, type: syslog, host: h}]}',
    )
    expect(changedKeys(before, more)).toEqual({
      taken: ['alerts.rules', 'alerts.notifiers'],
      needRestart: [],
    })
  })

  it('names the keys of alerts that do need one, and leaves them as they were', () => {
    const before = parse('sites: [{name: a, networks: [10.0.0.0/8]}]')
    const after = parse(
      'interval_s: 5\nalerts: {state_dir: /tmp/x, time_zone: Europe/Berlin, shipped_rules: false}',
    )
    expect(changedKeys(before, after)).toEqual({
      taken: ['sites', 'alerts.shipped_rules'],
      needRestart: ['interval_s', 'alerts.state_dir', 'alerts.time_zone'],
    })
    const inForce = afterReload(before, after)
    expect(inForce).toMatchObject({
      interval_s: 10,
      sites: [],
      alerts: { state_dir: '', shipped_rules: false },
    })
    // Nothing but those is different the next time.
    expect(changedKeys(inForce, after)).toEqual({
      taken: [],
      needRestart: ['interval_s', 'alerts.state_dir', 'alerts.time_zone'],
    })
  })

  it('changes nothing of alerts where they are off: there is nobody to take it over', () => {
    const before = parse('alerts: {enabled: false}')
    const after = parse('alerts: {enabled: true, rules: [{name: mos_drop, above: 50}]}')
    expect(changedKeys(before, after)).toEqual({ taken: [], needRestart: ['alerts.enabled', 'alerts.rules'] })
    expect(afterReload(before, after).alerts).toEqual(before.alerts)
  })

  it('sees that a key was taken out', () => {
    expect(changedKeys(parse('privacy_key_file: key'), parse('')).needRestart).toEqual(['privacy_key_file'])
  })
})
