import { canonicalHeaderName, isListHeader, splitList, trimLws, unfold } from './headers.js'
import type { DefectList } from './parse-defects.js'

/** Most header lines indexed; the rest is ignored with the defect `too_many_headers`. */
export const MAX_HEADER_LINES = 512
/** Most values that `all` returns. */
const MAX_VALUES = 1024

/** Where each header of a message stands in its text; values are cut out on demand. */
export class HeaderIndex {
  readonly names: string[] = []
  private readonly valueStart: number[] = []
  private readonly valueEnd: number[] = []

  constructor(private readonly text: string) {}

  /** Indexes the lines from `start` (behind the start line) to the end of the text. */
  build(start: number, defects: DefectList): void {
    let at = start
    let folding = false
    while (at < this.text.length) {
      let end = this.text.indexOf('\n', at)
      if (end < 0) end = this.text.length
      const first = this.text.charCodeAt(at)
      if (first === 0x20 || first === 0x09) {
        if (folding) this.valueEnd[this.valueEnd.length - 1] = end
        else defects.add('header_without_colon')
      } else if (trimLws(this.text.slice(at, end)) !== '') {
        if (this.names.length >= MAX_HEADER_LINES) {
          defects.add('too_many_headers')
          return
        }
        folding = this.addLine(at, end, defects)
      }
      at = end + 1
    }
  }

  private addLine(at: number, end: number, defects: DefectList): boolean {
    // Within the line only: a search to the end of the text, for each line, would be quadratic.
    const length = this.text.slice(at, end).indexOf(':')
    if (length < 0) {
      defects.add('header_without_colon')
      return false
    }
    const colon = at + length
    const written = trimLws(this.text.slice(at, colon))
    if (!/^[A-Za-z0-9\-.!%*_+`'~]+$/.test(written)) defects.add('header_bad_name')
    this.names.push(canonicalHeaderName(written))
    this.valueStart.push(colon + 1)
    this.valueEnd.push(end)
    return true
  }

  private value(index: number): string {
    return trimLws(unfold(this.text.slice(this.valueStart[index], this.valueEnd[index])))
  }

  /** Header lines of that name. */
  count(name: string): number {
    let n = 0
    for (const other of this.names) if (other === name) n++
    return n
  }

  /** The first line's whole value, not split at commas. */
  line(name: string): string | undefined {
    const index = this.names.indexOf(name)
    return index < 0 ? undefined : this.value(index)
  }

  /** All lines' values, split where the header is a list. */
  all(name: string): string[] {
    const values: string[] = []
    const list = isListHeader(name)
    for (let i = 0; i < this.names.length && values.length < MAX_VALUES; i++) {
      if (this.names[i] !== name) continue
      const value = this.value(i)
      if (!list) values.push(value)
      else for (const element of splitList(value)) if (values.length < MAX_VALUES) values.push(element)
    }
    return values
  }

  /** The first value, '' when the header is there but empty, undefined when it is not there. */
  first(name: string): string | undefined {
    const line = this.line(name)
    if (line === undefined || !isListHeader(name) || (line !== '' && !line.includes(','))) return line
    return splitList(line)[0] ?? this.all(name)[0] ?? ''
  }
}
