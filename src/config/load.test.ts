import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readSchema } from '../calls/validate.js'
import { CallprobeError } from '../errors.js'
import { DEFAULT_CONFIG, PRIVACY_MODES } from './config.js'
import { formatJitterBufferSpec } from './jitter-buffer.js'
import { loadConfig, parseConfig } from './load.js'

function messageOf(text: string): string {
  try {
    parseConfig(text, 'probe.yaml')
  } catch (error) {
    if (error instanceof CallprobeError && error.code === 'CONFIG_INVALID') return error.message
    throw error
  }
  throw new Error('the configuration was accepted')
}

/** The `default` of every key of a schema, objects followed; undefined for a key without one. */
function schemaDefaults(schema: Record<string, unknown>): unknown {
  if ('default' in schema) return schema.default
  if (!('properties' in schema)) return undefined
  const properties = schema.properties as Record<string, Record<string, unknown>>
  return Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, schemaDefaults(value)]))
}

describe('configuration', () => {
  it('has the defaults that its schema documents', () => {
    const written = {
      ...DEFAULT_CONFIG,
      jitter_buffer: formatJitterBufferSpec(DEFAULT_CONFIG.jitter_buffer),
    }
    expect(written).toEqual(schemaDefaults(readSchema('config')))
    expect(readSchema('config').properties.privacy.enum).toEqual(PRIVACY_MODES)
  })

  it('is the defaults without a file, and with an empty one', () => {
    expect(loadConfig()).toEqual(DEFAULT_CONFIG)
    expect(parseConfig('', 'probe.yaml')).toEqual(DEFAULT_CONFIG)
    expect(parseConfig('# nothing set\n', 'probe.yaml')).toEqual(DEFAULT_CONFIG)
  })

  it('lays the keys of a file over the defaults, key by key', () => {
    const config = parseConfig(
      'probe: hq\njitter_buffer: fixed:60\nquality:\n  good: 4.2\nsites:\n  - name: a\n    networks: [10.0.0.0/8]\n',
      'probe.yaml',
    )
    expect(config).toEqual({
      ...DEFAULT_CONFIG,
      probe: 'hq',
      jitter_buffer: { kind: 'fixed', depthMs: 60 },
      quality: { good: 4.2, fair: 3.6, broken_percent: 50 },
      sites: [{ name: 'a', networks: ['10.0.0.0/8'] }],
    })
  })

  it('reads JSON, also with tabs', () => {
    expect(
      parseConfig('{\n\t"probe": "hq",\n\t"quality": {\n\t\t"good": 4.1\n\t}\n}\n', 'probe.json').quality
        .good,
    ).toBe(4.1)
  })

  it('names the nearest known key for an unknown one, with line and column', () => {
    expect(messageOf('probe: hq\njiter_buffer: fixed:60\n')).toBe(
      'probe.yaml:2:1: unknown key "jiter_buffer"; did you mean "jitter_buffer"?',
    )
    expect(messageOf('quality:\n  goood: 4\n')).toBe(
      'probe.yaml:2:3: unknown key "goood"; did you mean "good"?',
    )
  })

  it('lists the known keys when none is near', () => {
    expect(messageOf('burst_second: {colour: red}\n')).toBe(
      'probe.yaml:1:16: unknown key "colour"; known here: pdv_ms, packets',
    )
  })

  it('points at the value that is out of range or of the wrong kind', () => {
    expect(messageOf('probe: hq\ninterval_s: 90\n')).toBe('probe.yaml:2:13: interval_s must be <= 60')
    expect(messageOf('g711_plc: yes please\n')).toBe('probe.yaml:1:11: g711_plc must be boolean')
    expect(messageOf('privacy: hashed\n')).toBe(
      'probe.yaml:1:10: privacy must be one of none, mask, hash; did you mean "hash"?',
    )
    expect(messageOf('sites:\n  - networks: [10.0.0.0/8]\n')).toContain(
      "probe.yaml:2:5: sites.0 must have required property 'name'",
    )
    expect(messageOf('- a\n- b\n')).toBe('probe.yaml:1:1: the configuration must be object')
  })

  it('refuses what the schema cannot express', () => {
    expect(messageOf('jitter_buffer: fxed:60\n')).toContain(
      'probe.yaml:1:16: jitter buffer "fxed:60" is not a jitter buffer',
    )
    expect(messageOf('quality: {good: 3.5}\n')).toContain(
      'quality.fair (3.6) must be below quality.good (3.5)',
    )
    expect(messageOf('sites:\n  - {name: a, networks: [10.0.0.1/8]}\n')).toContain(
      'probe.yaml:2:26: "10.0.0.1/8" is neither an address nor a network',
    )
    expect(messageOf('sites:\n  - {name: a, vlans: [1]}\n  - {name: a, vlans: [2]}\n')).toContain(
      'probe.yaml:3:12: sites has two entries named "a"',
    )
    expect(messageOf('sites:\n  - name: a\n')).toContain('site "a" needs networks, vlans or realms')
  })

  it('reports every problem of a file at once', () => {
    expect(messageOf('probbe: a\ninterval_s: 0\nlimits: {streams: many}\n').split('\n')).toHaveLength(3)
  })

  it('gives line and column of broken YAML and of a key set twice', () => {
    expect(messageOf('probe: "hq\n')).toMatch(/^probe\.yaml:\d+:\d+: Missing closing "quote/)
    expect(messageOf('probe: a\nprobe: b\n')).toMatch(/^probe\.yaml:2:1: Map keys must be unique/)
  })

  it('survives an alias bomb', () => {
    const bomb = ['a: &a [x,x,x,x,x,x,x,x,x]']
    for (let i = 1; i < 12; i++) {
      const last = String.fromCharCode(96 + i)
      bomb.push(
        `${String.fromCharCode(97 + i)}: &${String.fromCharCode(97 + i)} [${`*${last},`.repeat(8)}*${last}]`,
      )
    }
    expect(messageOf(bomb.join('\n'))).toMatch(/^probe\.yaml: Excessive alias count/)
  })

  it('says which file cannot be read, and why', () => {
    const folder = mkdtempSync(join(tmpdir(), 'callprobe-config-'))
    try {
      expect(() => loadConfig(join(folder, 'none.yaml'))).toThrow(/none\.yaml: there is no such file/)
      expect(() => loadConfig(folder)).toThrow(/it is a directory/)
      writeFileSync(join(folder, 'ok.yaml'), 'probe: from-file\n')
      expect(loadConfig(join(folder, 'ok.yaml')).probe).toBe('from-file')
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
