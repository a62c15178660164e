import { parseAddress, uriHost } from './addresses.js'
import { answerAfter, CallChanges } from './call-changes.js'
import { type CallFlow, type CallInProgress, type CallSetup, THINK_MS } from './call-types.js'
import { Dialogue, PROXY_MS, type RequestFields, type SipNode, type Transaction } from './dialogue.js'
import { ScenarioError } from './errors.js'
import { makeParty, type Party } from './parties.js'
import type { ForkSpec } from './scenario.js'
import { SessionWriter } from './session-writer.js'
import { digestChallenge, digestCredentials, type HeaderLines } from './sip-message.js'

/** RFC 3261 17.1.1.2: T1 and timer B. */
const T1_MS = 500
const TIMER_B_MS = 64 * T1_MS
/** Room for the TCP handshake in front of the INVITE. */
const TCP_LEAD_MS = 5
/** The least time from an INVITE to its 18x, behind the 100 of every hop. */
const LEAST_RING_MS = 5

function nameAddress(party: Party): string {
  const name = party.displayName === '' ? '' : `"${party.displayName}" `
  return `${name}<sip:${party.user}@${party.domain}>`
}

export function nodesOf(caller: SipNode, callee: SipNode, proxy: string | undefined): SipNode[] {
  if (proxy === undefined) return [caller, callee]
  const endpoint = { address: parseAddress(proxy, 'sip.proxy'), port: 5060 }
  return [caller, { endpoint, sentBy: `${uriHost(proxy)}:5060`, user: 'proxy' }, callee]
}

/** Opens the dialog of a call: nothing sent yet. */
function beginCall(setup: CallSetup, nodes: SipNode[]): CallInProgress {
  const { spec, caller, callee, startMs, random } = setup
  const dialogue = new Dialogue(
    {
      callId: setup.callId,
      caller: nameAddress(caller),
      callee: nameAddress(callee),
      callerTag: random.hex(10),
      calleeUri: `sip:${callee.user}@${callee.domain}`,
      transport: spec.sip?.transport ?? 'udp',
      compact: spec.sip?.compact_headers ?? false,
      sessionId: spec.sip?.session_id ? `${random.hex(32)};remote=${'0'.repeat(32)}` : '',
      userAgents: { caller: caller.userAgent, callee: callee.userAgent },
    },
    nodes,
    random.derive('dialogue'),
  )
  const inviteMs = startMs + (spec.sip?.transport === 'tcp' ? TCP_LEAD_MS : 0)
  return {
    setup,
    dialogue,
    session: new SessionWriter(spec, { ...setup.formats }, setup.rtcpMux, random),
    calleeTag: random.hex(10),
    sequences: { caller: 0, callee: 0 },
    flow: {
      packets: dialogue.packets,
      state: 'failed',
      inviteMs,
      endMs: inviteMs,
      authChallenges: 0,
      retransmissions: 0,
      holdMs: 0,
      pauses: { from_caller: [], from_callee: [] },
      changes: { from_caller: [], from_callee: [] },
      branches: [],
    },
  }
}

/** Plays one call's signalling. One use: construct, then `run`. */
class CallScript {
  private readonly nodes: SipNode[]
  private readonly call: CallInProgress
  private readonly flow: CallFlow
  private readonly dialogue: Dialogue
  private readonly offer: string

  constructor(private readonly setup: CallSetup) {
    this.nodes = nodesOf(setup.caller.node, setup.callee.node, setup.spec.sip?.proxy)
    this.call = beginCall(setup, this.nodes)
    this.flow = this.call.flow
    this.dialogue = this.call.dialogue
    this.offer = this.call.session.describe(setup.caller, { offer: true })
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

  /** How long a response takes through the proxy, if there is one, to the caller's hop. */
  private get lagMs(): number {
    return (this.nodes.length - 2) * PROXY_MS
  }

  private invite(timeMs: number, headers: HeaderLines = [], hops?: [number, number]): Transaction {
    return this.dialogue.request('INVITE', 'caller', timeMs, {
      sequence: ++this.call.sequences.caller,
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
    const toTag = this.setup.random.hex(10)
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
    const fields = { toTag: this.call.calleeTag }
    if (spec.early_media) {
      this.dialogue.respond(invite, 183, timeMs, { ...fields, body: this.call.session.describe(callee) })
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
      0,
      repetition,
      `fork[${index}]`,
    )
    const toTag = this.setup.random.hex(10)
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
    const body = fork.early_media ? this.call.session.describe(party) : ''
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
    const toTag = this.call.calleeTag
    this.dialogue.respond(cancel, 200, okMs, { toTag })
    this.dialogue.respond(invite, 487, okMs + 1, { toTag })
    this.ackFailure(invite, okMs + 1 + this.lagMs + legMs.caller + THINK_MS, toTag)
    Object.assign(this.flow, { state: 'cancelled', status: 487, endMs: okMs + 1, endedBy: 'caller' })
  }

  private fail(invite: Transaction, status: number, timeMs: number): void {
    const toTag = this.call.calleeTag
    const { callee, legMs } = this.setup
    const headers: HeaderLines =
      status < 400 ? [['Contact', `<sip:${callee.user}@elsewhere.example.org>`]] : []
    this.dialogue.respond(invite, status, timeMs, { toTag, headers })
    this.ackFailure(invite, timeMs + this.lagMs + legMs.caller + THINK_MS, toTag)
    Object.assign(this.flow, { state: 'failed', status, endMs: timeMs })
  }

  private answer(invite: Transaction, timeMs: number): void {
    const { spec, callee, legMs } = this.setup
    const { flow, dialogue, call } = this
    const toTag = call.calleeTag
    const changes = new CallChanges(call)
    dialogue.respond(invite, 200, timeMs, { toTag, body: this.call.session.describe(callee) })
    const ackMs = timeMs + this.lagMs + legMs.caller + THINK_MS
    dialogue.request('ACK', 'caller', ackMs, { sequence: invite.sequence, toTag })
    this.call.sequences.caller = invite.sequence
    const endMs = timeMs + (spec.duration_s ?? 10) * 1000
    Object.assign(flow, { answerMs: timeMs, ackMs, status: 200, endMs })
    const actions = [
      ...(spec.hold ?? []).map((hold) => ({ at: hold.at_s, act: () => changes.hold(hold, timeMs, endMs) })),
      ...(spec.reinvite ?? []).map((reinvite) => ({
        at: reinvite.at_s,
        act: () => changes.reinvite(reinvite, timeMs + reinvite.at_s * 1000),
      })),
    ]
    actions.sort((a, b) => a.at - b.at).forEach(({ act }) => act())
    flow.state = 'in_progress'
    const endedBy = spec.ended_by ?? 'caller'
    if (endedBy === 'none') return
    const bye = dialogue.request('BYE', endedBy, endMs, { sequence: ++this.call.sequences[endedBy], toTag })
    dialogue.respond(bye, 200, endMs + answerAfter(call, endedBy, bye), { toTag })
    Object.assign(flow, { state: 'completed', byeMs: endMs, endedBy })
  }
}

/** All signalling of one call. */
export function playCall(setup: CallSetup): CallFlow {
  return new CallScript(setup).run()
}
