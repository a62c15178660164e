/**
 * Text from the network, made fit for a terminal: what a caller puts into a SIP header must not move the cursor,
 * change colours, reorder the line or break the columns.
 */

const PLAIN_ASCII = /^[ -~]*$/
/** Stands for characters that cannot be shown safely; a run of them is shown once. */
const REPLACEMENT = '\ufffd'
/** Combining marks kept on one character; more would spill into the lines above and below. */
const MOST_MARKS = 2
const DOTTED_CIRCLE = '\u25cc'

/**
 * `text` with nothing in it that a terminal acts on. Control characters are shown as their pictures (ESC as `␛`), bidi
 * marks, format characters and what Unicode does not define as `�`; spaces of any kind as spaces; flags as letters.
 */
export function displayText(text: string): string {
  if (PLAIN_ASCII.test(text)) return text
  let shown = ''
  let marks = 0
  for (const character of text) {
    const safe = safeCharacter(character)
    if (safe === '') continue
    if (widthOf(safe) === 0) {
      if (shown === '') shown = DOTTED_CIRCLE
      if (++marks > MOST_MARKS) continue
    } else marks = 0
    if (safe !== REPLACEMENT || !shown.endsWith(REPLACEMENT)) shown += safe
  }
  return shown
}

/** The character itself, what stands for it, or '' when it is to be left out. */
function safeCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0
  if (code < 0x20) return String.fromCharCode(0x2400 + code)
  if (code === 0x7f) return '\u2421'
  if (code < 0x7f) return character
  // Variation selectors and skin tones: terminals disagree on their width, and the sign is clear without them.
  if ((code >= 0xfe00 && code <= 0xfe0f) || (code >= 0x1f3fb && code <= 0x1f3ff)) return ''
  if (code >= 0x1f1e6 && code <= 0x1f1ff) return String.fromCharCode(0x41 + code - 0x1f1e6)
  if (/\p{Zs}/u.test(character)) return ' '
  return /[\p{C}\p{Zl}\p{Zp}]/u.test(character) ? REPLACEMENT : character
}

/** East Asian Wide and Fullwidth (Unicode UAX #11) other than emoji, as first and last code point in turn. */
const WIDE = [
  0x1100, 0x115f, 0x2329, 0x232a, 0x2e80, 0x303e, 0x3041, 0x3247, 0x3250, 0x4dbf, 0x4e00, 0xa4c6, 0xa960,
  0xa97c, 0xac00, 0xd7a3, 0xf900, 0xfad9, 0xfe10, 0xfe19, 0xfe30, 0xfe6b, 0xff01, 0xff60, 0xffe0, 0xffe6,
  0x16fe0, 0x1b2fb, 0x1f200, 0x1f265, 0x20000, 0x3fffd,
]

/** Columns that one character takes: 0, 1 or 2. */
function widthOf(character: string): number {
  const code = character.codePointAt(0) ?? 0
  if (code < 0x300) return 1
  // Vowels and finals of Hangul syllables written in parts join the consonant before them.
  if ((code >= 0x1160 && code <= 0x11ff) || (code >= 0xd7b0 && code <= 0xd7ff)) return 0
  if (/[\p{Mn}\p{Me}]/u.test(character)) return 0
  for (let i = 0; i < WIDE.length; i += 2) if (code >= WIDE[i] && code <= WIDE[i + 1]) return 2
  return /\p{Emoji_Presentation}/u.test(character) ? 2 : 1
}

/** Columns that `text` (as displayText returns it) takes in a terminal. */
export function displayWidth(text: string): number {
  if (PLAIN_ASCII.test(text)) return text.length
  let width = 0
  for (const character of text) width += widthOf(character)
  return width
}

/** The longest beginning of `text` that fits. */
function fittingStart(text: string, width: number): string {
  let shown = ''
  let left = width
  for (const character of text) {
    left -= widthOf(character)
    if (left < 0) break
    shown += character
  }
  return shown
}

/** The longest end of `text` that fits, never one that begins with a combining mark. */
function fittingEnd(text: string, width: number): string {
  let shown = ''
  let cluster = ''
  let left = width
  for (const character of [...text].reverse()) {
    cluster = character + cluster
    const columns = widthOf(character)
    if (columns === 0) continue
    left -= columns
    if (left < 0) break
    shown = cluster + shown
    cluster = ''
  }
  return shown
}

export type Cut = 'end' | 'middle'

/** Cuts `text` to `width` columns and marks the cut with `…`: at the end, or in the middle so that both ends show. */
export function truncate(text: string, width: number, cut: Cut = 'end'): string {
  if (displayWidth(text) <= width) return text
  if (width <= 0) return ''
  if (cut === 'end' || width < 5) return fittingStart(text, width - 1) + '…'
  const start = fittingStart(text, Math.ceil((width - 1) / 2))
  return start + '…' + fittingEnd(text, width - 1 - displayWidth(start))
}

/** Pads `text` with spaces to `width` columns. */
export function pad(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const spaces = ' '.repeat(Math.max(0, width - displayWidth(text)))
  return align === 'left' ? text + spaces : spaces + text
}

/** Breaks `text` at spaces into lines of at most `width` columns; a longer word is broken where it must be. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (let word of text.split(' ')) {
    if (line !== '' && displayWidth(line) + 1 + displayWidth(word) > width) {
      lines.push(line)
      line = ''
    }
    while (displayWidth(word) > width) {
      const start = fittingStart(word, Math.max(2, width))
      lines.push(start)
      word = word.slice(start.length)
    }
    line = line === '' ? word : `${line} ${word}`
  }
  return line === '' ? lines : [...lines, line]
}
