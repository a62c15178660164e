import { type Endpoint, parseAddress } from './addresses.js'
import { type CallInProgress, other, partyOf, THINK_MS } from './call-types.js'
import type { Transaction } from './dialogue.js'
import { makeFormat } from './parties.js'
import type { HoldSpec, ReinviteSpec, Side } from './scenario.js'
import type { SdpParts } from './sdp.js'

/** How long after an in-dialog request its answer passes the tap again. */
export function answerAfter(call: CallInProgress, requester: Side, transaction: Transaction): number {
  return call.setup.legMs[other(requester)] + THINK_MS * transaction.path.length
}

/** Re-INVITEs of an answered call: holds, and changes of codec and address. */
export class CallChanges {
  /** Where re-INVITEs have moved the parties' media. */
  private readonly places: Record<Side, { address?: string; port?: number }> = { caller: {}, callee: {} }

  constructor(private readonly call: CallInProgress) {}

  /** A re-INVITE with its answer and ACK; returns when the answer passes the tap. */
  private modify(by: Side, timeMs: number, offer: string, status: number, answer: () => string): number {
    const { dialogue, calleeTag: toTag, sequences, setup } = this.call
    const sequence = ++sequences[by]
    const invite = dialogue.request('INVITE', by, timeMs, { sequence, toTag, body: offer })
    const answerMs = timeMs + answerAfter(this.call, by, invite)
    const accepted = status < 300
    dialogue.respond(invite, status, answerMs, { toTag, body: accepted ? answer() : '' })
    const ackMs = answerMs + setup.legMs[by] + THINK_MS
    dialogue.request('ACK', by, ackMs, { sequence, toTag, within: accepted ? undefined : invite })
    return answerMs
  }

  private describe(side: Side, fields: Partial<SdpParts> & { offer?: boolean }): string {
    return this.call.session.describe(partyOf(this.call.setup, side), { ...this.places[side], ...fields })
  }

  /** Times in ms: the call's answer and end. */
  hold(hold: HoldSpec, answerMs: number, endMs: number): void {
    const { flow } = this.call
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
    flow.holdMs += resumedMs - startMs
    const pause = { startMs, endMs: resumedMs }
    flow.pauses[`from_${other(by)}`].push(pause)
    if (!(hold.music && mode === 'sendonly')) flow.pauses[`from_${by}`].push(pause)
  }

  reinvite(spec: ReinviteSpec, atMs: number): void {
    const { flow, session, setup } = this.call
    const by = spec.by ?? 'caller'
    const status = spec.status ?? (spec.t38 ? 488 : 200)
    const accepted = status < 300
    const { media: present } = partyOf(setup, by)
    const address = spec.media_address
    const media: Endpoint = {
      address: address === undefined ? present.address : parseAddress(address, 'reinvite.media_address'),
      port: spec.media_port ?? present.port,
    }
    const moved = spec.media_port !== undefined || address !== undefined
    const format = spec.codec === undefined ? undefined : makeFormat(spec.codec, undefined, spec.ptime_ms)
    if (format && accepted) session.useFormat(format)
    const where = moved ? { address: media.address.text, port: media.port } : {}
    const offer = this.describe(by, { ...where, t38: spec.t38, offer: true })
    const answer = (): string => this.describe(other(by), { t38: spec.t38 })
    const timeMs = this.modify(by, atMs, offer, status, answer)
    if (!accepted) return
    if (moved) {
      this.places[by] = where
      flow.changes[`from_${by}`].push({ timeMs, source: media })
    }
    if (format) {
      flow.changes.from_caller.push({ timeMs, format })
      flow.changes.from_callee.push({ timeMs, format })
    }
  }
}
