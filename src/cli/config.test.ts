import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import { configCommand } from './config.js'

const folder = mkdtempSync(join(tmpdir(), 'callprobe-config-command-'))
afterAll(() => rmSync(folder, { recursive: true }))
afterEach(() => vi.restoreAllMocks())

/** Runs `callprobe config ARGUMENTS` and returns what it prints. */
async function run(...args: string[]): Promise<string> {
  let printed = ''
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += String(text)
    return true
  })
  await configCommand().parseAsync(args, { from: 'user' })
  return printed
}

describe('callprobe config', () => {
  it('says that a valid file is valid, and what is in it', async () => {
    const file = join(folder, 'ok.yaml')
    writeFileSync(file, 'probe: hq-1\ntrunks:\n  - {name: a, addresses: [192.0.2.1]}\n')
    expect(await run('check', file)).toContain(`${file} is valid: probe "hq-1", trunks: 1\n`)
  })

  it('says how many series a database will have at most, and when that is more than the budget', async () => {
    const file = join(folder, 'sites.yaml')
    const sites = Array.from({ length: 4 }, (_, k) => `  - {name: s${k}, networks: [10.${k}.0.0/16]}`).join(
      '\n',
    )
    const trunks = 'trunks:\n  - {name: a, addresses: [192.0.2.1]}\n'
    writeFileSync(file, `sites:\n${sites}\n${trunks}aggregates: {series_budget: 100}\n`)
    const printed = await run('check', file)
    expect(printed).toContain('voip_signalling: at most 4 series (2 trunks x 2 (first and further legs))')
    expect(printed).toMatch(
      /voip_traffic: at most 100 series \(5 caller sites x 5 callee sites x 2 trunks x \d+ codecs/,
    )
    expect(printed).toMatch(/voip_traffic could have \d+: when aggregates.series_budget \(100\) is used up/)
  })

  it('fails on a file with a mistake, naming file, line and the nearest key', async () => {
    const file = join(folder, 'bad.yaml')
    writeFileSync(file, 'probe: hq-1\ninterval: 10\n')
    await expect(run('check', file)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: `${file}:2:1: unknown key "interval"; did you mean "interval_s"?`,
    })
  })

  it('prints the published schema', async () => {
    expect(await run('schema')).toBe(
      readFileSync(new URL('../../schemas/config.schema.json', import.meta.url), 'utf8'),
    )
  })
})
