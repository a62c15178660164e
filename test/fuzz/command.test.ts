import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { TARGETS } from '../../scripts/fuzz/targets.mjs'
import { ROOT } from '../helpers/programs.js'

function fuzz(...args: string[]) {
  const { status, stderr } = spawnSync(process.execPath, [join(ROOT, 'scripts/fuzz.mjs'), ...args], {
    encoding: 'utf8',
  })
  return { status, stderr }
}

describe('npm run fuzz', () => {
  it('names the targets when asked for one that there is not', () => {
    const { status, stderr } = fuzz('--target', 'h323')
    expect(status).toBe(2)
    for (const name of Object.keys(TARGETS)) expect(stderr).toContain(name)
  })

  it('says which number it could not read', () => {
    expect(fuzz('--runs', 'many')).toEqual({ status: 2, stderr: '--runs: "many" is no number\n' })
  })
})
