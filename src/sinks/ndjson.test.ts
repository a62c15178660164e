import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { propertyRuns } from '../../test/helpers/property-runs.js'
import { EXAMPLES, EXAMPLE_CALL, EXAMPLE_INTERVAL } from '../calls/record-examples.js'
import { RECORD_FIELDS } from '../calls/record-fields.js'
import type { CallRecord, ProbeRecord } from '../calls/records.js'
import { validateRecord } from '../calls/validate.js'
import { CallprobeError } from '../errors.js'
import { jsonLine } from './json-line.js'
import { openNdjson } from './ndjson.js'
import { decimalsOf } from './rounding.js'

const folder = mkdtempSync(join(tmpdir(), 'callprobe-ndjson-'))
afterAll(() => rmSync(folder, { recursive: true }))

async function failureOf(action: () => unknown): Promise<CallprobeError> {
  try {
    await action()
  } catch (error) {
    if (error instanceof CallprobeError) return error
    throw error
  }
  throw new Error('nothing failed')
}

/** A writable that accepts nothing until it is released. */
class SlowReader extends Writable {
  received = ''
  private release: (() => void)[] = []
  private open = false

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.received += chunk.toString()
    if (this.open) done()
    else this.release.push(done)
  }

  go(): void {
    this.open = true
    for (const done of this.release.splice(0)) done()
  }
}

/** Escapes what JSON.stringify leaves and a terminal may act on. */
function asTerminalsTakeIt(json: string): string {
  return [...json]
    .map((character) => {
      const isActive = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/.test(character)
      return isActive ? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}` : character
    })
    .join('')
}

describe('a record as a line of JSON', () => {
  it.each(EXAMPLES.map((record) => [record.type, record] as const))(
    'gives back every field of a %s',
    (_, record) => {
      const line = jsonLine(record)
      expect(line).not.toContain('\n')
      expect(JSON.parse(line)).toEqual(record)
      expect(validateRecord(JSON.parse(line))).toEqual([])
    },
  )

  it.each(EXAMPLES.map((record) => [record.type, record] as const))(
    'puts the fields of a %s in the documented order, whatever the order in memory',
    (type, record) => {
      const reversed = Object.fromEntries(Object.entries(record).reverse())
      const line = jsonLine(reversed as unknown as typeof record)
      expect(Object.keys(JSON.parse(line))).toEqual(RECORD_FIELDS[type])
    },
  )

  it('begins with type and schema', () => {
    expect(jsonLine(EXAMPLE_CALL)).toMatch(/^\{"type":"call","schema":1,"call_id":/)
  })

  it('leaves out what is unknown: undefined, NaN and infinite', () => {
    const line = jsonLine({ ...EXAMPLE_INTERVAL, lost: undefined, mos_cq: NaN, jitter_max_ms: Infinity })
    const fields = Object.keys(JSON.parse(line))
    expect(fields).not.toContain('lost')
    expect(fields).not.toContain('mos_cq')
    expect(fields).not.toContain('jitter_max_ms')
    expect(fields).toHaveLength(RECORD_FIELDS.interval.length - 3)
  })

  it('rounds by the name of the field, in evidence too', () => {
    const record: CallRecord = {
      ...EXAMPLE_CALL,
      duration_s: 1.23456,
      mos_cq_min: 4.409406,
      findings: [
        {
          ...EXAMPLE_CALL.findings[0],
          evidence: { loss_percent: 1.234567, rtt_ms: 0.12345, share: 0.1234567 },
        },
      ],
    }
    const line = jsonLine(record)
    expect(line).toContain('"duration_s":1.235,')
    expect(line).toContain('"mos_cq_min":4.4094,')
    expect(line).toContain('"evidence":{"loss_percent":1.2346,"rtt_ms":0.123,"share":0.123457}')
  })

  it('keeps hostile text as text: no line breaks, no terminal controls, the same string when parsed', () => {
    const caller = 'a"\\\n\r\u2028\u0000\u001b[31m\u009b31m\u202egnp.exe\ud800 é 漢 😀'
    const line = jsonLine({ ...EXAMPLE_CALL, caller })
    expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/)
    expect(JSON.parse(line).caller).toBe(caller)
  })

  it('says what JSON.stringify says of the same fields in the documented order', () => {
    const value = fc.oneof(
      fc.constantFrom(undefined, null, NaN, Infinity, true, false, -0),
      fc.integer(),
      fc.double({ min: -1e6, max: 1e6, noNaN: true }),
      fc.string({ unit: 'binary' }),
      fc.array(fc.integer({ min: -1, max: 2 ** 31 }), { maxLength: 12 }),
      fc.array(fc.string(), { maxLength: 3 }),
      fc.dictionary(fc.string(), fc.oneof(fc.integer(), fc.string()), { maxKeys: 3 }),
    )
    const type = fc.constantFrom('interval' as const, 'stream' as const, 'alert' as const)
    const valuesOf = (all: unknown[], names: readonly string[]) =>
      names.map((name, k) => [name, name === 'validity' ? undefined : all[k % all.length]])
    fc.assert(
      fc.property(type, fc.array(value, { minLength: 1, maxLength: 60 }), (type, all) => {
        const fields = valuesOf(all, RECORD_FIELDS[type].slice(1))
        const record = { type, ...Object.fromEntries(fields) }
        const written = JSON.stringify(record, (name, value: unknown) => {
          if (value === null || (typeof value === 'number' && !Number.isFinite(value))) return undefined
          const scale = 10 ** decimalsOf(name)
          return typeof value === 'number' && !Number.isInteger(value)
            ? Math.round(value * scale) / scale
            : value
        })
        expect(jsonLine(record as unknown as ProbeRecord)).toBe(asTerminalsTakeIt(written))
      }),
      propertyRuns(500),
    )
  })

  it('writes intervals at a rate that a busy probe never reaches', () => {
    const started = performance.now()
    let characters = 0
    for (let i = 0; i < 20_000; i++) characters += jsonLine({ ...EXAMPLE_INTERVAL, packets: i }).length
    const perSecond = 20_000 / ((performance.now() - started) / 1000)
    expect(characters).toBeGreaterThan(20_000 * 1000)
    // 100,000 calls at once make 20,000 intervals per second.
    expect(perSecond).toBeGreaterThan(20_000)
  })
})

describe('NDJSON output', () => {
  it('writes one line per record to a file that only its owner can read', async () => {
    const path = join(folder, 'records.ndjson')
    const writer = openNdjson(path)
    for (const record of EXAMPLES) writer.write(record)
    await writer.close()
    const lines = readFileSync(path, 'utf8').split('\n')
    expect(lines.pop()).toBe('')
    expect(lines.map((line) => JSON.parse(line).type)).toEqual([
      'call',
      'stream',
      'interval',
      'alert',
      'summary',
    ])
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(writer.written).toBe(5)
  })

  it('replaces a longer file from an earlier run', async () => {
    const path = join(folder, 'again.ndjson')
    for (const count of [50, 1]) {
      const writer = openNdjson(path)
      for (let i = 0; i < count; i++) writer.write(EXAMPLE_INTERVAL)
      await writer.close()
    }
    expect(readFileSync(path, 'utf8').split('\n')).toHaveLength(2)
  })

  it('refuses a directory, and a place that does not exist, before the run', async () => {
    mkdirSync(join(folder, 'sub'), { recursive: true })
    const directory = await failureOf(() => openNdjson(join(folder, 'sub')))
    expect(directory.code).toBe('WRITE_FAILED')
    expect(directory.message).toMatch(/sub: it is a directory$/)
    const missing = await failureOf(() => openNdjson(join(folder, 'none', 'a.ndjson')))
    expect(missing.message).toMatch(/its folder does not exist$/)
    expect(missing.hint).toContain(join(folder, 'none'))
  })

  it.skipIf(!existsSync('/dev/full'))('says when the device is full', async () => {
    const writer = openNdjson('/dev/full')
    writer.write(EXAMPLE_CALL)
    const failure = await failureOf(() => writer.close())
    expect(failure.message).toBe('cannot write /dev/full: no space left on the device')
    expect(() => writer.write(EXAMPLE_CALL)).toThrow(failure)
  })

  it('asks the caller to wait for a slow reader, and goes on when it has caught up', async () => {
    const stdout = new SlowReader()
    const writer = openNdjson('-', { stdout })
    let records = 0
    while (writer.write(EXAMPLE_INTERVAL)) records++
    let isReady = false
    const ready = writer.ready().then(() => (isReady = true))
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(isReady).toBe(false)
    stdout.go()
    await ready
    await writer.close()
    expect(stdout.received.split('\n')).toHaveLength(records + 2)
    expect(writer.dropped).toBe(0)
    expect(stdout.destroyed).toBe(false)
  })

  it('drops whole records, and counts them, when nobody reads and nobody waits', async () => {
    const stdout = new SlowReader()
    const writer = openNdjson('-', { stdout, mostWaitingBytes: 300_000 })
    for (let i = 0; i < 1000; i++) writer.write(EXAMPLE_INTERVAL)
    expect(writer.dropped).toBeGreaterThan(0)
    stdout.go()
    await writer.close()
    const lines = stdout.received.trimEnd().split('\n')
    expect(lines).toHaveLength(1000 - writer.dropped)
    expect(writer.written).toBe(lines.length)
    for (const line of lines) expect(JSON.parse(line).type).toBe('interval')
  })

  it('ends quietly when the reader of the pipe has gone', async () => {
    const stdout = new Writable({
      write(_chunk, _encoding, done) {
        done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
      },
    })
    let gone = 0
    const writer = openNdjson('-', { stdout, onReaderGone: () => gone++ })
    while (writer.write(EXAMPLE_CALL));
    await writer.ready()
    writer.write(EXAMPLE_CALL)
    await writer.close()
    expect(gone).toBe(1)
  })

  it('writes through a named pipe to a program that reads it', async () => {
    const pipe = join(folder, 'pipe')
    if (spawnSync('mkfifo', [pipe]).status !== 0) return
    const { spawn } = await import('node:child_process')
    const reader = spawn('wc', ['-l', pipe])
    const counted = new Promise<string>((resolve) =>
      reader.stdout.on('data', (text) => resolve(String(text))),
    )
    const writer = openNdjson(pipe)
    for (let i = 0; i < 500; i++) if (!writer.write(EXAMPLE_INTERVAL)) await writer.ready()
    await writer.close()
    expect(await counted).toMatch(/^500 /)
  })
})
