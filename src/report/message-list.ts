import type { SipPacket } from '../sip/message.js'
import type { Sighting } from '../sip/transactions.js'
import type { HeldMessage } from './closed-call.js'
import { LIMITS, type ReportCuts } from './limits.js'
import type { ReportText } from './report-text.js'

const MOST_TITLE = 200

/** The SIP messages of one call, within the limits. */
export class MessageList {
  readonly held: HeldMessage[] = []
  private readonly places = new Map<string, number>()
  characters = 0
  leftOut = 0

  /** @param room characters that may still be kept over all calls */
  add(packet: SipPacket, sighting: Sighting, room: number, shown: ReportText, cuts: ReportCuts): void {
    if (this.held.length >= LIMITS.messages) {
      this.leftOut++
      cuts.messagesLeftOut++
      return
    }
    const { message } = packet
    const title = message.kind === 'request' ? message.method : `${message.status} ${message.reason}`
    const cseq = `${message.cseq.number} ${message.cseq.method}`
    const key = `${title}\n${cseq}\n${message.viaBranch}\n${packet.sourceAddress}`
    const earlier = sighting === 'new' ? undefined : this.places.get(key)
    const entry: HeldMessage = {
      timeMs: packet.timeMs,
      source: endpoint(shown.address(packet.sourceAddress), packet.sourcePort),
      destination: endpoint(shown.address(packet.destinationAddress), packet.destinationPort),
      transport: packet.transport,
      title: title.slice(0, MOST_TITLE),
      cseq: cseq.slice(0, 60),
      repeats: earlier,
      copy: sighting === 'duplicate',
      text: undefined,
      cut: 0,
    }
    if (earlier === undefined) {
      this.places.set(key, this.held.length)
      if (shown.sip.what !== 'none') this.keepText(entry, message.raw, room, cuts)
    }
    this.held.push(entry)
  }

  private keepText(entry: HeldMessage, raw: string, room: number, cuts: ReportCuts): void {
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
}

/** `192.0.2.1:5060`, `[2001:db8::1]:5060`. */
export function endpoint(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}
