import { readdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { describe, expect, it } from 'vitest'
import { sharedPath } from '../../test/helpers/programs.js'
import { openFiles } from '../capture/open.js'
import { formatAddress } from '../decode/address.js'
import { PacketDecoder } from '../decode/decoder.js'
import { KIND_TCP, KIND_UDP } from '../decode/packet.js'
import type { SipCall } from './call.js'
import { looksLikeSip } from './parse-detect.js'
import { parseSipMessage } from './parse.js'
import { EventLog } from './tracker-ladder.js'
import { SignallingTracker } from './tracker.js'

/** Captures by other people and what tshark 4.0.17 reads in them. */
const INDEX = sharedPath('pcaps/INDEX.tsv')
const CAPTURES = dirname(INDEX ?? '')

interface TruthRow {
  timeMs: number
  callId: string
  cseq: string
  /** Method of a request, status of a response. */
  method: string
  status: number
}

function splitCsv(line: string): string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map((found) => found[1] ?? found[2] ?? '')
}

function truthRows(name: string): TruthRow[] {
  const path = `${CAPTURES}/truth/${name}.sip.csv`
  const [head, ...lines] = readFileSync(path, 'utf8').trimEnd().split('\n')
  const columns = head.split(',')
  const column = (cells: string[], wanted: string) => cells[columns.indexOf(wanted)] ?? ''
  return lines.map((line) => {
    const cells = splitCsv(line)
    return {
      timeMs: Number(column(cells, 'frame.time_epoch')) * 1000,
      callId: column(cells, 'sip.Call-ID'),
      cseq: column(cells, 'sip.CSeq'),
      method: column(cells, 'sip.Method'),
      status: Number(column(cells, 'sip.Status-Code')),
    }
  })
}

/** How a call went by its messages alone: the plainest reading, for captures without reused Call-IDs. */
function expectedOutcome(rows: TruthRow[], endMs: number): string {
  const responses = rows.filter((row) => row.status > 0 && row.cseq.endsWith('INVITE'))
  const requests = rows.filter((row) => row.status === 0 && row.method !== '')
  const answered = responses.some((row) => row.status >= 200 && row.status < 300)
  if (answered) return requests.some((row) => row.method === 'BYE') ? 'completed' : 'in_progress'
  const final = responses.findLast((row) => row.status >= 300)
  if (final) return final.status === 487 ? 'cancelled' : `failed ${final.status}`
  if (requests.some((row) => row.method === 'CANCEL')) return 'cancelled'
  const invite = requests.findLast((row) => row.method === 'INVITE')
  const provisional = responses.at(-1)
  const dueMs = provisional ? provisional.timeMs + 180_000 : (invite?.timeMs ?? endMs) + 32_000
  return endMs >= dueMs ? 'timeout' : 'in_progress'
}

function outcomeOf(call: SipCall): string {
  return call.state === 'failed' ? `failed ${call.finalStatus}` : call.state
}

async function followCapture(name: string) {
  const log = new EventLog()
  const tracker = new SignallingTracker(log)
  const decoder = new PacketDecoder()
  const source = await openFiles([`${CAPTURES}/${name}`])
  let timeMs = 0
  for (let batch = await source.next(); batch; batch = await source.next()) {
    for (let i = batch.first; i < batch.end; i++) {
      timeMs = batch.timeMs[i]
      const captured = batch.capturedLength[i]
      const kind = decoder.decode(
        batch.bytes,
        batch.view,
        batch.frameOffset[i],
        captured,
        batch.wireLength[i],
        batch.linkType[i],
        timeMs,
      )
      tracker.onTime(timeMs)
      if (kind !== KIND_UDP && kind !== KIND_TCP) continue
      if (!looksLikeSip(decoder.bytes, decoder.payloadOffset, decoder.payloadCaptured, true)) continue
      const parsed = parseSipMessage(decoder.bytes, decoder.payloadOffset, decoder.payloadCaptured)
      if ('error' in parsed) continue
      const d = decoder
      tracker.onMessage({
        message: parsed.message,
        timeMs,
        transport: kind === KIND_TCP ? 'tcp' : 'udp',
        sourceAddress: formatAddress(d.ipVersion, d.source0, d.source1, d.source2, d.source3),
        sourcePort: d.sourcePort,
        destinationAddress: formatAddress(
          d.ipVersion,
          d.destination0,
          d.destination1,
          d.destination2,
          d.destination3,
        ),
        destinationPort: d.destinationPort,
        vlan: d.vlan,
      })
    }
  }
  await source.close()
  tracker.finish(timeMs)
  return { log, tracker, endMs: timeMs }
}

/** Name and number of INVITE Call-IDs of each capture with SIP. */
function indexed(): [string, number][] {
  if (INDEX === undefined) return []
  const [head, ...lines] = readFileSync(INDEX, 'utf8').trimEnd().split('\n')
  const columns = head.split('\t')
  const files = new Set(readdirSync(CAPTURES))
  return lines
    .map((line) => line.split('\t'))
    .map((cells): [string, number] => [
      cells[columns.indexOf('name')],
      Number(cells[columns.indexOf('invite_callids')]),
    ])
    .filter(([name, calls]) => calls > 0 && files.has(name))
}

/** Any INVITE transaction was seen, be it only its response. */
function hadInvite(call: SipCall): boolean {
  const { tryingMs, progressMs, answerMs, finalStatus } = call
  return (
    call.sawInvite || call.reinvites > 0 || (tryingMs ?? progressMs ?? answerMs ?? finalStatus) !== undefined
  )
}

describe.skipIf(INDEX === undefined)('captures by other people (skipped without ../shared/pcaps)', () => {
  it.each(indexed())(
    '%s: %i Call-IDs with INVITE, each with the outcome its messages show',
    async (name, ids) => {
      const { log, endMs } = await followCapture(name)
      const rows = truthRows(name)
      const followed = log.calls.filter(hadInvite)
      const callIds = new Set(followed.map((call) => call.callId))
      expect(callIds.size).toBe(ids)
      for (const callId of callIds) {
        const calls = followed.filter((call) => call.callId === callId)
        // A Call-ID used for several calls in turn: tshark's rows do not say where one ends.
        if (calls.length > 1) continue
        const own = rows.filter((row) => row.callId === callId)
        expect([callId, outcomeOf(calls[0])]).toEqual([callId, expectedOutcome(own, endMs)])
      }
    },
  )

  it('five calls that share one Call-ID, From-tag and branch but not their addresses are five calls', async () => {
    const { log } = await followCapture('trex-core__udp_sip.cap')
    expect(log.calls.map((call) => [call.callerSignalling.address, call.state])).toEqual([
      ['16.0.0.0', 'completed'],
      ['16.0.0.1', 'completed'],
      ['16.0.0.2', 'completed'],
      ['16.0.0.3', 'completed'],
      ['16.0.0.4', 'completed'],
    ])
    expect(new Set(log.calls.map((call) => call.key)).size).toBe(5)
  })

  it('counts the registrations of ISA__aaa.pcap as its rows read: 8 attempts, 3 successful', async () => {
    const { tracker } = await followCapture('ISA__aaa.pcap')
    // CSeq 68+69 (403), 70+71, 72+73, 74+75 (200), 76..79, then 1+2 (200), 3+4, 5+6 (200); every 401 is a challenge.
    const challenged = truthRows('ISA__aaa.pcap').filter((row) => row.status === 401).length
    expect(tracker.counters.registrations).toMatchObject({
      attempts: 8,
      successful: 3,
      failed: 5,
      challenged,
    })
  })
})
