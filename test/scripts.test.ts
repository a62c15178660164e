import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { countTests, describeSkips, summaryLine } from '../scripts/lib/summary.mjs'
import { findProgram, ROOT, requirePrograms, sharedPath } from './helpers/programs.js'

const scratch = mkdtempSync(join(tmpdir(), 'callprobe-scripts-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

function file(name: string, status: string, statuses: string[]) {
  return {
    name,
    status,
    assertionResults: statuses.map((test, i) => ({ fullName: `case ${i}`, status: test })),
  }
}

describe('the last line of npm test', () => {
  it('counts tests by state, and what was not run for any reason as skipped', () => {
    const report = { testResults: [file('/p/a.test.ts', 'failed', ['passed', 'failed', 'skipped', 'todo'])] }
    expect(summaryLine(countTests(report, 1))).toBe('1 passed, 1 failed, 2 skipped')
  })

  it('counts a file that does not load as a failure, though no test in it failed', () => {
    const report = {
      testResults: [file('/p/a.test.ts', 'passed', ['passed']), file('/p/b.test.ts', 'failed', [])],
    }
    expect(countTests(report, 1)).toEqual({ passed: 1, failed: 1, skipped: 0 })
  })

  it('is not clean when vitest failed without a failed test, or wrote no report', () => {
    expect(countTests({ testResults: [file('/p/a.test.ts', 'passed', ['passed'])] }, 1).failed).toBe(1)
    expect(countTests(undefined, 1)).toEqual({ passed: 0, failed: 1, skipped: 0 })
  })

  it('is preceded by every skipped test with its reason', () => {
    const report = { testResults: [file('/p/test/a.test.ts', 'passed', ['passed', 'skipped'])] }
    const reasons = [{ file: '/p/test/a.test.ts', reason: 'tshark not installed' }]
    expect(describeSkips(report, reasons, '/p')).toEqual([
      '  test/a.test.ts: tshark not installed',
      '    - case 1',
    ])
  })
})

describe('a missing program', () => {
  const log = join(scratch, 'skips.ndjson')
  beforeAll(() => {
    vi.stubEnv('CALLPROBE_SKIP_LOG', log)
    return () => vi.unstubAllEnvs()
  })

  it('skips its tests and notes the file and the reason', () => {
    vi.stubEnv('CALLPROBE_REQUIRE_PROGRAMS', '')
    expect(requirePrograms('no-such-program-anywhere')).toBe(false)
    const lines = readFileSync(log, 'utf8').trim().split('\n')
    expect(JSON.parse(lines[lines.length - 1])).toMatchObject({
      file: join(ROOT, 'test/scripts.test.ts'),
      reason: expect.stringContaining('no-such-program-anywhere'),
    })
  })

  it('fails its tests in CI', () => {
    vi.stubEnv('CALLPROBE_REQUIRE_PROGRAMS', '1')
    expect(() => requirePrograms('no-such-program-anywhere')).toThrow('no-such-program-anywhere')
  })

  it('is not one that is there', () => {
    expect(findProgram('node')).toBeDefined()
    expect(requirePrograms('node')).toBe(true)
  })

  it('is no failure for files that may not be distributed, not even in CI', () => {
    vi.stubEnv('CALLPROBE_REQUIRE_PROGRAMS', '1')
    vi.stubEnv('CALLPROBE_SHARED', scratch)
    expect(sharedPath('pcaps/absent.pcap')).toBeUndefined()
    writeFileSync(join(scratch, 'present.pcap'), '')
    expect(sharedPath('present.pcap')).toBe(join(scratch, 'present.pcap'))
  })
})

describe('scripts/system-packages.mjs', () => {
  const script = join(ROOT, 'scripts/system-packages.mjs')

  it('says what an empty machine lacks and the command that gets it', () => {
    const { status, stdout } = spawnSync(process.execPath, [script, '--check', '--for', 'all'], {
      env: { PATH: scratch },
      encoding: 'utf8',
    })
    expect(status).toBe(1)
    expect(stdout).toContain('tshark (Debian: tshark)')
    expect(stdout).toMatch(/To have them: .*(apt-get install|package manager)/)
  })

  it('names each program once', () => {
    const list = execFileSync(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `import { PROGRAMS } from './scripts/lib/programs.mjs'; console.log(JSON.stringify(PROGRAMS.map((p) => p.program)))`,
      ],
      { cwd: ROOT, encoding: 'utf8' },
    )
    const names: string[] = JSON.parse(list)
    expect(new Set(names).size).toBe(names.length)
  })

  it('refuses an option it does not know', () => {
    const { status, stderr } = spawnSync(process.execPath, [script, '--frobnicate'], { encoding: 'utf8' })
    expect(status).toBe(2)
    expect(stderr).toContain('usage:')
  })
})
