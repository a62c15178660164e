// What a run of the tests came to, from vitest's JSON report.

/**
 * @typedef {{fullName: string, status: string}} Assertion
 * @typedef {{name: string, status: string, assertionResults: Assertion[]}} TestFile
 * @typedef {{testResults: TestFile[]}} Report
 */

/**
 * Counts tests. A file that failed without a failed test in it (it did not load) counts as one failure, and so does a
 * run that failed though no test did (an unhandled error). Tests not run for any reason (skip, todo) are skipped.
 * @param {Report | undefined} report vitest's JSON, undefined when it wrote none
 * @param {number} exitCode vitest's own
 * @returns {{passed: number, failed: number, skipped: number}}
 */
export function countTests(report, exitCode) {
  const counts = { passed: 0, failed: 0, skipped: 0 }
  for (const file of report?.testResults ?? []) {
    const failedBefore = counts.failed
    for (const test of file.assertionResults) {
      if (test.status === 'passed') counts.passed++
      else if (test.status === 'failed') counts.failed++
      else counts.skipped++
    }
    if (file.status === 'failed' && counts.failed === failedBefore) counts.failed++
  }
  if (exitCode !== 0 && counts.failed === 0) counts.failed = 1
  return counts
}

/**
 * Lines that say which tests were skipped and why. Reasons come from test/helpers/programs.ts, by file.
 * @param {Report | undefined} report
 * @param {ReadonlyArray<{file: string, reason: string}>} reasons
 * @param {string} root prefix to take off file names
 * @returns {string[]}
 */
export function describeSkips(report, reasons, root) {
  const lines = []
  for (const file of report?.testResults ?? []) {
    const skipped = file.assertionResults.filter(
      (test) => test.status !== 'passed' && test.status !== 'failed',
    )
    if (skipped.length === 0) continue
    const short = file.name.startsWith(root) ? file.name.slice(root.length).replace(/^[/\\]/, '') : file.name
    const why = new Set(reasons.filter((entry) => entry.file === file.name).map((entry) => entry.reason))
    lines.push(`  ${short}: ${[...why].join('; ') || 'no reason was given'}`)
    for (const test of skipped) lines.push(`    - ${test.fullName}`)
  }
  return lines
}

/** The last line of `npm test`. */
export function summaryLine(counts) {
  return `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`
}
