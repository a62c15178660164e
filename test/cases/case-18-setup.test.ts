import { describe, expect, it } from 'vitest'
import { directionOf, expectTruth, only, replay, replayScenario } from '../helpers/replay.js'
import { ALICE, ALICE_AUDIO, BOB, BOB_AUDIO, Dialog, media, NOON, sdp } from './hand-made.js'

describe('case 18: forking, redirection, CANCEL and challenges are one attempt each', () => {
  it.each([true, false])(
    'a fork: the branch of the 2xx is the call, with a proxy %s',
    async (behindProxy) => {
      const { calls, truth, streams } = await replayScenario({
        calls: [
          {
            duration_s: 20,
            rtcp: false,
            sip: behindProxy ? { proxy: '203.0.113.5' } : {},
            fork: [
              { user: 'bob2', address: '198.51.100.21', media_port: 30_000, early_media: true },
              { user: 'bob3', address: '198.51.100.22', media_port: 31_000 },
            ],
          },
        ],
      })
      const call = only(calls)
      const told = truth.calls[0]
      expect(call).toMatchObject({ state: 'completed', duration_s: 20, sip: { status: 200 } })
      expect(call.call_id).toBe(told.call_id)
      for (const name of ['from_caller', 'from_callee'] as const)
        expectTruth(directionOf(call, name), told.media[name])
      // The losing branch's early media is a stream of its own, in no number of the call.
      const losing = only(streams.filter((stream) => stream.source_address === '198.51.100.21'))
      expect(losing.packets).toBe(told.branches[0].packets)
      expect(directionOf(call, 'from_callee').ssrcs).not.toContain(losing.ssrc)
    },
  )

  it.each([401, 407] as const)('%d and the INVITE with credentials are one attempt', async (auth) => {
    const { calls, truth, summary } = await replayScenario({ calls: [{ duration_s: 5, rtcp: false, auth }] })
    const call = only(calls)
    const told = truth.calls[0]
    expect(call).toMatchObject({
      state: 'completed',
      duration_s: 5,
      sip: { status: 200, retransmissions: 0 },
    })
    // The setup is counted from the first INVITE, as the caller felt it.
    expect(call.sip?.setup_ms).toBeCloseTo(told.setup_ms ?? NaN, 3)
    expect(call.sip?.pdd_ms).toBeCloseTo(told.pdd_ms ?? NaN, 3)
    expect(summary.calls_by_state).toEqual({ completed: 1 })
  })

  it('CANCEL: cancelled with 487, no media expected, not a failure', async () => {
    const { calls, truth } = await replayScenario({ calls: [{ cancel_after_ms: 1500 }] })
    const call = only(calls)
    expect(call).toMatchObject({ state: 'cancelled', quality: 'unknown', sip: { status: 487 } })
    expect(call.end).toBe(truth.calls[0].end.slice(0, 23) + 'Z')
    expect(call.duration_s).toBeUndefined()
    expect(call.media.from_caller?.expected).not.toBe(true)
    expect(call.mos_cq_min).toBeUndefined()
  })

  it.each([
    [404, 'failed'],
    [486, 'failed'],
    [503, 'failed'],
    [603, 'failed'],
    [302, 'failed'],
  ])('a final %d: %s with that status, once, however often it is sent', async (status, state) => {
    const { calls } = await replayScenario({ calls: [{ status }] })
    expect(only(calls)).toMatchObject({ state, quality: 'unknown', sip: { status } })
  })

  it('no answer to the INVITE at all: a timeout, its copies retransmissions', async () => {
    const { calls, truth } = await replayScenario({
      calls: [{ status: 0 }],
      noise: [{ kind: 'dns', duration_s: 60, packets_per_second: 2 }],
    })
    const call = only(calls)
    expect(call).toMatchObject({ state: 'timeout', quality: 'unknown' })
    expect(call.sip?.retransmissions).toBe(truth.calls[0].retransmissions)
    expect(call.sip?.status).toBeUndefined()
  })

  it('a redirect that the caller follows under the same Call-ID is one call', async () => {
    const offer = sdp({ audio: ALICE_AUDIO })
    const first = new Dialog({ callId: 'redirected', caller: ALICE, callee: '203.0.113.80:5060' })
    first.toTag = 'redirector'
    const second = new Dialog({ callId: 'redirected', caller: ALICE, callee: BOB })
    second.cseq = 2
    const answerMs = NOON + 1000
    const { calls, summary } = await replay([
      first.fromCaller(NOON, first.inviteText(offer)),
      first.fromCallee(NOON + 50, first.responseText(302, 'Moved Temporarily')),
      first.fromCaller(NOON + 60, first.ackText()),
      second.fromCaller(NOON + 100, second.inviteText(offer)),
      second.fromCallee(NOON + 300, second.responseText(180, 'Ringing')),
      second.fromCallee(answerMs, second.responseText(200, 'OK', sdp({ audio: BOB_AUDIO }))),
      second.fromCaller(answerMs + 20, second.ackText()),
      ...media({ from: ALICE_AUDIO, to: BOB_AUDIO, startMs: answerMs + 40, packets: 400 }),
      ...media({ from: BOB_AUDIO, to: ALICE_AUDIO, startMs: answerMs + 40, packets: 400, ssrc: 2 }),
      ...second.hangUp(answerMs + 8100),
    ])
    const call = only(calls)
    expect(call).toMatchObject({
      state: 'completed',
      duration_s: 8.1,
      quality: 'good',
      callee_address: '198.51.100.20',
      sip: { status: 200, setup_ms: 1000, pdd_ms: 300 },
    })
    expect(directionOf(call, 'from_callee').packets).toBe(400)
    expect(summary.calls).toBe(1)
  })

  it('REFER with Replaces: both calls name each other', async () => {
    const transferred = new Dialog({ callId: 'second-leg', caller: ALICE, callee: BOB })
    const original = new Dialog({ callId: 'first-leg', caller: '192.0.2.66:5060', callee: BOB })
    const offer = sdp({ audio: '192.0.2.66:6600' })
    const replaces = 'Replaces: first-leg;to-tag=callee-1;from-tag=caller-1\r\nContent-Type'
    const { calls } = await replay([
      ...original.setUp(NOON, offer, sdp({ audio: BOB_AUDIO })),
      transferred.fromCaller(
        NOON + 5000,
        transferred.inviteText(sdp({ audio: ALICE_AUDIO })).replace('Content-Type', replaces),
      ),
      transferred.fromCallee(NOON + 5200, transferred.responseText(200, 'OK', sdp({ audio: BOB_AUDIO }))),
      transferred.fromCaller(NOON + 5220, transferred.ackText()),
      ...original.hangUp(NOON + 5300),
      ...transferred.hangUp(NOON + 9000),
    ])
    const byId = new Map(calls.map((call) => [call.call_id, call.related_calls]))
    expect(byId.get('second-leg')).toEqual(['first-leg'])
    expect(byId.get('first-leg')).toEqual(['second-leg'])
  })
})
