import type { CallRecordView } from './data.js'
import { copyButton } from './copy.js'
import { add, el } from './dom.js'
import { term } from './tooltip.js'

/** Every field of the record, to be read and to be copied. */
export function allNumbers(record: CallRecordView): HTMLElement {
  const rows = flatten(record)
  const details = el('details', { class: 'numbers' }, el('summary', {}, 'Every number of this call'))
  details.addEventListener(
    'toggle',
    () => {
      add(
        details,
        el(
          'p',
          { class: 'tools' },
          copyButton('Copy as a table', () => rows.map((row) => row.join('\t')).join('\n')),
          copyButton('Copy as JSON', () => JSON.stringify(record, null, 2)),
        ),
        el(
          'table',
          { class: 'grid record' },
          el('caption', { class: 'hidden' }, 'Every field of the call record'),
          el(
            'thead',
            {},
            el('tr', {}, el('th', { scope: 'col' }, 'Field'), el('th', { scope: 'col' }, 'Value')),
          ),
          el(
            'tbody',
            {},
            ...rows.map(([name, value]) =>
              el(
                'tr',
                {},
                el('th', { scope: 'row' }, term(name, name.slice(name.lastIndexOf('.') + 1))),
                el('td', {}, el('bdi', {}, value)),
              ),
            ),
          ),
        ),
      )
    },
    { once: true },
  )
  return details
}

/** `media.from_caller.lost` and so on; findings are shown elsewhere. */
export function flatten(value: object, prefix = ''): [string, string][] {
  const rows: [string, string][] = []
  for (const [name, field] of Object.entries(value) as [string, unknown][]) {
    if (prefix === '' && (name === 'findings' || name === 'type' || name === 'schema')) continue
    if (Array.isArray(field)) {
      const plain = field.every((item) => typeof item !== 'object')
      rows.push([prefix + name, plain ? field.join(', ') : JSON.stringify(field)])
    } else if (typeof field === 'object' && field !== null) rows.push(...flatten(field, `${prefix}${name}.`))
    else rows.push([prefix + name, String(field)])
  }
  return rows
}
