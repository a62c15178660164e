// What `npm test` runs, from a fresh clone to the verdict. Node alone: nothing is installed when it starts.
//   npm test [-- [--no-install] [vitest's arguments]]
// --no-install: install neither node modules nor system packages. CI=true: a missing program is a failure, not a skip.
// The last line is `N passed, N failed, N skipped`; the exit code is 1 when anything failed or no test ran.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureModules } from './lib/modules.mjs'
import { ROOT, run, runModule } from './lib/run.mjs'
import { countTests, describeSkips, summaryLine } from './lib/summary.mjs'
import { installMissing } from './system-packages.mjs'

const args = process.argv.slice(2)
const mayInstall = !args.includes('--no-install')
const vitestArgs = args.filter((arg) => arg !== '--no-install')
const inCi = process.env.CI === 'true' || process.env.CI === '1'

/** Ends the run before any test could start. */
function abort(why) {
  console.log(why)
  console.log(summaryLine({ passed: 0, failed: 1, skipped: 0 }))
  process.exit(1)
}

if (mayInstall) {
  if (ensureModules() !== 0) abort('npm ci failed; see above.')
  installMissing('test')
}
if (!existsSync(join(ROOT, 'node_modules')))
  abort('node_modules is missing; run npm ci, or npm test without --no-install.')

const STEPS = ['build', 'typecheck', 'lint', 'format:check']
const failedSteps = STEPS.filter((step) => {
  console.log(`\n> ${step}`)
  return run('npm', ['run', '--silent', step]) !== 0
})

const scratch = mkdtempSync(join(tmpdir(), 'callprobe-test-'))
const reportPath = join(scratch, 'vitest.json')
const skipsPath = join(scratch, 'skips.ndjson')
console.log('\n> vitest')
const exitCode = runModule(
  'vitest/vitest.mjs',
  ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${reportPath}`, ...vitestArgs],
  {
    CALLPROBE_SKIP_LOG: skipsPath,
    ...(inCi ? { CALLPROBE_REQUIRE_PROGRAMS: '1' } : {}),
  },
)

const report = existsSync(reportPath) ? JSON.parse(readFileSync(reportPath, 'utf8')) : undefined
const reasons = existsSync(skipsPath)
  ? readFileSync(skipsPath, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
  : []
rmSync(scratch, { recursive: true, force: true })

const counts = countTests(report, exitCode)
const skips = describeSkips(report, reasons, ROOT)
console.log('')
if (skips.length > 0) console.log(`Skipped:\n${skips.join('\n')}`)
if (failedSteps.length > 0) console.log(`Failed before the tests: ${failedSteps.join(', ')}`)
const ran = counts.passed + counts.failed
if (ran === 0) console.log('No test ran.')
// A failed build, type check, lint or format check is a failure like any other: the last line must not read clean.
counts.failed += failedSteps.length
console.log(summaryLine(counts))
process.exitCode = counts.failed > 0 || ran === 0 || exitCode !== 0 ? 1 : 0
