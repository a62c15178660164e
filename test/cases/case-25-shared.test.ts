import { describe, expect, it } from 'vitest'
import { directionOf, expectNear, only, percentOf, replay } from '../helpers/replay.js'
import { ALICE_AUDIO, BOB_AUDIO, callByHand, Dialog, media, NOON, sdp } from './hand-made.js'

describe('case 25: addresses and streams that two calls share', () => {
  it('the same addresses and ports in two VLANs are two calls, each with its own media', async () => {
    const red = { vlan: 10 }
    const blue = { vlan: 20 }
    const one = callByHand({ callId: 'red', link: red, durationMs: 9000 })
    const two = callByHand({ callId: 'blue', link: blue, startMs: NOON + 100, durationMs: 9000 })
    const run = { packets: 440 }
    const redLost = (n: number): boolean => n % 44 === 20
    const blueLost = (n: number): boolean => n === 7
    const { calls, streams } = await replay([
      ...one.frames,
      ...two.frames,
      ...media({
        ...run,
        startMs: one.answerMs + 40,
        from: ALICE_AUDIO,
        to: BOB_AUDIO,
        ssrc: 1,
        link: red,
        without: redLost,
      }),
      ...media({ ...run, startMs: one.answerMs + 41, from: BOB_AUDIO, to: ALICE_AUDIO, ssrc: 2, link: red }),
      ...media({ ...run, startMs: two.answerMs + 42, from: ALICE_AUDIO, to: BOB_AUDIO, ssrc: 3, link: blue }),
      ...media({
        ...run,
        startMs: two.answerMs + 43,
        from: BOB_AUDIO,
        to: ALICE_AUDIO,
        ssrc: 4,
        link: blue,
        without: blueLost,
      }),
    ])
    expect(streams.map((stream) => [stream.ssrc, stream.vlan, stream.call_id])).toEqual([
      ['0x00000001', 10, 'red'],
      ['0x00000002', 10, 'red'],
      ['0x00000003', 20, 'blue'],
      ['0x00000004', 20, 'blue'],
    ])
    const [first, second] = calls
    expect(first.call_id).toBe('red')
    expect(directionOf(first, 'from_caller')).toMatchObject({ packets: 430, lost: 10, ssrcs: ['0x00000001'] })
    expect(directionOf(first, 'from_callee')).toMatchObject({ packets: 440, lost: 0, ssrcs: ['0x00000002'] })
    expectNear(directionOf(first, 'from_caller').loss_percent, percentOf(10, 430), 1e-9)
    expect(directionOf(second, 'from_caller')).toMatchObject({ packets: 440, lost: 0, ssrcs: ['0x00000003'] })
    expect(directionOf(second, 'from_callee')).toMatchObject({ packets: 439, lost: 1, ssrcs: ['0x00000004'] })
  })

  it('a PBX that lets the parties talk directly has two calls on one pair of streams: both have its numbers', async () => {
    // Two dialogs, Alice to PBX and PBX to Bob; the session descriptions pass through unchanged.
    const pbx = '203.0.113.5:5060'
    const near = new Dialog({ callId: 'near', caller: '192.0.2.10:5060', callee: pbx })
    const far = new Dialog({ callId: 'far', caller: pbx, callee: '198.51.100.20:5060' })
    const answerMs = NOON + 500
    const run = { startMs: answerMs + 40, packets: 440 }
    const lost = (n: number): boolean => n === 100 || n === 101
    const { calls, streams } = await replay([
      near.fromCaller(NOON, near.inviteText(sdp({ audio: ALICE_AUDIO }))),
      far.fromCaller(NOON + 5, far.inviteText(sdp({ audio: ALICE_AUDIO }))),
      far.fromCallee(answerMs - 5, far.responseText(200, 'OK', sdp({ audio: BOB_AUDIO }))),
      far.fromCaller(answerMs - 3, far.ackText()),
      near.fromCallee(answerMs, near.responseText(200, 'OK', sdp({ audio: BOB_AUDIO }))),
      near.fromCaller(answerMs + 20, near.ackText()),
      ...media({ ...run, from: ALICE_AUDIO, to: BOB_AUDIO, ssrc: 1, without: lost }),
      ...media({ ...run, from: BOB_AUDIO, to: ALICE_AUDIO, ssrc: 2 }),
      ...near.hangUp(answerMs + 9000),
      ...far.hangUp(answerMs + 9010),
    ])
    expect(streams).toHaveLength(2)
    expect(calls.map((call) => call.call_id).sort()).toEqual(['far', 'near'])
    for (const call of calls) {
      expect(call.quality).toBe('good')
      expect(directionOf(call, 'from_caller')).toMatchObject({ packets: 438, lost: 2, ssrcs: ['0x00000001'] })
      expect(directionOf(call, 'from_callee')).toMatchObject({ packets: 440, lost: 0, ssrcs: ['0x00000002'] })
      expect(call.validity.directions_seen).toEqual(['from_caller', 'from_callee'])
    }
    expect(only(streams.filter((stream) => stream.ssrc === '0x00000001'))).toMatchObject({
      packets: 438,
      lost: 2,
    })
  })
})
