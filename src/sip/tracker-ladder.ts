import type { CallListener, PartyMedia, SipCall } from './call.js'
import type { SipPacket } from './message.js'
import { parseSipMessage } from './parse.js'
import { SignallingTracker, type TrackerOptions } from './tracker.js'

/**
 * Call flows as plain text, for tests and fuzzing. One message per line, columns separated by blanks:
 *
 *     ms   from>to    what        cseq tags branch  extras
 *     0    alice>bob  INVITE      1    a>   z1      sdp=10.0.0.1:4000
 *     20   bob>alice  180 INVITE  1    a>b  z1
 *
 * `what` is a method, or a status and the method of its CSeq; `tags` are From-tag and To-tag (`-` for none); extras
 * are `sdp=ADDRESS:PORT[:DIRECTION[:KIND]]`, `call=CALL-ID`, `to=NAME`, `tcp`, `vlan=N`, or `Header:value` with `_`
 * for a blank. `#` starts a comment.
 */
const ADDRESSES: Record<string, string> = {
  alice: '10.0.0.1',
  bob: '10.0.0.2',
  carol: '10.0.0.3',
  dave: '10.0.0.4',
  proxy: '10.0.0.9',
  proxy2: '10.0.0.10',
}

const REASONS: Record<number, string> = {
  100: 'Trying',
  180: 'Ringing',
  183: 'Session Progress',
  200: 'OK',
  302: 'Moved Temporarily',
  401: 'Unauthorized',
  407: 'Proxy Authentication Required',
  486: 'Busy Here',
  487: 'Request Terminated',
  488: 'Not Acceptable Here',
}

/** Time of the first line of a ladder, ms since the epoch. */
export const LADDER_START_MS = 1_700_000_000_000

interface Step {
  timeMs: number
  source: string
  destination: string
  status: number
  method: string
  cseq: number
  fromTag: string
  toTag: string
  branch: string
  extras: string[]
}

function parseStep(line: string): Step {
  const words = line.trim().split(/\s+/)
  const [time, hosts, first] = words
  const status = /^\d{3}$/.test(first) ? Number(first) : 0
  const [method, cseq, tags, branch, ...extras] = words.slice(status ? 3 : 2)
  const [source, destination] = hosts.split('>')
  const [fromTag, toTag] = tags.split('>')
  const timeMs = LADDER_START_MS + Number(time)
  return { timeMs, source, destination, status, method, cseq: Number(cseq), fromTag, toTag, branch, extras }
}

function nameOfTag(tag: string, otherwise: string): string {
  return Object.keys(ADDRESSES).find((name) => tag !== '' && name.startsWith(tag[0])) ?? otherwise
}

function sdpText(value: string): string {
  const [address, port, direction = 'sendrecv', kind = 'audio'] = value.split(':')
  const media = kind === 'image' ? `m=image ${port} udptl t38` : `m=${kind} ${port} RTP/AVP 8`
  return `v=0\r\no=- 1 1 IN IP4 ${address}\r\ns=-\r\nc=IN IP4 ${address}\r\nt=0 0\r\n${media}\r\na=${direction}\r\n`
}

/** The raw text of one step. */
export function ladderText(step: Step): string {
  const extra = (name: string) =>
    step.extras.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1)
  const from = nameOfTag(step.fromTag, 'alice')
  const to = extra('to') ?? nameOfTag(step.toTag, 'bob')
  const tag = (value: string) => (value === '' || value === '-' ? '' : `;tag=${value}`)
  const sdp = extra('sdp')
  const body = sdp ? sdpText(sdp) : ''
  const start = step.status
    ? `SIP/2.0 ${step.status} ${REASONS[step.status] ?? 'Reason'}`
    : `${step.method} sip:${to}@example.com SIP/2.0`
  const headers = [
    `Via: SIP/2.0/UDP ${ADDRESSES[step.source] ?? step.source};branch=z9hG4bK${step.branch}`,
    `From: <sip:${from}@example.com>${tag(step.fromTag)}`,
    `To: <sip:${to}@example.com>${tag(step.toTag)}`,
    `Call-ID: ${extra('call') ?? 'call-1'}`,
    `CSeq: ${step.cseq} ${step.method}`,
    ...step.extras
      .filter((word) => /^[A-Z][\w-]*:/.test(word))
      .map((word) => word.replace(':', ': ').replace(/_/g, ' ')),
    ...(sdp ? ['Content-Type: application/sdp'] : []),
    `Content-Length: ${body.length}`,
  ]
  return `${start}\r\n${headers.join('\r\n')}\r\n\r\n${body}`
}

/** One line of a ladder as a packet. */
export function ladderPacket(line: string): SipPacket {
  const step = parseStep(line)
  const bytes = Buffer.from(ladderText(step), 'latin1')
  const parsed = parseSipMessage(bytes, 0, bytes.length)
  if ('error' in parsed) throw new Error(`${line}: ${parsed.error}`)
  const vlan = step.extras.find((word) => word.startsWith('vlan='))
  return {
    message: parsed.message,
    timeMs: step.timeMs,
    transport: step.extras.includes('tcp') ? 'tcp' : 'udp',
    sourceAddress: ADDRESSES[step.source] ?? step.source,
    sourcePort: 5060,
    destinationAddress: ADDRESSES[step.destination] ?? step.destination,
    destinationPort: 5060,
    vlan: vlan ? Number(vlan.slice(5)) : -1,
  }
}

/** All lines of a ladder as packets. */
export function ladderPackets(ladder: string): SipPacket[] {
  return ladder
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line !== '')
    .map(ladderPacket)
}

/** Writes down what a tracker tells, as short lines: `start`, `media caller 10.0.0.1:4000`, `answer`, `end failed 486`. */
export class EventLog implements CallListener {
  readonly events: string[] = []
  readonly calls: SipCall[] = []

  onCallStart(call: SipCall): void {
    this.calls.push(call)
    this.events.push('start')
  }

  onMediaChange(_call: SipCall, described: PartyMedia): void {
    const shown = described.media.map((media) => {
      const direction = media.direction === 'sendrecv' ? '' : ` ${media.direction}`
      return `${media.kind === 'audio' ? '' : `${media.kind} `}${media.address}:${media.port}${direction}`
    })
    this.events.push(`media ${described.party} ${shown.join(' + ')}`)
  }

  onAnswer(): void {
    this.events.push('answer')
  }

  onCallEnd(call: SipCall): void {
    this.events.push(['end', call.state, call.finalStatus].filter((word) => word !== undefined).join(' '))
  }
}

/** Time of a ladder's line at `ms`. */
export function at(ms: number): number {
  return LADDER_START_MS + ms
}

/** Lets a tracker follow a ladder. `wait` lets further packet time pass, `finish` ends the capture. */
export function followLadder(ladder: string, options?: TrackerOptions) {
  const log = new EventLog()
  const tracker = new SignallingTracker(log, options)
  let lastMs = LADDER_START_MS
  for (const packet of ladderPackets(ladder)) {
    tracker.onTime(packet.timeMs)
    tracker.onMessage(packet)
    lastMs = packet.timeMs
  }
  const wait = (ms: number) => tracker.onTime((lastMs += ms))
  const finish = () => tracker.finish(lastMs)
  return { log, tracker, calls: log.calls, events: log.events, call: log.calls[0], wait, finish }
}

/** A call that is answered at 2000 and acknowledged at 2010. */
export const ANSWERED = `
  0    alice>bob  INVITE      1 a>   z1 sdp=10.0.0.1:4000
  20   bob>alice  100 INVITE  1 a>   z1
  100  bob>alice  180 INVITE  1 a>b  z1
  2000 bob>alice  200 INVITE  1 a>b  z1 sdp=10.0.0.2:5000
  2010 alice>bob  ACK         1 a>b  z2`
