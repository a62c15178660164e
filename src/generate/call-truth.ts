import type { CallFlow, CallSetup } from './call-types.js'
import type { RttSample } from './rtcp-exchange.js'
import { reasonPhrase } from './sip-message.js'
import { type CallTruth, type DirectionTruth, nearestRank, type RttTruth, timeText } from './truth.js'

/** A sample of one leg is joined to the other leg's latest when that is at most this old. */
const RTT_MEMORY_MS = 15_000

function summarize(values: number[]): RttTruth | undefined {
  if (values.length === 0) return undefined
  const sorted = Float64Array.from(values).sort()
  return {
    samples: sorted.length,
    rtt_p50_ms: nearestRank(sorted, 50),
    rtt_p95_ms: nearestRank(sorted, 95),
    rtt_max_ms: sorted[sorted.length - 1],
  }
}

function endToEnd(samples: RttSample[]): number[] {
  const latest: Partial<Record<RttSample['leg'], RttSample>> = {}
  const sums: number[] = []
  for (const sample of samples) {
    const partner = latest[sample.leg === 'caller' ? 'callee' : 'caller']
    if (partner && sample.timeMs - partner.timeMs <= RTT_MEMORY_MS) sums.push(sample.rttMs + partner.rttMs)
    latest[sample.leg] = sample
  }
  return sums
}

function between(fromMs: number | undefined, toMs: number | undefined): number | undefined {
  return fromMs === undefined || toMs === undefined ? undefined : toMs - fromMs
}

/** What is true of a call as a whole; undefined fields vanish in JSON. */
export function describeCall(
  setup: CallSetup,
  flow: CallFlow,
  media: CallTruth['media'],
  rtts: RttSample[],
  branches: DirectionTruth[],
): CallTruth {
  const { caller, callee, spec } = setup
  const finalMs = flow.status === undefined ? undefined : flow.endMs
  const lasted = between(flow.answerMs, flow.byeMs)
  return {
    call_id: setup.callId,
    state: flow.state,
    start: timeText(flow.inviteMs),
    end: timeText(flow.endMs),
    answer: flow.answerMs === undefined ? undefined : timeText(flow.answerMs),
    duration_s: lasted === undefined ? undefined : lasted / 1000,
    status: flow.status,
    reason: flow.status === undefined ? undefined : reasonPhrase(flow.status),
    caller: caller.user,
    callee: callee.user,
    caller_address: caller.node.endpoint.address.text,
    callee_address: spec.sip?.proxy ?? callee.node.endpoint.address.text,
    transport: spec.sip?.transport ?? 'udp',
    pdd_ms: between(flow.inviteMs, flow.progressMs ?? flow.answerMs ?? finalMs),
    setup_ms: between(flow.inviteMs, flow.answerMs),
    ring_ms: between(flow.ringingMs, flow.answerMs),
    ended_by: flow.endedBy,
    auth_challenges: flow.authChallenges,
    retransmissions: flow.retransmissions,
    hold_ms: flow.holdMs,
    encrypted: spec.srtp ?? false,
    caller_leg: summarize(rtts.filter(({ leg }) => leg === 'caller').map(({ rttMs }) => rttMs)),
    callee_leg: summarize(rtts.filter(({ leg }) => leg === 'callee').map(({ rttMs }) => rttMs)),
    end_to_end: summarize(endToEnd(rtts)),
    media,
    branches,
  }
}
