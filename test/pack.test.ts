import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { THREADS } from '../scripts/lib/bundle.mjs'
import { noteSkip, ROOT } from './helpers/programs.js'

const scratch = mkdtempSync(join(tmpdir(), 'callprobe-pack-'))
const prefix = join(scratch, 'prefix')
const installed = join(prefix, 'lib/node_modules/callprobe')
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

/** npm as a user runs it: settings that this npm run hands down (npm_config_*) would change where things go. */
function npm(args: string[], cwd: string): { status: number | null; output: string } {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)))
  const done = spawnSync('npm', args, { cwd, env, encoding: 'utf8' })
  return { status: done.status, output: `${done.stdout}${done.stderr}` }
}

const UNREACHABLE = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH/

/** A machine without the registry cannot install dependencies; CI has to have it. */
function skipOffline(output: string): boolean {
  if (process.env.CALLPROBE_REQUIRE_PROGRAMS === '1' || !UNREACHABLE.test(output)) return false
  noteSkip('the npm registry cannot be reached')
  return true
}

describe('the packed tarball', () => {
  let offline = false

  beforeAll(() => {
    mkdirSync(prefix)
    // prepack builds, so the tarball is never that of an older source.
    const packed = npm(['pack', '--pack-destination', scratch], ROOT)
    expect(packed.status, packed.output).toBe(0)
    const [tarball] = readdirSync(scratch).filter((name) => name.endsWith('.tgz'))
    const install = npm(
      [
        'install',
        '--global',
        '--prefix',
        prefix,
        '--ignore-scripts',
        '--prefer-offline',
        '--no-audit',
        '--no-fund',
      ].concat(join(scratch, tarball)),
      scratch,
    )
    offline = install.status !== 0 && skipOffline(install.output)
    if (!offline) expect(install.status, install.output).toBe(0)
  }, 240_000)

  it('installs globally without scripts and replays a bundled capture from any folder', (context) => {
    context.skip(offline)
    const capture = join(installed, 'fixtures/sipp-g711.pcap')
    const done = spawnSync(join(prefix, 'bin/callprobe'), ['replay', capture, '--format', 'ndjson'], {
      cwd: scratch,
      encoding: 'utf8',
    })
    expect(done.stderr).toBe('')
    expect(done.status).toBe(0)
    const types = done.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).type)
    expect(types.filter((type) => type === 'call')).toHaveLength(2)
    expect(types.at(-1)).toBe('summary')
  })

  it('reads with a second thread and makes a report, so the files of threads and of the page came along', (context) => {
    context.skip(offline)
    const capture = join(installed, 'fixtures/sipp-g711.pcap')
    const report = join(scratch, 'report.html')
    const done = spawnSync(
      join(prefix, 'bin/callprobe'),
      ['replay', capture, '--workers', '2', '--format', 'ndjson', '--report', report],
      { cwd: scratch, encoding: 'utf8' },
    )
    expect(done.status, done.stderr).toBe(0)
    expect(done.stdout.match(/"type":"call"/g)).toHaveLength(2)
    expect(existsSync(report)).toBe(true)
  })

  it('checks a configuration, so its schemas came along', (context) => {
    context.skip(offline)
    const done = spawnSync(join(prefix, 'bin/callprobe'), ['config', 'schema'], {
      cwd: scratch,
      encoding: 'utf8',
    })
    expect(done.status, done.stderr).toBe(0)
    expect(JSON.parse(done.stdout)).toHaveProperty('$schema')
  })

  it('holds what a user needs and no tests, sources or captures of others', (context) => {
    context.skip(offline)
    for (const needed of [
      'bin/callprobe',
      'dist/cli/main.js',
      ...THREADS.map((name) => `dist/${name}.js`),
      'dashboards/json/overview.json',
      'schemas',
      'LICENSE',
      'package.json',
    ]) {
      expect(existsSync(join(installed, needed)), needed).toBe(true)
    }
    const files = readdirSync(installed, { recursive: true, encoding: 'utf8' })
    const own = files.filter((name) => !name.startsWith('node_modules'))
    // The binding is compiled where callprobe runs, and the report's style is read when a report is made.
    const wanted = ['scripts/build-bindings.mjs', 'scripts/lib/programs.mjs', 'src/report/page/page.css']
    const foreign = own.filter((name) => /\.test\.js$|^(src|test|scripts|bench|out)\b.*\./.test(name))
    expect(foreign.sort()).toEqual(wanted)
  })
})
