import type { FindingSummary, SummaryRecord } from '../calls/records.js'
import type { RegistrationFailure } from '../sip/registrations.js'

/** So many failed attempts, and such a part of all, are no phone with a wrong password any more. */
const MANY = 10
const MANY_SHARE = 0.5
/** Beyond this a Date has no text (ECMA-262 21.4.1.1). */
const MOST_TIME_MS = 8.64e15
/** Kinds of failure that the sentence names. */
const MOST_NAMED = 3

/** Failed registrations: they have no call, so the finding stands in the summary. undefined when none failed. */
export function registrationFinding(
  counts: NonNullable<SummaryRecord['registrations']>,
  failures: readonly RegistrationFailure[],
): FindingSummary | undefined {
  const { attempts, failed } = counts
  if (failed === 0) return undefined
  const byStatus = new Map<number, number>()
  for (const { status, count } of failures) byStatus.set(status, (byStatus.get(status) ?? 0) + count)
  const kinds = [...byStatus].sort((a, b) => b[1] - a[1])
  const named = kinds.slice(0, MOST_NAMED).map(([status, count]) => `${count} × ${statusText(status)}`)
  const users = new Set(failures.map(({ aor }) => aor)).size
  const lastMs = Math.max(...failures.map((failure) => failure.lastMs))
  const answered = kinds.some(([status]) => status !== 0)
  return {
    code: 'registration_failed',
    severity: failed >= MANY && failed >= MANY_SHARE * attempts ? 'critical' : 'warning',
    // Without an answer it may be the answer that the tap did not see.
    confidence: answered ? 'high' : 'low',
    calls: failed,
    of_calls: attempts,
    until: Math.abs(lastMs) <= MOST_TIME_MS ? new Date(lastMs).toISOString() : undefined,
    groups: [],
    message: `${failed} of ${attempts} registrations failed (${named.join(', ')}), of ${users} ${users === 1 ? 'user' : 'users'}.`,
  }
}

function statusText(status: number): string {
  if (status === 0) return 'no answer'
  return status === 401 || status === 407 ? `${status}, challenge not answered` : String(status)
}
