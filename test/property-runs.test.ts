import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { ROOT } from './helpers/programs.js'
import { propertyRuns } from './helpers/property-runs.js'

afterEach(() => {
  vi.unstubAllEnvs()
})

describe('a property test', () => {
  it('draws the same cases in each run', () => {
    vi.stubEnv('FUZZ_SEED', '')
    vi.stubEnv('FUZZ_RUNS', '')
    expect(propertyRuns(70)).toEqual({ seed: 20_240_601, numRuns: 70 })
  })

  it('draws others, and more, when FUZZ_SEED and FUZZ_RUNS say so', () => {
    vi.stubEnv('FUZZ_SEED', '-12')
    vi.stubEnv('FUZZ_RUNS', '5000')
    expect(propertyRuns(70)).toEqual({ seed: -12, numRuns: 5000 })
    vi.stubEnv('FUZZ_RUNS', '5k')
    expect(() => propertyRuns(70)).toThrow('FUZZ_RUNS=5k is not a whole number')
  })

  it('takes its parameters from propertyRuns, wherever it stands', () => {
    const tests = ['src', 'test']
      .flatMap((folder) =>
        readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((name) =>
          join(folder, name),
        ),
      )
      .filter((name) => name.endsWith('.test.ts') && !name.endsWith('property-runs.test.ts'))
      .map((name) => ({ name, text: readFileSync(join(ROOT, name), 'utf8') }))
      .filter(({ text }) => /from 'fast-check'/.test(text))
    expect(tests.length).toBeGreaterThan(10)
    const unseeded = tests.filter(({ text }) => !text.includes('propertyRuns') || /\{ numRuns:/.test(text))
    expect(unseeded.map(({ name }) => name)).toEqual([])
  })
})
