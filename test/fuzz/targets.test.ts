import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { Engine } from '../../scripts/fuzz/engine.mjs'
import { Material } from '../../scripts/fuzz/material.mjs'
import { loadTarget, TARGETS } from '../../scripts/fuzz/targets.mjs'
import { ROOT } from '../helpers/programs.js'

/** The same in every run: what `npm run fuzz` finds beyond it becomes a test beside the code. */
const SEED = 20_240_601
const INPUTS = 400
/** On a slow machine fewer inputs. */
const MOST_MS = 500

async function importSource(module: string): Promise<Record<string, unknown>> {
  return import(join(ROOT, 'src', module.replace(/\.js$/, '.ts')))
}

describe('the short form of npm run fuzz', () => {
  let material: Material
  beforeAll(async () => {
    material = await Material.load(importSource)
  })

  for (const [name, { about }] of Object.entries(TARGETS)) {
    it(`${name}: spoiled input breaks no promise (${about})`, async () => {
      const target = await loadTarget(name, importSource, material)
      expect(target.seeds.length).toBeGreaterThan(2)
      const engine = new Engine(target, SEED, { slowMs: 5000 })
      const begin = performance.now()
      await engine.runSeeds()
      for (let i = 0; i < INPUTS && performance.now() - begin < MOST_MS; i++) await engine.step()
      expect(engine.inputs).toBeGreaterThanOrEqual(target.seeds.length)
    })
  }
})
