import type { SipPacket } from '../sip/message.js'
import type { Sighting } from '../sip/transactions.js'
import type { BatchReader, BatchWriter } from './call-batch.js'
import { LIMITS, type ReportCuts } from './limits.js'
import type { MessageView } from './page/data.js'
import type { ReportText } from './report-text.js'

/** Characters. */
const MOST_TITLE = 200
const MOST_CSEQ = 60

// Numbers of a message: ms since the epoch; ports; place of the message that it repeats; 1: a copy made by the mirror;
// characters that were cut off. NaN: none.
const REPEATS = 3
const CUT = 5
const NUMBERS = 6
// Its texts. The last is the message itself, null when it is not kept.
const SOURCE = 0
const TITLE = 3
const CSEQ = 4
const TEXT = 5
const TEXTS = 6

/** The SIP messages of one call, within the limits, in a form that another thread is given. */
export class MessageList {
  characters = 0
  private count = 0
  private leftOut = 0
  private readonly numbers: number[] = []
  private readonly texts: (string | null)[] = []
  /** By which one that is sent again is told: its branch, and where it came from. */
  private readonly branches: string[] = []
  private readonly sources: string[] = []

  /** @param room characters that may still be kept over all calls */
  add(packet: SipPacket, sighting: Sighting, room: number, shown: ReportText, cuts: ReportCuts): void {
    if (this.count >= LIMITS.messages) {
      this.leftOut++
      cuts.messagesLeftOut++
      return
    }
    const { message } = packet
    const title = message.kind === 'request' ? message.method : `${message.status} ${message.reason}`
    const at = this.count * NUMBERS
    this.numbers.push(
      Math.round(packet.timeMs * 100) / 100,
      packet.sourcePort,
      packet.destinationPort,
      NaN,
      sighting === 'duplicate' ? 1 : 0,
      NaN,
    )
    this.texts.push(
      shown.address(packet.sourceAddress),
      shown.address(packet.destinationAddress),
      packet.transport,
      title.slice(0, MOST_TITLE),
      `${message.cseq.number} ${message.cseq.method}`.slice(0, MOST_CSEQ),
      null,
    )
    this.branches.push(message.viaBranch)
    this.sources.push(packet.sourceAddress)
    const repeats = sighting === 'new' ? NaN : this.placeOf(this.count)
    if (!Number.isNaN(repeats)) this.numbers[at + REPEATS] = repeats
    else if (shown.sip.what !== 'none') this.keepText(message.raw, room, cuts)
    this.count++
  }

  /** Where the message stands that the one at `place` repeats; NaN: none. */
  private placeOf(place: number): number {
    const { numbers, texts, branches, sources } = this
    for (let k = 0; k < place; k++) {
      if (!Number.isNaN(numbers[k * NUMBERS + REPEATS])) continue
      if (texts[k * TEXTS + TITLE] !== texts[place * TEXTS + TITLE]) continue
      if (texts[k * TEXTS + CSEQ] !== texts[place * TEXTS + CSEQ]) continue
      if (branches[k] === branches[place] && sources[k] === sources[place]) return k
    }
    return NaN
  }

  /** Keeps the text of the message that is being added. */
  private keepText(raw: string, room: number, cuts: ReportCuts): void {
    const most = Math.min(LIMITS.messageCharacters, LIMITS.callCharacters - this.characters, room)
    if (most <= 0) {
      cuts.messagesCut++
      return
    }
    const text = raw.length > most ? raw.slice(0, most) : raw
    if (text.length < raw.length) {
      this.numbers[this.count * NUMBERS + CUT] = raw.length - text.length
      cuts.messagesCut++
    }
    this.characters += text.length
    this.texts[this.count * TEXTS + TEXT] = text
  }

  /** Call it when the record is there, which says who the parties are: titles are redacted here. */
  write(writer: BatchWriter, shown: ReportText): void {
    writer.addNumber(this.count)
    writer.addNumber(this.leftOut)
    writer.addNumbers(this.numbers)
    for (let at = SOURCE; at < this.texts.length; at += TEXTS) {
      for (let k = 0; k < TEXTS; k++) {
        const { [at + k]: text } = this.texts
        writer.addText(k === TITLE && text !== null ? shown.phrase(text) : text)
      }
    }
  }
}

/** Messages as `MessageList.write` wrote them, texts apart. */
export interface SeenMessages {
  views: MessageView[]
  /** As they were seen; null: not kept. */
  texts: (string | null)[]
  leftOut: number
}

export function readMessages(reader: BatchReader): SeenMessages {
  const count = reader.number()
  const leftOut = reader.number()
  const views: MessageView[] = []
  const texts: (string | null)[] = []
  for (let n = 0; n < count; n++) {
    const timeMs = reader.number()
    const sourcePort = reader.number()
    const destinationPort = reader.number()
    const repeats = reader.known() ?? undefined
    const copy = reader.number() === 1 || undefined
    const cut = reader.known() ?? undefined
    const source = endpoint(reader.wholeText(), sourcePort)
    const destination = endpoint(reader.wholeText(), destinationPort)
    const transport = reader.wholeText()
    const title = reader.wholeText()
    const cseq = reader.wholeText()
    views.push({ timeMs, source, destination, transport, title, cseq, repeats, copy, cut })
    texts.push(reader.text())
  }
  return { views, texts, leftOut }
}

/** `192.0.2.1:5060`, `[2001:db8::1]:5060`. */
export function endpoint(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}
