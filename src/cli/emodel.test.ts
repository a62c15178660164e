import { CommanderError } from 'commander'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { emodelCommand } from './emodel.js'

let stdout: string
let stderr: string

beforeEach(() => {
  stdout = ''
  stderr = ''
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    stdout += String(text)
    return true
  })
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    stderr += String(text)
    return true
  })
})

afterEach(() => {
  vi.restoreAllMocks()
})

function run(...args: string[]): void {
  emodelCommand().exitOverride().parse(args, { from: 'user' })
}

function json(...args: string[]): Record<string, unknown> {
  run(...args, '--format', 'json')
  const parsed: unknown = JSON.parse(stdout)
  if (typeof parsed !== 'object' || parsed === null) throw new Error('not an object')
  return Object.fromEntries(Object.entries(parsed))
}

function failure(...args: string[]): CommanderError {
  try {
    run(...args)
  } catch (error) {
    if (error instanceof CommanderError) return error
    throw error
  }
  throw new Error('did not fail')
}

describe('callprobe emodel', () => {
  it('G.711 with nothing wrong: R 93.2, MOS 4.41', () => {
    const result = json('--codec', 'PCMU')
    expect(result).toMatchObject({ r_factor: 93.2062, mos_lq: 4.4094, mos_cq: 4.4094, mos_scale: 'nb' })
    expect(result.mos_model).toContain('G.711 A/mu-law with PLC')
    expect(result.mos_grounded).toBe(true)
    expect(stderr).toBe('')
  })

  it('explicit factors with loss, bursts and delay give the published vector', () => {
    // emodel vectors: Ie 11, Bpl 19, BurstR 1.5, 2 %, 150 ms
    const result = json('--ie', '11', '--bpl', '19', '--loss', '2', '--burst', '1.5', '--delay', '150')
    const ieEff = 11 + (84 * 2) / (2 / 1.5 + 19)
    expect(result.r_factor).toBeCloseTo(89.5391 - ieEff, 3)
  })

  it('uses the burst ratio as given and points out that it is beyond the range', () => {
    // emodel vectors: G.711 without PLC, BurstR 4, 5 %, 0 ms
    expect(json('--ie', '0', '--bpl', '4.3', '--loss', '5', '--burst', '4').mos_cq).toBeCloseTo(1.0086, 3)
    expect(stderr).toContain('a burst ratio of 4 is beyond the model')
    expect(stderr).toContain('records would use 2')
  })

  it('prints text as name and value', () => {
    run('--codec', 'G.729', '--delay', '200')
    expect(stdout).toMatch(/^r_factor +74\.8047\n/m)
    expect(stdout).toMatch(/^mos_lq +/m)
    expect(stdout).toMatch(/^mos_scale +nb\n/m)
    expect(stdout).toMatch(/^codec +G\.729A \+ VAD\n/m)
  })

  it('a wideband codec is on the wideband scale', () => {
    expect(json('--codec', 'amr-wb-12.65')).toMatchObject({ mos_lq: 4.3371, mos_scale: 'wb', r_max: 129 })
  })

  it('explicit factors can be on any scale', () => {
    expect(json('--ie', '7.2', '--bpl', '11.4', '--loss', '1', '--scale', 'fb').mos_cq).toBeCloseTo(4.2961, 4)
  })

  it('says on stderr when a row is a stand-in', () => {
    run('--codec', 'GSM')
    expect(stderr).toMatch(/warning: GSM-FR.*stands in/)
  })

  it.each([
    [['--codec', 'PCMU', '--loss', '30'], 'loss of 30 %'],
    [['--codec', 'PCMU', '--delay', '600'], 'delay of 600 ms'],
    [['--ie', '50', '--bpl', '3'], 'Bpl of 3'],
  ])('%j is computed, with a warning', (args, text) => {
    run(...args)
    expect(stdout).toContain('mos_cq')
    expect(stderr).toContain(text)
  })

  it.each([
    [['--codec', 'G7299'], 'Nearest: G729'],
    [['--codec', 'SPEEX'], 'no published impairment values'],
    [[], 'give --codec NAME, or both --ie N and --bpl N'],
    [['--ie', '5'], 'both --ie N and --bpl N'],
    [['--codec', 'PCMU', '--ie', '5'], '--codec brings its own factors'],
    [['--codec', 'PCMU', '--loss', '101'], '--loss takes a number from 0 to 100'],
    [['--codec', 'PCMU', '--loss', '-1'], '--loss takes a number from 0 to 100'],
    [['--codec', 'PCMU', '--loss', 'much'], 'not "much"'],
    [['--codec', 'PCMU', '--loss', ''], '--loss takes'],
    [['--codec', 'PCMU', '--delay', '-1'], '--delay takes a number of 0 or more'],
    [['--ie', '5', '--bpl', '0'], '--bpl takes a number greater than 0'],
    [['--ie', '5', '--bpl', '10', '--scale', 'swb'], '--scale takes nb, wb or fb'],
    [['--codec', 'PCMU', '--format', 'xml'], '--format takes text or json'],
  ])('wrong usage %j ends with exit code 2 and says what to do', (args, text) => {
    expect(failure(...args).exitCode).toBe(2)
    expect(stderr).toContain(text)
    expect(stdout).toBe('')
  })

  it('lists the table, and what has no MOS', () => {
    run('--list')
    expect(stdout).toMatch(/^g711 +nb +0 +25\.1 +yes +PCMU,PCMA\/8000/m)
    expect(stdout).toMatch(/Speex: no published/)
  })

  it('lists the table as JSON', () => {
    run('--list', '--format', 'json')
    const rows: unknown = JSON.parse(stdout)
    expect(Array.isArray(rows) && rows.length).toBeGreaterThan(40)
  })

  it('shows examples in its help', () => {
    expect(failure('--help').exitCode).toBe(0)
    expect(stdout).toContain('callprobe emodel --codec PCMU --loss 1 --delay 120')
  })
})
