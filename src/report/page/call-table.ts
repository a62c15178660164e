import { mosBadge, qualityBadge, qualityName, stateText } from './badges.js'
import { button, el, replace, wire } from './dom.js'
import { matching, NO_CHOICE, type Choice, type SortKey } from './filter.js'
import type { ListedCall } from './data.js'
import { clock, count, dateTime, duration, findingName, ms, percent, shortened, stateName } from './text.js'

interface Column {
  key: SortKey
  title: string
  class: string
  /** Shown first when a click sorts by it. */
  descending?: boolean
}

const COLUMNS: readonly Column[] = [
  { key: 'worst', title: 'Quality', class: 'c-quality' },
  { key: 'startMs', title: 'Start', class: 'c-start' },
  { key: 'caller', title: 'Caller', class: 'c-caller' },
  { key: 'callee', title: 'Callee', class: 'c-callee' },
  { key: 'state', title: 'State', class: 'c-state' },
  { key: 'findings', title: 'Findings', class: 'c-findings' },
  { key: 'durationS', title: 'Time', class: 'c-duration num', descending: true },
  { key: 'codec', title: 'Codec', class: 'c-codec' },
  { key: 'lossPercent', title: 'Loss', class: 'c-loss num', descending: true },
  { key: 'latePercent', title: 'Late', class: 'c-late num', descending: true },
  { key: 'jitterMs', title: 'Jitter p95', class: 'c-jitter num', descending: true },
  { key: 'mos', title: 'MOS', class: 'c-mos num' },
]

/** Rows above and below the window that are drawn as well. */
const MARGIN_ROWS = 12
/** Rows on paper; the rest is counted. */
const MOST_PRINTED = 200

/** All calls: searched, narrowed down, sorted; only the rows in sight exist. */
export class CallTable {
  readonly element: HTMLElement
  private shown: ListedCall[]
  private readonly body = el('tbody')
  private readonly search: HTMLInputElement
  private readonly status = el('p', { class: 'matches', role: 'status' })
  private readonly chips = el('div', { class: 'chips' })
  private readonly heads: HTMLElement[] = []
  private readonly table: HTMLTableElement
  private readonly scroller: HTMLElement
  private readonly oneDay: boolean
  private drawn = ''
  private printing = false

  constructor(
    private readonly calls: readonly ListedCall[],
    private choice: Choice,
    private readonly chosen: (choice: Choice) => void,
  ) {
    this.shown = matching(calls, choice)
    this.oneDay = new Set(calls.map((call) => Math.floor(call.startMs / 86_400_000))).size <= 1
    this.search = el('input', {
      type: 'search',
      id: 'search',
      placeholder: 'Number, name, address, Call-ID, codec, finding …',
      autocomplete: 'off',
      spellcheck: 'false',
      oninput: () => this.choose({ ...this.choice, search: this.search.value }),
    })
    this.search.value = choice.search
    this.table = el(
      'table',
      { class: 'calls', 'aria-rowcount': calls.length + 1 },
      el('caption', { class: 'hidden' }, 'All calls'),
      el('thead', {}, el('tr', { 'aria-rowindex': 1 }, ...COLUMNS.map((column) => this.head(column)))),
      this.body,
    )
    this.scroller = el(
      'div',
      { class: 'calls-scroll', tabindex: 0, role: 'region', 'aria-label': 'All calls' },
      this.table,
    )
    this.element = el(
      'section',
      { class: 'all-calls', id: 'calls' },
      el('h2', {}, 'All calls'),
      el(
        'div',
        { class: 'tools no-print' },
        el('label', { for: 'search', class: 'hidden' }, 'Search calls'),
        this.search,
        this.chips,
      ),
      this.status,
      this.scroller,
    )
    this.scroller.addEventListener('scroll', this.draw)
  }

  private head(column: Column): HTMLElement {
    const sorter = button(
      column.title,
      () => {
        const same = this.choice.sort === column.key
        this.choose({
          ...this.choice,
          sort: column.key,
          descending: same ? !this.choice.descending : (column.descending ?? false),
        })
      },
      { class: 'sorter' },
    )
    const head = el('th', { scope: 'col', class: column.class }, sorter)
    this.heads.push(head)
    return head
  }

  /** Once it is in the document. */
  start(): void {
    addEventListener('resize', this.draw)
    addEventListener('beforeprint', this.beforePrint)
    addEventListener('afterprint', this.afterPrint)
    this.refresh()
  }

  stop(): void {
    removeEventListener('resize', this.draw)
    removeEventListener('beforeprint', this.beforePrint)
    removeEventListener('afterprint', this.afterPrint)
  }

  choose(choice: Choice): void {
    this.choice = choice
    this.chosen(choice)
    if (this.search.value !== choice.search) this.search.value = choice.search
    this.shown = matching(this.calls, choice)
    this.scroller.scrollTop = 0
    this.refresh()
  }

  private refresh(): void {
    const { sort, descending, quality, state, finding, path } = this.choice
    COLUMNS.forEach((column, i) => {
      const order = column.key !== sort ? 'none' : descending ? 'descending' : 'ascending'
      this.heads[i].setAttribute('aria-sort', order)
    })
    const total = this.calls.length
    replace(
      this.status,
      this.shown.length === total
        ? `${count(total)} calls`
        : `${count(this.shown.length)} of ${count(total)} calls`,
    )
    const without = (part: Partial<Choice>, label: string): HTMLElement =>
      button(`${label} ×`, () => this.choose({ ...this.choice, ...part }), {
        class: 'chip',
        title: 'Take this condition away',
      })
    replace(
      this.chips,
      quality !== undefined && without({ quality: undefined }, qualityName(quality)),
      state !== undefined && without({ state: undefined }, stateName(state)),
      finding !== undefined && without({ finding: undefined }, findingName(finding)),
      path !== undefined && without({ path: undefined }, shortened(path, 40)),
      (this.choice.search !== '' ||
        quality !== undefined ||
        state !== undefined ||
        finding !== undefined ||
        path !== undefined) &&
        button('Show all', () => this.choose({ ...NO_CHOICE, sort, descending }), { class: 'chip plain' }),
    )
    this.drawn = ''
    this.draw()
  }

  private readonly draw = (): void => {
    const rowHeight = this.rowHeight()
    const height = this.scroller.clientHeight
    const all = this.shown.length
    let first = Math.max(0, Math.floor(this.scroller.scrollTop / rowHeight) - MARGIN_ROWS)
    let end = Math.min(all, Math.ceil((this.scroller.scrollTop + height) / rowHeight) + MARGIN_ROWS)
    if (this.printing) {
      first = 0
      end = Math.min(all, MOST_PRINTED)
    }
    const key = `${first} ${end} ${rowHeight} ${this.printing}`
    if (key === this.drawn) return
    this.drawn = key
    const rows = document.createDocumentFragment()
    if (first > 0) rows.appendChild(spacer(first * rowHeight))
    for (let i = first; i < end; i++) rows.appendChild(this.row(this.shown[i], i))
    if (end < all && !this.printing) rows.appendChild(spacer((all - end) * rowHeight))
    if (this.printing && end < all)
      rows.appendChild(
        el('tr', {}, el('td', { colspan: COLUMNS.length }, `… and ${count(all - end)} more calls`)),
      )
    if (all === 0)
      rows.appendChild(el('tr', { class: 'none' }, el('td', { colspan: COLUMNS.length }, 'No call matches.')))
    replace(this.body, rows)
  }

  /** The style sheet makes rows higher where they take two lines. */
  private rowHeight(): number {
    return matchMedia('(max-width: 700px)').matches && !this.printing ? 80 : 36
  }

  private row(call: ListedCall, place: number): HTMLElement {
    const link = el(
      'a',
      { href: `#/call/${call.index}` },
      wire(shortened(call.caller || call.callerAddress || '–', 34)),
    )
    const row = el(
      'tr',
      { 'aria-rowindex': place + 2, onclick: (event) => follow(event, call.index) },
      el('td', { class: 'c-quality' }, qualityBadge(call.quality)),
      el('td', { class: 'c-start' }, this.oneDay ? clock(call.startMs) : dateTime(call.startMs)),
      el('td', { class: 'c-caller' }, link),
      el('td', { class: 'c-callee' }, wire(shortened(call.callee || call.calleeAddress || '–', 34))),
      el('td', { class: 'c-state' }, wire(shortened(stateText(call.state, call.status, call.reason), 26))),
      el('td', { class: 'c-findings' }, findingsText(call)),
      el('td', { class: 'c-duration num' }, duration(call.durationS)),
      el('td', { class: 'c-codec' }, wire(shortened(call.codec === '' ? '–' : call.codec, 14))),
      el('td', { class: 'c-loss num' }, percent(call.lossPercent)),
      el('td', { class: 'c-late num' }, percent(call.latePercent)),
      el('td', { class: 'c-jitter num' }, ms(call.jitterMs)),
      el('td', { class: 'c-mos num' }, mosBadge(call.mos, call.quality)),
    )
    return row
  }

  private readonly beforePrint = (): void => {
    this.printing = true
    this.draw()
  }

  private readonly afterPrint = (): void => {
    this.printing = false
    this.draw()
  }
}

/** What is worst; information alone is not worth a line. */
function findingsText(call: ListedCall): string {
  const codes = new Set(
    call.findings.filter((finding) => !finding.startsWith('i')).map((finding) => finding.slice(2)),
  )
  return [...codes].map(findingName).join(', ')
}

function spacer(height: number): HTMLElement {
  const row = el('tr', { class: 'spacer', 'aria-hidden': true }, el('td', { colspan: COLUMNS.length }))
  row.style.height = `${height}px`
  return row
}

/** A click anywhere in the row opens the call, unless text is being selected or the link itself was clicked. */
function follow(event: Event, index: number): void {
  if (event.target instanceof Element && event.target.closest('a')) return
  if (getSelection()?.isCollapsed === false) return
  location.hash = `#/call/${index}`
}
