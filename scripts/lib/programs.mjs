// The one list of programs from outside npm that the project uses, and where Debian and Ubuntu have them.
import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/**
 * `use` says who needs it: `test` (npm test), `fixtures` (scripts/record-fixtures.sh), `bench` (npm run bench).
 * Installing and running callprobe itself needs none of them.
 * @type {ReadonlyArray<{debian: string, program: string, use: ReadonlyArray<'test'|'fixtures'|'bench'>, purpose: string}>}
 */
export const PROGRAMS = [
  {
    debian: 'tshark',
    program: 'tshark',
    use: ['test', 'fixtures', 'bench'],
    purpose: 'a second opinion on every stream: `callprobe verify`, and the tests that compare with it',
  },
  {
    debian: 'g++',
    program: 'c++',
    use: ['test'],
    purpose: 'builds the capture binding',
  },
  {
    debian: 'gcc',
    program: 'cc',
    use: ['test', 'bench'],
    purpose: 'builds the generator and the C floor of the benchmarks',
  },
  {
    debian: 'iproute2',
    program: 'ip',
    use: ['test', 'fixtures'],
    purpose: 'network namespaces and veth pairs, for live capture in tests and for recording',
  },
  {
    debian: 'tcpdump',
    program: 'tcpdump',
    use: ['fixtures'],
    purpose: 'records the fixtures',
  },
  {
    debian: 'sip-tester',
    program: 'sipp',
    use: ['fixtures'],
    purpose: 'the SIP user agents of the sipp-* fixtures',
  },
  {
    debian: 'baresip-core',
    program: 'baresip',
    use: ['fixtures'],
    purpose: 'the user agents of the baresip-* fixtures: real codecs and RTCP',
  },
  {
    debian: 'python3',
    program: 'python3',
    use: ['fixtures'],
    purpose: 'runs scripts/lossy-bridge.py, the impaired wire of the fixtures',
  },
]

/** Root's tools live in sbin, which a plain user's PATH often lacks. */
const SBIN = ['/usr/local/sbin', '/usr/sbin', '/sbin']

/** Full path of an executable on PATH (or in sbin), or undefined. */
export function findProgram(program) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...SBIN]
  for (const folder of folders) {
    if (folder === '') continue
    const path = join(folder, program)
    try {
      accessSync(path, constants.X_OK)
      if (statSync(path).isFile()) return path
    } catch {
      // not here: look in the next folder
    }
  }
  return undefined
}

/** The listed programs of one use (or of `all`) that this machine lacks. */
export function missingPrograms(use) {
  return PROGRAMS.filter((entry) => (use === 'all' || entry.use.includes(use)) && !findProgram(entry.program))
}
