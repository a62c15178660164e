import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { TARGETS } from '../../scripts/fuzz/targets.mjs'
import { ROOT } from '../helpers/programs.js'

function fuzz(...args: string[]) {
  const { status, stderr } = run(...args)
  return { status, stderr }
}

function run(...args: string[]) {
  return spawnSync(process.execPath, [join(ROOT, 'scripts/fuzz.mjs'), ...args], { encoding: 'utf8' })
}

describe('npm run fuzz', () => {
  it('names the targets when asked for one that there is not', () => {
    const { status, stderr } = fuzz('--target', 'h323')
    expect(status).toBe(2)
    for (const name of Object.keys(TARGETS)) expect(stderr).toContain(name)
  })

  it.each(['--help', '-h'])('tells every option and target at %s', (option) => {
    const { status, stdout, stderr } = run(option)
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    const options = '--target --runs --seconds --seed --slow-ms --no-coverage --unreached --soak --help'
    for (const name of [...options.split(' '), ...Object.keys(TARGETS)]) expect(stdout).toContain(name)
  })

  it.each([
    ['--nonsense', /--nonsense[^]*--help/],
    ['--seed', /--seed[^]*--help/],
    ['--soak=', /--soak/],
  ])('says what is wrong with %s, without a stack', (option, message) => {
    const { status, stderr } = fuzz(option)
    expect(status).toBe(2)
    expect(stderr).toMatch(message)
    expect(stderr).not.toContain('    at ')
  })

  it('says which number it could not read', () => {
    expect(fuzz('--runs', 'many')).toEqual({ status: 2, stderr: '--runs: "many" is no number\n' })
  })
})
