/** Text and numbers as the page shows them. Absent values show as an en dash. */
export const ABSENT = '–'

const INVISIBLE =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]|\udb40[\udc00-\udfff]/g

/** What acts on its surroundings (bidi marks, controls, tags) or cannot be seen is written out: `‹U+202E›`. */
export function visible(text: string): string {
  return text.replace(INVISIBLE, (character) => {
    const code = character.codePointAt(0) ?? 0
    return `‹U+${code.toString(16).toUpperCase().padStart(4, '0')}›`
  })
}

/** Shortened in the middle, so that both ends can be told. */
export function shortened(text: string, most: number): string {
  const characters = [...text]
  if (characters.length <= most) return text
  const tail = Math.floor((most - 1) / 2)
  return `${characters.slice(0, most - 1 - tail).join('')}…${characters.slice(-tail).join('')}`
}

export function count(value: number | null | undefined): string {
  return value === null || value === undefined ? ABSENT : value.toLocaleString('en-US')
}

/** Two decimals below 10, one below 100, none above; no trailing zeros for whole numbers. */
export function plain(value: number | null | undefined): string {
  if (value === null || value === undefined || Number.isNaN(value)) return ABSENT
  const size = Math.abs(value)
  if (Number.isInteger(value)) return count(value)
  return value.toFixed(size < 10 ? 2 : size < 100 ? 1 : 0)
}

export function percent(value: number | null | undefined): string {
  if (value === null || value === undefined) return ABSENT
  if (value === 0) return '0 %'
  return `${value < 0.01 ? '<0.01' : value.toFixed(value < 10 ? 2 : 1)} %`
}

export function ms(value: number | null | undefined): string {
  if (value === null || value === undefined || Number.isNaN(value)) return ABSENT
  if (value >= 10_000) return `${(value / 1000).toFixed(1)} s`
  return `${value.toFixed(value < 10 && value !== 0 ? 1 : 0)} ms`
}

export function mos(value: number | null | undefined): string {
  return value === null || value === undefined ? ABSENT : value.toFixed(2)
}

/** `0:07`, `3:15`, `1:02:09`. */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined) return ABSENT
  const whole = Math.round(seconds)
  const h = Math.floor(whole / 3600)
  const m = Math.floor((whole % 3600) / 60)
  const s = String(whole % 60).padStart(2, '0')
  return h > 0 ? `${h}:${String(m).padStart(2, '0')}:${s}` : `${m}:${s}`
}

/** `2026-11-22 14:05:02`, UTC as everything here. */
export function dateTime(timeMs: number): string {
  return Number.isFinite(timeMs) ? new Date(timeMs).toISOString().slice(0, 19).replace('T', ' ') : ABSENT
}

export function clock(timeMs: number, decimals = 0): string {
  if (!Number.isFinite(timeMs)) return ABSENT
  return new Date(timeMs).toISOString().slice(11, decimals > 0 ? 20 + decimals : 19)
}

/** Time since a call began: `+0.12 s`, `+1:07.5`. */
export function sinceStart(deltaMs: number): string {
  const sign = deltaMs < 0 ? '−' : '+'
  const seconds = Math.abs(deltaMs) / 1000
  if (seconds < 60) return `${sign}${seconds.toFixed(seconds < 10 ? 3 : 2)} s`
  return `${sign}${duration(Math.floor(seconds))}`
}

export function bytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let unit = 0
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 || value >= 99.5 ? value.toFixed(0) : value.toPrecision(2)} ${units[unit]}`
}

/** `one_way_audio` as words: `one-way audio`. */
export function findingName(code: string): string {
  const words = code.replaceAll('_', ' ')
  const known: Record<string, string> = {
    'one way audio': 'one-way audio',
    'dscp rewritten': 'DSCP rewritten',
    'dscp unmarked': 'DSCP not marked',
    'sip alg suspected': 'SIP ALG suspected',
    'private address in sdp': 'private address in SDP',
    'media not at sdp address': 'media not at SDP address',
    'ptime changed': 'packet time changed',
  }
  return known[words] ?? words
}

export function stateName(state: string): string {
  return state.replaceAll('_', ' ')
}
