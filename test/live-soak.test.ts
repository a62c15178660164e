import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { requireLive } from './helpers/live.js'
import { ROOT } from './helpers/programs.js'

describe.skipIf(!requireLive('tcpreplay', 'cc'))('a soak', () => {
  it('of half a minute accounts for every packet, and memory does not run away', { timeout: 240_000 }, () => {
    // Ten minutes are `npm run soak`; the growth of so short a run is mostly the engine's own warming up.
    const done = spawnSync(
      process.execPath,
      ['scripts/soak.mjs', '--seconds', '30', '--rate', '5000', '--growth', '96'],
      { cwd: ROOT, encoding: 'utf8', timeout: 230_000 },
    )
    expect(done.stdout + done.stderr).toMatch(/^neither: 0$/m)
    expect(done.stdout).toMatch(/^soak: ok$/m)
    expect(done.status).toBe(0)
  })
})
