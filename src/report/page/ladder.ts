import type { CallDetail, MessageView, StreamView } from './data.js'
import { copyButton } from './copy.js'
import { add, el, replace, wire, type Child } from './dom.js'
import { exchangesOf, formatName, readSdp, sdpOf, type Exchange, type SdpMedia } from './sdp.js'
import { clock, count, shortened, sinceStart } from './text.js'

/** Time between two rows from which on the pause is shown. */
const PAUSE_MS = 2000

type Row =
  | { timeMs: number; kind: 'message'; message: MessageView; place: number }
  | { timeMs: number; kind: 'start' | 'stop'; stream: StreamView }

/** Messages and media between the parties, in time; a message opens with a click. */
export function signalling(detail: CallDetail): HTMLElement | undefined {
  const { messages, streams } = detail
  if (messages.length === 0 && streams.length === 0) return undefined
  const rows = rowsOf(detail)
  const hosts = hostsOf(rows)
  const panel = el('div', { class: 'message', hidden: true, tabindex: -1 })
  const startMs = rows[0]?.timeMs ?? 0
  const list = el('ol', { class: 'ladder' })
  list.style.setProperty('--hosts', String(hosts.length))
  let before = startMs
  for (const row of rows) {
    if (row.timeMs - before >= PAUSE_MS)
      list.appendChild(
        el('li', { class: 'pause' }, el('span', {}, `${((row.timeMs - before) / 1000).toFixed(1)} s later`)),
      )
    before = Math.max(before, row.timeMs)
    list.appendChild(
      row.kind === 'message'
        ? messageRow(row, hosts, startMs, messages, panel)
        : mediaRow(row, hosts, startMs),
    )
  }
  const lanes = el('div', { class: 'lanes', 'aria-hidden': true })
  hosts.forEach((host, i) => {
    const name = el('span', { class: 'host' }, wire(shortened(host, 28)))
    name.style.left = position(i, hosts.length)
    const line = el('span', { class: 'lifeline' })
    line.style.left = position(i, hosts.length)
    add(lanes, name, line)
  })
  const section = el(
    'section',
    {},
    el('h2', {}, 'Signalling and media'),
    messages.length > 0 &&
      el(
        'p',
        { class: 'hint no-print' },
        'Select a message to read it. Keys, credentials and dialled digits are taken out.',
      ),
    el(
      'div',
      { class: 'ladder-scroll', tabindex: 0, role: 'region', 'aria-label': 'Signalling' },
      el('div', { class: 'ladder-box' }, lanes, list),
    ),
    panel,
  )
  const exchanges = exchangesOf(messages)
  if (exchanges.length > 0) add(section, el('h3', {}, 'Offer and answer'), ...exchanges.map(exchangeView))
  return section
}

function rowsOf({ messages, streams }: CallDetail): Row[] {
  const rows: Row[] = messages.map((message, place) => ({
    timeMs: message.timeMs,
    kind: 'message',
    message,
    place,
  }))
  for (const stream of streams) {
    rows.push(
      { timeMs: stream.firstMs, kind: 'start', stream },
      { timeMs: stream.lastMs, kind: 'stop', stream },
    )
  }
  return rows.sort((a, b) => a.timeMs - b.timeMs)
}

/** Addresses in the order in which they speak. */
function hostsOf(rows: readonly Row[]): string[] {
  const hosts: string[] = []
  for (const row of rows) {
    const ends = row.kind === 'message' ? row.message : row.stream
    for (const end of [ends.source, ends.destination])
      if (!hosts.includes(hostOf(end))) hosts.push(hostOf(end))
  }
  return hosts
}

function hostOf(endpoint: string): string {
  return endpoint.slice(0, endpoint.lastIndexOf(':'))
}

function portOf(endpoint: string): string {
  return endpoint.slice(endpoint.lastIndexOf(':') + 1)
}

function position(place: number, hosts: number): string {
  return `${((place + 0.5) / hosts) * 100}%`
}

function arrow(from: string, to: string, hosts: readonly string[], label: Child, kind: string): HTMLElement {
  const a = hosts.indexOf(hostOf(from))
  const b = hosts.indexOf(hostOf(to))
  const line = el(
    'span',
    { class: `arrow ${kind} ${b < a ? 'left' : b > a ? 'right' : 'self'}` },
    el('span', { class: 'label' }, label),
  )
  const left = Math.min(a, b)
  const width = Math.max(Math.abs(b - a), 0)
  line.style.left = position(left, hosts.length)
  line.style.width = width === 0 ? `${50 / hosts.length}%` : `${(width / hosts.length) * 100}%`
  return line
}

function messageRow(
  row: Extract<Row, { kind: 'message' }>,
  hosts: readonly string[],
  startMs: number,
  messages: readonly MessageView[],
  panel: HTMLElement,
): HTMLElement {
  const { message } = row
  const again = message.copy ? ' (copy)' : message.repeats !== undefined ? ' (again)' : ''
  const sdp = sdpOf(message) === undefined ? undefined : el('span', { class: 'tag' }, 'SDP')
  const label = el('span', {}, wire(shortened(message.title, 60)), again, sdp)
  const tone =
    message.repeats !== undefined
      ? 'again'
      : /^[456]/.test(message.title)
        ? 'error'
        : /^\d/.test(message.title)
          ? 'response'
          : 'request'
  const open = el(
    'button',
    {
      type: 'button',
      class: 'step',
      'aria-expanded': 'false',
      onclick: () => showMessage(open, panel, row, messages),
    },
    el('span', { class: 'at' }, sinceStart(row.timeMs - startMs)),
    el('span', { class: 'track' }, arrow(message.source, message.destination, hosts, label, tone)),
    el('span', { class: 'hidden' }, ` from ${message.source} to ${message.destination}`),
  )
  return el('li', {}, open)
}

function mediaRow(
  row: Extract<Row, { kind: 'start' | 'stop' }>,
  hosts: readonly string[],
  startMs: number,
): HTMLElement {
  const { stream, kind } = row
  const who = stream.direction === 'from_caller' ? 'from caller' : 'from callee'
  const what = `${stream.codec === '' ? 'RTP' : stream.codec}${stream.audio ? '' : ', not rated'}`
  const text =
    kind === 'start'
      ? `${what} begins · ${portOf(stream.source)} → ${portOf(stream.destination)}`
      : `${what} ends · ${count(stream.packets)} packets`
  const line = arrow(stream.source, stream.destination, hosts, wire(text), `media ${stream.direction}`)
  return el(
    'li',
    {},
    el(
      'div',
      { class: 'step' },
      el('span', { class: 'at' }, sinceStart(row.timeMs - startMs)),
      el('span', { class: 'track' }, line),
      el('span', { class: 'hidden' }, ` media ${who}`),
    ),
  )
}

function showMessage(
  open: HTMLElement,
  panel: HTMLElement,
  row: { message: MessageView; place: number },
  messages: readonly MessageView[],
): void {
  const was = open.getAttribute('aria-expanded') === 'true'
  for (const other of open.closest('ol')?.querySelectorAll('[aria-expanded="true"]') ?? [])
    other.setAttribute('aria-expanded', 'false')
  panel.hidden = was
  if (was) return
  open.setAttribute('aria-expanded', 'true')
  const { message } = row
  const source = message.repeats === undefined ? message : messages[message.repeats]
  const text = source?.text
  replace(
    panel,
    el(
      'p',
      { class: 'message-head' },
      el('b', {}, wire(message.title)),
      el(
        'span',
        {},
        ` ${clock(message.timeMs, 3)} · `,
        wire(message.source),
        ' → ',
        wire(message.destination),
        ` · ${message.transport}`,
      ),
      text !== undefined && copyButton('Copy', () => text),
    ),
    text === undefined
      ? el('p', {}, 'The text of this message is not in this report.')
      : el('pre', { tabindex: 0 }, text),
    source?.cut !== undefined && el('p', {}, `${count(source.cut)} more characters are not kept.`),
  )
  panel.focus({ preventScroll: true })
  panel.scrollIntoView({ block: 'nearest' })
}

const SDP_LINES: readonly [string, (media: SdpMedia) => string][] = [
  ['Media', (media) => `${media.kind} ${media.protocol}`],
  [
    'To be sent to',
    (media) => (media.port === '0' ? 'refused (port 0)' : `${media.address} port ${media.port}`),
  ],
  ['Formats', (media) => media.formats.map(formatName).join(', ')],
  ['Direction', (media) => media.direction],
  ['Packet time', (media) => media.ptime],
  ['RTCP', (media) => media.rtcp],
  ['Encryption', (media) => media.encryption],
]

/** Both descriptions line by line; what differs stands out. */
function exchangeView({ offer, answer }: Exchange): HTMLElement {
  const sdp = [offer, answer].map((message) => (message ? sdpOf(message) : undefined))
  const media = sdp.map((text) => (text === undefined ? [] : readSdp(text)))
  const body = el('tbody')
  for (let k = 0; k < Math.max(media[0].length, media[1].length); k++) {
    for (const [name, of] of SDP_LINES) {
      const values = media.map((list) => (list[k] ? of(list[k]) : ''))
      if (values.every((value) => value === '')) continue
      const differs =
        name !== 'To be sent to' && values[0] !== values[1] && values.every((value) => value !== '')
      body.appendChild(
        el(
          'tr',
          {},
          el('th', { scope: 'row' }, name),
          ...values.map((value) =>
            el('td', { class: differs ? 'differs' : undefined }, wire(value === '' ? '–' : value)),
          ),
        ),
      )
    }
  }
  const title = (message: MessageView | undefined, role: string): Child =>
    message
      ? el('span', {}, `${role}: `, wire(message.title), ` ${clock(message.timeMs, 3)}`)
      : `${role}: not seen`
  return el(
    'div',
    { class: 'exchange' },
    el(
      'div',
      { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Offer and answer' },
      el(
        'table',
        { class: 'grid sdp' },
        el('caption', { class: 'hidden' }, 'Offer and answer'),
        el(
          'thead',
          {},
          el(
            'tr',
            {},
            el('td'),
            el('th', { scope: 'col' }, title(offer, 'Offer')),
            el('th', { scope: 'col' }, title(answer, 'Answer')),
          ),
        ),
        body,
      ),
    ),
    el(
      'details',
      {},
      el('summary', {}, 'As it was sent'),
      el(
        'div',
        { class: 'columns raw' },
        ...sdp.map((text) => el('pre', { tabindex: 0 }, text ?? 'not seen')),
      ),
    ),
  )
}
