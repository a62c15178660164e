import { describe, expect, it } from 'vitest'
import type { CallRecord } from '../../src/calls/records.js'
import { directionOf, expectTruth, only, replay, replayScenario } from '../helpers/replay.js'
import { ALICE, ALICE_AUDIO, BOB, BOB_AUDIO, callByHand, Dialog, media, NOON, sdp } from './hand-made.js'

/** Call-ID and packets from the caller and from the callee. */
function packetsOf(calls: readonly CallRecord[]): unknown[] {
  return calls.map(({ call_id, media }) => [call_id, media.from_caller?.packets, media.from_callee?.packets])
}

describe('a stream belongs to the call', () => {
  it('that announced both its ends in SDP', async () => {
    const { calls, truth, streams } = await replayScenario({
      calls: [
        { duration_s: 10, rtcp: false, media: { both: { loss: { random_percent: 3 } } } },
        {
          at_s: 1,
          duration_s: 10,
          rtcp: false,
          caller: { address: '192.0.2.11' },
          callee: { media_port: 20_002 },
        },
      ],
    })
    expect(calls).toHaveLength(2)
    for (const told of truth.calls) {
      const call = only(calls.filter((one) => one.call_id === told.call_id))
      for (const name of ['from_caller', 'from_callee'] as const) {
        expectTruth(directionOf(call, name), told.media[name])
        const stream = only(streams.filter((one) => one.call_id === call.call_id && one.direction === name))
        expect(stream).toMatchObject({
          source_address: told.media[name]?.source_address,
          source_port: told.media[name]?.source_port,
          destination_address: told.media[name]?.destination_address,
          destination_port: told.media[name]?.destination_port,
        })
      }
    }
  })

  it('whose party sends from where it receives, though the other end was announced wrongly (symmetric RTP)', async () => {
    // Bob's SDP names 10.9.8.7, which nobody can reach; Alice answers to where Bob's media come from.
    const call = callByHand({ answer: { audio: '10.9.8.7:20000' } })
    const run = { startMs: call.answerMs + 40, packets: 450 }
    const seen = '203.0.113.77:61000'
    const { calls, streams } = await replay([
      ...call.frames,
      ...media({ ...run, from: seen, to: ALICE_AUDIO, ssrc: 2, without: (n) => n === 5 }),
      ...media({ ...run, startMs: run.startMs + 60, from: ALICE_AUDIO, to: seen, ssrc: 1 }),
    ])
    expect(streams.map((stream) => [stream.call_id, stream.direction])).toEqual([
      ['by-hand', 'from_callee'],
      ['by-hand', 'from_caller'],
    ])
    expect(directionOf(only(calls), 'from_caller')).toMatchObject({ packets: 450, lost: 0 })
    expect(directionOf(only(calls), 'from_callee')).toMatchObject({ packets: 449, lost: 1 })
    expect(only(calls).quality).toBe('good')
  })

  it('whose caller sits behind NAT: media from the address of its signalling, at the port of its SDP', async () => {
    const { calls, truth, streams } = await replayScenario({
      calls: [
        {
          duration_s: 10,
          rtcp: false,
          caller: { address: '203.0.113.50', nat_private_address: '192.168.1.5' },
          media: { both: { loss: { random_percent: 3 } } },
        },
      ],
    })
    const call = only(calls)
    for (const name of ['from_caller', 'from_callee'] as const)
      expectTruth(directionOf(call, name), truth.calls[0].media[name])
    expect(streams.map((stream) => stream.call_id)).toEqual([call.call_id, call.call_id])
    expect(call.caller_address).toBe('203.0.113.50')
  })

  it('both behind NAT, the router kept the ports: by port and signalling address', async () => {
    const { calls, truth } = await replayScenario({
      calls: [
        {
          duration_s: 10,
          rtcp: false,
          caller: { address: '203.0.113.50', nat_private_address: '192.168.1.5' },
          callee: { address: '203.0.113.60', nat_private_address: '192.168.1.5' },
        },
      ],
    })
    for (const name of ['from_caller', 'from_callee'] as const)
      expectTruth(directionOf(only(calls), name), truth.calls[0].media[name])
  })

  it('that announced it by an ICE candidate', async () => {
    const candidate = 'candidate:1 1 UDP 2130706431 192.0.2.150 45000 typ srflx raddr 192.168.1.2 rport 45000'
    const call = callByHand({ offer: { audio: '192.168.1.2:45000', attributes: [candidate] } })
    const run = { startMs: call.answerMs + 40, packets: 450 }
    const { calls } = await replay([
      ...call.frames,
      ...media({ ...run, from: '192.0.2.150:45000', to: '198.51.100.99:30000', ssrc: 1 }),
      ...media({ ...run, from: '198.51.100.99:30000', to: '192.0.2.150:45000', ssrc: 2 }),
    ])
    expect(directionOf(only(calls), 'from_caller').packets).toBe(450)
    expect(directionOf(only(calls), 'from_callee').packets).toBe(450)
  })

  it('that is up, not the one that held the same port before it', async () => {
    const first = callByHand({ callId: 'first', durationMs: 3000 })
    const second = new Dialog({ callId: 'second', caller: '192.0.2.66:5060', callee: BOB })
    const secondAnswerMs = first.answerMs + 3600
    const { calls } = await replay([
      ...first.frames,
      ...media({ startMs: first.answerMs + 40, packets: 140, from: ALICE_AUDIO, to: BOB_AUDIO, ssrc: 1 }),
      // Bob's port again, 100 ms after the first call's BYE, for another caller.
      ...second.setUp(first.answerMs + 3100, sdp({ audio: '192.0.2.66:6000' }), sdp({ audio: BOB_AUDIO })),
      ...media({
        startMs: secondAnswerMs + 40,
        packets: 140,
        from: '192.0.2.66:6000',
        to: BOB_AUDIO,
        ssrc: 9,
      }),
      ...media({
        startMs: secondAnswerMs + 40,
        packets: 140,
        from: BOB_AUDIO,
        to: '192.0.2.66:6000',
        ssrc: 8,
      }),
      ...second.hangUp(secondAnswerMs + 3000),
    ])
    expect(packetsOf(calls)).toEqual([
      ['first', 140, 0],
      ['second', 140, 140],
    ])
  })

  it.each([
    ['rings', 900],
    ['has ended by then', -100],
  ])(
    'that turns out to have announced both ends, not a later one of the same caller that %s',
    async (_, busyMs) => {
      // Alice calls two places from one port; Bob speaks before his 200 is seen, Carol is busy.
      const bob = new Dialog({ callId: 'bob', caller: ALICE, callee: BOB })
      const carol = new Dialog({ callId: 'carol', caller: ALICE, callee: '198.51.100.9:5060' })
      const offer = sdp({ audio: ALICE_AUDIO })
      const answerMs = NOON + 9_900
      const run = { packets: 300, startMs: answerMs - 200 }
      const { calls, intervals, streams } = await replay([
        ...[
          bob.fromCaller(answerMs - 800, bob.inviteText(offer)),
          carol.fromCaller(answerMs - 600, carol.inviteText(offer)),
          bob.fromCallee(answerMs, bob.responseText(200, 'OK', sdp({ audio: BOB_AUDIO }))),
          bob.fromCaller(answerMs + 10, bob.ackText()),
          carol.fromCallee(answerMs + busyMs, carol.responseText(486, 'Busy Here')),
          carol.fromCaller(answerMs + busyMs + 10, carol.ackText()),
        ],
        ...media({ ...run, from: BOB_AUDIO, to: ALICE_AUDIO, ssrc: 2 }),
        ...media({ ...run, from: ALICE_AUDIO, to: BOB_AUDIO, ssrc: 1 }),
        ...bob.hangUp(answerMs + 6_000),
      ])
      expect(packetsOf(calls)).toEqual([
        ['carol', 0, 0],
        ['bob', 300, 300],
      ])
      expect(streams.map((stream) => [stream.call_id, stream.packets])).toEqual([
        ['bob', 300],
        ['bob', 300],
      ])
      // The first 200 ms are in the interval in which the answer came.
      const seen = intervals.filter(
        ({ call_id, direction }) => call_id === 'bob' && direction === 'from_callee',
      )
      expect(seen.reduce((sum, { packets }) => sum + packets, 0)).toBe(300)
      expect(intervals.filter(({ call_id }) => call_id === 'carol')).toEqual([])
    },
  )

  it('whose INVITE is seen only after its media began, not one that had ended by then', async () => {
    // Alice gave up calling Carol, and calls Bob from the same port; the signalling reaches the tap 200 ms late.
    const carol = new Dialog({ callId: 'carol', caller: ALICE, callee: '198.51.100.9:5060' })
    const bob = new Dialog({ callId: 'bob', caller: ALICE, callee: BOB })
    const offer = sdp({ audio: ALICE_AUDIO })
    const answerMs = NOON + 2_500
    const run = { packets: 300, startMs: answerMs - 700 }
    const { calls, streams } = await replay([
      carol.fromCaller(NOON, carol.inviteText(offer)),
      carol.fromCallee(NOON + 500, carol.responseText(486, 'Busy Here')),
      carol.fromCaller(NOON + 510, carol.ackText()),
      ...bob.setUp(answerMs - 500, offer, sdp({ audio: BOB_AUDIO })),
      ...media({ ...run, from: BOB_AUDIO, to: ALICE_AUDIO, ssrc: 2 }),
      ...media({ ...run, from: ALICE_AUDIO, to: BOB_AUDIO, ssrc: 1 }),
      ...bob.hangUp(answerMs + 6_000),
    ])
    expect(packetsOf(calls)).toEqual([
      ['carol', 0, 0],
      ['bob', 300, 300],
    ])
    expect(streams.map(({ call_id }) => call_id)).toEqual(['bob', 'bob'])
  })

  it('that announced both its ends, from then on: before, it was of the one that announced where it went', async () => {
    // Nobody saw how the first call ended. Alice's media never came from where she said, until her next call.
    const first = new Dialog({ callId: 'first', caller: ALICE, callee: BOB })
    const second = new Dialog({ callId: 'second', caller: ALICE, callee: BOB })
    const seen = '203.0.113.77:61000'
    const answer = sdp({ audio: BOB_AUDIO })
    const secondMs = NOON + 5_000
    const { calls } = await replay([
      ...first.setUp(NOON, sdp({ audio: '10.9.8.7:20000' }), answer),
      ...media({ startMs: NOON + 610, packets: 400, from: seen, to: BOB_AUDIO, ssrc: 1 }),
      ...second.setUp(secondMs, sdp({ audio: seen }), answer),
      ...second.hangUp(secondMs + 3_600),
    ])
    const packets = calls.map((call) => [call.call_id, call.media.from_caller?.packets])
    // The answer comes 4,890 ms after the media began.
    expect(packets).toEqual([
      ['first', 245],
      ['second', 155],
    ])
  })
})

describe('a call', () => {
  it('with video has its audio in its numbers; video is a stream of the call', async () => {
    const dialog = new Dialog({ callId: 'seen', caller: ALICE, callee: BOB })
    const video = (port: number): string => `m=video ${port} RTP/AVP 99\r\na=rtpmap:99 H264/90000\r\n`
    const answerMs = NOON + 500
    const pictures = { packets: 300, ptimeMs: 33, ticks: 3000, payloadType: 99, startMs: answerMs + 50 }
    const { calls, streams } = await replay([
      ...dialog.setUp(
        NOON,
        sdp({ audio: ALICE_AUDIO }) + video(10_002),
        sdp({ audio: BOB_AUDIO }) + video(20_002),
      ),
      ...media({ from: ALICE_AUDIO, to: BOB_AUDIO, startMs: answerMs + 40, packets: 450 }),
      ...media({ from: BOB_AUDIO, to: ALICE_AUDIO, startMs: answerMs + 40, packets: 450, ssrc: 2 }),
      ...media({
        ...pictures,
        from: '192.0.2.10:10002',
        to: '198.51.100.20:20002',
        ssrc: 3,
        without: (n) => n === 9,
      }),
      ...media({ ...pictures, from: '198.51.100.20:20002', to: '192.0.2.10:10002', ssrc: 4 }),
      ...dialog.hangUp(answerMs + 10_000),
    ])
    const call = only(calls)
    for (const name of ['from_caller', 'from_callee'] as const)
      expect(directionOf(call, name)).toMatchObject({ packets: 450, lost: 0, codec: 'PCMU', segments: 1 })
    expect(streams.map((stream) => [stream.ssrc, stream.call_id, stream.packets, stream.lost])).toEqual([
      ['0x00001001', 'seen', 450, 0],
      ['0x00000002', 'seen', 450, 0],
      ['0x00000003', 'seen', 299, 1],
      ['0x00000004', 'seen', 300, 0],
    ])
  })

  it('without a BYE is over when its media stopped long ago: a timeout, with the numbers it had', async () => {
    const call = callByHand()
    const later = await replayScenario({
      start: new Date(NOON + 15_000).toISOString(),
      noise: [{ kind: 'dns', duration_s: 120, packets_per_second: 2 }],
    })
    const run = { startMs: call.answerMs + 40, packets: 500 }
    const frames = [
      ...call.frames.slice(0, 3),
      ...media({ ...run, from: ALICE_AUDIO, to: BOB_AUDIO }),
      ...media({ ...run, from: BOB_AUDIO, to: ALICE_AUDIO, ssrc: 2 }),
      ...later.packets,
    ]
    const timeouts = { stream_idle_s: 20, call_idle_s: 60, setup_s: 180, tcp_idle_s: 3600, fragment_s: 30 }
    const { calls, summary } = await replay(frames, { timeouts })
    expect(only(calls)).toMatchObject({
      state: 'timeout',
      quality: 'good',
      validity: { complete_end: false },
    })
    expect(directionOf(only(calls), 'from_caller')).toMatchObject({ packets: 500, lost: 0 })
    expect(summary.calls_by_state).toEqual({ timeout: 1 })
    // With more patience than the capture is long it is in progress.
    const patient = await replay(frames, { timeouts: { ...timeouts, call_idle_s: 300 } })
    expect(only(patient.calls).state).toBe('in_progress')
  })
})

describe('media that come before the signalling that explains them', () => {
  it('early media of the callee, after a 183 with SDP and before the 200', async () => {
    const { calls, truth, streams } = await replayScenario({
      calls: [{ duration_s: 10, rtcp: false, early_media: true, media: { both: { codec: 'opus' } } }],
    })
    const call = only(calls)
    for (const name of ['from_caller', 'from_callee'] as const)
      expectTruth(directionOf(call, name), truth.calls[0].media[name])
    expect(directionOf(call, 'from_callee').packets).toBeGreaterThan(
      directionOf(call, 'from_caller').packets + 80,
    )
    expect(streams).toHaveLength(2)
  })

  it('early media before any answer: the offer says what its dynamic types are', async () => {
    const dialog = new Dialog({ callId: 'early', caller: ALICE, callee: BOB })
    const attributes = ['rtpmap:96 AMR-WB/16000', 'fmtp:96 octet-align=1']
    const answerMs = NOON + 3000
    const { calls } = await replay([
      dialog.fromCaller(NOON, dialog.inviteText(sdp({ audio: ALICE_AUDIO, formats: '96', attributes }))),
      ...media({
        from: BOB_AUDIO,
        to: ALICE_AUDIO,
        startMs: NOON + 400,
        packets: 600,
        payloadType: 96,
        ticks: 320,
        ssrc: 2,
        payload: new Uint8Array(61),
        without: (n) => n === 50,
      }),
      dialog.fromCallee(
        answerMs,
        dialog.responseText(200, 'OK', sdp({ audio: BOB_AUDIO, formats: '96', attributes })),
      ),
      dialog.fromCaller(answerMs + 20, dialog.ackText()),
      ...dialog.hangUp(NOON + 12_500),
    ])
    expect(directionOf(only(calls), 'from_callee')).toMatchObject({
      packets: 599,
      lost: 1,
      codec: 'AMR-WB',
      clock_rate_hz: 16_000,
      ptime_ms: 20,
      jitter_max_ms: 0,
      late: 0,
    })
  })

  it('the caller sends dynamic types that only the answer explains, and the answer comes later', async () => {
    const dialog = new Dialog({ callId: 'answer-last', caller: ALICE, callee: BOB })
    const answerMs = NOON + 3000
    const offer = sdp({ audio: ALICE_AUDIO, formats: '0 8' })
    const answer = sdp({ audio: BOB_AUDIO, formats: '112', attributes: ['rtpmap:112 iLBC/8000'] })
    const { calls, streams } = await replay([
      dialog.fromCaller(NOON, dialog.inviteText(offer)),
      ...media({
        from: ALICE_AUDIO,
        to: BOB_AUDIO,
        startMs: NOON + 2000,
        packets: 500,
        payloadType: 112,
        payload: new Uint8Array(38),
        without: (n) => n === 20 || n === 300,
      }),
      dialog.fromCallee(answerMs, dialog.responseText(200, 'OK', answer)),
      dialog.fromCaller(answerMs + 20, dialog.ackText()),
      ...dialog.hangUp(NOON + 12_500),
    ])
    // Every packet counts, also those that came while nobody could know their clock.
    const direction = directionOf(only(calls), 'from_caller')
    expect(direction).toMatchObject({
      packets: 498,
      lost: 2,
      codec: 'ILBC',
      clock_rate_hz: 8000,
      jitter_max_ms: 0,
    })
    expect(only(streams)).toMatchObject({ packets: 498, call_id: 'answer-last', codec: 'ILBC' })
  })

  it('a call whose INVITE is seen only after its media began (the capture began in between)', async () => {
    const call = callByHand({ startMs: NOON + 2000 })
    const run = { startMs: NOON, packets: 600 }
    const { calls, streams } = await replay([
      ...media({ ...run, from: ALICE_AUDIO, to: BOB_AUDIO, ssrc: 1 }),
      ...media({ ...run, from: BOB_AUDIO, to: ALICE_AUDIO, ssrc: 2 }),
      ...call.frames,
    ])
    expect(only(calls)).toMatchObject({ call_id: 'by-hand', state: 'completed' })
    expect(directionOf(only(calls), 'from_caller')).toMatchObject({ packets: 600, lost: 0 })
    expect(directionOf(only(calls), 'from_callee')).toMatchObject({ packets: 600, lost: 0 })
    expect(streams.map((stream) => stream.call_id)).toEqual(['by-hand', 'by-hand'])
  })
})

describe('media without any signalling', () => {
  it('two directions between the same two places are one call; the first sender is the caller', async () => {
    const { calls, truth, streams } = await replayScenario({
      streams: [
        { from: '192.0.2.1:4000', to: '192.0.2.2:5000', duration_s: 20, loss: { random_percent: 5 } },
        { at_s: 0.5, from: '192.0.2.2:5000', to: '192.0.2.1:4000', duration_s: 20, codec: 'PCMA' },
      ],
    })
    const call = only(calls)
    expect(call).toMatchObject({
      state: 'media_only',
      caller_address: '192.0.2.1',
      callee_address: '192.0.2.2',
      validity: { directions_seen: ['from_caller', 'from_callee'] },
    })
    expect(call.sip).toBeUndefined()
    expectTruth(directionOf(call, 'from_caller'), truth.streams[0])
    expectTruth(directionOf(call, 'from_callee'), truth.streams[1])
    expect(directionOf(call, 'from_callee').codec).toBe('PCMA')
    // From the first packet of the one to the last of the other: 0.5 s + 20 s - 20 ms.
    expect(call.duration_s).toBeCloseTo(20.48, 3)
    expect(streams.map((stream) => stream.call_id)).toEqual([call.call_id, call.call_id])
  })

  it('has the same call_id in every replay, and another one for other media', async () => {
    const scenario = { streams: [{ from: '192.0.2.1:4000', to: '192.0.2.2:5000', duration_s: 5 }] }
    const [first, second] = [await replayScenario(scenario), await replayScenario(scenario)]
    const later = await replayScenario({ ...scenario, start: '2024-01-01T01:00:00Z' })
    expect(only(second.calls).call_id).toBe(only(first.calls).call_id)
    expect(only(later.calls).call_id).not.toBe(only(first.calls).call_id)
  })

  it('one direction alone: a call with one direction, whose quality is that of what was seen', async () => {
    const { calls } = await replayScenario({
      streams: [{ from: '[2001:db8::1]:4000', to: '[2001:db8::2]:5000', duration_s: 20 }],
    })
    const call = only(calls)
    expect(call).toMatchObject({ state: 'media_only', caller_address: '2001:db8::1', quality: 'good' })
    expect(call.media.from_callee).toBeUndefined()
    expect(call.validity.directions_seen).toEqual(['from_caller'])
  })

  it('noise that is no RTP makes no call', async () => {
    const { calls, streams, summary } = await replayScenario({
      noise: [
        { kind: 'dns', duration_s: 20, packets_per_second: 50 },
        { kind: 'stun', duration_s: 20, packets_per_second: 50 },
        { kind: 'quic', duration_s: 20, packets_per_second: 50 },
        { kind: 'udp', duration_s: 20, packets_per_second: 50 },
      ],
    })
    expect(calls).toEqual([])
    expect(streams).toEqual([])
    expect(summary.packets).toBeGreaterThan(3900)
  })
})
