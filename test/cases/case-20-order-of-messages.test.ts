import { describe, expect, it } from 'vitest'
import { directionOf, only, replay } from '../helpers/replay.js'
import { ALICE_AUDIO, BOB_AUDIO, callByHand, Dialog, ALICE, BOB, media, NOON, sdp } from './hand-made.js'

describe('case 20: messages out of order', () => {
  it('the 200 is seen before its INVITE (two mirror ports, two queues)', async () => {
    const dialog = new Dialog({ callId: 'overtaken', caller: ALICE, callee: BOB })
    const invite = dialog.inviteText(sdp({ audio: ALICE_AUDIO }))
    const ok = dialog.responseText(200, 'OK', sdp({ audio: BOB_AUDIO }))
    const answerMs = NOON + 3
    const { calls } = await replay([
      dialog.fromCallee(answerMs, ok),
      dialog.fromCaller(NOON + 4, invite),
      dialog.fromCaller(NOON + 20, dialog.ackText()),
      ...media({ from: ALICE_AUDIO, to: BOB_AUDIO, startMs: NOON + 40, packets: 400 }),
      ...media({ from: BOB_AUDIO, to: ALICE_AUDIO, startMs: NOON + 45, packets: 400, ssrc: 2 }),
      ...dialog.hangUp(NOON + 8100),
    ])
    const call = only(calls)
    expect(call).toMatchObject({
      state: 'completed',
      quality: 'good',
      caller: 'alice',
      callee: 'bob',
      caller_address: '192.0.2.10',
      callee_address: '198.51.100.20',
      sip: { status: 200, ended_by: 'caller' },
      validity: { complete_start: true, complete_end: true, directions_seen: ['from_caller', 'from_callee'] },
    })
    expect(directionOf(call, 'from_caller').packets).toBe(400)
    expect(directionOf(call, 'from_callee').packets).toBe(400)
  })

  it('the BYE is seen before the INVITE: one call, over', async () => {
    const dialog = new Dialog({ callId: 'backwards', caller: ALICE, callee: BOB })
    const { calls, summary } = await replay([
      dialog.fromCaller(NOON, dialog.byeText()),
      dialog.fromCaller(NOON + 1, dialog.inviteText(sdp({ audio: ALICE_AUDIO }))),
      dialog.fromCallee(NOON + 2, dialog.responseText(200, 'OK', sdp({ audio: BOB_AUDIO }))),
      dialog.fromCaller(NOON + 3, dialog.ackText()),
      dialog.fromCallee(NOON + 4, dialog.byeOkText()),
    ])
    const call = only(calls)
    expect(call).toMatchObject({ state: 'completed', caller: 'alice', callee: 'bob' })
    expect(summary.calls).toBe(1)
  })

  it('a capture that begins in mid-call: BYE alone ends a call whose start was not seen', async () => {
    const call = callByHand()
    const bye = call.frames.slice(3)
    const { calls } = await replay(bye)
    expect(only(calls)).toMatchObject({
      call_id: 'by-hand',
      state: 'completed',
      validity: { complete_start: false, complete_end: true },
    })
    expect(only(calls).duration_s).toBeUndefined()
    expect(only(calls).quality).toBe('unknown')
  })

  it('a re-INVITE is the first that is seen: its SDP binds the media that run already', async () => {
    const dialog = new Dialog({ callId: 'joined-late', caller: ALICE, callee: BOB })
    const run = { startMs: NOON, packets: 500 }
    const { calls, streams } = await replay([
      ...media({ ...run, from: ALICE_AUDIO, to: BOB_AUDIO }),
      ...media({ ...run, from: BOB_AUDIO, to: ALICE_AUDIO, ssrc: 2 }),
      ...dialog.reinvite(NOON + 4000, sdp({ audio: ALICE_AUDIO }), sdp({ audio: BOB_AUDIO })),
      ...dialog.hangUp(NOON + 10_100),
    ])
    const call = only(calls)
    expect(call).toMatchObject({
      call_id: 'joined-late',
      state: 'completed',
      validity: { complete_start: false },
    })
    expect(directionOf(call, 'from_caller')).toMatchObject({ packets: 500, lost: 0 })
    expect(directionOf(call, 'from_callee')).toMatchObject({ packets: 500, lost: 0 })
    expect(streams.map((stream) => stream.call_id)).toEqual(['joined-late', 'joined-late'])
  })

  it('a capture that ends in mid-call: in progress, without an end', async () => {
    const call = callByHand()
    const { calls } = await replay([
      ...call.frames.slice(0, 3),
      ...media({ from: ALICE_AUDIO, to: BOB_AUDIO, startMs: call.answerMs + 40, packets: 400 }),
      ...media({ from: BOB_AUDIO, to: ALICE_AUDIO, startMs: call.answerMs + 40, packets: 400, ssrc: 2 }),
    ])
    expect(only(calls)).toMatchObject({
      state: 'in_progress',
      quality: 'good',
      validity: { complete_start: true, complete_end: false },
    })
    expect(only(calls).end).toBeUndefined()
    expect(only(calls).duration_s).toBeUndefined()
    expect(directionOf(only(calls), 'from_callee').packets).toBe(400)
  })
})
