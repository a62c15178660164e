/** Frames written by hand, for what no scenario can say. */
import { parseEndpoint } from '../../src/generate/addresses.js'
import {
  ethernetFrame,
  ipPackets,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  tcpSegment,
  udpDatagram,
} from '../../src/generate/frames.js'
import type { Frame } from '../helpers/replay.js'

/** 2024-05-01T12:00:00Z: on the edge of a ten-second interval. */
export const NOON = Date.UTC(2024, 4, 1, 12)

export interface Link {
  vlan?: number
  ttl?: number
  dscp?: number
}

/** One UDP datagram. Ends are `192.0.2.1:5060` or `[2001:db8::1]:5060`. */
export function datagram(
  timeMs: number,
  from: string,
  to: string,
  payload: Uint8Array | string,
  link: Link = {},
): Frame {
  const [source, destination] = [parseEndpoint(from, 'from'), parseEndpoint(to, 'to')]
  const bytes = typeof payload === 'string' ? new TextEncoder().encode(payload) : payload
  return framed(timeMs, source, destination, PROTOCOL_UDP, udpDatagram(source, destination, bytes), link)
}

/** One TCP segment. `flags` default to ACK and PSH. */
export function segment(
  timeMs: number,
  from: string,
  to: string,
  sequence: number,
  payload: Uint8Array | string,
  flags = 0x18,
): Frame {
  const [source, destination] = [parseEndpoint(from, 'from'), parseEndpoint(to, 'to')]
  const bytes = typeof payload === 'string' ? new TextEncoder().encode(payload) : payload
  const tcp = tcpSegment(source, destination, sequence, 1, flags, bytes)
  return framed(timeMs, source, destination, PROTOCOL_TCP, tcp, {})
}

function framed(
  timeMs: number,
  source: ReturnType<typeof parseEndpoint>,
  destination: ReturnType<typeof parseEndpoint>,
  protocol: number,
  transport: Uint8Array,
  { vlan, ttl = 64, dscp = 46 }: Link,
): Frame {
  const fields = { dscp, ttl, identification: 1 }
  const [packet] = ipPackets(source.address, destination.address, protocol, transport, fields, 65_535)
  const tags = vlan === undefined ? [] : [vlan]
  return { timeMs, frame: ethernetFrame(source.address, destination.address, tags, packet) }
}

export interface RtpFields {
  sequence: number
  timestamp: number
  ssrc: number
  payloadType?: number
  marker?: boolean
  csrcs?: number[]
  /** Bytes of an extension's body, a multiple of 4. */
  extension?: number
  padding?: number
  payload?: Uint8Array
}

/** RFC 3550 5.1. */
export function rtp(fields: RtpFields): Uint8Array {
  const { csrcs = [], extension, padding = 0, payload = new Uint8Array(160).fill(0x7f) } = fields
  const extensionBytes = extension === undefined ? 0 : 4 + extension
  const bytes = new Uint8Array(12 + 4 * csrcs.length + extensionBytes + payload.length + padding)
  const view = new DataView(bytes.buffer)
  bytes[0] = 0x80 | (padding > 0 ? 0x20 : 0) | (extension === undefined ? 0 : 0x10) | csrcs.length
  bytes[1] = (fields.marker ? 0x80 : 0) | (fields.payloadType ?? 0)
  view.setUint16(2, fields.sequence & 0xffff)
  view.setUint32(4, fields.timestamp >>> 0)
  view.setUint32(8, fields.ssrc)
  let at = 12
  for (const csrc of csrcs) {
    view.setUint32(at, csrc)
    at += 4
  }
  if (extension !== undefined) {
    view.setUint16(at, 0xbede)
    view.setUint16(at + 2, extension / 4)
    at += 4 + extension
  }
  bytes.set(payload, at)
  if (padding > 0) bytes[bytes.length - 1] = padding
  return bytes
}

export interface MediaRun extends Partial<RtpFields> {
  from: string
  to: string
  startMs: number
  packets: number
  ptimeMs?: number
  ticks?: number
  /** Numbers of packets (from 0) that do not arrive. */
  without?: (n: number) => boolean
  /** Extra delay of a packet, ms. */
  delay?: (n: number) => number
  link?: Link
}

/** So many packets of one stream, evenly spaced. Everything counts up from the fields given. */
export function media(run: MediaRun): Frame[] {
  const { from, to, startMs, packets, ptimeMs = 20, ticks = 160, without, delay, link, ...fields } = run
  const frames: Frame[] = []
  for (let n = 0; n < packets; n++) {
    if (without?.(n)) continue
    const header: RtpFields = {
      ...fields,
      ssrc: fields.ssrc ?? 0x1001,
      sequence: (fields.sequence ?? 1000) + n,
      timestamp: (fields.timestamp ?? 16_000) + n * ticks,
    }
    frames.push(datagram(startMs + n * ptimeMs + (delay?.(n) ?? 0), from, to, rtp(header), link))
  }
  return frames
}

export interface AudioDescription {
  /** Where audio is wanted: `192.0.2.10:10000`. */
  audio: string
  /** As in the m= line; default `0`. */
  formats?: string
  /** a= lines. */
  attributes?: string[]
}

export function sdp({ audio, formats = '0', attributes = [] }: AudioDescription): string {
  const { address, port } = parseEndpoint(audio, 'audio')
  const lines = [
    'v=0',
    `o=- 1 1 IN IP${address.version} ${address.text}`,
    's=-',
    `c=IN IP${address.version} ${address.text}`,
    't=0 0',
    `m=audio ${port} RTP/AVP ${formats}`,
    ...attributes.map((attribute) => `a=${attribute}`),
  ]
  return `${lines.join('\r\n')}\r\n`
}

export interface DialogEnds {
  callId: string
  /** Where the parties' signalling is seen. */
  caller: string
  callee: string
  link?: Link
}

/** The messages of one INVITE dialog, as text. */
export class Dialog {
  cseq = 1
  toTag = 'callee-1'

  constructor(readonly ends: DialogEnds) {}

  private headers(cseq: string, toTag: string, branch: string, more: string[] = []): string[] {
    return [
      `Via: SIP/2.0/UDP ${this.ends.caller};branch=z9hG4bK-${branch}`,
      `From: <sip:alice@example.com>;tag=caller-1`,
      `To: <sip:bob@example.com>${toTag === '' ? '' : `;tag=${toTag}`}`,
      `Call-ID: ${this.ends.callId}`,
      `CSeq: ${cseq}`,
      `Max-Forwards: 70`,
      ...more,
    ]
  }

  private text(start: string, headers: string[], body: string): string {
    const kind = body === '' ? [] : ['Content-Type: application/sdp']
    const all = [start, ...headers, ...kind, `Content-Length: ${Buffer.byteLength(body)}`]
    return `${all.join('\r\n')}\r\n\r\n${body}`
  }

  inviteText(body: string, toTag = ''): string {
    const contact = `Contact: <sip:alice@${this.ends.caller}>`
    const branch = `${this.ends.callId}-invite-${this.cseq}`
    return this.text(
      'INVITE sip:bob@example.com SIP/2.0',
      this.headers(`${this.cseq} INVITE`, toTag, branch, [contact]),
      body,
    )
  }

  responseText(status: number, reason: string, body = '', toTag = this.toTag): string {
    const branch = `${this.ends.callId}-invite-${this.cseq}`
    const contact = `Contact: <sip:bob@${this.ends.callee}>`
    return this.text(
      `SIP/2.0 ${status} ${reason}`,
      this.headers(`${this.cseq} INVITE`, toTag, branch, [contact]),
      body,
    )
  }

  ackText(): string {
    const branch = `${this.ends.callId}-ack-${this.cseq}`
    return this.text(
      'ACK sip:bob@example.com SIP/2.0',
      this.headers(`${this.cseq} ACK`, this.toTag, branch),
      '',
    )
  }

  byeText(): string {
    const branch = `${this.ends.callId}-bye`
    return this.text(
      'BYE sip:bob@example.com SIP/2.0',
      this.headers(`${this.cseq + 1} BYE`, this.toTag, branch),
      '',
    )
  }

  byeOkText(): string {
    const branch = `${this.ends.callId}-bye`
    return this.text('SIP/2.0 200 OK', this.headers(`${this.cseq + 1} BYE`, this.toTag, branch), '')
  }

  fromCaller(timeMs: number, text: string): Frame {
    return datagram(timeMs, this.ends.caller, this.ends.callee, text, this.ends.link)
  }

  fromCallee(timeMs: number, text: string): Frame {
    return datagram(timeMs, this.ends.callee, this.ends.caller, text, this.ends.link)
  }

  /** INVITE, 200 after 500 ms, ACK 20 ms later. */
  setUp(timeMs: number, offer: string, answer: string): Frame[] {
    return [
      this.fromCaller(timeMs, this.inviteText(offer)),
      this.fromCallee(timeMs + 500, this.responseText(200, 'OK', answer)),
      this.fromCaller(timeMs + 520, this.ackText()),
    ]
  }

  /** A re-INVITE of the caller, its 200 after 30 ms, and its ACK. */
  reinvite(timeMs: number, offer: string, answer: string): Frame[] {
    this.cseq++
    return [
      this.fromCaller(timeMs, this.inviteText(offer, this.toTag)),
      this.fromCallee(timeMs + 30, this.responseText(200, 'OK', answer)),
      this.fromCaller(timeMs + 50, this.ackText()),
    ]
  }

  /** The caller's BYE and its 200. */
  hangUp(timeMs: number): Frame[] {
    return [this.fromCaller(timeMs, this.byeText()), this.fromCallee(timeMs + 10, this.byeOkText())]
  }
}

/** Default places of the parties. */
export const ALICE = '192.0.2.10:5060'
export const BOB = '198.51.100.20:5060'
export const ALICE_AUDIO = '192.0.2.10:10000'
export const BOB_AUDIO = '198.51.100.20:20000'

export interface CallByHand {
  callId?: string
  /** INVITE; the 2xx comes 500 ms later. */
  startMs?: number
  /** 2xx to BYE. */
  durationMs?: number
  offer?: AudioDescription
  answer?: AudioDescription
  link?: Link
}

/** The signalling of a plain call between Alice and Bob. */
export function callByHand(call: CallByHand = {}): { dialog: Dialog; frames: Frame[]; answerMs: number } {
  const { callId = 'by-hand', startMs = NOON, durationMs = 10_000, link } = call
  const dialog = new Dialog({ callId, caller: ALICE, callee: BOB, link })
  const offer = sdp(call.offer ?? { audio: ALICE_AUDIO })
  const answer = sdp(call.answer ?? { audio: BOB_AUDIO })
  const answerMs = startMs + 500
  return {
    dialog,
    answerMs,
    frames: [...dialog.setUp(startMs, offer, answer), ...dialog.hangUp(answerMs + durationMs)],
  }
}
