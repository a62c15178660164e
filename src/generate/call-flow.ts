import { type Endpoint, parseAddress, uriHost } from './addresses.js'
import { Dialogue, type RequestFields, type SipNode, type SipPacket, type Transaction } from './dialogue.js'
import { ScenarioError } from './errors.js'
import { type DirectionName, makeFormat, makeParty, type Party } from './parties.js'
import type { Random } from './random.js'
import type { CallSpec, ForkSpec, HoldSpec, ReinviteSpec, Side } from './scenario.js'
import type { SdpParts } from './sdp.js'
import type { Format } from './sender.js'
import { SessionWriter } from './session-writer.js'
import { digestChallenge, digestCredentials, type HeaderLines } from './sip-message.js'

/** A losing branch of a forked INVITE. */
export interface Branch {
  party: Party
  ringMs: number
  earlyMedia: boolean
}

export type CallState = 'completed' | 'failed' | 'cancelled' | 'timeout' | 'in_progress'

/** What happened in signalling, times at the tap (at the caller's hop when there is a proxy). */
export interface CallFlow {
  packets: SipPacket[]
  state: CallState
  status?: number
  inviteMs: number
  /** First provisional response but 100. */
  progressMs?: number
  ringingMs?: number
  /** The callee's 183 with a session description. */
  earlyMediaMs?: number
  answerMs?: number
  ackMs?: number
  byeMs?: number
  /** End of the call's outcome: BYE, final failure, or the moment the caller gives up waiting. */
  endMs: number
  endedBy?: Side
  authChallenges: number
  retransmissions: number
  holdMs: number
  pauses: Record<DirectionName, { startMs: number; endMs: number }[]>
  changes: Record<DirectionName, { timeMs: number; format?: Format; source?: Endpoint }[]>
  branches: Branch[]
}

export interface CallSetup {
  spec: CallSpec
  startMs: number
  repetition: number
  callId: string
  caller: Party
  callee: Party
  formats: Record<DirectionName, Format>
  /** First values of the legs' round-trip times, ms. */
  legMs: Record<Side, number>
  rtcpMux: boolean
  random: Random
}

/** RFC 3261 17.1.1.2: T1 and timer B. */
const T1_MS = 500
const TIMER_B_MS = 64 * T1_MS
/** Room for the TCP handshake in front of the INVITE. */
export const TCP_LEAD_MS = 5
/** How long an element thinks before it answers. */
const THINK_MS = 1
/** The least time from an INVITE to its 18x, behind the 100 of every hop. */
const LEAST_RING_MS = 5

function other(side: Side): Side {
  return side === 'caller' ? 'callee' : 'caller'
}

function nameAddress(party: Party): string {
  const name = party.displayName === '' ? '' : `"${party.displayName}" `
  return `${name}<sip:${party.user}@${party.domain}>`
}

export function nodesOf(caller: SipNode, callee: SipNode, proxy: string | undefined): SipNode[] {
  if (proxy === undefined) return [caller, callee]
  const endpoint = { address: parseAddress(proxy, 'sip.proxy'), port: 5060 }
  return [caller, { endpoint, sentBy: `${uriHost(proxy)}:5060`, user: 'proxy' }, callee]
}

/** Plays one call's signalling. One use: construct, then `run`. */
class CallScript {
  private readonly dialogue: Dialogue
  private readonly nodes: SipNode[]
  private readonly flow: CallFlow
  private readonly session: SessionWriter
  private readonly calleeTag: string
  private readonly sequences = { caller: 0, callee: 0 }
  /** Where re-INVITEs have moved the parties' media. */
  private readonly places: Record<Side, { address?: string; port?: number }> = { caller: {}, callee: {} }
  private readonly offer: string
  private readonly random: Random

  constructor(private readonly setup: CallSetup) {
    const { spec, caller, callee, startMs } = setup
    this.random = setup.random
    this.nodes = nodesOf(caller.node, callee.node, spec.sip?.proxy)
    this.calleeTag = this.random.hex(10)
    this.session = new SessionWriter(spec, { ...setup.formats }, setup.rtcpMux, this.random)
    this.offer = this.session.describe(caller, { offer: true })
    this.dialogue = new Dialogue(
      {
        callId: setup.callId,
        caller: nameAddress(caller),
        callee: nameAddress(callee),
        callerTag: this.random.hex(10),
        calleeUri: `sip:${callee.user}@${callee.domain}`,
        transport: spec.sip?.transport ?? 'udp',
        compact: spec.sip?.compact_headers ?? false,
        sessionId: spec.sip?.session_id ? `${this.random.hex(32)};remote=${'0'.repeat(32)}` : '',
        userAgents: { caller: caller.userAgent, callee: callee.userAgent },
      },
      this.nodes,
      this.random.derive('dialogue'),
    )
    const inviteMs = startMs + (spec.sip?.transport === 'tcp' ? TCP_LEAD_MS : 0)
    this.flow = {
      packets: this.dialogue.packets,
      state: 'failed',
      inviteMs,
      endMs: inviteMs,
      authChallenges: 0,
      retransmissions: 0,
      holdMs: 0,
      pauses: { from_caller: [], from_callee: [] },
      changes: { from_caller: [], from_callee: [] },
      branches: [],
    }
  }

  run(): CallFlow {
    const { spec, legMs } = this.setup
    const { flow } = this
    const status = spec.status ?? 200
    const proxyAsks = spec.auth !== undefined && this.nodes.length > 2
    let invite = this.invite(flow.inviteMs, [], proxyAsks ? [0, 1] : undefined)
    let baseMs = this.retransmit(spec.sip?.invite_retransmissions ?? (status === 0 ? 6 : 0))
    if (status === 0) {
      flow.state = 'timeout'
      flow.endMs = flow.inviteMs + TIMER_B_MS
      return flow
    }
    if (spec.auth) {
      baseMs = this.challenge(invite, baseMs, spec.auth)
      invite = this.invite(baseMs, this.credentials(spec.auth))
    }
    this.trying(invite, baseMs)
    const losers = (spec.fork ?? []).map((fork, i) => this.fork(invite, baseMs, fork, i))
    const finalMs = baseMs + (spec.answer_delay_ms ?? 2000)
    const cancelMs = spec.cancel_after_ms === undefined ? Infinity : baseMs + spec.cancel_after_ms
    const ringMs = baseMs + Math.max(spec.ring_delay_ms ?? 200, legMs.callee + LEAST_RING_MS)
    if (status < 300 && finalMs <= ringMs && finalMs <= cancelMs)
      throw new ScenarioError('answer_delay_ms: the answer has to come after ring_delay_ms')
    if (ringMs < Math.min(finalMs, cancelMs)) this.ring(invite, ringMs)
    if (cancelMs < finalMs) this.cancel(invite, cancelMs)
    else if (status >= 300) this.fail(invite, status, finalMs)
    else this.answer(invite, finalMs)
    losers.forEach((end) => end(Math.min(finalMs, cancelMs)))
    return flow
  }

  private invite(timeMs: number, headers: HeaderLines = [], hops?: [number, number]): Transaction {
    return this.dialogue.request('INVITE', 'caller', timeMs, {
      sequence: ++this.sequences.caller,
      body: this.offer,
      headers,
      hops,
    })
  }

  /** Repeats the INVITE on its first hop; returns when the last copy was sent. */
  private retransmit(copies: number): number {
    const { flow } = this
    let timeMs = flow.inviteMs
    for (let i = 0; i < copies; i++) {
      timeMs += T1_MS * 2 ** i
      const first = this.flow.packets[0]
      flow.packets.push({ ...first, timeMs })
      flow.retransmissions++
    }
    return timeMs
  }

  /** 401 or 407, its ACK; returns when the caller tries again. */
  private challenge(invite: Transaction, baseMs: number, status: 401 | 407): number {
    const { callee } = this.setup
    const header = status === 401 ? 'WWW-Authenticate' : 'Proxy-Authenticate'
    // With a proxy, the proxy asks: only the first hop sees it.
    const hops: [number, number] = [0, 1]
    const challengeMs = baseMs + this.setup.legMs.callee + THINK_MS * 2
    const toTag = this.random.hex(10)
    const nonce = this.nonce
    const headers: HeaderLines = [[header, digestChallenge(callee.domain, nonce)]]
    this.dialogue.respond(invite, status, challengeMs, { toTag, headers, hops })
    const ackMs = challengeMs + this.setup.legMs.caller + THINK_MS
    this.ackFailure(invite, ackMs, toTag, hops)
    this.flow.authChallenges++
    return ackMs + THINK_MS
  }

  private get nonce(): string {
    return Buffer.from(this.setup.callId).toString('hex').slice(0, 32).padEnd(32, '0')
  }

  private credentials(status: 401 | 407): HeaderLines {
    const { caller, callee } = this.setup
    const header = status === 401 ? 'Authorization' : 'Proxy-Authorization'
    const uri = `sip:${callee.user}@${callee.domain}`
    const fields = { user: caller.user, realm: callee.domain, nonce: this.nonce, method: 'INVITE', uri }
    return [[header, digestCredentials(fields)]]
  }

  private trying(invite: Transaction, baseMs: number): void {
    const last = invite.path.length - 2
    if (last > 0) this.dialogue.respond(invite, 100, baseMs + THINK_MS / 2, { hops: [0, 1] })
    const farMs = baseMs + this.setup.legMs.callee + THINK_MS * (1 + last)
    this.dialogue.respond(invite, 100, farMs, { hops: [last, last + 1] })
  }

  private ring(invite: Transaction, timeMs: number): void {
    const { spec, callee } = this.setup
    const { flow } = this
    const fields = { toTag: this.calleeTag }
    if (spec.early_media) {
      this.dialogue.respond(invite, 183, timeMs, { ...fields, body: this.session.describe(callee) })
      flow.earlyMediaMs = timeMs
    } else {
      this.dialogue.respond(invite, 180, timeMs, fields)
      flow.ringingMs = Math.min(flow.ringingMs ?? Infinity, timeMs)
    }
    flow.progressMs = Math.min(flow.progressMs ?? Infinity, timeMs)
  }

  /** A branch that loses: its 18x, and when the call is decided, its CANCEL (visible behind a proxy only). */
  private fork(
    invite: Transaction,
    baseMs: number,
    fork: ForkSpec,
    index: number,
  ): (decidedMs: number) => void {
    const { spec, legMs, repetition, callee } = this.setup
    const party = makeParty(
      'callee',
      {
        user: fork.user ?? callee.user,
        address: fork.address ?? callee.node.endpoint.address.text,
        media_port: fork.media_port ?? 30000 + 100 * index,
        user_agent: callee.userAgent,
      },
      repetition,
      `fork[${index}]`,
    )
    const toTag = this.random.hex(10)
    const ringMs = baseMs + Math.max(fork.ring_delay_ms ?? 300, legMs.callee + LEAST_RING_MS)
    const behindProxy = spec.sip?.proxy !== undefined
    const path = [...this.nodes.slice(0, -1), party.node]
    const leg: RequestFields = {
      sequence: invite.sequence,
      path,
      body: this.offer,
      hops: [1, 2],
      branches: invite.branches.slice(0, 1),
    }
    const branch = behindProxy ? this.dialogue.request('INVITE', 'caller', baseMs + 1, leg) : invite
    const contact = this.dialogue.contact(party.node)
    const body = fork.early_media ? this.session.describe(party) : ''
    this.dialogue.respond(branch, fork.early_media ? 183 : 180, ringMs, { toTag, contact, body })
    this.flow.branches.push({ party, ringMs, earlyMedia: fork.early_media ?? false })
    this.flow.progressMs = Math.min(this.flow.progressMs ?? Infinity, ringMs)
    if (!fork.early_media) this.flow.ringingMs = Math.min(this.flow.ringingMs ?? Infinity, ringMs)
    return (decidedMs) => {
      if (!behindProxy) return
      const hops: [number, number] = [1, 2]
      const cancel = this.dialogue.request('CANCEL', 'caller', decidedMs + 1, {
        sequence: branch.sequence,
        within: branch,
        hops,
      })
      const answerMs = decidedMs + 1 + legMs.callee + THINK_MS
      this.dialogue.respond(cancel, 200, answerMs, { toTag, hops })
      this.dialogue.respond(branch, 487, answerMs + 1, { toTag, hops })
      this.ackFailure(branch, answerMs + 2, toTag, hops)
    }
  }

  /** The ACK of a failure is hop by hop and carries the INVITE's branch (RFC 3261 17.1.1.3). */
  private ackFailure(invite: Transaction, timeMs: number, toTag: string, hops?: [number, number]): void {
    const { sequence } = invite
    this.dialogue.request('ACK', 'caller', timeMs, { sequence, within: invite, toTag, hops })
  }

  private cancel(invite: Transaction, timeMs: number): void {
    const { legMs } = this.setup
    const cancel = this.dialogue.request('CANCEL', 'caller', timeMs, {
      sequence: invite.sequence,
      within: invite,
    })
    const okMs = timeMs + legMs.callee + THINK_MS * invite.path.length
    const toTag = this.calleeTag
    this.dialogue.respond(cancel, 200, okMs, { toTag })
    this.dialogue.respond(invite, 487, okMs + 1, { toTag })
    this.ackFailure(invite, okMs + 1 + legMs.caller + THINK_MS, toTag)
    Object.assign(this.flow, { state: 'cancelled', status: 487, endMs: okMs + 1, endedBy: 'caller' })
  }

  private fail(invite: Transaction, status: number, timeMs: number): void {
    const toTag = this.calleeTag
    const { callee, legMs } = this.setup
    const headers: HeaderLines =
      status < 400 ? [['Contact', `<sip:${callee.user}@elsewhere.example.org>`]] : []
    this.dialogue.respond(invite, status, timeMs, { toTag, headers })
    this.ackFailure(invite, timeMs + legMs.caller + THINK_MS, toTag)
    Object.assign(this.flow, { state: 'failed', status, endMs: timeMs })
  }

  private answer(invite: Transaction, timeMs: number): void {
    const { spec, callee, legMs } = this.setup
    const { flow, dialogue, calleeTag: toTag } = this
    dialogue.respond(invite, 200, timeMs, { toTag, body: this.session.describe(callee) })
    const ackMs = timeMs + legMs.caller + THINK_MS
    dialogue.request('ACK', 'caller', ackMs, { sequence: invite.sequence, toTag })
    this.sequences.caller = invite.sequence
    const endMs = timeMs + (spec.duration_s ?? 10) * 1000
    Object.assign(flow, { answerMs: timeMs, ackMs, status: 200, endMs })
    const actions = [
      ...(spec.hold ?? []).map((hold) => ({ at: hold.at_s, act: () => this.hold(hold, timeMs, endMs) })),
      ...(spec.reinvite ?? []).map((reinvite) => ({
        at: reinvite.at_s,
        act: () => this.reinvite(reinvite, timeMs + reinvite.at_s * 1000),
      })),
    ]
    actions.sort((a, b) => a.at - b.at).forEach(({ act }) => act())
    flow.state = 'in_progress'
    const endedBy = spec.ended_by ?? 'caller'
    if (endedBy === 'none') return
    const bye = dialogue.request('BYE', endedBy, endMs, { sequence: ++this.sequences[endedBy], toTag })
    dialogue.respond(bye, 200, endMs + this.answerAfter(endedBy, bye), { toTag })
    Object.assign(flow, { state: 'completed', byeMs: endMs, endedBy })
  }

  /** How long after a request its answer passes the tap again. */
  private answerAfter(requester: Side, transaction: Transaction): number {
    return this.setup.legMs[other(requester)] + THINK_MS * transaction.path.length
  }

  /** A re-INVITE with its answer and ACK; returns when the answer passes the tap. */
  private modify(by: Side, timeMs: number, offer: string, status: number, answer: () => string): number {
    const { dialogue, calleeTag: toTag } = this
    const sequence = ++this.sequences[by]
    const invite = dialogue.request('INVITE', by, timeMs, { sequence, toTag, body: offer })
    const answerMs = timeMs + this.answerAfter(by, invite)
    const accepted = status < 300
    dialogue.respond(invite, status, answerMs, { toTag, body: accepted ? answer() : '' })
    const ackMs = answerMs + this.setup.legMs[by] + THINK_MS
    const within = accepted ? undefined : invite
    dialogue.request('ACK', by, ackMs, { sequence, toTag, within })
    return answerMs
  }

  private party(side: Side): Party {
    return side === 'caller' ? this.setup.caller : this.setup.callee
  }

  private describe(side: Side, fields: Partial<SdpParts> & { offer?: boolean }): string {
    return this.session.describe(this.party(side), { ...this.places[side], ...fields })
  }

  private hold(hold: HoldSpec, answerMs: number, endMs: number): void {
    const by = hold.by ?? 'caller'
    const mode = hold.mode ?? 'sendonly'
    const reply = mode === 'sendonly' ? 'recvonly' : 'inactive'
    const describe = (side: Side, direction: SdpParts['direction']): string =>
      this.describe(side, { direction })
    const atMs = answerMs + hold.at_s * 1000
    const startMs = this.modify(by, atMs, describe(by, mode), 200, () => describe(other(by), reply))
    const resumeAtMs = atMs + hold.duration_s * 1000
    const resumes = resumeAtMs < endMs - 1000
    const resumedMs = resumes
      ? this.modify(by, resumeAtMs, describe(by, 'sendrecv'), 200, () => describe(other(by), 'sendrecv'))
      : endMs
    this.flow.holdMs += resumedMs - startMs
    const pause = { startMs, endMs: resumedMs }
    this.flow.pauses[`from_${other(by)}`].push(pause)
    if (!(hold.music && mode === 'sendonly')) this.flow.pauses[`from_${by}`].push(pause)
  }

  private reinvite(spec: ReinviteSpec, atMs: number): void {
    const by = spec.by ?? 'caller'
    const status = spec.status ?? (spec.t38 ? 488 : 200)
    const party = this.party(by)
    const media: Endpoint = {
      address:
        spec.media_address === undefined
          ? party.media.address
          : parseAddress(spec.media_address, 'reinvite.media_address'),
      port: spec.media_port ?? party.media.port,
    }
    const moved = spec.media_port !== undefined || spec.media_address !== undefined
    const accepted = status < 300
    const format = spec.codec === undefined ? undefined : makeFormat(spec.codec, undefined, spec.ptime_ms)
    if (format && accepted) this.session.useFormat(format)
    const where = moved ? { address: media.address.text, port: media.port } : {}
    const offer = this.describe(by, { ...where, t38: spec.t38, offer: true })
    const answer = (): string => this.describe(other(by), { t38: spec.t38 })
    const timeMs = this.modify(by, atMs, offer, status, answer)
    if (!accepted) return
    if (moved) {
      this.places[by] = where
      this.flow.changes[`from_${by}`].push({ timeMs, source: media })
    }
    if (format) {
      this.flow.changes.from_caller.push({ timeMs, format })
      this.flow.changes.from_callee.push({ timeMs, format })
    }
  }
}

/** All signalling of one call. */
export function playCall(setup: CallSetup): CallFlow {
  return new CallScript(setup).run()
}
