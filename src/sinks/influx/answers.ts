import type { HttpResponse } from './http-client.js'

/** A line that the server refused; `line` counts from 1 where the server said which. */
export interface Refusal {
  line?: number
  reason: string
}

/** What an answer to a write means. */
export type Verdict =
  | { kind: 'written' }
  /** The good lines are written, `refused` are not; `dropped`: how many, where only the number is told. */
  | { kind: 'partly'; refused: Refusal[]; dropped?: number; reason: string }
  /** Nothing is written because of some of the lines. */
  | { kind: 'malformed'; reason: string }
  | { kind: 'too-long' }
  /** Try again: the server is busy or broken, or the database is being made. */
  | { kind: 'later'; reason: string; afterMs?: number }
  | { kind: 'no-database'; reason: string }
  /** Credentials, permissions or configuration: trying again helps when somebody changes them. */
  | { kind: 'denied'; reason: string }

/** Longest Retry-After that is honoured. */
const MOST_RETRY_AFTER_MS = 15 * 60_000

/**
 * Reads the answer to a write.
 *
 * InfluxDB 1.x: 204; 400 with "partial write" (good lines are kept) or "unable to parse"; 404 no such database; 413; 500
 * also for a partial write beyond max-series. 2.x: 204; 400 malformed, nothing written; 422 some refused, the rest kept;
 * 429 and 503 with Retry-After. 3.x: 204; 400 with `data[]` of refused lines, the rest kept (accept_partial).
 */
export function readAnswer(response: HttpResponse, nowMs: number): Verdict {
  const { status } = response
  if (status >= 200 && status < 300) return { kind: 'written' }
  const reason = reasonOf(response)
  // Whatever the status: what is kept is kept, and posting it again would be answered the same.
  if (/partial write/i.test(response.body) || status === 422) return partial(response, reason)
  switch (status) {
    case 400:
      return /database.*not found|retention policy not found/i.test(reason)
        ? { kind: 'no-database', reason }
        : { kind: 'malformed', reason }
    case 401:
    case 402:
    case 403:
      return { kind: 'denied', reason: `${status}: ${reason}` }
    case 404:
      return { kind: 'no-database', reason }
    case 413:
      return { kind: 'too-long' }
    default:
      return { kind: 'later', reason: `${status}: ${reason}`, afterMs: retryAfterMs(response, nowMs) }
  }
}

function partial({ body }: HttpResponse, reason: string): Verdict {
  const refused = refusals(body)
  const dropped = /dropped=(\d+)/.exec(body)
  return {
    kind: 'partly',
    refused,
    dropped: dropped === null ? undefined : Number(dropped[1]),
    reason: refused[0]?.reason ?? reason,
  }
}

/** `data[]` of 3.x: line_number, original_line, error_message; `line` of 2.x, where it is told. */
function refusals(body: string): Refusal[] {
  const parsed = parseJson(body)
  const found: Refusal[] = []
  const data = fieldOf(parsed, 'data')
  for (const entry of Array.isArray(data) ? (data as unknown[]) : []) {
    const line = fieldOf(entry, 'line_number')
    const reason = fieldOf(entry, 'error_message') ?? fieldOf(entry, 'error')
    found.push({
      line: typeof line === 'number' ? line : undefined,
      reason: typeof reason === 'string' ? oneLine(reason) : 'refused',
    })
  }
  return found
}

function reasonOf({ status, body }: HttpResponse): string {
  const parsed = parseJson(body)
  const text = fieldOf(parsed, 'error') ?? fieldOf(parsed, 'message') ?? body
  const line = oneLine(typeof text === 'string' ? text : body)
  return line === '' ? `status ${status}` : line
}

/** Seconds, or a date (RFC 9110 10.2.3). */
export function retryAfterMs({ headers }: HttpResponse, nowMs: number): number | undefined {
  const text = headers['retry-after']?.trim()
  if (text === undefined || text === '') return undefined
  const ms = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs
  return Number.isFinite(ms) ? Math.min(MOST_RETRY_AFTER_MS, Math.max(0, ms)) : undefined
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A field of whatever JSON held. */
export function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
  return Object.entries(value).find(([key]) => key === name)?.[1]
}

/** A server's text for one line of a terminal. */
function oneLine(text: string): string {
  return text
    .replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ')
    .trim()
    .slice(0, 300)
}
