import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { EXAMPLES, EXAMPLE_CALL } from '../calls/record-examples.js'
import type { AlertRecord, CallRecord, ProbeRecord } from '../calls/records.js'
import { validateRecord } from '../calls/validate.js'
import { CLASSIFIED_PARTS, type FieldClass } from './field-classes.js'
import { KeyedHash } from './keyed-hash.js'
import { Pseudonyms } from './pseudonyms.js'
import { RecordPrivacy } from './record-privacy.js'

const key = new KeyedHash(Buffer.from('0123456789abcdef0123456789abcdef'))
const names = new Pseudonyms('hash', key)
const hashing = (): RecordPrivacy => new RecordPrivacy(names)

const ROOT = join(import.meta.dirname, '../..')

describe('every record field', () => {
  it.each(CLASSIFIED_PARTS)('of %s has a class, and no class is without its field', (_, fields, classes) => {
    expect(Object.keys(classes).sort()).toEqual([...fields].sort())
  })

  const page = readFileSync(join(ROOT, 'docs/privacy.md'), 'utf8')
  /** `### call`, then the rows of its table: | `a`, `b` | what happens | */
  const tables = new Map<string, Map<string, string>>()
  for (const [, part, text] of page.matchAll(/^### `(\w+)`\n((?:(?!^#).*\n)*)/gm)) {
    const rows = [...text.matchAll(/^\| (`.*?) \| (.*?) \|$/gm)].flatMap(([, cell, what]) =>
      [...cell.matchAll(/`(\w+)`/g)].map(([, field]) => [field, what] as const),
    )
    const shared = text.includes('the fields of *media*') ? [...(tables.get('media') ?? [])] : []
    tables.set(part, new Map([...rows, ...shared]))
  }

  it.each(CLASSIFIED_PARTS)('of %s is on the page', (part, fields) => {
    expect([...(tables.get(part)?.keys() ?? [])].sort()).toEqual([...fields].sort())
  })

  it.each(CLASSIFIED_PARTS)('of %s is kept when the page says so, and only then', (part, fields, classes) => {
    const isKept = (kind: FieldClass): boolean =>
      kind === 'kept' || (typeof kind === 'object' && Object.values(kind).every(isKept))
    const kept = fields.filter((field) => isKept(classes[field]))
    const saidKept = fields.filter((field) => /^kept\b/.test(tables.get(part)?.get(field) ?? ''))
    expect(saidKept).toEqual(kept)
  })
})

describe('records through the mill', () => {
  it.each(['hash', 'mask'] as const)('are still valid records (%s)', (mode) => {
    const privacy = new RecordPrivacy(new Pseudonyms(mode, key))
    for (const record of EXAMPLES) expect(validateRecord(privacy.record(record)), record.type).toEqual([])
  })

  it('leave the true record untouched', () => {
    const before = structuredClone(EXAMPLE_CALL)
    hashing().record(EXAMPLE_CALL)
    expect(EXAMPLE_CALL).toEqual(before)
  })

  it('keep every number and every time', () => {
    const numbers = (value: unknown): number[] =>
      typeof value === 'number'
        ? [value]
        : typeof value === 'object' && value !== null
          ? Object.values(value).flatMap(numbers)
          : []
    for (const record of EXAMPLES) expect(numbers(hashing().record(record))).toEqual(numbers(record))
    expect(hashing().record(EXAMPLE_CALL).start).toBe(EXAMPLE_CALL.start)
  })

  const CALL: CallRecord = {
    type: 'call',
    schema: 1,
    call_id: '4930123456-1@pbx.example.org',
    probe: 'hq',
    start: '2026-03-02T09:15:01.004Z',
    state: 'failed',
    quality: 'unknown',
    caller: '4930123456',
    callee: 'bob.smith',
    caller_address: '198.51.100.7',
    callee_address: '2001:db8::20',
    sip: {
      status: 404,
      reason: 'bob.smith at 2001:db8::20 not found',
      user_agents: { caller: 'Phone 1.0 001565aabbcc', callee: 'PBX' },
      release_cause: 'Q.850;cause=1;text="sip:4930123456@198.51.100.7"',
    },
    media: {},
    related_calls: ['4930999999-2@pbx.example.org'],
    findings: [
      {
        code: 'private_address_in_sdp',
        severity: 'warning',
        confidence: 'high',
        evidence: { sdp_address: '10.1.2.3', packets: 12, offered_by: 'bob.smith', caller: '4930123456' },
        message: 'bob.smith offered 10.1.2.3 to 198.51.100.7 in 4930999999-2@pbx.example.org.',
      },
    ],
    validity: {},
  }
  const SECRETS = [
    '4930123456',
    'bob',
    'smith',
    '198.51.100.7',
    '2001:db8::20',
    '10.1.2.3',
    '001565aabbcc',
    '4930999999',
    'pbx.example',
  ]
  const open = (record: ProbeRecord): string[] =>
    SECRETS.filter((secret) => JSON.stringify(record).includes(secret))

  it.each(['hash', 'mask'] as const)('of a call show no number, name or address anywhere (%s)', (mode) => {
    expect(open(CALL)).toEqual(SECRETS)
    expect(open(new RecordPrivacy(new Pseudonyms(mode, key)).record(CALL))).toEqual([])
  })

  it('of a call name a party the same everywhere, so that findings can be followed', () => {
    const shown = hashing().record(CALL)
    expect(shown.findings[0].message).toBe(
      `${shown.callee} offered ${shown.findings[0].evidence.sdp_address} to ${shown.caller_address} in ${shown.related_calls?.[0]}.`,
    )
    expect(shown.findings[0].evidence.caller).toBe(shown.caller)
    expect(shown.sip?.status).toBe(404)
  })

  it('of an alert do not name the parties of calls before it', () => {
    const privacy = hashing()
    privacy.record(CALL)
    const alert: AlertRecord = {
      type: 'alert',
      schema: 1,
      probe: 'hq',
      alert_id: 'a1',
      rule: 'burst_jitter',
      state: 'firing',
      severity: 'critical',
      time: CALL.start,
      start: CALL.start,
      call_ids: [CALL.call_id],
      message: `3 bursts on calls of 4930123456 to bob.smith (${CALL.call_id}) via 198.51.100.7`,
    }
    const shown = privacy.record(alert)
    expect(open(shown)).toEqual([])
    expect(shown.call_ids).toEqual([names.callId(CALL.call_id)])
    expect(shown.message).toContain('3 bursts on calls of p-')
  })

  it('of the summary do not tell where files are kept, nor numbers in their names', () => {
    const summary = EXAMPLES.find((record) => record.type === 'summary')
    if (!summary) throw new Error('no example')
    const truncated_files = [
      {
        file: '/home/bob.smith/calls/4930123456-198.51.100.7.pcap',
        offset: 7,
        message: 'cut at 198.51.100.7',
      },
    ]
    const shown = hashing().record({ ...summary, truncated_files })
    expect(open(shown)).toEqual([])
    expect(shown.truncated_files[0].file).toMatch(/\.pcap$/)
  })

  it('treat a field of no class as text from the wire', () => {
    const odd: CallRecord = { ...CALL }
    Object.assign(odd, { nickname: 'bob.smith', deep: { at: ['198.51.100.7'] } })
    expect(open(hashing().record(odd))).toEqual([])
  })
})
