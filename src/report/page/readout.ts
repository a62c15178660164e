import { copyButton } from './copy.js'
import type { DirectionName } from './data.js'
import { el, wire, type Child } from './dom.js'
import { clock, duration, mos, ms, percent, plain } from './text.js'
import { DIRECTIONS, type Timeline, type Track } from './timeline.js'

const COLUMNS: readonly [string, (track: Track) => (number | null)[], (value: number | null) => string][] = [
  ['MOS', (track) => track.mosSecond, mos],
  ['packets', (track) => track.packets, plain],
  ['lost', (track) => track.lossPercent, percent],
  ['late', (track) => track.latePercent, percent],
  ['jitter', (track) => track.jitterMean, ms],
  ['jitter p95', (track) => track.jitterP95, ms],
  ['PDV p50', (track) => track.pdvP50, ms],
  ['PDV p95', (track) => track.pdvP95, ms],
  ['PDV max', (track) => track.pdvMax, ms],
  ['delay', (track) => track.delay, ms],
]

/** The numbers at the cursor, both directions. */
export function readout(
  timeline: Timeline,
  index: number | null,
  names: Record<DirectionName, string>,
): HTMLElement {
  const known = index !== null && index >= 0 && index < timeline.x.length - 1
  const time = known
    ? `${duration(timeline.x[index])} · ${clock(timeline.originMs + timeline.x[index] * 1000)} UTC`
    : 'Move over the charts to read numbers'
  return el(
    'table',
    {},
    el('caption', {}, time),
    el('thead', {}, el('tr', {}, el('td'), ...COLUMNS.map(([title]) => el('th', { scope: 'col' }, title)))),
    el(
      'tbody',
      {},
      ...DIRECTIONS.map((direction) =>
        el(
          'tr',
          {},
          el(
            'th',
            { scope: 'row' },
            el('span', { class: `dot d-${direction}`, 'aria-hidden': true }),
            wire(names[direction]),
          ),
          ...COLUMNS.map(([, values, shown]) =>
            el('td', {}, known ? shown(values(timeline.tracks[direction])[index]) : '–'),
          ),
        ),
      ),
    ),
  )
}

/** Rows that a table shows; all of them can be copied. */
const MOST_ROWS = 600

/** Every point of the charts, to read and to copy. */
export function secondsTable(timeline: Timeline, names: Record<DirectionName, string>): HTMLElement {
  const { x, originMs, tracks } = timeline
  const titles = [
    'time',
    'second',
    ...DIRECTIONS.flatMap((direction) => COLUMNS.map(([title]) => `${direction}: ${title}`)),
  ]
  const row = (i: number, shownAs: boolean): string[] => [
    clock(originMs + x[i] * 1000),
    String(x[i]),
    ...DIRECTIONS.flatMap((direction) =>
      COLUMNS.map(([, values, shown]) => {
        const value = values(tracks[direction])[i]
        return shownAs ? shown(value) : value === null ? '' : String(Number(value.toPrecision(4)))
      }),
    ),
  ]
  const present = x
    .slice(0, -1)
    .flatMap((_, i) => (DIRECTIONS.some((d) => tracks[d].packets[i] !== null) ? [i] : []))
  const heads: Child[] = DIRECTIONS.map((direction) =>
    el('th', { scope: 'colgroup', colspan: COLUMNS.length }, wire(`from ${names[direction]}`)),
  )
  return el(
    'div',
    {},
    el(
      'p',
      { class: 'tools' },
      copyButton('Copy as a table', () =>
        [titles, ...present.map((i) => row(i, false))].map((cells) => cells.join('\t')).join('\n'),
      ),
      el('span', { class: 'dim' }, 'Times in a second are rounded to 5 %.'),
    ),
    el(
      'div',
      { class: 'scroll tall', tabindex: 0, role: 'region', 'aria-label': 'Numbers of each second' },
      el(
        'table',
        { class: 'grid seconds' },
        el('caption', { class: 'hidden' }, 'Numbers of each second'),
        el(
          'thead',
          {},
          el('tr', {}, el('td', { colspan: 2 }), ...heads),
          el(
            'tr',
            {},
            ...['Time', 'Second', ...DIRECTIONS.flatMap(() => COLUMNS.map(([title]) => title))].map((text) =>
              el('th', { scope: 'col' }, text),
            ),
          ),
        ),
        el(
          'tbody',
          {},
          ...present
            .slice(0, MOST_ROWS)
            .map((i) => el('tr', {}, ...row(i, true).map((text) => el('td', { class: 'num' }, text)))),
        ),
      ),
    ),
    present.length > MOST_ROWS &&
      el('p', { class: 'dim' }, `The first ${MOST_ROWS} of ${present.length}; copying takes all.`),
  )
}
