import type { Endpoint } from './addresses.js'
import { uriHost } from './addresses.js'
import type { Random } from './random.js'
import type { Side } from './scenario.js'
import { type HeaderLines, reasonPhrase, sipMessage } from './sip-message.js'

/** A SIP element that messages pass: a user agent, or a proxy between them. */
export interface SipNode {
  /** Where its packets come from. */
  endpoint: Endpoint
  /** What it writes in Via and Contact (private behind NAT). */
  sentBy: string
  user: string
}

export interface SipPacket {
  timeMs: number
  from: SipNode
  to: SipNode
  /** Side the packet moves away from. */
  fromSide: Side
  bytes: Uint8Array
}

export interface Transaction {
  method: string
  sequence: number
  fromSide: Side
  requestUri: string
  /** Nodes from the sender to the receiver, and the branch that each hop's sender wrote. */
  path: SipNode[]
  branches: string[]
  /** CANCEL and the ACK of a failure: each hop sends its own, with its own Via alone. */
  hopByHop: boolean
}

export interface RequestFields {
  sequence: number
  body?: string
  headers?: HeaderLines
  /** Given for CANCEL and for the ACK of a failure: same branches as the INVITE's. */
  within?: Transaction
  requestUri?: string
  /** Nodes from sender to receiver when not the usual ones. */
  path?: SipNode[]
  /** Branches of hops that were written before (a fork shares the caller's hop); default new ones. */
  branches?: string[]
  toTag?: string
  /** Hops of the path on which it is sent; default all. */
  hops?: [first: number, end: number]
}

export interface ResponseFields {
  body?: string
  headers?: HeaderLines
  toTag?: string
  contact?: string
  /** Hops of the path on which it is seen; default all. */
  hops?: [first: number, end: number]
}

/** Forwarding through one proxy takes this long. */
export const PROXY_MS = 1

/** Writes the messages of one INVITE dialog, with its Via stacks, tags and routes, on every hop that the tap sees. */
export class Dialogue {
  readonly packets: SipPacket[] = []
  private readonly transport: string

  constructor(
    private readonly dialog: {
      callId: string
      /** name-addr or URI without tag. */
      caller: string
      callee: string
      callerTag: string
      calleeUri: string
      transport: 'udp' | 'tcp'
      compact: boolean
      sessionId: string
      userAgents: Record<Side, string>
    },
    /** From caller to callee. */
    private readonly nodes: SipNode[],
    private readonly random: Random,
  ) {
    this.transport = dialog.transport.toUpperCase()
  }

  get callId(): string {
    return this.dialog.callId
  }

  contact(node: SipNode): string {
    const suffix = this.transport === 'TCP' ? ';transport=tcp' : ''
    return `<sip:${node.user}@${node.sentBy}${suffix}>`
  }

  private via(path: SipNode[], branches: string[], hop: number, responded: boolean): string {
    const node = path[hop]
    let value = `SIP/2.0/${this.transport} ${node.sentBy};branch=${branches[hop]}`
    if (!responded) return `${value};rport`
    value += `;rport=${node.endpoint.port}`
    const seen = uriHost(node.endpoint.address.text)
    return node.sentBy.startsWith(`${seen}:`) ? value : `${value};received=${node.endpoint.address.text}`
  }

  /** Vias at `hop`, newest first. */
  private vias(transaction: Transaction, hop: number, responded: boolean): HeaderLines {
    const lines: HeaderLines = []
    for (let i = hop; i >= (transaction.hopByHop ? hop : 0); i--)
      lines.push(['Via', this.via(transaction.path, transaction.branches, i, responded || i < hop)])
    return lines
  }

  private recordRoutes(path: SipNode[], hop: number): HeaderLines {
    return path
      .slice(1, hop + 1)
      .reverse()
      .map((proxy) => ['Record-Route', `<sip:${proxy.sentBy};lr>`])
  }

  private parties(fromSide: Side, toTag: string): HeaderLines {
    const { caller, callee, callerTag, callId } = this.dialog
    const tag = toTag === '' ? '' : `;tag=${toTag}`
    const first = `${caller};tag=${callerTag}`
    const second = `${callee}${tag}`
    const [from, to] = fromSide === 'caller' ? [first, second] : [second, first]
    return [
      ['From', from],
      ['To', to],
      ['Call-ID', callId],
    ]
  }

  private session(): HeaderLines {
    const { sessionId } = this.dialog
    return sessionId === '' ? [] : [['Session-ID', sessionId]]
  }

  /** Sends a request over all hops, the first at `timeMs`. */
  request(method: string, fromSide: Side, timeMs: number, fields: RequestFields): Transaction {
    const path = fields.path ?? fields.within?.path ?? this.pathFrom(fromSide)
    const given = fields.within?.branches ?? fields.branches ?? []
    const branches = path.slice(1).map((_, i) => given[i] ?? `z9hG4bK${this.random.hex(16)}`)
    const far = path[path.length - 1]
    const inDialog = (fields.toTag ?? '') !== '' && !fields.within
    const requestUri =
      fields.requestUri ??
      fields.within?.requestUri ??
      (inDialog ? this.contact(far).slice(1, -1) : this.dialog.calleeUri)
    const hopByHop = fields.within !== undefined
    const transaction = { method, sequence: fields.sequence, fromSide, requestUri, path, branches, hopByHop }
    const [firstHop, endHop] = fields.hops ?? [0, path.length - 1]
    for (let hop = firstHop; hop < endHop; hop++) {
      const headers: HeaderLines = [
        ...this.vias(transaction, hop, false),
        ['Max-Forwards', String(70 - hop)],
        ...(inDialog && hop < path.length - 2
          ? path.slice(hop + 1, -1).map((proxy): [string, string] => ['Route', `<sip:${proxy.sentBy};lr>`])
          : []),
        ...(method === 'INVITE' && !inDialog ? this.recordRoutes(path, hop) : []),
        ...this.parties(fromSide, fields.toTag ?? ''),
        ['CSeq', `${fields.sequence} ${method}`],
        ...(method === 'INVITE' ? [['Contact', this.contact(path[0])] as [string, string]] : []),
        ...(method === 'INVITE' ? ([['Allow', 'INVITE, ACK, CANCEL, BYE, OPTIONS']] as HeaderLines) : []),
        ...this.session(),
        ['User-Agent', this.dialog.userAgents[fromSide]],
        ...(fields.headers ?? []),
      ]
      this.packets.push({
        timeMs: timeMs + (hop - firstHop) * PROXY_MS,
        from: path[hop],
        to: path[hop + 1],
        fromSide,
        bytes: sipMessage(`${method} ${requestUri} SIP/2.0`, headers, fields.body ?? '', this.dialog.compact),
      })
    }
    return transaction
  }

  /** Answers over the hops of the request, backwards; `timeMs` is at the first of them. */
  respond(transaction: Transaction, status: number, timeMs: number, fields: ResponseFields = {}): void {
    const { path, method, fromSide, sequence } = transaction
    const far = path[path.length - 1]
    const otherSide = fromSide === 'caller' ? 'callee' : 'caller'
    const [firstHop, endHop] = fields.hops ?? [0, path.length - 1]
    const makesDialog = method === 'INVITE' && status > 100 && status < 300
    for (let hop = firstHop; hop < endHop; hop++) {
      const headers: HeaderLines = [
        ...this.vias(transaction, hop, true),
        ...(makesDialog ? this.recordRoutes(path, path.length - 2) : []),
        ...this.parties(fromSide, status === 100 ? '' : (fields.toTag ?? '')),
        ['CSeq', `${sequence} ${method}`],
        ...(makesDialog ? ([['Contact', fields.contact ?? this.contact(far)]] as HeaderLines) : []),
        ...this.session(),
        ['Server', this.dialog.userAgents[otherSide]],
        ...(fields.headers ?? []),
      ]
      this.packets.push({
        timeMs: timeMs + (endHop - 1 - hop) * PROXY_MS,
        from: path[hop + 1],
        to: path[hop],
        fromSide: otherSide,
        bytes: sipMessage(
          `SIP/2.0 ${status} ${reasonPhrase(status)}`,
          headers,
          fields.body ?? '',
          this.dialog.compact,
        ),
      })
    }
  }

  private pathFrom(side: Side): SipNode[] {
    return side === 'caller' ? this.nodes : [...this.nodes].reverse()
  }
}
