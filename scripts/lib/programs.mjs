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
    use: ['test', 'fixtures', 'bench'],
    purpose: 'records the fixtures; the measure beside live capture',
  },
  {
    debian: 'sip-tester',
    program: 'sipp',
    use: ['test', 'fixtures'],
    purpose: 'user agents of the sipp-* fixtures, and of calls that are measured live',
  },
  {
    debian: 'baresip-core',
    program: 'baresip',
    use: ['test', 'fixtures'],
    purpose:
      'user agents with real codecs and RTCP: the baresip-* fixtures, and calls that are measured live',
  },
  {
    debian: 'tcpreplay',
    program: 'tcpreplay',
    use: ['test'],
    purpose: 'puts captures on a wire of network namespaces, to be measured live',
  },
  {
    debian: 'influxdb',
    program: 'influxd',
    use: ['test'],
    purpose: 'the database that records are written to and dashboards read',
  },
  {
    debian: 'victoria-metrics',
    program: 'victoria-metrics',
    use: ['test'],
    purpose: 'a second database that takes line protocol',
  },
  {
    debian: 'prometheus-alertmanager',
    program: 'prometheus-alertmanager',
    use: ['test'],
    purpose: 'receives, groups and resolves alerts',
  },
  {
    debian: 'chromium',
    program: 'chromium',
    use: ['test'],
    purpose: 'opens the HTML report as a reader would',
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
