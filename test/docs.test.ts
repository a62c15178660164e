import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createProgram, main } from '../src/cli/main.js'
import { parseScenario } from '../src/generate/load.js'
import { findCodecByName } from '../src/quality/codec-names.js'
import { scoreExactly } from '../src/quality/mos.js'
import { roundField } from '../src/sinks/rounding.js'
import { comparisonTable, LOSSES } from '../scripts/lib/mos-of-other-tools.mjs'
import { ROOT } from './helpers/programs.js'
import { directionOf, only, replayScenario } from './helpers/replay.js'

const PAGES = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync(join(ROOT, 'docs')).map((name) => `docs/${name}`),
]
  .filter((name) => name.endsWith('.md'))
  .map((name) => ({ name, text: readFileSync(join(ROOT, name), 'utf8') }))
const METRICS = readFileSync(join(ROOT, 'docs/metrics.md'), 'utf8')

/** Names of all properties that a schema describes, at any depth. */
function propertyNames(schema: unknown, names = new Set<string>()): Set<string> {
  if (typeof schema !== 'object' || schema === null) return names
  for (const [key, value] of Object.entries(schema)) {
    if (key === 'properties') for (const name of Object.keys(value)) names.add(name)
    if (key !== 'const' && key !== 'enum') propertyNames(value, names)
  }
  return names
}

describe('docs/metrics.md', () => {
  it.each(['definitions', 'call', 'stream', 'interval', 'alert', 'summary'])(
    'explains every field of the %s schema',
    (name) => {
      const schema: unknown = JSON.parse(readFileSync(join(ROOT, `schemas/${name}.schema.json`), 'utf8'))
      const names = [...propertyNames(schema)]
      expect(names.length).toBeGreaterThan(5)
      expect(names.filter((field) => !METRICS.includes(`\`${field}\``))).toEqual([])
    },
  )

  it('works through numbers that replay gives for its example', async () => {
    const scenario = parseScenario(readFileSync(join(ROOT, 'docs/examples/metrics.yaml'), 'utf8'))
    const { calls, intervals } = await replayScenario(scenario)
    const call = only(calls)
    const caller = directionOf(call, 'from_caller')
    const callee = directionOf(call, 'from_callee')
    /** [text on the page, what it stands for] */
    const figures: [string, number | string | undefined, string][] = [
      ['`lost` = 1997 - 0 + 1 - 1993 = 5', caller.lost, '5'],
      ['500 / 1998 = 0.2503', rounded('loss_percent', caller.loss_percent), '0.2503'],
      ['1993 × (12 + 160) = 342796', caller.bytes, '342796'],
      ['`duplicates` 1', callee.duplicates, '1'],
      ['`span_duplicates` 1', call.validity.span_duplicates, '1'],
      ['`reordered` 1, `lost` 0', `${callee.reordered} ${callee.lost}`, '1 0'],
      ['J is 8.984', rounded('jitter_max_ms', callee.jitter_max_ms), '8.984'],
      ['`jitter_mean_ms` is 0.288', rounded('jitter_mean_ms', callee.jitter_mean_ms), '0.288'],
      ['`pdv_max_ms` says 95.005', rounded('pdv_max_ms', callee.pdv_max_ms), '95.005'],
      ['0 to 0.2 ms, reads as 0.1', rounded('pdv_p50_ms', callee.pdv_p50_ms), '0.1'],
      ['`skew_ppm` is 50.001', rounded('skew_ppm', callee.skew_ppm), '50.001'],
      ['`late_adaptive` 2', callee.late_adaptive, '2'],
      ['`late_fixed50` 15', callee.late_fixed50, '15'],
      ['`late_fixed200` 0', callee.late_fixed200, '0'],
      ['`buffer_delay_ms`, is 86.382', rounded('buffer_delay_ms', callee.buffer_delay_ms), '86.382'],
      ['`burst_seconds` 3', callee.burst_seconds, '3'],
      ['4 / 11 = 0.3636', rounded('burst_density', caller.burst_density), '0.3636'],
      ['11 × 20 = 220', caller.burst_duration_ms, '220'],
      ['`gap_density` 0.0005', rounded('gap_density', caller.gap_density), '0.0005'],
      ['1987 × 20 / 2 = 19870', caller.gap_duration_ms, '19870'],
      ['`loss_runs` [2, 0, 1, 0, ...]', caller.loss_runs?.join(), '2,0,1,0,0,0,0,0,0,0'],
      ['(5 / 3) × (1 - 5 / 1998) = 1.6625', rounded('burst_ratio', caller.burst_ratio), '1.6625'],
      ['`delay_p50_ms` 100', caller.delay_p50_ms, '100'],
      ['`caller_leg_rtt_p50_ms` is 30', call.caller_leg_rtt_p50_ms, '30'],
      ['`callee_leg_rtt_p50_ms` 50', call.callee_leg_rtt_p50_ms, '50'],
      ['`rtt_p50_ms` 80', call.rtt_p50_ms, '80'],
      ['`delay_source` rtcp', caller.delay_source, 'rtcp'],
      ['`lost_before_tap` 5', caller.lost_before_tap, '5'],
      ['`lost_after_tap` 1', callee.lost_after_tap, '1'],
      ['`mos_cq_receiver` 4.3161', rounded('mos_cq', callee.mos_cq_receiver), '4.3161'],
      ['`mos_cq` 4.3209', rounded('mos_cq', callee.mos_cq), '4.3209'],
      ['`mos_lq` 4.3905', rounded('mos_lq', caller.mos_lq), '4.3905'],
      ['`mos_cq` 4.3321', rounded('mos_cq', caller.mos_cq), '4.3321'],
      ['`r_factor` 89.722', rounded('r_factor', caller.r_factor), '89.722'],
      ['`mos_cq_min` is 4.2782', rounded('mos_cq_min', caller.mos_cq_min), '4.2782'],
      ['`quality` is `good`', call.quality, 'good'],
      ['`pdd_ms` 200', call.sip?.pdd_ms, '200'],
      ['`setup_ms` 2000', call.sip?.setup_ms, '2000'],
      ['`ring_ms` 1800', call.sip?.ring_ms, '1800'],
      ['`duration_s` 40', call.duration_s, '40'],
    ]
    for (const [text, value, expected] of figures) {
      expect(METRICS.replace(/\n/g, ' ')).toContain(text)
      expect([text, String(value)]).toEqual([text, expected])
    }
    const [first, second] = intervals.filter((interval) => interval.direction === 'from_caller')
    expect([first.packets, first.lost, second.packets, second.lost]).toEqual([397, 1, 496, 4])
  })

  it('shows the table of MOS that the formulas give', () => {
    const codec = findCodecByName('PCMU')
    if (codec === undefined) throw new Error('PCMU is not in the table')
    const table = comparisonTable((lossPercent, delayMs) =>
      scoreExactly({ codec, lossPercent, burstRatio: 1, delayMs }),
    )
    expect(METRICS).toContain(table)
    expect(LOSSES).toContain(0.8)
  })
})

describe('README.md', () => {
  const README = readFileSync(join(ROOT, 'README.md'), 'utf8')
  const fixtures = readdirSync(join(ROOT, 'fixtures'))
    .filter((name) => name.endsWith('.pcap'))
    .sort()
    .map((name) => join(ROOT, 'fixtures', name))

  /** What callprobe prints. */
  async function printed(...args: string[]): Promise<string> {
    let text = ''
    vi.spyOn(process.stdout, 'write').mockImplementation((part, ...more) => {
      text += String(part)
      for (const done of more) if (typeof done === 'function') done()
      return true
    })
    await main(['node', 'callprobe', ...args])
    vi.restoreAllMocks()
    return text
  }

  it('shows calls as npm start prints them', async () => {
    const table = await printed('replay', ...fixtures)
    const shown = /^START .*?(?=^```)/ms.exec(README)?.[0].trimEnd().split('\n') ?? []
    expect(shown).toHaveLength(5)
    for (const line of shown) expect(table.split('\n')).toContain(line)
  })

  it('shows a call record as replay writes it, some fields left out', async () => {
    const lines = await printed('replay', '--format', 'ndjson', ...fixtures)
    const shown: unknown = JSON.parse(/^```json\n(.*?)^```/ms.exec(README)?.[1] ?? '{}')
    const records = lines
      .trimEnd()
      .split('\n')
      .map((line): unknown => JSON.parse(line))
    expect(records).toContainEqual(expect.objectContaining({ type: 'call', call_id: '44781ced4b5d9ef8' }))
    const call = records.find((record) =>
      JSON.stringify(record).includes('"type":"call","schema":1,"call_id":"44781'),
    )
    expect(call).toMatchObject(Object(shown))
    expect(Object.keys(Object(shown)).length).toBeGreaterThan(10)
  })
})

function rounded(name: string, value: number | undefined): number | undefined {
  return value === undefined ? undefined : roundField(name, value)
}

describe('a command that a page shows', () => {
  let stdout = ''
  beforeEach(() => {
    stdout = ''
    vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      stdout += String(text)
      return true
    })
  })
  afterEach(() => {
    vi.restoreAllMocks()
  })

  /** Command lines of callprobe in the pages' code blocks, without the program's name. */
  const shown = PAGES.flatMap(({ name, text }) =>
    [...text.matchAll(/^```\w*\n(.*?)^```/gms)]
      .flatMap((block) => block[1].split('\n'))
      .map((line) => line.replace(/\s#.*$/, ''))
      .flatMap((line) => line.split(' | '))
      .map((part) => /^\s*(?:\$ )?(?:npx |bin\/)?callprobe (.+)$/.exec(part)?.[1].trim())
      .filter((line) => line !== undefined)
      .map((line) => [line, name] as const),
  )
  const words = (line: string): string[] =>
    [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map((found) => found[1] ?? found[2] ?? found[3])

  it('is found', () => {
    expect(shown.length).toBeGreaterThan(8)
    expect(shown.filter(([line]) => line.startsWith('emodel'))).not.toEqual([])
  })

  it.each(shown)('exists, with its options: %s (%s)', async (line) => {
    const [name, ...rest] = words(line)
    const command = (await createProgram()).commands.find((known) => known.name() === name)
    expect(command?.name()).toBe(name)
    // `alerts test --config` is about a command of a command.
    const inner = command?.commands.find((known) => known.name() === rest[0])
    if (command && command.commands.length > 0) expect(inner?.name()).toBe(rest[0])
    const known = (inner ?? command)?.options.flatMap((option) => [option.short, option.long]) ?? []
    for (const word of rest.filter((part) => /^--?[a-z]/.test(part)))
      expect(known).toContain(word.split('=')[0])
  })

  it.each(shown.filter(([line]) => line.startsWith('emodel')))('runs: %s (%s)', async (line) => {
    await (await createProgram()).parseAsync(['node', 'callprobe', ...words(line)])
    expect(stdout).toContain('mos_cq')
  })
})

describe('a link of a page', () => {
  const links = PAGES.flatMap(({ name, text }) =>
    [...text.matchAll(/\]\(([^)\s]+)\)/g)]
      .map((found) => found[1])
      .filter((target) => !/^https?:/.test(target))
      .map((target) => [target, name] as const),
  )

  it.each(links)('leads somewhere: %s (%s)', (target, name) => {
    const [path, anchor] = target.split('#')
    const file = path === '' ? join(ROOT, name) : join(ROOT, dirname(name), path)
    expect(existsSync(file)).toBe(true)
    if (anchor === undefined) return
    const headings = [...readFileSync(file, 'utf8').matchAll(/^#+ (.+)$/gm)].map((found) =>
      found[1]
        .toLowerCase()
        .replace(/[^\p{L}\p{N} -]/gu, '')
        .replace(/ /g, '-'),
    )
    expect(headings).toContain(anchor)
  })
})
