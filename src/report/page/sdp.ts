import type { MessageView } from './data.js'

/** One m= section of a session description, as written. */
export interface SdpMedia {
  kind: string
  port: string
  protocol: string
  address: string
  formats: string[]
  direction: string
  ptime: string
  rtcp: string
  encryption: string
}

/** An offer with its answer; either may not have been seen. */
export interface Exchange {
  offer?: MessageView
  answer?: MessageView
}

/** The session description in a message, undefined when it has none. */
export function sdpOf(message: MessageView): string | undefined {
  const { text } = message
  if (text === undefined) return undefined
  const body = text.search(/\r?\n\r?\n/)
  if (body < 0) return undefined
  const start = /(?:^|\n)v=0\s*(?:\r?\n)/.exec(text.slice(body))
  if (!start) return undefined
  const sdp = text.slice(body + start.index).replace(/^\r?\n/, '')
  // The next part of a multipart body.
  const end = /\r?\n--/.exec(sdp)
  return (end ? sdp.slice(0, end.index) : sdp).trimEnd()
}

/** Pairs of offer and answer in the order of the offers (RFC 3264): the same CSeq has both. */
export function exchangesOf(messages: readonly MessageView[]): Exchange[] {
  const exchanges: (Exchange & { cseq: string })[] = []
  for (const message of messages) {
    if (message.repeats !== undefined || sdpOf(message) === undefined) continue
    const number = message.cseq.split(' ')[0]
    const acknowledges = /^(?:ACK|PRACK)$/.test(message.title)
    const open = exchanges.findLast(
      (one) => one.answer === undefined && (one.cseq === message.cseq || acknowledges),
    )
    const isResponse = /^\d/.test(message.title)
    if (open && (isResponse || acknowledges)) open.answer = message
    else {
      const same = exchanges.findLast((one) => one.cseq === message.cseq && one.answer !== undefined)
      // A reliable answer repeats what an early one said.
      if (same && isResponse) {
        if (sdpOf(same.answer ?? message) === sdpOf(message)) continue
        exchanges.push({ offer: same.offer, answer: message, cseq: message.cseq })
      } else exchanges.push({ offer: message, cseq: isResponse ? `${number} INVITE` : message.cseq })
    }
  }
  return exchanges
}

/** What matters of each medium. */
export function readSdp(sdp: string): SdpMedia[] {
  const media: SdpMedia[] = []
  const session = { address: '', direction: '' }
  let names = new Map<string, string>()
  for (const line of sdp.split(/\r?\n/)) {
    const current = media.at(-1)
    const value = line.slice(2)
    if (line.startsWith('m=')) {
      const [kind = '', port = '', protocol = '', ...formats] = value.trim().split(/\s+/)
      names = new Map()
      media.push({
        kind,
        port,
        protocol,
        address: session.address,
        formats,
        direction: session.direction || 'sendrecv',
        ptime: '',
        rtcp: '',
        encryption: /SAVP/.test(protocol) ? protocol : '',
      })
    } else if (line.startsWith('c=')) {
      const address = value.trim().split(/\s+/)[2] ?? ''
      if (current) current.address = address
      else session.address = address
    } else if (/^a=(?:sendrecv|sendonly|recvonly|inactive)\s*$/.test(line)) {
      if (current) current.direction = value.trim()
      else session.direction = value.trim()
    } else if (current && line.startsWith('a=')) attribute(current, value, names)
  }
  return media
}

function attribute(media: SdpMedia, value: string, names: Map<string, string>): void {
  const [, type, encoding] = /^rtpmap:(\d+)\s+(\S+)/.exec(value) ?? []
  if (type !== undefined) {
    names.set(type, encoding)
    media.formats = media.formats.map((format) => (format === type ? `${encoding} (${type})` : format))
  } else if (value.startsWith('ptime:')) media.ptime = `${value.slice(6).trim()} ms`
  else if (value.startsWith('rtcp:')) media.rtcp = value.slice(5).trim()
  else if (value.trim() === 'rtcp-mux') media.rtcp = 'on the same port'
  else if (value.startsWith('crypto:')) media.encryption = value.split(/\s+/)[1] ?? 'crypto'
  else if (value.startsWith('fingerprint:')) media.encryption = 'DTLS'
}

const STATIC: Readonly<Record<string, string>> = {
  0: 'PCMU',
  3: 'GSM',
  4: 'G723',
  8: 'PCMA',
  9: 'G722',
  13: 'CN',
  18: 'G729',
}

/** A payload type by its name, as far as there is one. */
export function formatName(format: string): string {
  return STATIC[format] === undefined ? format : `${STATIC[format]} (${format})`
}
