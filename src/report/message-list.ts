import type { SipPacket } from '../sip/message.js'
import type { Sighting } from '../sip/transactions.js'
import { LIMITS, type ReportCuts } from './limits.js'
import type { MessageView } from './page/data.js'
import type { ReportText } from './report-text.js'

interface Held {
  packet: Omit<SipPacket, 'message'>
  title: string
  cseq: string
  text?: string
  cut: number
  repeats?: number
  copy: boolean
}

/** The SIP messages of one call, within the limits. */
export class MessageList {
  private readonly held: Held[] = []
  private readonly places = new Map<string, number>()
  characters = 0
  leftOut = 0

  /** @param room characters that may still be kept over all calls */
  add(packet: SipPacket, sighting: Sighting, room: number, cuts: ReportCuts): void {
    if (this.held.length >= LIMITS.messages) {
      this.leftOut++
      cuts.messagesLeftOut++
      return
    }
    const { message, ...where } = packet
    const title = message.kind === 'request' ? message.method : `${message.status} ${message.reason}`
    const cseq = `${message.cseq.number} ${message.cseq.method}`
    const key = `${title}\n${cseq}\n${message.viaBranch}\n${packet.sourceAddress}`
    const earlier = sighting === 'new' ? undefined : this.places.get(key)
    const entry: Held = {
      packet: where,
      title: title.slice(0, 200),
      cseq: cseq.slice(0, 60),
      cut: 0,
      copy: sighting === 'duplicate',
    }
    if (earlier !== undefined) entry.repeats = earlier
    else {
      this.places.set(key, this.held.length)
      this.keepText(entry, message.raw, room, cuts)
    }
    this.held.push(entry)
  }

  private keepText(entry: Held, raw: string, room: number, cuts: ReportCuts): void {
    const most = Math.min(LIMITS.messageCharacters, LIMITS.callCharacters - this.characters, room)
    if (most <= 0) {
      cuts.messagesCut++
      return
    }
    entry.text = raw.length > most ? raw.slice(0, most) : raw
    entry.cut = raw.length - entry.text.length
    if (entry.cut > 0) cuts.messagesCut++
    this.characters += entry.text.length
  }

  get length(): number {
    return this.held.length
  }

  views(shown: ReportText): MessageView[] {
    return this.held.map(({ packet, title, cseq, text, cut, repeats, copy }) => ({
      timeMs: Math.round(packet.timeMs * 100) / 100,
      source: endpoint(shown.address(packet.sourceAddress), packet.sourcePort),
      destination: endpoint(shown.address(packet.destinationAddress), packet.destinationPort),
      transport: packet.transport,
      title: shown.text(title),
      cseq,
      repeats,
      copy: copy || undefined,
      text: text === undefined ? undefined : shown.sip(text),
      cut: cut > 0 && text !== undefined ? cut : undefined,
    }))
  }
}

/** `192.0.2.1:5060`, `[2001:db8::1]:5060`. */
export function endpoint(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}
