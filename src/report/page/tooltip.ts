import { definitionOf } from './definitions.js'
import { el } from './dom.js'

let shown: HTMLElement | undefined
let counter = 0

/** A term with its definition: shown on hover, on focus and on touch, read out by screen readers. */
export function term(label: string, field: string): HTMLElement {
  const definition = definitionOf(field)
  if (definition === undefined) return el('span', {}, label)
  const id = `definition-${++counter}`
  const tip = el('span', { class: 'tip', role: 'tooltip', id }, definition, el('code', {}, field))
  const name = el('button', { type: 'button', class: 'term', 'aria-describedby': id }, label)
  const holder = el('span', { class: 'term-holder' }, name, tip)
  const show = (): void => {
    if (shown && shown !== tip) shown.classList.remove('shown')
    shown = tip
    tip.classList.add('shown')
    place(name, tip)
  }
  const hide = (): void => tip.classList.remove('shown')
  holder.addEventListener('mouseenter', show)
  holder.addEventListener('mouseleave', hide)
  name.addEventListener('focus', show)
  name.addEventListener('blur', hide)
  name.addEventListener('click', show)
  name.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') hide()
  })
  return holder
}

/** Below the term, within the window. */
function place(name: HTMLElement, tip: HTMLElement): void {
  const { left, bottom, top } = name.getBoundingClientRect()
  const width = Math.min(320, innerWidth - 24)
  tip.style.width = `${width}px`
  tip.style.left = `${Math.max(12, Math.min(left, innerWidth - width - 12))}px`
  const height = tip.offsetHeight
  tip.style.top = bottom + height + 8 > innerHeight ? `${Math.max(8, top - height - 6)}px` : `${bottom + 6}px`
}
