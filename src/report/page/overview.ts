import { mosBadge, qualityName } from './badges.js'
import { CallTable } from './call-table.js'
import type { Overview } from './data.js'
import { add, button, el, wire, type Child } from './dom.js'
import { matching, NO_CHOICE, type Choice } from './filter.js'
import { groupFindings, groupPaths, isBad, type FindingRow, type PathRow } from './groups.js'
import type { ListedCall } from './data.js'
import { bytes, count, dateTime, duration, findingName, mos, percent, shortened, stateName } from './text.js'

const QUALITIES = ['broken', 'poor', 'fair', 'good', 'unknown']
const STATES = ['completed', 'failed', 'cancelled', 'timeout', 'in_progress', 'media_only']
const MOST_WORST = 5
const MOST_PATHS = 8

/** Kept while a call is looked at. */
let choice: Choice = { ...NO_CHOICE }

/** The first page. Returns what ends it. */
export function renderOverview(
  main: HTMLElement,
  overview: Overview,
  calls: readonly ListedCall[],
): () => void {
  const table = new CallTable(calls, choice, (next) => (choice = next))
  const narrow = (part: Partial<Choice>): void => {
    table.choose({ ...NO_CHOICE, ...part })
    table.element.scrollIntoView({ behavior: 'smooth', block: 'start' })
  }
  add(main, headline(overview, calls), seen(overview))
  if (calls.length > 0) {
    add(
      main,
      el(
        'div',
        { class: 'columns' },
        distribution('Calls by quality', QUALITIES, overview.byQuality, 'q-', qualityName, (quality) =>
          narrow({ quality }),
        ),
        distribution('Calls by state', STATES, overview.byState, 's-', stateName, (state) =>
          narrow({ state }),
        ),
      ),
      worstCalls(calls),
      findings(groupFindings(calls), overview, calls.length, (finding) => narrow({ finding })),
      paths(groupPaths(calls), (path) => narrow({ path })),
      table.element,
    )
    table.start()
  }
  return () => table.stop()
}

function headline(overview: Overview, calls: readonly ListedCall[]): HTMLElement {
  const bad = calls.filter(isBad).length
  const rated = calls.filter((call) => call.quality !== 'unknown').length
  const title =
    overview.calls === 0
      ? 'No calls were found'
      : `${count(overview.calls)} ${overview.calls === 1 ? 'call' : 'calls'}, ${
          rated === 0
            ? 'none with media to rate'
            : bad === 0
              ? 'none of them poor or broken'
              : `${count(bad)} of them poor or broken`
        }`
  const span =
    overview.startMs !== undefined && overview.endMs !== undefined
      ? `${dateTime(overview.startMs)} to ${dateTime(overview.endMs)} UTC (${duration((overview.endMs - overview.startMs) / 1000)})`
      : 'no packets'
  return el('section', { class: 'headline' }, el('h1', {}, title), el('p', { class: 'meta' }, span))
}

/** First of all what could not be seen, then what was. */
function seen(overview: Overview): HTMLElement {
  const { limitations } = overview
  const facts: [string, string][] = [
    [
      'Files',
      overview.files.length === 0 ? '–' : overview.files.map((file) => shortened(file, 60)).join(', '),
    ],
    ['Packets', `${count(overview.packets)} (${bytes(overview.bytes)})`],
    ['RTP', `${count(overview.rtpPackets)} packets in ${count(overview.streams)} streams`],
    ['RTCP', `${count(overview.rtcpPackets)} packets`],
    ['SIP', `${count(overview.sipMessages)} messages`],
    ['Jitter buffer', overview.jitterBuffer === '' ? '–' : overview.jitterBuffer],
  ]
  if (overview.privacy !== 'none')
    facts.push(['Privacy', `numbers, names and addresses: ${overview.privacy}`])
  if (overview.remarks.length > 0) facts.push(['Left aside', overview.remarks.join('; ')])
  return el(
    'section',
    { class: 'columns seen' },
    el(
      'div',
      {},
      el('h2', {}, 'What could not be seen'),
      limitations.length === 0
        ? el(
            'p',
            { class: 'all-seen' },
            'Nothing: every packet was read, no call was cut off, and nothing is left out here.',
          )
        : el(
            'ul',
            { class: 'limitations' },
            ...limitations.map(({ level, text }) => el('li', { class: level }, wire(text))),
          ),
    ),
    el(
      'div',
      {},
      el('h2', {}, 'What was captured'),
      el(
        'dl',
        { class: 'facts' },
        ...facts.flatMap(([name, text]) => [el('dt', {}, name), el('dd', {}, wire(text))]),
      ),
    ),
  )
}

/** A bar per value; each narrows the table down to its calls. */
function distribution(
  title: string,
  order: readonly string[],
  counts: Readonly<Record<string, number>>,
  tone: string,
  named: (value: string) => string,
  choose: (value: string) => void,
): HTMLElement {
  const present = order.filter((value) => (counts[value] ?? 0) > 0)
  const all = present.reduce((sum, value) => sum + counts[value], 0)
  const strip = el('div', { class: 'strip', 'aria-hidden': true })
  for (const value of present) {
    const part = el('span', { class: `${tone}${value}` })
    part.style.flexGrow = String(counts[value])
    strip.appendChild(part)
  }
  return el(
    'section',
    {},
    el('h2', {}, title),
    strip,
    el(
      'ul',
      { class: 'legend' },
      ...present.map((value) =>
        el(
          'li',
          {},
          button(
            el(
              'span',
              {},
              el('span', { class: `dot ${tone}${value}`, 'aria-hidden': true }),
              el('b', {}, count(counts[value])),
              ` ${named(value)} `,
              el('span', { class: 'dim' }, `${Math.round((100 * counts[value]) / all)} %`),
            ),
            () => choose(value),
            { title: `Show these calls` },
          ),
        ),
      ),
    ),
  )
}

function worstCalls(calls: readonly ListedCall[]): HTMLElement | undefined {
  const worst = matching(calls, NO_CHOICE)
    .filter((call) => call.quality === 'broken' || call.quality === 'poor' || call.quality === 'fair')
    .slice(0, MOST_WORST)
  if (worst.length === 0) return undefined
  return el(
    'section',
    {},
    el('h2', {}, 'Worst calls'),
    el(
      'ol',
      { class: 'worst' },
      ...worst.map((call) =>
        el(
          'li',
          {},
          el(
            'a',
            { href: `#/call/${call.index}` },
            mosBadge(call.mos, call.quality),
            el(
              'span',
              { class: 'who' },
              wire(shortened(call.caller || call.callerAddress || '–', 40)),
              ' → ',
              wire(shortened(call.callee || call.calleeAddress || '–', 40)),
            ),
            el('span', { class: 'why' }, whyText(call)),
            el('span', { class: 'when' }, dateTime(call.startMs).slice(5)),
          ),
        ),
      ),
    ),
  )
}

function whyText(call: ListedCall): string {
  const codes = new Set(
    call.findings.filter((finding) => !finding.startsWith('i')).map((finding) => finding.slice(2)),
  )
  const named = [...codes].map(findingName)
  const parts = named.slice(0, 2)
  if (call.lossPercent !== null && call.lossPercent > 0) parts.push(`${percent(call.lossPercent)} lost`)
  if (call.latePercent !== null && call.latePercent > 0) parts.push(`${percent(call.latePercent)} late`)
  return parts.length > 0 ? parts.join(', ') : qualityName(call.quality)
}

/** What the run found over all calls; the words are its own where it had any. */
function findings(
  rows: readonly FindingRow[],
  overview: Overview,
  all: number,
  choose: (code: string) => void,
): HTMLElement | undefined {
  const messages = new Map(overview.findingGroups.map(({ code, message }) => [code, message]))
  const others = overview.findingGroups.filter(({ code }) => rows.every((row) => row.code !== code))
  if (rows.length + others.length === 0) return undefined
  const common = (row: FindingRow): Child => {
    const message = messages.get(row.code)
    if (message !== undefined && message !== '') return wire(message, { class: 'wide-cell' })
    return row.mostlyOn === undefined ? undefined : wire(`mostly ${row.mostlyOn}`)
  }
  const shared = rows.some((row) => common(row) !== undefined) || others.length > 0
  return el(
    'section',
    {},
    el('h2', {}, 'Findings'),
    overview.badCalls !== undefined && el('p', { class: 'lead' }, wire(overview.badCalls)),
    grid(
      'Findings over all calls',
      [
        'Finding',
        'Severity',
        'Calls',
        'Poor or broken',
        ...(shared ? ['What these calls have in common'] : []),
      ],
      [
        ...rows.map((row) => [
          button(findingName(row.code), () => choose(row.code), { class: 'link nowrap' }),
          el('span', { class: `severity ${row.severity}` }, row.severity),
          `${count(row.calls)} of ${count(all)}`,
          count(row.badCalls),
          ...(shared ? [common(row)] : []),
        ]),
        ...others.map(({ code, severity, calls, message }) => [
          findingName(code),
          el('span', { class: `severity ${severity}` }, severity),
          count(calls),
          '',
          wire(message),
        ]),
      ],
      [2, 3],
    ),
  )
}

function paths(rows: readonly PathRow[], choose: (path: string) => void): HTMLElement {
  const section = el('section', {}, el('h2', {}, 'Paths'))
  const show = (shown: readonly PathRow[]): HTMLElement =>
    grid(
      'Calls by path',
      ['Path', 'Calls', 'Answered', 'Poor or broken', 'Lowest MOS', 'Median MOS', 'Worst loss'],
      shown.map((row) => [
        button(wire(row.path), () => choose(row.path), { class: 'link' }),
        count(row.calls),
        count(row.answered),
        row.badCalls > 0 ? el('b', { class: 'bad' }, count(row.badCalls)) : '0',
        mos(row.lowestMos),
        mos(row.medianMos),
        percent(row.worstLoss),
      ]),
      [1, 2, 3, 4, 5, 6],
    )
  let table = show(rows.slice(0, MOST_PATHS))
  add(section, table)
  if (rows.length > MOST_PATHS) {
    const more = button(
      `Show ${count(Math.min(rows.length, 500) - MOST_PATHS)} more`,
      () => {
        const all = show(rows.slice(0, 500))
        table.replaceWith(all)
        table = all
        more.remove()
      },
      { class: 'quiet no-print' },
    )
    add(section, more)
  }
  return section
}

/** A small table. @param numeric columns that are numbers */
export function grid(
  caption: string,
  titles: readonly string[],
  rows: readonly Child[][],
  numeric: readonly number[] = [],
): HTMLElement {
  const align = (column: number): string | undefined => (numeric.includes(column) ? 'num' : undefined)
  return el(
    'div',
    { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption },
    el(
      'table',
      { class: 'grid' },
      el('caption', { class: 'hidden' }, caption),
      el(
        'thead',
        {},
        el('tr', {}, ...titles.map((title, i) => el('th', { scope: 'col', class: align(i) }, title))),
      ),
      el(
        'tbody',
        {},
        ...rows.map((row) => el('tr', {}, ...row.map((cell, i) => el('td', { class: align(i) }, cell)))),
      ),
    ),
  )
}
