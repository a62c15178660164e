import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { CallRecord, ProbeRecord, SummaryRecord } from '../src/calls/records.js'
import { validateRecord } from '../src/calls/validate.js'
import { main } from '../src/cli/main.js'
import { sharedPath } from './helpers/programs.js'

/** Captures by other people, and what tshark 4.0.17 reads in them: one row per SIP message. */
const INDEX = sharedPath('pcaps/INDEX.tsv')
const FOLDER = dirname(INDEX ?? '')
/** RFC 3261 timers B and F (32 s); a callee that rings may take 180 s and more. */
const NO_ANSWER_MS = 32_000
const RINGING_MS = 180_000

const scratch = mkdtempSync(join(tmpdir(), 'callprobe-sip-parity-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

/** All records of a replay, as they are written. */
async function replay(name: string): Promise<ProbeRecord[]> {
  const output = join(scratch, `${name}.ndjson`)
  const code = await main([
    'node',
    'callprobe',
    'replay',
    join(FOLDER, name),
    '--format',
    'ndjson',
    '--output',
    output,
  ])
  expect(code).toBe(0)
  const lines = readFileSync(output, 'utf8').trim().split('\n')
  return lines.map((line) => JSON.parse(line))
}

interface Row {
  timeMs: number
  /** Both addresses, the lower first: one leg of a call, whichever way the message went. */
  leg: string
  callId: string
  cseq: number
  /** Of the CSeq header. */
  method: string
  /** Method of a request; '' for a response. */
  request: string
  /** 0 for a request. */
  status: number
}

/** tshark's rows; those with several messages in one frame, or without a Call-ID, are passed over. */
function rowsOf(name: string): Row[] {
  const [head, ...lines] = readFileSync(join(FOLDER, 'truth', `${name}.sip.csv`), 'utf8')
    .trimEnd()
    .split('\n')
  const columns = head.split(',')
  return lines.flatMap((line) => {
    const cells = [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map((m) => m[1] ?? m[2] ?? '')
    const cell = (column: string): string => cells[columns.indexOf(column)] ?? ''
    const m = /^(\d+) (\S+)$/.exec(cell('sip.CSeq'))
    if (m === null || cell('sip.Call-ID') === '') return []
    const ends = [cell('ip.src') || cell('ipv6.src'), cell('ip.dst') || cell('ipv6.dst')]
    return {
      timeMs: Number(cell('frame.time_epoch')) * 1000,
      leg: ends.sort().join(' '),
      callId: cell('sip.Call-ID'),
      cseq: Number(m[1]),
      method: m[2],
      request: cell('sip.Method'),
      status: Number(cell('sip.Status-Code')),
    }
  })
}

interface Outcome {
  state: string
  status: number | undefined
  /** From the 2xx to the BYE. */
  durationS: number | undefined
}

/**
 * How one call went, by its messages alone. Answered: some INVITE got a 2xx. Otherwise the last INVITE's final status
 * decides, unless it is the 487 of a CANCEL; without one, the call was cancelled, given up, or still being set up when
 * the capture ended.
 */
function outcomeOf(rows: readonly Row[], endMs: number): Outcome {
  const invites = rows.filter((row) => row.method === 'INVITE')
  const answer = invites.find((row) => row.status >= 200 && row.status < 300)
  if (answer) {
    const bye = rows.find((row) => row.request === 'BYE' && row.timeMs >= answer.timeMs)
    return {
      state: bye ? 'completed' : 'in_progress',
      status: answer.status,
      durationS: bye && (bye.timeMs - answer.timeMs) / 1000,
    }
  }
  const lastCseq = Math.max(...invites.map((row) => row.cseq))
  const final = invites.find((row) => row.cseq === lastCseq && row.status >= 300)
  if (final) {
    return {
      state: final.status === 487 ? 'cancelled' : 'failed',
      status: final.status,
      durationS: undefined,
    }
  }
  const none = { status: undefined, durationS: undefined }
  if (rows.some((row) => row.request === 'CANCEL')) return { state: 'cancelled', ...none }
  const provisional = invites.findLast((row) => row.status > 0)
  const request = invites.findLast((row) => row.request === 'INVITE')
  const dueMs = provisional ? provisional.timeMs + RINGING_MS : (request?.timeMs ?? endMs) + NO_ANSWER_MS
  return { state: endMs >= dueMs ? 'timeout' : 'in_progress', ...none }
}

/** A Call-ID with an INVITE, by its rows: the calls that it stands for, one as a rule. */
function callsOf(rows: readonly Row[], records: number): Row[][] {
  if (records === 1) return [[...rows]]
  // Used by several calls at once, as load generators do: then each has addresses of its own.
  const legs = new Map<string, Row[]>()
  for (const row of rows) legs.set(row.leg, [...(legs.get(row.leg) ?? []), row])
  return [...legs.values()]
}

function sipCalls(records: readonly ProbeRecord[]): CallRecord[] {
  return records.filter(
    (record): record is CallRecord => record.type === 'call' && record.state !== 'media_only',
  )
}

function summaryOf(records: readonly ProbeRecord[]): SummaryRecord {
  const last = records.at(-1)
  if (last?.type !== 'summary') throw new Error('the last record is no summary')
  return last
}

/** In an order that does not depend on who counted. */
function sorted(outcomes: readonly Outcome[]): Outcome[] {
  const order = ({ state, status, durationS }: Outcome): string =>
    `${state} ${status} ${durationS?.toFixed(1)}`
  return [...outcomes].sort((a, b) => order(a).localeCompare(order(b)))
}

/** Messages that share a Call-ID and are no call: the torture messages of RFC 5118 stand each for itself. */
const NO_CALLS = ['wrapped_rfc5118.pcap']

const files =
  INDEX === undefined ? [] : readdirSync(FOLDER).filter((name) => /\.(pcap|pcapng|cap)$/.test(name))

describe.skipIf(INDEX === undefined)('captures by other people (skipped without ../shared)', () => {
  it('are all here', () => expect(files.length).toBeGreaterThan(70))

  it.each(files)(
    '%s: replays to valid records; its calls end as their messages say',
    async (name) => {
      const records = await replay(name)
      expect(records.flatMap((record) => validateRecord(record))).toEqual([])
      const summary = summaryOf(records)
      expect(records.filter((record) => record.type === 'stream')).toHaveLength(summary.streams)
      expect(records.filter((record) => record.type === 'call')).toHaveLength(summary.calls)

      if (NO_CALLS.includes(name)) return
      const rows = rowsOf(name)
      const withInvite = new Set(rows.filter((row) => row.method === 'INVITE').map((row) => row.callId))
      const calls = sipCalls(records)
      const ofInvites = calls.filter((call) => withInvite.has(call.call_id))
      expect(new Set(ofInvites.map((call) => call.call_id))).toEqual(withInvite)
      const endMs = Date.parse(summary.end ?? '')
      for (const callId of withInvite) {
        const own = ofInvites.filter((call) => call.call_id === callId)
        const messages = rows.filter((row) => row.callId === callId)
        const expected = callsOf(messages, own.length).map((part) => outcomeOf(part, endMs))
        const found = own.map((call) => ({
          state: call.state,
          status: call.sip?.status,
          durationS: call.duration_s,
        }))
        // Records have milliseconds.
        const wanted = sorted(expected).map((outcome) => ({
          ...outcome,
          durationS: outcome.durationS === undefined ? undefined : expect.closeTo(outcome.durationS, 2),
        }))
        expect(sorted(found), callId).toEqual(wanted)
      }
    },
    30_000,
  )
})
