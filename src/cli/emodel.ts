/** `callprobe emodel`: the E-model as a calculator. */
import { Command } from 'commander'
import { editDistance } from '../config/nearest.js'
import { clampBurstRatio } from '../quality/burst-ratio.js'
import { codecNames, findCodecByName } from '../quality/codec-names.js'
import { explicitRow, type CodecRow, type MosScale } from '../quality/codec-row.js'
import { CODEC_ROWS, CODECS_WITHOUT_ROW, reasonWithoutRow } from '../quality/codecs.js'
import { R_MAX, scoreExactly, type MediaScore } from '../quality/mos.js'

/** Option values as commander hands them over. */
interface EmodelOptions {
  codec?: string
  ie?: string
  bpl?: string
  scale?: string
  loss: string
  burst: string
  delay: string
  format: string
  list?: boolean
}

const EXAMPLES = `
Examples:
  $ callprobe emodel --codec PCMU --loss 1 --delay 120
  $ callprobe emodel --codec G.729 --loss 3 --burst 1.8 --delay 200 --format json
  $ callprobe emodel --codec g711-no-plc --loss 5
  $ callprobe emodel --ie 11 --bpl 19 --loss 2
  $ callprobe emodel --ie 13 --bpl 4.3 --scale wb
  $ callprobe emodel --list

R is on the codec's own scale: nb 0..100, wb 0..129, fb 0..148. The model is
evaluated at exactly the values given; values beyond its range of validity are
pointed out on stderr. Records of measured calls hold the burst ratio within
1..8, and within 1..2 from 2 % loss on.

Exit codes: 0 done, 2 wrong usage`

/** A finding about the input that does not stop the calculation. */
type Warn = (message: string) => void

/** Number of an option, held against its range; a wrong one ends the command with exit code 2. */
function numberOption(
  command: Command,
  name: string,
  text: string,
  unit: string,
  min: number,
  max = Infinity,
): number {
  const value = text.trim() === '' ? NaN : Number(text)
  if (!(value >= min && value <= max && Number.isFinite(value))) {
    const range = max === Infinity ? `of ${min} or more` : `from ${min} to ${max}`
    usageError(command, `--${name} takes a number ${range}${unit}, not "${text}"`)
  }
  return value
}

function usageError(command: Command, message: string): never {
  command.error(`error: ${message}`, { exitCode: 2, code: 'callprobe.usage' })
}

/** Up to three known names nearest to `name`, each spelling once. */
function nearestCodecNames(name: string): string[] {
  const fold = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]/g, '')
  const wanted = fold(name.slice(0, 64))
  const spellings = new Map(codecNames().map((known) => [fold(known), known]))
  return [...spellings.values()]
    .map((candidate) => {
      const known = fold(candidate)
      const related = wanted !== '' && (known.startsWith(wanted) || wanted.startsWith(known))
      return { candidate, distance: editDistance(wanted, known) * (related ? 0.5 : 1) }
    })
    .sort((a, b) => a.distance - b.distance || a.candidate.length - b.candidate.length)
    .slice(0, 3)
    .map(({ candidate }) => candidate)
}

function parseScale(command: Command, text: string): MosScale {
  if (text === 'nb' || text === 'wb' || text === 'fb') return text
  usageError(command, `--scale takes nb, wb or fb, not "${text}"`)
}

function chooseRow(command: Command, options: EmodelOptions): CodecRow {
  const { codec, ie, bpl, scale } = options
  if (codec !== undefined) {
    if (ie !== undefined || bpl !== undefined || scale !== undefined) {
      usageError(
        command,
        '--codec brings its own factors and scale; give it alone, or --ie and --bpl instead',
      )
    }
    const row = findCodecByName(codec)
    if (row !== undefined) return row
    const reason = reasonWithoutRow(codec)
    if (reason !== undefined) {
      usageError(command, `no MOS for ${codec}: ${reason}. Give factors of your own with --ie and --bpl`)
    }
    const names = nearestCodecNames(codec).join(', ')
    usageError(command, `codec "${codec}" is not in the table. Nearest: ${names}. --list shows all`)
  }
  if (ie === undefined || bpl === undefined) {
    usageError(command, 'give --codec NAME, or both --ie N and --bpl N (--list shows the codecs)')
  }
  const chosen = parseScale(command, scale ?? 'nb')
  // Ie meets the loss equation's ceiling at 95 (132 on the fullband scale); beyond it, loss would raise the score.
  const ieValue = numberOption(command, 'ie', ie, '', 0, chosen === 'fb' ? 132 : 95)
  const bplValue = numberOption(command, 'bpl', bpl, '', 0)
  if (bplValue === 0) usageError(command, '--bpl takes a number greater than 0, not "0"')
  return explicitRow(ieValue, bplValue, chosen)
}

/** Ranges of G.107 (06/2015) Table 3. */
function warnBeyondRange(row: CodecRow, loss: number, burst: number, delay: number, warn: Warn): void {
  if (loss > 20)
    warn(`loss of ${loss} % is beyond the model's range (0..20 %): the result is an extrapolation`)
  if (delay > 500) warn(`a delay of ${delay} ms is beyond the model's range (0..500 ms)`)
  const held = clampBurstRatio(burst, loss)
  if (held !== burst) {
    const range = loss >= 2 ? '1..2 from 2 % loss on' : '1..8'
    warn(`a burst ratio of ${burst} is beyond the model's range (${range}); records would use ${held}`)
  }
  if (row.scale === 'wb' && burst !== 1) warn('the wideband model has no burst ratio: --burst has no effect')
  if (row.id === 'explicit' && row.scale === 'nb') {
    if (row.ie > 40) warn(`an Ie of ${row.ie} is beyond the model's range (0..40)`)
    if (row.bpl < 4.3 || row.bpl > 40) warn(`a Bpl of ${row.bpl} is beyond the model's range (4.3..40)`)
  }
  if (row.note !== undefined) warn(`${row.label}: ${row.note}`)
}

function fixed(value: number): number {
  return Number(value.toFixed(4))
}

/** The result under the names that records use. */
export interface EmodelResult {
  r_factor: number
  mos_lq: number
  mos_cq: number
  mos_scale: MosScale
  r_max: number
  codec: string
  ie: number
  bpl: number
  loss_percent: number
  burst_ratio: number
  delay_ms: number
  mos_grounded: boolean
  mos_model: string
}

function toResult(
  row: CodecRow,
  score: MediaScore,
  input: { loss: number; burst: number; delay: number },
): EmodelResult {
  return {
    r_factor: fixed(score.rFactor),
    mos_lq: fixed(score.mosLq),
    mos_cq: fixed(score.mosCq),
    mos_scale: score.scale,
    r_max: R_MAX[score.scale],
    codec: row.label,
    ie: row.ie,
    bpl: row.bpl,
    loss_percent: input.loss,
    burst_ratio: input.burst,
    delay_ms: input.delay,
    mos_grounded: score.grounded,
    mos_model: score.model,
  }
}

function asText(result: EmodelResult): string {
  return Object.entries(result)
    .map(([name, value]) => `${name.padEnd(13)} ${value}\n`)
    .join('')
}

function listAsText(): string {
  const header = ['name', 'scale', 'Ie', 'Bpl', 'published', 'SDP names', 'row, source']
  const rows = CODEC_ROWS.map((row) => [
    row.id,
    row.scale,
    String(row.ie),
    String(row.bpl),
    row.grounded ? 'yes' : 'stand-in',
    `${row.aliases.join(',')}/${row.clockRateHz}`,
    `${row.label}; ${row.source}`,
  ])
  const widths = header.map((title, i) => Math.max(title.length, ...rows.map((cells) => cells[i].length)))
  const line = (cells: string[]): string =>
    cells
      .map((cell, i) => cell.padEnd(widths[i]))
      .join('  ')
      .trimEnd()
  const without = CODECS_WITHOUT_ROW.map(({ name, reason }) => `  ${name}: ${reason}`)
  return [line(header), ...rows.map(line), '', 'No MOS for:', ...without, ''].join('\n')
}

function listAsJson(): string {
  const rows = CODEC_ROWS.map((row) => ({
    name: row.id,
    codec: row.codec,
    encodings: row.aliases,
    clock_rate_hz: row.clockRateHz,
    mos_scale: row.scale,
    ie: row.ie,
    bpl: row.bpl,
    lookahead_ms: row.lookaheadMs,
    row: row.label,
    source: row.source,
    mos_grounded: row.grounded,
    note: row.note,
  }))
  return JSON.stringify(rows, null, 2) + '\n'
}

function run(command: Command, options: EmodelOptions): void {
  const { format } = options
  if (format !== 'text' && format !== 'json') {
    usageError(command, `--format takes text or json, not "${format}"`)
  }
  if (options.list) {
    process.stdout.write(format === 'json' ? listAsJson() : listAsText())
    return
  }
  const row = chooseRow(command, options)
  const loss = numberOption(command, 'loss', options.loss, ' (percent)', 0, 100)
  const burst = numberOption(command, 'burst', options.burst, '', 0)
  const delay = numberOption(command, 'delay', options.delay, ' (ms)', 0)
  warnBeyondRange(row, loss, burst, delay, (message) => process.stderr.write(`warning: ${message}\n`))
  const score = scoreExactly({
    codec: row,
    lossPercent: loss,
    burstRatio: Math.max(1, burst),
    delayMs: delay,
  })
  const result = toResult(row, score, { loss, burst, delay })
  process.stdout.write(format === 'json' ? JSON.stringify(result, null, 2) + '\n' : asText(result))
}

/** The command for the program to add. Wrong usage ends with exit code 2 through commander's error handling. */
export function emodelCommand(): Command {
  return new Command('emodel')
    .description(
      'Calculate R and MOS by the E-model (ITU-T G.107, G.107.1, G.107.2) for a codec, loss and delay.',
    )
    .option(
      '--codec <name>',
      'codec from the table: an SDP name (PCMU), a codec (G.729) or a row (amr-wb-12.65)',
    )
    .option('--ie <n>', 'equipment impairment factor, instead of --codec')
    .option('--bpl <n>', 'packet-loss robustness factor, instead of --codec')
    .option('--scale <scale>', 'scale of --ie and --bpl: nb, wb or fb (default: nb)')
    .option('--loss <percent>', 'packets lost or late', '0')
    .option('--burst <ratio>', 'burst ratio, 1 for random loss', '1')
    .option('--delay <ms>', 'one way, mouth to ear', '0')
    .option('--format <format>', 'text or json', 'text')
    .option('--list', 'print the codec table and leave')
    .addHelpText('after', EXAMPLES)
    .action((options: EmodelOptions, command: Command) => run(command, options))
}
