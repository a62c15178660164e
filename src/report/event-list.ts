import type { Direction } from '../calls/records.js'
import type { BatchReader, BatchWriter } from './call-batch.js'
import type { EventView } from './page/data.js'

const KINDS = [
  'codec',
  'dscp',
  'ssrc',
  'dtmf',
  'gap',
  'jump',
  'hold',
  'burst',
  'signalling',
] as const satisfies readonly EventView['kind'][]
const DIRECTIONS = ['from_caller', 'from_callee'] as const satisfies readonly Direction[]

/** Events of a call or of one direction, in a form that another thread is given. */
export class EventList {
  private readonly numbers: number[] = []
  private readonly texts: string[] = []

  /** `direction` undefined: of the whole call. */
  constructor(private readonly direction?: Direction) {}

  get length(): number {
    return this.texts.length
  }

  /** @param timeMs and `endMs`: since the epoch */
  add(kind: EventView['kind'], timeMs: number, text: string, endMs = NaN): void {
    const direction = this.direction === undefined ? -1 : DIRECTIONS.indexOf(this.direction)
    this.numbers.push(timeMs, endMs, KINDS.indexOf(kind), direction)
    this.texts.push(text)
  }

  write(writer: BatchWriter): void {
    writer.addNumber(this.texts.length)
    writer.addNumbers(this.numbers)
    for (const text of this.texts) writer.addText(text)
  }
}

/** What `EventList.write` wrote. */
export function readEvents(reader: BatchReader): EventView[] {
  return Array.from({ length: reader.number() }, () => {
    const timeMs = reader.number()
    const endMs = reader.known() ?? undefined
    const { [reader.number()]: kind } = KINDS
    const { [reader.number()]: direction } = DIRECTIONS as Partial<typeof DIRECTIONS>
    return { timeMs, endMs, direction, kind, text: reader.wholeText() }
  })
}
