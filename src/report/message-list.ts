import type { SipPacket } from '../sip/message.js'
import type { Sighting } from '../sip/transactions.js'
import { LIMITS, type ReportCuts } from './limits.js'
import type { MessageView } from './page/data.js'
import type { ReportText } from './report-text.js'

/** Characters. */
const MOST_TITLE = 200
const MOST_CSEQ = 60

/** What a message that is sent again has in common with the first. */
interface Identity {
  branch: string | undefined
  source: string
}

/** The SIP messages of one call, within the limits. */
export class MessageList {
  /** As they were seen, in the order of the list; null: not kept. */
  readonly texts: (string | null)[] = []
  characters = 0
  leftOut = 0
  private readonly held: MessageView[] = []
  private readonly identities: Identity[] = []

  /** @param room characters that may still be kept over all calls */
  add(packet: SipPacket, sighting: Sighting, room: number, shown: ReportText, cuts: ReportCuts): void {
    if (this.held.length >= LIMITS.messages) {
      this.leftOut++
      cuts.messagesLeftOut++
      return
    }
    const { message } = packet
    const title = message.kind === 'request' ? message.method : `${message.status} ${message.reason}`
    const entry: MessageView = {
      timeMs: Math.round(packet.timeMs * 100) / 100,
      source: endpoint(shown.address(packet.sourceAddress), packet.sourcePort),
      destination: endpoint(shown.address(packet.destinationAddress), packet.destinationPort),
      transport: packet.transport,
      title: title.slice(0, MOST_TITLE),
      cseq: `${message.cseq.number} ${message.cseq.method}`.slice(0, MOST_CSEQ),
      repeats: undefined,
      copy: sighting === 'duplicate' || undefined,
      cut: undefined,
    }
    const identity = { branch: message.viaBranch, source: packet.sourceAddress }
    if (sighting !== 'new') entry.repeats = this.placeOf(entry, identity)
    const isKept = entry.repeats === undefined && shown.sip.what !== 'none'
    this.texts.push(isKept ? this.textToKeep(entry, message.raw, room, cuts) : null)
    this.identities.push(identity)
    this.held.push(entry)
  }

  /** Where the message stands that this one repeats. */
  private placeOf({ title, cseq }: MessageView, { branch, source }: Identity): number | undefined {
    const place = this.held.findIndex((held, k) => {
      const { [k]: identity } = this.identities
      const isFirst = held.repeats === undefined && held.title === title && held.cseq === cseq
      return isFirst && identity.branch === branch && identity.source === source
    })
    return place < 0 ? undefined : place
  }

  private textToKeep(entry: MessageView, raw: string, room: number, cuts: ReportCuts): string | null {
    const most = Math.min(LIMITS.messageCharacters, LIMITS.callCharacters - this.characters, room)
    if (most <= 0) {
      cuts.messagesCut++
      return null
    }
    const text = raw.length > most ? raw.slice(0, most) : raw
    if (text.length < raw.length) {
      entry.cut = raw.length - text.length
      cuts.messagesCut++
    }
    this.characters += text.length
    return text
  }

  /** Without their texts. Call it once: titles are redacted when the record is there, which says who the parties are. */
  views(shown: ReportText): MessageView[] {
    for (const message of this.held) message.title = shown.phrase(message.title)
    return this.held
  }
}

/** `192.0.2.1:5060`, `[2001:db8::1]:5060`. */
export function endpoint(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}
