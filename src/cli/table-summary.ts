import { QUALITIES, RECORD_STATES, type Severity, type SummaryRecord } from '../calls/records.js'
import { STATE_TEXT, countText, durationText } from './table-format.js'
import { finish, paint, type TableStyle, type Tone } from './table-style.js'
import { displayText, displayWidth, pad, wrap } from './table-text.js'

/** One line of the summary: a name and what there is to say. */
interface Entry {
  name: string
  text: string
  tone?: Tone
}

/** The block under a table: what was read and found, and everything that was skipped or cut short. */
export function renderSummary(summary: SummaryRecord, style: TableStyle): string {
  const entries = [...entriesOf(summary)]
  const nameWidth = Math.max(...entries.map(({ name }) => displayWidth(name)))
  const lines: string[] = []
  for (const { name, text, tone } of entries) {
    const wrapped = wrap(displayText(text), Math.max(10, style.width - nameWidth - 2))
    wrapped.forEach((line, i) => {
      const label = paint(pad(i === 0 ? name : '', nameWidth), 'bold', style)
      lines.push(`${label}  ${paint(line, tone, style)}`)
    })
  }
  return finish(lines, style)
}

function* entriesOf(summary: SummaryRecord): Generator<Entry> {
  const states = RECORD_STATES.map((state): [string, number] => [
    STATE_TEXT[state],
    summary.calls_by_state[state] ?? 0,
  ])
  yield { name: 'calls', text: countText(summary.calls) + details(states) }
  const qualities = QUALITIES.map((quality): [string, number] => [
    quality,
    summary.calls_by_quality[quality] ?? 0,
  ])
  if (summary.calls > 0) yield { name: 'quality', text: list(qualities) || '–' }
  for (const finding of findingsOf(summary)) yield finding
  yield { name: 'streams', text: countText(summary.streams) }
  yield { name: 'packets', text: packetsText(summary) }
  const signalling = signallingText(summary)
  if (signalling !== '') yield { name: 'signalling', text: signalling }
  const unreadable = list(byCount(summary.sip_unreadable ?? {}))
  if (unreadable !== '') yield { name: 'unreadable', text: unreadable, tone: 'yellow' }
  const tunnels = list(Object.entries(summary.tunnels ?? {}))
  if (tunnels !== '') yield { name: 'tunnels', text: tunnels }
  const skipped = list(byCount(summary.skipped))
  if (skipped !== '') yield { name: 'skipped', text: skipped }
  const evictions = list(byCount(summary.evictions))
  if (evictions !== '') yield { name: 'limits reached', text: evictions, tone: 'yellow' }
  const drops = (summary.reported_drops ?? 0) + (summary.capture_drops ?? 0)
  if (drops > 0)
    yield {
      name: 'drops',
      text: `${countText(drops)} packets were dropped while capturing: loss may be theirs`,
      tone: 'yellow',
    }
  for (const { file, offset, message } of summary.truncated_files) {
    const where = offset === undefined ? '' : ` at byte ${countText(offset)}`
    yield { name: 'truncated', text: `${file}${where}: ${message}`, tone: 'yellow' }
  }
  for (const warning of summary.warnings ?? []) yield { name: 'warning', text: warning, tone: 'yellow' }
}

/** Findings with a trait in common that are shown in full. */
const MOST_GROUPED = 6
const TONES: Record<Severity, Tone | undefined> = { critical: 'red', warning: 'yellow', info: 'dim' }

/** Findings over several calls: in full where those calls have something in common, the others by their number. */
function* findingsOf({ findings = [], bad_calls: bad }: SummaryRecord): Generator<Entry> {
  const all = bad ? [bad, ...findings] : findings
  const shown = all.filter(({ groups }) => groups.length > 0).slice(0, MOST_GROUPED)
  const noCall = findings.filter(({ code }) => code === 'registration_failed')
  for (const { severity, message } of [...shown, ...noCall])
    yield { name: 'findings', text: message, tone: severity && TONES[severity] }
  const rest = findings.filter((finding) => !shown.includes(finding) && !noCall.includes(finding))
  const counts = rest.map(({ code, calls }): [string, number] => [code ?? '', calls])
  if (counts.length > 0) yield { name: 'findings', text: `${shown.length > 0 ? 'also ' : ''}${list(counts)}` }
}

function packetsText(summary: SummaryRecord): string {
  let text = `${countText(summary.packets)} (${bytesText(summary.bytes)})`
  if (summary.files !== undefined && summary.files > 1) text += ` in ${countText(summary.files)} files`
  if (summary.duration_ms !== undefined) text += `, ${durationText(summary.duration_ms / 1000)} of traffic`
  if (summary.processing_ms !== undefined) text += `, read in ${(summary.processing_ms / 1000).toFixed(2)} s`
  if (summary.packets_per_s !== undefined) text += ` (${countText(summary.packets_per_s)} packets/s)`
  return text
}

function signallingText(summary: SummaryRecord): string {
  const parts: string[] = []
  if (summary.sip_messages)
    parts.push(
      `${countText(summary.sip_messages)} SIP messages` +
        details([
          ['repeated', summary.sip_retransmissions ?? 0],
          ['malformed', summary.sip_malformed ?? 0],
        ]),
    )
  const { registrations, options } = summary
  if (registrations !== undefined && registrations.attempts > 0)
    parts.push(
      `${countText(registrations.successful)} of ${countText(registrations.attempts)} registrations successful`,
    )
  if (options !== undefined && options.requests > 0)
    parts.push(`${countText(options.answered)} of ${countText(options.requests)} OPTIONS answered`)
  return parts.join(', ')
}

/** `3,811 not_ip, 2 bad_udp_length`; zeros are left out. */
function list(counts: readonly (readonly [string, number])[]): string {
  return counts
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${countText(count)} ${name}`)
    .join(', ')
}

function details(counts: readonly (readonly [string, number])[]): string {
  const text = list(counts)
  return text === '' ? '' : ` (${text})`
}

function byCount(counts: Readonly<Record<string, number>>): [string, number][] {
  return Object.entries(counts).sort((a, b) => b[1] - a[1])
}

/** Decimal units, as disks and links are measured. */
function bytesText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']
  let value = bytes
  let unit = 0
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 || value >= 99.5 ? value.toFixed(0) : value.toPrecision(3)} ${units[unit]}`
}
