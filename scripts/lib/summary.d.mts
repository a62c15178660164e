export interface Assertion {
  fullName: string
  status: string
}
export interface TestFile {
  name: string
  status: string
  assertionResults: Assertion[]
}
export interface Report {
  testResults: TestFile[]
}
export interface Counts {
  passed: number
  failed: number
  skipped: number
}
export function countTests(report: Report | undefined, exitCode: number): Counts
export function describeSkips(
  report: Report | undefined,
  reasons: ReadonlyArray<{ file: string; reason: string }>,
  root: string,
): string[]
export function summaryLine(counts: Counts): string
