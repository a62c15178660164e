import { describe, expect, it } from 'vitest'
import { directionOf, expectTruth, only, replay, replayScenario } from '../helpers/replay.js'
import { callByHand, Dialog, media, NOON, sdp } from './hand-made.js'

describe('case 21: signalling and media on different paths and addresses', () => {
  it('media between other hosts than the signalling', async () => {
    const { calls, truth, streams } = await replayScenario({
      calls: [
        {
          duration_s: 10,
          rtcp: false,
          sip: { proxy: '203.0.113.5' },
          caller: { media_address: '192.0.2.200', media_port: 40_000 },
          callee: { media_address: '198.51.100.201', media_port: 50_000 },
          media: { both: { loss: { random_percent: 4 } } },
        },
      ],
    })
    const call = only(calls)
    for (const name of ['from_caller', 'from_callee'] as const)
      expectTruth(directionOf(call, name), truth.calls[0].media[name])
    expect(streams.map((stream) => stream.call_id)).toEqual([call.call_id, call.call_id])
    expect(call).toMatchObject({ caller_address: '192.0.2.10', state: 'completed' })
  })

  it('media over IPv6, signalling over IPv4', async () => {
    const call = callByHand({
      offer: { audio: '[2001:db8:0:0::10]:10000' },
      answer: { audio: '[2001:db8::20]:20000' },
    })
    const { calls, streams } = await replay([
      ...call.frames,
      ...media({
        from: '[2001:db8::10]:10000',
        to: '[2001:db8::20]:20000',
        startMs: call.answerMs + 40,
        packets: 450,
      }),
      ...media({
        from: '[2001:db8::20]:20000',
        to: '[2001:db8::10]:10000',
        startMs: call.answerMs + 40,
        packets: 450,
        ssrc: 2,
      }),
    ])
    expect(directionOf(only(calls), 'from_caller').packets).toBe(450)
    expect(directionOf(only(calls), 'from_callee').packets).toBe(450)
    expect(streams.map((stream) => stream.source_address)).toEqual(['2001:db8::10', '2001:db8::20'])
  })

  it('signalling in one VLAN, media in another', async () => {
    const call = callByHand({ link: { vlan: 10 } })
    const link = { vlan: 20 }
    const { calls, streams } = await replay([
      ...call.frames,
      ...media({
        from: '192.0.2.10:10000',
        to: '198.51.100.20:20000',
        startMs: call.answerMs + 40,
        packets: 450,
        link,
      }),
      ...media({
        from: '198.51.100.20:20000',
        to: '192.0.2.10:10000',
        startMs: call.answerMs + 40,
        packets: 450,
        ssrc: 2,
        link,
      }),
    ])
    expect(directionOf(only(calls), 'from_caller').packets).toBe(450)
    expect(directionOf(only(calls), 'from_callee').packets).toBe(450)
    expect(streams.map((stream) => stream.vlan)).toEqual([20, 20])
  })

  it('signalling in a tunnel, media without', async () => {
    const { calls, truth } = await replayScenario({
      link: { encapsulation: 'vxlan', vlan: 5 },
      calls: [{ duration_s: 10, rtcp: false, media: { both: { loss: { random_percent: 3 } } } }],
    })
    for (const name of ['from_caller', 'from_callee'] as const)
      expectTruth(directionOf(only(calls), name), truth.calls[0].media[name])
  })

  it('a call through a proxy is one call, though all its messages are seen twice', async () => {
    const { calls, truth, summary } = await replayScenario({
      calls: [{ duration_s: 10, rtcp: false, sip: { proxy: '203.0.113.5' } }],
    })
    const call = only(calls)
    const told = truth.calls[0]
    expect(call).toMatchObject({
      state: 'completed',
      duration_s: 10,
      sip: { status: 200, retransmissions: 0 },
    })
    expect(call.sip?.setup_ms).toBeCloseTo(told.setup_ms ?? NaN, 3)
    expect(summary.calls).toBe(1)
  })

  it('media through a relay between the two legs: each packet counts once, on the leg of the caller', async () => {
    // A proxy with a media relay at 203.0.113.9: both legs pass the tap, the relay keeps SSRC and sequence numbers.
    const near = new Dialog({ callId: 'relayed', caller: '192.0.2.10:5060', callee: '203.0.113.5:5060' })
    const far = new Dialog({ callId: 'relayed', caller: '203.0.113.5:5060', callee: '198.51.100.20:5060' })
    const via = (text: string): string =>
      text.replace('Via: ', 'Via: SIP/2.0/UDP 203.0.113.5:5060;branch=z9hG4bK-hop-2\r\nVia: ')
    const answerMs = NOON + 500
    const farInvite = via(near.inviteText(sdp({ audio: '203.0.113.9:40002' })))
    const farAnswer = via(near.responseText(200, 'OK', sdp({ audio: '198.51.100.20:20000' })))
    const run = { startMs: answerMs + 40, packets: 400 }
    const lost = (n: number): boolean => n === 200
    const { calls, streams } = await replay([
      near.fromCaller(NOON, near.inviteText(sdp({ audio: '192.0.2.10:10000' }))),
      far.fromCaller(NOON + 2, farInvite),
      far.fromCallee(answerMs - 2, farAnswer),
      near.fromCallee(answerMs, near.responseText(200, 'OK', sdp({ audio: '203.0.113.9:40000' }))),
      near.fromCaller(answerMs + 20, near.ackText()),
      far.fromCaller(answerMs + 22, via(near.ackText())),
      ...media({ ...run, from: '192.0.2.10:10000', to: '203.0.113.9:40000', ssrc: 1 }),
      ...media({
        ...run,
        startMs: run.startMs + 1,
        from: '203.0.113.9:40002',
        to: '198.51.100.20:20000',
        ssrc: 1,
      }),
      ...media({ ...run, from: '198.51.100.20:20000', to: '203.0.113.9:40002', ssrc: 2, without: lost }),
      ...media({
        ...run,
        startMs: run.startMs + 1,
        from: '203.0.113.9:40000',
        to: '192.0.2.10:10000',
        ssrc: 2,
        without: lost,
      }),
      near.fromCaller(answerMs + 8100, near.byeText()),
      far.fromCaller(answerMs + 8102, via(near.byeText())),
      far.fromCallee(answerMs + 8110, via(near.byeOkText())),
      near.fromCallee(answerMs + 8112, near.byeOkText()),
    ])
    const call = only(calls)
    expect(streams.map((stream) => [stream.call_id, stream.packets]).sort()).toEqual([
      ['relayed', 399],
      ['relayed', 399],
      ['relayed', 400],
      ['relayed', 400],
    ])
    expect(directionOf(call, 'from_caller')).toMatchObject({ packets: 400, lost: 0 })
    expect(directionOf(call, 'from_callee')).toMatchObject({ packets: 399, lost: 1 })
  })
})
