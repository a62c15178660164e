import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { CallRecord, ProbeRecord } from '../src/calls/records.js'
import { validateRecord } from '../src/calls/validate.js'
import { main } from '../src/cli/main.js'
import { parseAddress } from '../src/decode/address.js'
import { ROOT } from './helpers/programs.js'

const scratch = mkdtempSync(join(tmpdir(), 'callprobe-privacy-'))
const CAPTURES = [
  'sipp-tcp-challenge-ipv6',
  'sipp-setup-failures',
  'baresip-pcmu-bursts',
  'sipp-one-way',
].map((name) => join(ROOT, 'fixtures', `${name}.pcap`))

beforeAll(() => vi.stubEnv('CALLPROBE_PRIVACY_KEY', '0123456789abcdef0123456789abcdef'))
afterAll(() => {
  vi.unstubAllEnvs()
  rmSync(scratch, { recursive: true, force: true })
})

let runs = 0
async function replay(...options: string[]): Promise<{ text: string; records: ProbeRecord[]; code: number }> {
  const output = join(scratch, `${runs++}.ndjson`)
  const argv = [
    'node',
    'callprobe',
    'replay',
    ...CAPTURES,
    '--format',
    'ndjson',
    '--output',
    output,
    ...options,
  ]
  const code = await main(argv)
  process.exitCode = undefined
  const text = readFileSync(output, 'utf8')
  return {
    text,
    records: text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
    code,
  }
}

const callsOf = (records: readonly ProbeRecord[]): CallRecord[] =>
  records.filter((record) => record.type === 'call')

/** Every address, number and name that the true records show. */
function identities(records: readonly ProbeRecord[]): string[] {
  const found = new Set<string>()
  for (const record of records) {
    if (record.type === 'call')
      for (const party of [record.caller, record.callee, record.caller_address, record.callee_address])
        if (party !== undefined) found.add(party)
    if (record.type === 'stream') found.add(record.source_address).add(record.destination_address)
  }
  return [...found]
}

describe.each(['hash', 'mask'] as const)('replay --privacy %s', (mode) => {
  it('writes valid records that show none of the true numbers, names and addresses, and measures the same', async () => {
    const open = await replay()
    const shown = await replay('--privacy', mode)
    for (const record of shown.records) expect(validateRecord(record)).toEqual([])
    const secrets = identities(open.records)
    expect(secrets.length).toBeGreaterThan(8)
    const values = new Set(shown.text.match(/"(?:[^"\\]|\\.)*"/g))
    expect(secrets.filter((secret) => values.has(JSON.stringify(secret)))).toEqual([])
    expect(secrets.filter((secret) => parseAddress(secret) && shown.text.includes(`"${secret}`))).toEqual([])
    expect(callsOf(shown.records).map((call) => [call.quality, call.mos_cq_min])).toEqual(
      callsOf(open.records).map((call) => [call.quality, call.mos_cq_min]),
    )
  })

  it('joins streams and intervals to their calls as before', async () => {
    const open = await replay()
    const shown = await replay('--privacy', mode)
    const joins = (records: readonly ProbeRecord[]): number[] => {
      const ids = callsOf(records).map((call) => call.call_id)
      return records.map((record) => ('call_id' in record ? ids.indexOf(record.call_id ?? '') : -2))
    }
    expect(joins(shown.records)).toEqual(joins(open.records))
  })

  it('puts conditions to the true values', async () => {
    const open = await replay()
    const wanted = callsOf(open.records).find((call) => call.caller === 'alice')
    if (!wanted) throw new Error('alice does not call')
    const shown = await replay(
      '--privacy',
      mode,
      '--filter',
      'caller == "alice"',
      '--fail-on',
      'caller == "alice"',
    )
    expect(shown.code).toBe(3)
    const calls = callsOf(shown.records)
    expect(calls.map((call) => call.start)).toEqual([wanted.start])
    expect(calls[0].caller).not.toBe('alice')
    const streams = shown.records.filter((record) => record.type === 'stream')
    expect(streams.map((stream) => stream.call_id)).toEqual([calls[0].call_id, calls[0].call_id])
  })
})

describe('replay --privacy hash', () => {
  it('gives the same pseudonyms in every run with the same key, others with another', async () => {
    const first = await replay('--privacy', 'hash')
    const again = await replay('--privacy', 'hash')
    const callers = (records: readonly ProbeRecord[]): unknown[] =>
      callsOf(records).map((call) => call.caller)
    expect(callers(again.records)).toEqual(callers(first.records))
    vi.stubEnv('CALLPROBE_PRIVACY_KEY', 'another key, of some length')
    const other = await replay('--privacy', 'hash')
    vi.stubEnv('CALLPROBE_PRIVACY_KEY', '0123456789abcdef0123456789abcdef')
    expect(callers(other.records)).not.toEqual(callers(first.records))
  })

  it('tells the same parties apart and together as the true records do', async () => {
    const open = callsOf((await replay()).records)
    const shown = callsOf((await replay('--privacy', 'hash')).records)
    const pattern = (calls: readonly CallRecord[], field: 'caller' | 'caller_address'): number[] => {
      const values = calls.map((call) => call[field])
      return values.map((value) => values.indexOf(value))
    }
    expect(pattern(shown, 'caller')).toEqual(pattern(open, 'caller'))
    expect(pattern(shown, 'caller_address')).toEqual(pattern(open, 'caller_address'))
  })
})
