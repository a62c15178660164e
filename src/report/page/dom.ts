import { visible } from './text.js'

export type Child = Node | string | undefined | false
type Listener = (event: Event) => void

/** Attributes by name; `on` + event: a listener; `class`; true: present without value; undefined and false: absent. */
export type Attributes = Record<string, string | number | boolean | undefined | Listener>

/**
 * An element. Texts become text nodes, never markup, with nothing invisible in them: all that the page shows goes
 * through here.
 */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue
    if (typeof value === 'function') element.addEventListener(name.slice(2), value)
    else if (name === 'class') element.className = String(value)
    else element.setAttribute(name, value === true ? '' : visible(String(value)))
  }
  add(element, ...children)
  return element
}

export function add(parent: Node, ...children: Child[]): void {
  for (const child of children) {
    if (child === undefined || child === false) continue
    parent.appendChild(typeof child === 'string' ? document.createTextNode(visible(child)) : child)
  }
}

export function replace(parent: Element, ...children: Child[]): void {
  parent.textContent = ''
  add(parent, ...children)
}

/** Text from the wire, kept from turning the direction of what stands beside it. */
export function wire(text: string, attributes: Attributes = {}): HTMLElement {
  return el('bdi', attributes, text)
}

export function button(text: Child, onclick: Listener, attributes: Attributes = {}): HTMLButtonElement {
  return el('button', { type: 'button', onclick, ...attributes }, text)
}

/** A value of the style sheet, for what is drawn on canvas. */
export function styleValue(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim()
}
