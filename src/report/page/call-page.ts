import { qualityBadge, stateText } from './badges.js'
import { Charts } from './charts.js'
import { copyButton } from './copy.js'
import type { CallDetail, CallRecordView, DirectionName, FindingView, ListedCall, Overview } from './data.js'
import { add, button, el, replace, wire, type Child } from './dom.js'
import { glance } from './glance.js'
import { signalling } from './ladder.js'
import { allNumbers } from './numbers.js'
import { grid } from './overview.js'
import { readout, secondsTable } from './readout.js'
import { openCall, type OpenedCall } from './store.js'
import { onTheme } from './theme.js'
import { clock, count, dateTime, duration, findingName, shortened, sinceStart } from './text.js'
import { timelineOf, type Timeline } from './timeline.js'

/** A call's page. Returns what ends it. */
export async function renderCallPage(
  main: HTMLElement,
  overview: Overview,
  calls: readonly ListedCall[],
  call: ListedCall,
): Promise<() => void> {
  let opened: OpenedCall | undefined
  let problem = 'The details of this call were not kept: the report had reached its size.'
  try {
    opened = await openCall(call)
  } catch {
    problem =
      'The details cannot be read. This report needs a browser of 2023 or later; or the file is damaged.'
  }
  add(main, breadcrumbs(calls, call))
  if (!opened) {
    add(main, title(call), el('p', { class: 'verdict' }, problem))
    return () => undefined
  }
  const { detail, seconds } = opened
  const names = partyNames(detail.record)
  add(
    main,
    title(call),
    el('p', { class: 'verdict' }, wire(detail.verdict)),
    facts(detail.record, call),
    limits(detail, overview),
    findingList(detail.record.findings, names),
  )
  const timeline = timelineOf(detail, seconds)
  const stop = timeline ? overTime(main, detail, timeline, names) : undefined
  add(
    main,
    hasMedia(detail.record) &&
      el('section', {}, el('h2', {}, 'Both directions'), glance(detail.record, heads(names))),
    signalling(detail),
    streams(detail),
    el('section', {}, allNumbers(detail.record)),
  )
  return () => stop?.()
}

function hasMedia({ media }: CallRecordView): boolean {
  return [media.from_caller, media.from_callee].some(
    (fields) => fields && new Map<string, unknown>(Object.entries(fields)).get('packets') !== 0,
  )
}

function breadcrumbs(calls: readonly ListedCall[], call: ListedCall): HTMLElement {
  const neighbour = (step: number, text: string): Child => {
    const other = calls[call.index + step]
    return other && el('a', { href: `#/call/${other.index}` }, text)
  }
  return el(
    'nav',
    { class: 'crumbs no-print', 'aria-label': 'Calls' },
    el('a', { href: '#/' }, '← All calls'),
    el('span', {}, neighbour(-1, 'Previous'), ' ', neighbour(1, 'Next')),
  )
}

function title(call: ListedCall): HTMLElement {
  return el(
    'h1',
    { class: 'call-title' },
    el(
      'span',
      {},
      wire(shortened(call.caller || call.callerAddress || 'unknown', 60)),
      el('span', { class: 'dim' }, ' → '),
      wire(shortened(call.callee || call.calleeAddress || 'unknown', 60)),
    ),
    qualityBadge(call.quality),
  )
}

function partyNames(record: CallRecordView): Record<DirectionName, string> {
  return {
    from_caller: shortened(record.caller ?? record.caller_address ?? 'the caller', 30),
    from_callee: shortened(record.callee ?? record.callee_address ?? 'the callee', 30),
  }
}

function heads(names: Record<DirectionName, string>): Record<DirectionName, Node> {
  const head = (direction: DirectionName, role: string): Node =>
    el(
      'span',
      { class: 'head' },
      el('span', { class: `dot d-${direction}`, 'aria-hidden': true }),
      `from ${role}`,
      el('br'),
      wire(names[direction], { class: 'dim' }),
    )
  return { from_caller: head('from_caller', 'caller'), from_callee: head('from_callee', 'callee') }
}

function facts(record: CallRecordView, call: ListedCall): HTMLElement {
  const items: [string, Child][] = [
    ['Began', `${dateTime(call.startMs)} UTC`],
    ['Lasted', call.durationS === null ? '–' : duration(call.durationS)],
    ['Ended as', wire(stateText(call.state, call.status, call.reason))],
    ['Caller', wire(record.caller_address ?? '–')],
    ['Callee', wire(record.callee_address ?? '–')],
    [
      'Call-ID',
      el(
        'span',
        { class: 'call-id' },
        wire(shortened(record.call_id, 44)),
        copyButton('Copy', () => record.call_id),
      ),
    ],
  ]
  if (call.trunk !== '') items.splice(5, 0, ['Trunk', wire(call.trunk)])
  return el(
    'dl',
    { class: 'facts wide' },
    ...items.flatMap(([name, value]) => [el('div', {}, el('dt', {}, name), el('dd', {}, value))]),
  )
}

/** What this call's record cannot vouch for. */
function limits(detail: CallDetail, overview: Overview): HTMLElement | undefined {
  const validity = new Map(Object.entries(detail.record.validity))
  const texts: string[] = []
  if (validity.get('complete_start') === false) texts.push('The call had begun before the capture did.')
  if (validity.get('complete_end') === false) texts.push('Its end was not seen.')
  const number = (field: string): number => Number(validity.get(field) ?? 0)
  if (number('capture_drops') > 0)
    texts.push(
      `The capture dropped ${count(number('capture_drops'))} packets while it ran: loss may be the capture's.`,
    )
  if (number('mirror_loss') > 0)
    texts.push(
      `The mirror missed ${count(number('mirror_loss'))} packets that RTCP shows were received: loss is overstated.`,
    )
  if (number('span_duplicates') > 0)
    texts.push(`The mirror doubled ${count(number('span_duplicates'))} packets; they are counted once.`)
  const noRoom = validity.get('directions_without_room')
  if (Array.isArray(noRoom))
    texts.push(
      `The probe had no room for media ${noRoom.map((way) => (way === 'from_caller' ? 'from the caller' : 'from the callee')).join(' and ')}: they, or a part of them, were not measured.`,
    )
  if (validity.get('truncated') === true) texts.push('The file was cut or damaged while it ran.')
  if (validity.get('evicted') === true)
    texts.push('The probe let go of a part of it because a limit was reached.')
  if (validity.get('encrypted_rtcp') === true)
    texts.push('Its RTCP is encrypted: what the far ends reported is not known.')
  if (validity.get('clock_synchronized') === false) texts.push("The capture's clock was not synchronized.")
  texts.push(...ofMedia(detail.record), ...detail.cut)
  if (overview.privacy !== 'none') texts.push('Numbers, names and addresses are replaced.')
  if (texts.length === 0) return undefined
  return el('ul', { class: 'limitations' }, ...texts.map((text) => el('li', { class: 'note' }, text)))
}

/** What its score does not rest on, where that is not the plain case. */
function* ofMedia({ media }: CallRecordView): Generator<string> {
  const ways = [
    ['the caller', new Map(Object.entries(media.from_caller ?? {}))],
    ['the callee', new Map(Object.entries(media.from_callee ?? {}))],
  ] as const
  if (ways.some(([, fields]) => fields.get('encrypted') === true))
    yield 'Its media are encrypted (SRTP). Their headers are clear and measured; modes inside the payload (AMR, EVS, Opus) are not known.'
  const ungrounded = ways.filter(([, fields]) => fields.get('mos_grounded') === false)
  const codecs = new Set(ungrounded.map(([, fields]) => String(fields.get('codec') ?? 'its codec')))
  if (codecs.size > 0)
    yield `The MOS is an estimate: the ITU-T publishes no impairment factors of ${[...codecs].join(' and ')}. What stands in for them is named below.`
  for (const [who, fields] of ways)
    if (fields.get('mos_mixed_scale') === true)
      yield `What ${who} sent changed between codecs of different scales: its MOS is that of ${String(fields.get('codec'))}, used longest.`
}

function findingList(
  findings: readonly FindingView[],
  names: Record<DirectionName, string>,
): HTMLElement | undefined {
  if (findings.length === 0) return undefined
  return el(
    'section',
    {},
    el('h2', {}, 'Findings'),
    el(
      'ul',
      { class: 'findings' },
      ...findings.map((finding) =>
        el(
          'li',
          { class: finding.severity },
          el(
            'p',
            { class: 'finding-head' },
            el('b', {}, findingName(finding.code)),
            el('span', { class: `severity ${finding.severity}` }, finding.severity),
            el('span', { class: 'dim' }, `${finding.confidence} confidence`),
            finding.direction && el('span', { class: 'dim' }, `from ${names[finding.direction]}`),
          ),
          el('p', {}, wire(finding.message)),
          evidence(finding.evidence),
        ),
      ),
    ),
  )
}

function evidence(values: Readonly<Record<string, unknown>>): HTMLElement | undefined {
  const entries = Object.entries(values)
  if (entries.length === 0) return undefined
  return el(
    'dl',
    { class: 'evidence' },
    ...entries.map(([name, value]) =>
      el('div', {}, el('dt', {}, name), el('dd', {}, wire(evidenceText(value)))),
    ),
  )
}

function evidenceText(value: unknown): string {
  if (typeof value === 'number')
    return Number(value.toPrecision(6)).toLocaleString('en-US', { maximumFractionDigits: 4 })
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

/** The charts, what stands at the cursor, and the way to move both by keys. */
function overTime(
  main: HTMLElement,
  detail: CallDetail,
  timeline: Timeline,
  names: Record<DirectionName, string>,
): () => void {
  const values = el('div', { class: 'readout', 'aria-live': 'polite' })
  const zoomed = el('span', { class: 'dim zoomed' })
  let cursor = -1
  const charts = new Charts(
    timeline,
    names,
    (index) => {
      cursor = index ?? -1
      replace(values, readout(timeline, index, names))
    },
    (from, to) => {
      const [first, last] = charts.whole
      const all = to - from >= last - first - 0.01
      zoomed.textContent = all ? '' : `${duration(from)} to ${duration(to)} of ${duration(last)}`
      reset.disabled = all
    },
  )
  const reset = button('Whole call', () => charts.reset(), {
    class: 'quiet',
    id: 'zoom-reset',
    disabled: true,
  })
  const frame = el(
    'div',
    {
      class: 'chart-frame',
      tabindex: 0,
      role: 'group',
      'aria-label':
        'Charts over time. Arrow keys move the cursor, plus and minus zoom, 0 shows the whole call.',
      onkeydown: (event) => {
        if (!(event instanceof KeyboardEvent) || event.target !== event.currentTarget) return
        const shift = event.shiftKey ? 0.25 : 0
        const move = (step: number): void => {
          if (shift > 0) charts.step(1, step * shift)
          else charts.point(Math.max(0, Math.min(timeline.x.length - 2, cursor + step)))
        }
        if (event.key === 'ArrowRight') move(1)
        else if (event.key === 'ArrowLeft') move(-1)
        else if (event.key === '+' || event.key === '=') charts.step(0.5, 0)
        else if (event.key === '-') charts.step(2, 0)
        else if (event.key === '0' || event.key === 'Escape') charts.reset()
        else return
        event.preventDefault()
      },
    },
    charts.element,
  )
  const table = el('details', { class: 'numbers' }, el('summary', {}, 'These charts as a table'))
  table.addEventListener('toggle', () => add(table, secondsTable(timeline, names)), { once: true })
  add(
    main,
    el(
      'section',
      { class: 'over-time' },
      el('h2', {}, 'Over time'),
      el(
        'div',
        { class: 'tools no-print' },
        el('span', { class: 'hint' }, 'Drag to zoom in; double-click, or 0, for the whole call.'),
        zoomed,
        reset,
      ),
      values,
      frame,
      eventTable(detail, names),
      table,
    ),
  )
  charts.draw()
  replace(values, readout(timeline, null, names))
  const stopTheme = onTheme(() => charts.draw())
  return () => {
    stopTheme()
    charts.stop()
  }
}

function eventTable(detail: CallDetail, names: Record<DirectionName, string>): HTMLElement | undefined {
  const { events } = detail
  if (events.length === 0) return undefined
  const start = Date.parse(detail.record.start)
  return el(
    'details',
    { class: 'numbers' },
    el('summary', {}, `What happened, as a list (${count(events.length)})`),
    grid(
      'What happened',
      ['Time', 'Since the start', 'Who', 'What'],
      events.map((event) => [
        clock(event.timeMs, 3),
        sinceStart(event.timeMs - start),
        event.direction ? wire(`from ${names[event.direction]}`) : 'signalling',
        event.endMs === undefined
          ? event.text
          : `${event.text} (${((event.endMs - event.timeMs) / 1000).toFixed(1)} s)`,
      ]),
    ),
  )
}

function streams({ streams: list }: CallDetail): HTMLElement | undefined {
  if (list.length === 0) return undefined
  return el(
    'section',
    {},
    el('h2', {}, 'Streams'),
    grid(
      'RTP streams of this call',
      ['Direction', 'From', 'To', 'SSRC', 'Codec', 'DSCP', 'First', 'Last', 'Packets'],
      list.map((stream) => [
        stream.direction === 'from_caller' ? 'from caller' : 'from callee',
        wire(stream.source),
        wire(stream.destination),
        stream.ssrc,
        stream.audio ? wire(stream.codec) : el('span', {}, wire(stream.codec), ' (not rated)'),
        String(stream.dscp),
        clock(stream.firstMs),
        clock(stream.lastMs),
        count(stream.packets),
      ]),
      [5, 8],
    ),
  )
}
