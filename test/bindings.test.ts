import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { bindingPaths, findBinding } from '../src/capture/ring/native.js'
import { ROOT } from './helpers/programs.js'

/** The build script where no compiler can be found. */
function buildWithoutCompiler(...args: string[]): { status: number | null; said: string } {
  const done = spawnSync(process.execPath, [join(ROOT, 'scripts/build-bindings.mjs'), ...args], {
    env: { PATH: '/nonexistent' },
    encoding: 'utf8',
  })
  return { status: done.status, said: done.stdout + done.stderr }
}

describe.skipIf(process.platform !== 'linux')('the capture binding', () => {
  it('is missed by live capture alone: npm run build says so and goes on', () => {
    expect(buildWithoutCompiler('--optional')).toEqual({
      status: 0,
      said: expect.stringMatching(/no C\+\+ compiler found; install g\+\+.*\n.*replay does not/),
    })
    expect(buildWithoutCompiler()).toMatchObject({ status: 1 })
  })

  it('built here comes before one that was shipped; what does not fit is named and left alone', () => {
    const [built, shipped] = bindingPaths()
    expect(built).toBe(join(ROOT, 'build/callprobe.node'))
    expect(shipped).toMatch(/prebuilds\/linux-(x64|arm64)(-musl)?\/callprobe\.node$/)
    const found = findBinding([join(ROOT, 'nowhere.node'), join(ROOT, 'package.json')])
    expect(found).toEqual({
      problems: [
        `${join(ROOT, 'nowhere.node')}: there is none`,
        `${join(ROOT, 'package.json')}: of another version of callprobe`,
      ],
    })
  })
})
