import { describe, expect, it } from 'vitest'
import { directionOf, expectNear, expectTruth, only, replay, replayScenario } from '../helpers/replay.js'
import { CALM_DELAY_MS, DELAY_TOLERANCE, mosOf } from './e-model.js'
import { ALICE_AUDIO, BOB_AUDIO, callByHand, media, NOON, rtp, datagram } from './hand-made.js'

describe('case 12: telephone events', () => {
  it('digits are counted as events; their packets are packets and feed no jitter', async () => {
    const { calls, truth } = await replayScenario({
      calls: [
        {
          duration_s: 20,
          rtcp: false,
          media: {
            from_caller: {
              dtmf: [
                { at_s: 3, digit: '1', duration_ms: 100 },
                { at_s: 4, digit: '1', duration_ms: 400 },
                { at_s: 6, digit: '#', duration_ms: 20 },
              ],
            },
          },
        },
      ],
    })
    const direction = directionOf(only(calls), 'from_caller')
    expectTruth(direction, truth.calls[0].media.from_caller)
    expect(direction).toMatchObject({
      dtmf_events: 3,
      codec: 'PCMU',
      payload_type: 0,
      lost: 0,
      duplicates: 0,
      late: 0,
      timestamp_jumps: 0,
      jitter_max_ms: 0,
      pdv_max_ms: 0,
    })
    expectNear(direction.mos_cq, mosOf({ delayMs: CALM_DELAY_MS }), DELAY_TOLERANCE)
  })

  it('a lost event packet is lost, and one lost end packet does not double the event', async () => {
    const { calls, truth } = await replayScenario({
      calls: [
        {
          duration_s: 10,
          rtcp: false,
          // The event's 5 + 2 packets are those from 148 on.
          media: {
            both: { dtmf: [{ at_s: 3, digit: '5', duration_ms: 100 }], loss: { packets: [150, 153] } },
          },
        },
      ],
    })
    const direction = directionOf(only(calls), 'from_caller')
    expectTruth(direction, truth.calls[0].media.from_caller)
    expect(direction).toMatchObject({ dtmf_events: 1, lost: 2 })
  })

  it('events of a payload type that only the SDP knows, on another clock than 8000 Hz', async () => {
    const { calls, truth } = await replayScenario({
      calls: [
        {
          duration_s: 10,
          rtcp: false,
          media: {
            both: { codec: 'opus', dtmf: [{ at_s: 2, digit: '9' }], dtmf_payload_type: 101 },
          },
        },
      ],
    })
    const direction = directionOf(only(calls), 'from_caller')
    expectTruth(direction, truth.calls[0].media.from_caller)
    expect(direction).toMatchObject({ dtmf_events: 1, codec: 'OPUS', clock_rate_hz: 48_000, lost: 0 })
  })
})

describe('case 13: comfort noise', () => {
  it('CN (13) between talkspurts is neither jitter, nor a codec change, nor a jump', async () => {
    const { calls, truth } = await replayScenario({
      calls: [
        {
          duration_s: 30,
          rtcp: false,
          media: {
            both: {
              dtx: { talk_s: 1, silence_s: 2, comfort_noise: true, comfort_noise_interval_ms: 200 },
              jitter: { uniform_ms: 5 },
            },
          },
        },
      ],
    })
    for (const name of ['from_caller', 'from_callee'] as const) {
      const direction = directionOf(only(calls), name)
      expectTruth(direction, truth.calls[0].media[name])
      expect(direction).toMatchObject({
        codec: 'PCMU',
        payload_type: 0,
        lost: 0,
        timestamp_jumps: 0,
        late: 0,
      })
      expect(direction.mos_mixed_scale).toBeUndefined()
    }
  })

  it('a lost CN packet is a lost packet', async () => {
    const { calls, truth } = await replayScenario({
      calls: [
        {
          duration_s: 20,
          rtcp: false,
          media: { both: { dtx: { talk_s: 1, silence_s: 1 }, loss: { packets: [50, 152] } } },
        },
      ],
    })
    const direction = directionOf(only(calls), 'from_caller')
    expectTruth(direction, truth.calls[0].media.from_caller)
    expect(direction.lost).toBe(2)
  })

  it("G.729's two-byte SID frames keep the codec's payload type and are measured like its other packets", async () => {
    const call = callByHand({
      offer: { audio: ALICE_AUDIO, formats: '18' },
      answer: { audio: BOB_AUDIO, formats: '18' },
    })
    const startMs = call.answerMs + 40
    const talk = { from: ALICE_AUDIO, to: BOB_AUDIO, payloadType: 18, payload: new Uint8Array(20) }
    const frames = media({ ...talk, startMs, packets: 100, sequence: 1, timestamp: 0 })
    // SID at the end of speech, then silence for 1.98 s, then speech with a marker.
    const sid = rtp({
      sequence: 101,
      timestamp: 16_000,
      ssrc: 0x1001,
      payloadType: 18,
      payload: new Uint8Array(2),
    })
    frames.push(datagram(startMs + 2000, ALICE_AUDIO, BOB_AUDIO, sid))
    const spurt = { ...talk, startMs: startMs + 4000, packets: 100, sequence: 102, timestamp: 32_000 }
    frames.push(...media(spurt))
    const { calls } = await replay([...call.frames, ...frames])
    const direction = directionOf(only(calls), 'from_caller')
    expect(direction).toMatchObject({
      packets: 201,
      lost: 0,
      codec: 'G729',
      timestamp_jumps: 0,
      jitter_max_ms: 0,
      pdv_max_ms: 0,
      late: 0,
    })
    // G.113: Ie 11, Bpl 19 for G.729 Annex A with VAD; 15 ms = 10 ms frame is in the packet time, 5 ms look-ahead.
    expectNear(direction.mos_lq, mosOf({ ie: 11, bpl: 19 }), 0.01)
  })

  it('a stream of nothing but comfort noise has packets and no MOS', async () => {
    const call = callByHand()
    const noise = { payloadType: 13, payload: new Uint8Array(1) }
    const frames = media({
      from: ALICE_AUDIO,
      to: BOB_AUDIO,
      startMs: NOON + 540,
      packets: 100,
      ptimeMs: 100,
      ticks: 800,
      ...noise,
    })
    const { calls } = await replay([...call.frames, ...frames])
    const direction = directionOf(only(calls), 'from_caller')
    expect(direction.packets).toBe(100)
    expect(direction.mos_cq).toBeUndefined()
    expect(direction.jitter_max_ms).toBeUndefined()
  })
})
