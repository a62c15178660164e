import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import type { ProbeRecord, SummaryRecord } from '../../src/calls/records.js'
import { validateRecord } from '../../src/calls/validate.js'
import { main } from '../../src/cli/main.js'
import { generateScenario } from '../../src/generate/generate.js'
import type { ScenarioTruth } from '../../src/generate/truth.js'
import { pcapOf, type Frame } from '../helpers/replay.js'

const folder = mkdtempSync(join(tmpdir(), 'callprobe-cases-'))
const path = (name: string): string => join(folder, name)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let frames: Frame[]
let truth: ScenarioTruth

/** A clean call, and one from which 30 % were lost. */
beforeAll(() => {
  const made = generateScenario({
    calls: [
      { call_id: 'clean@example.com', duration_s: 15, caller: { user: '4711' } },
      {
        call_id: 'lossy@example.com',
        at_s: 3,
        duration_s: 15,
        caller: { user: '4712', media_port: 11_000 },
        callee: { media_port: 21_000 },
        media: { from_callee: { loss: { random_percent: 30 } } },
      },
    ],
  })
  frames = made.packets
  truth = made.truth
  writeFileSync(path('two.pcap'), pcapOf(frames))
})

afterEach(() => {
  vi.restoreAllMocks()
  process.exitCode = undefined
})

interface Outcome {
  code: number
  out: string
  talk: string
}

/** Runs the command line as a pipe sees it. */
async function run(...args: string[]): Promise<Outcome> {
  let out = ''
  let talk = ''
  vi.spyOn(process.stdout, 'write').mockImplementation((text, ...more) => {
    out += String(text)
    for (const done of more) if (typeof done === 'function') done()
    return true
  })
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    talk += String(text)
    return true
  })
  const code = await main(['node', 'callprobe', ...args])
  vi.restoreAllMocks()
  process.exitCode = undefined
  return { code, out, talk }
}

/** Records that a run writes to a file. */
async function records(...args: string[]): Promise<{ outcome: Outcome; records: ProbeRecord[] }> {
  const output = path('out.ndjson')
  rmSync(output, { force: true })
  const outcome = await run('replay', ...args, '--format', 'ndjson', '--output', output)
  const lines = readFileSync(output, 'utf8').trimEnd().split('\n')
  return { outcome, records: lines.map((line) => JSON.parse(line)) }
}

function summaryOf(list: readonly ProbeRecord[]): SummaryRecord {
  const last = list[list.length - 1]
  if (last.type !== 'summary') throw new Error('the last record is no summary')
  return last
}

function callIds(list: readonly ProbeRecord[], type: ProbeRecord['type']): unknown[] {
  return list.filter((record) => record.type === type).map((record) => 'call_id' in record && record.call_id)
}

describe('the exit code', () => {
  it('is 0 when all went well, whatever the calls were like', async () => {
    const { outcome } = await records(path('two.pcap'))
    expect(outcome).toMatchObject({ code: 0, talk: '' })
  })

  it('is 3 when --fail-on is true of a call, and the talk says of how many', async () => {
    const { outcome } = await records(path('two.pcap'), '--fail-on', 'mos_cq_min < 3.6')
    expect(outcome.code).toBe(3)
    expect(outcome.talk).toContain('matched 1 call')
  })

  it('is 0 when --fail-on is true of none', async () => {
    const { outcome } = await records(path('two.pcap'), '--fail-on', 'quality == "broken"')
    expect(outcome.code).toBe(0)
  })

  it('is 0 when --fail-on is true only of calls that --filter leaves out', async () => {
    const { outcome } = await records(
      path('two.pcap'),
      '--fail-on',
      'mos_cq_min < 3.6',
      '--filter',
      'caller == "4711"',
    )
    expect(outcome.code).toBe(0)
  })

  it.each([
    ['--fail-on', 'mos_cq_min <'],
    ['--fail-on', 'mos_cq_mim < 3.6'],
    ['--filter', 'caller = = "4711"'],
    ['--jitter-buffer', 'sometimes'],
    ['--format', 'xml'],
    ['--limit', '0'],
  ])('is 2 for wrong usage: %s %s', async (option, value) => {
    const outcome = await run('replay', path('two.pcap'), option, value)
    expect(outcome.code).toBe(2)
    expect(outcome.out).toBe('')
    expect(outcome.talk).not.toMatch(/\bat .*\.[jt]s:\d+/)
  })

  it('is 2 without a file, and for an unknown option', async () => {
    expect((await run('replay')).code).toBe(2)
    expect((await run('replay', path('two.pcap'), '--colour')).code).toBe(2)
  })

  it.each([
    ['a file that is not there', () => path('nowhere.pcap'), /nowhere\.pcap/],
    ['a folder', () => folder, /director|folder/],
    [
      'a file that is no capture',
      () => {
        writeFileSync(path('text.pcap'), 'this is no capture, but it is long enough to be read as one')
        return path('text.pcap')
      },
      /text\.pcap/,
    ],
    [
      'an empty file',
      () => {
        writeFileSync(path('empty.pcap'), '')
        return path('empty.pcap')
      },
      /empty\.pcap/,
    ],
  ])('is 1 for %s, with a sentence and no stack', async (_, file, sentence) => {
    const outcome = await run('replay', file())
    expect(outcome.code).toBe(1)
    expect(outcome.talk).toMatch(sentence)
    expect(outcome.talk).not.toMatch(/\n\s+at /)
  })
})

describe('--filter', () => {
  it('keeps the streams and intervals of the calls that it keeps, and no others', async () => {
    const { records: all } = await records(path('two.pcap'))
    const { records: kept, outcome } = await records(path('two.pcap'), '--filter', 'caller == "4712"')
    expect(outcome.code).toBe(0)
    const own = (record: ProbeRecord): boolean =>
      'call_id' in record && record.call_id === 'lossy@example.com'
    expect(callIds(kept, 'call')).toEqual(['lossy@example.com'])
    for (const type of ['stream', 'interval', 'call'] as const)
      expect(callIds(kept, type)).toEqual(callIds(all.filter(own), type))
    // The summary is that of the whole run.
    expect(summaryOf(kept)).toMatchObject({ type: 'summary', calls: 2, streams: 4 })
  })

  it('that leaves nothing still writes a summary', async () => {
    const { records: kept } = await records(path('two.pcap'), '--filter', 'duration_s > 1000')
    expect(kept.map(({ type }) => type)).toEqual(['summary'])
  })

  it('by a field of one direction', async () => {
    const { records: kept } = await records(
      path('two.pcap'),
      '--filter',
      'media.from_callee.loss_percent > 20',
    )
    expect(callIds(kept, 'call')).toEqual(['lossy@example.com'])
  })
})

describe('what is written', () => {
  it('is valid NDJSON: the type first, the summary last, every record as its schema has it', async () => {
    const { records: list } = await records(path('two.pcap'))
    expect(list.flatMap((record) => validateRecord(record))).toEqual([])
    const text = readFileSync(path('out.ndjson'), 'utf8')
    for (const line of text.trimEnd().split('\n')) expect(line).toMatch(/^\{"type":"[a-z]+","schema":1,/)
    expect(text.endsWith('\n')).toBe(true)
    expect(list.filter(({ type }) => type === 'summary')).toHaveLength(1)
    expect(summaryOf(list)).toMatchObject({
      packets: truth.frames,
      calls: 2,
      calls_by_state: { completed: 2 },
      files: 1,
      truncated_files: [],
    })
  })

  it('is for its owner alone when it is a file', async () => {
    await records(path('two.pcap'))
    expect(statSync(path('out.ndjson')).mode & 0o777).toBe(0o600)
  })

  it('to a pipe is a table without colours, one line or more per call, that names what is wrong', async () => {
    const { code, out, talk } = await run('replay', path('two.pcap'))
    expect(code).toBe(0)
    expect(talk).toBe('')
    expect(out).not.toContain('\u001b')
    expect(out).toContain('4711')
    expect(out).toContain('4712')
    expect(out).toMatch(/poor/)
    expect(out).toMatch(/good/)
  })

  it('as a table, --limit 1 --sort worst begins with the worst call', async () => {
    const { out } = await run('replay', path('two.pcap'), '--limit', '1', '--sort', 'worst')
    expect(out).toContain('4712')
    expect(out).not.toContain('4711')
  })

  it('cannot be written: exit 1, with the path and the reason', async () => {
    const closed = path('closed')
    writeFileSync(closed, '')
    chmodSync(closed, 0o400)
    const outcome = await run(
      'replay',
      path('two.pcap'),
      '--format',
      'ndjson',
      '--output',
      join(closed, 'out'),
    )
    expect(outcome.code).toBe(1)
    expect(outcome.talk).toContain(closed)
  })
})

describe('damaged and divided captures', () => {
  it('a truncated file gives all calls before the cut, a warning, and truncated_files', async () => {
    const whole = pcapOf(frames)
    // In the middle of a record, about three quarters in.
    const cut = Math.floor(whole.length * 0.75) + 7
    writeFileSync(path('cut.pcap'), whole.subarray(0, cut))
    const { outcome, records: list } = await records(path('cut.pcap'))
    expect(outcome.code).toBe(0)
    expect(outcome.talk).toContain('cut.pcap')
    const summary = summaryOf(list)
    expect(summary.truncated_files).toHaveLength(1)
    expect(summary.truncated_files[0].file).toContain('cut.pcap')
    expect(summary.truncated_files[0].offset).toBeLessThanOrEqual(cut)
    expect(summary.truncated_files[0].message).not.toBe('')
    expect(callIds(list, 'call')).toHaveLength(2)
    expect(list.flatMap((record) => validateRecord(record))).toEqual([])
    // Both were up.
    for (const record of list)
      if (record.type === 'call')
        expect(record.validity).toMatchObject({ complete_end: false, truncated: true })
      else if (record.type === 'stream') expect(record.validity).toMatchObject({ truncated: true })
    // As many packets as lie whole before the cut.
    let at = 24
    let packets = 0
    const view = new DataView(whole.buffer, whole.byteOffset)
    while (at + 16 <= cut && at + 16 + view.getUint32(at + 8, true) <= cut) {
      at += 16 + view.getUint32(at + 8, true)
      packets++
    }
    expect(summary.packets).toBe(packets)
  })

  it('whatever else is odd about the files stands in the summary, too, not on the terminal alone', async () => {
    const half = Math.floor(frames.length / 2)
    const [older, newer] = [frames.slice(0, half), frames.slice(half)].map((part) => pcapOf(part))
    writeFileSync(path('joined.pcap'), Buffer.concat([newer, older]))
    const { outcome, records: list } = await records(path('joined.pcap'))
    const { warnings, truncated_files } = summaryOf(list)
    expect(truncated_files).toEqual([])
    expect(warnings).toEqual([
      expect.stringMatching(/joined\.pcap: .*append/),
      expect.stringMatching(/^packet times go back once, by \d+ s/),
    ])
    for (const warning of warnings ?? []) expect(outcome.talk).toContain(warning)
    expect(validateRecord(summaryOf(list))).toEqual([])
    expect(summaryOf((await records(path('two.pcap'))).records).warnings).toBeUndefined()
  })

  it('several files are one run: the records are those of one file with all packets', async () => {
    const thirds = [0, 1, 2].map((k) =>
      frames.slice(Math.floor((k * frames.length) / 3), Math.floor(((k + 1) * frames.length) / 3)),
    )
    thirds.forEach((part, k) => writeFileSync(path(`part-${k}.pcap`), pcapOf(part)))
    const { records: one } = await records(path('two.pcap'))
    // Named in any order: time decides.
    const { records: several } = await records(path('part-2.pcap'), path('part-0.pcap'), path('part-1.pcap'))
    const told = (list: readonly ProbeRecord[]): ProbeRecord[] =>
      list.filter(({ type }) => type !== 'summary')
    expect(told(several)).toEqual(told(one))
    expect(summaryOf(several)).toMatchObject({ packets: truth.frames, calls: 2, files: 3 })
  })

  it('two mirrors, one file each, that saw one direction each, are one run', async () => {
    const fromCaller = (frame: Uint8Array): boolean => frame.subarray(26, 30).join('.') === '192.0.2.10'
    writeFileSync(path('a.pcap'), pcapOf(frames.filter(({ frame }) => fromCaller(frame))))
    writeFileSync(path('b.pcap'), pcapOf(frames.filter(({ frame }) => !fromCaller(frame))))
    const { records: one } = await records(path('two.pcap'))
    const { records: two } = await records(path('a.pcap'), path('b.pcap'))
    const told = (list: readonly ProbeRecord[]): ProbeRecord[] => list.filter(({ type }) => type === 'call')
    expect(told(two)).toEqual(told(one))
  })

  it('a file that is no capture among others is left out with a warning', async () => {
    writeFileSync(path('notes.txt'), 'not a capture at all, whatever its name may say about it')
    const { outcome, records: list } = await records(path('two.pcap'), path('notes.txt'))
    expect(outcome.code).toBe(0)
    expect(outcome.talk).toContain('notes.txt')
    expect(callIds(list, 'call')).toHaveLength(2)
  })

  it('--jitter-buffer fixed:20 is named in the summary', async () => {
    const { records: list } = await records(path('two.pcap'), '--jitter-buffer', 'fixed:20')
    expect(summaryOf(list).jitter_buffer).toBe('fixed:20')
    const { records: standard } = await records(path('two.pcap'))
    expect(summaryOf(standard).jitter_buffer).toBe('adaptive:40-500')
  })
})
