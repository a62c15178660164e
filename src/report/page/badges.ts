import { el } from './dom.js'
import { mos, stateName } from './text.js'

const QUALITY_TEXT: Record<string, string> = {
  good: 'good',
  fair: 'fair',
  poor: 'poor',
  broken: 'broken',
  unknown: 'not rated',
}

export function qualityName(quality: string): string {
  return QUALITY_TEXT[quality] ?? quality
}

/** Quality as a word in its colour, with a mark of its own shape. */
export function qualityBadge(quality: string): HTMLElement {
  return el('span', { class: `badge q-${quality}` }, qualityName(quality))
}

/** MOS in the colour of the call's quality. */
export function mosBadge(value: number | null | undefined, quality: string): HTMLElement {
  return el('span', { class: `mos q-${quality}` }, mos(value))
}

export function stateText(state: string, status: number | null, reason: string): string {
  if (state !== 'failed' || status === null) return stateName(state)
  return `${status} ${reason}`.trim()
}
