import { describe, expect, it } from 'vitest'
import type { CallRecord } from '../../src/calls/records.js'
import { directionOf, expectNear, expectTruth, only, replay, replayScenario } from '../helpers/replay.js'
import { mosOf } from './e-model.js'
import { ALICE_AUDIO, BOB_AUDIO, callByHand, Dialog, ALICE, BOB, media, NOON, sdp } from './hand-made.js'

const ILBC = ['rtpmap:97 iLBC/8000', 'fmtp:97 mode=20']
const AMR_WB = ['rtpmap:97 AMR-WB/16000', 'fmtp:97 octet-align=1']

/** The record of a call in which both sides send the same. */
async function bothWays(
  formats: { formats: string; attributes?: string[] },
  run: Omit<Parameters<typeof media>[0], 'from' | 'to' | 'startMs' | 'ssrc'>,
): Promise<CallRecord> {
  const call = callByHand({
    offer: { audio: ALICE_AUDIO, ...formats },
    answer: { audio: BOB_AUDIO, ...formats },
  })
  const startMs = call.answerMs + 40
  const { calls } = await replay([
    ...call.frames,
    ...media({ ...run, startMs, from: ALICE_AUDIO, to: BOB_AUDIO }),
    ...media({ ...run, startMs, from: BOB_AUDIO, to: ALICE_AUDIO, ssrc: 2 }),
  ])
  return only(calls)
}

describe('case 14: dynamic payload types', () => {
  it("the offer's numbers and the answer's numbers differ: each way has its receiver's", async () => {
    // RFC 3264 5.1: a payload type in a description is what its author wants to receive.
    const call = callByHand({
      offer: { audio: ALICE_AUDIO, formats: '96', attributes: ['rtpmap:96 opus/48000/2'] },
      answer: { audio: BOB_AUDIO, formats: '111', attributes: ['rtpmap:111 opus/48000/2'] },
    })
    const opus = { packets: 450, ticks: 960, payload: new Uint8Array(80), startMs: call.answerMs + 40 }
    const { calls } = await replay([
      ...call.frames,
      ...media({ ...opus, from: ALICE_AUDIO, to: BOB_AUDIO, payloadType: 111 }),
      ...media({ ...opus, from: BOB_AUDIO, to: ALICE_AUDIO, payloadType: 96, ssrc: 2 }),
    ])
    for (const [name, type] of [
      ['from_caller', 111],
      ['from_callee', 96],
    ] as const) {
      expect(directionOf(only(calls), name)).toMatchObject({
        codec: 'OPUS',
        payload_type: type,
        clock_rate_hz: 48_000,
        ptime_ms: 20,
        jitter_max_ms: 0,
        lost: 0,
      })
    }
  })

  it('one number with two meanings: each direction is measured on the clock that its receiver gave it', async () => {
    const call = callByHand({
      offer: { audio: ALICE_AUDIO, formats: '97 98', attributes: [...ILBC, 'rtpmap:98 AMR-WB/16000'] },
      answer: { audio: BOB_AUDIO, formats: '97 98', attributes: [...AMR_WB, 'rtpmap:98 iLBC/8000'] },
    })
    const one = { packets: 450, payload: new Uint8Array(38), startMs: call.answerMs + 40, payloadType: 97 }
    const { calls } = await replay([
      ...call.frames,
      ...media({ ...one, from: ALICE_AUDIO, to: BOB_AUDIO, ticks: 320 }),
      ...media({ ...one, from: BOB_AUDIO, to: ALICE_AUDIO, ticks: 160, ssrc: 2 }),
    ])
    const caller = directionOf(only(calls), 'from_caller')
    const callee = directionOf(only(calls), 'from_callee')
    expect(caller).toMatchObject({ codec: 'AMR-WB', clock_rate_hz: 16_000, jitter_max_ms: 0, pdv_max_ms: 0 })
    expect(callee).toMatchObject({ codec: 'ILBC', clock_rate_hz: 8000, jitter_max_ms: 0, pdv_max_ms: 0 })
    expect(caller.mos_scale).toBe('wb')
    expect(callee.mos_scale).toBe('nb')
  })

  it('a number that only the sender described is understood by its description', async () => {
    const call = callByHand({
      offer: {
        audio: ALICE_AUDIO,
        formats: '0 101',
        attributes: ['rtpmap:101 telephone-event/8000', 'rtpmap:97 iLBC/8000'],
      },
      answer: { audio: BOB_AUDIO, formats: '97', attributes: ILBC },
    })
    const { calls } = await replay([
      ...call.frames,
      ...media({
        from: BOB_AUDIO,
        to: ALICE_AUDIO,
        startMs: call.answerMs + 40,
        packets: 400,
        payloadType: 97,
      }),
    ])
    expect(directionOf(only(calls), 'from_callee')).toMatchObject({ codec: 'ILBC', clock_rate_hz: 8000 })
  })

  it('a number re-used by a re-INVITE for another codec means the new one from then on', async () => {
    const dialog = new Dialog({ callId: 'reused', caller: ALICE, callee: BOB })
    const offer = (attributes: string[]) => sdp({ audio: ALICE_AUDIO, formats: '97', attributes })
    const answer = (attributes: string[]) => sdp({ audio: BOB_AUDIO, formats: '97', attributes })
    const answerMs = NOON + 500
    const first = { startMs: answerMs + 40, packets: 300, payloadType: 97, payload: new Uint8Array(38) }
    // At 6.5 s, in step with the change: iLBC for 6 s, then AMR-WB for 9 s, sequence numbers going on.
    const second = {
      startMs: answerMs + 6040 + 100,
      packets: 450,
      payloadType: 97,
      payload: new Uint8Array(61),
      sequence: 1300,
      timestamp: 500_000,
      ticks: 320,
    }
    const { calls, streams } = await replay([
      ...dialog.setUp(NOON, offer(ILBC), answer(ILBC)),
      ...media({ ...first, from: ALICE_AUDIO, to: BOB_AUDIO }),
      ...media({ ...first, from: BOB_AUDIO, to: ALICE_AUDIO, ssrc: 2 }),
      ...dialog.reinvite(answerMs + 6020, offer(AMR_WB), answer(AMR_WB)),
      ...media({ ...second, from: ALICE_AUDIO, to: BOB_AUDIO }),
      ...media({ ...second, from: BOB_AUDIO, to: ALICE_AUDIO, ssrc: 2 }),
      ...dialog.hangUp(answerMs + 15_500),
    ])
    for (const name of ['from_caller', 'from_callee'] as const) {
      const direction = directionOf(only(calls), name)
      expect(direction).toMatchObject({
        packets: 750,
        lost: 0,
        // Most packets had it; R cannot be averaged over a narrowband and a wideband codec.
        codec: 'AMR-WB',
        clock_rate_hz: 16_000,
        mos_scale: 'wb',
        mos_mixed_scale: true,
        timestamp_jumps: 0,
      })
      expect(direction.jitter_max_ms).toBeLessThan(1)
      expect(direction.pdv_max_ms).toBeLessThan(1)
    }
    expect(streams).toHaveLength(2)
  })

  it.each([
    // The frame's lowest two bits and its size (RFC 3551 4.5.3), and Ie as in the codec table.
    [0b00, 24, 'G.723.1 6.3 kbit/s', 15],
    [0b01, 20, 'G.723.1 5.3 kbit/s', 19],
  ])('G.723.1 is scored by the rate of its frames: %i, %i bytes', async (bits, bytes, model, ie) => {
    const payload = new Uint8Array(bytes).fill(0xf0 | bits, 0, 1)
    const run = { packets: 330, payloadType: 4, ptimeMs: 30, ticks: 240, payload }
    const call = await bothWays({ formats: '4' }, run)
    for (const name of ['from_caller', 'from_callee'] as const) {
      const { mos_model, mos_lq } = directionOf(call, name)
      expect(mos_model).toContain(model)
      expectNear(mos_lq, mosOf({ ie }), 0.001)
    }
  })

  it.each([
    // TOC: fullband and wideband CELT, hybrid super-wideband, 20 ms each; two frames of 20 ms; bytes of the payload.
    [31 << 3, 40, 'Opus SWB VBR 16 kbit/s', 30.16],
    [31 << 3, 62, 'Opus SWB VBR 25 kbit/s', 20.21],
    [13 << 3, 120, 'Opus SWB VBR 40 kbit/s', 10.67],
    [(31 << 3) | 1, 140, 'Opus SWB VBR 28 kbit/s', 18.48],
    [23 << 3, 28, 'Opus WB VBR 11 kbit/s', 28.41],
  ])(
    'Opus is scored by bandwidth and bit rate of its payloads: %i, %i bytes',
    async (toc, bytes, model, ie) => {
      const formats = {
        formats: '96',
        attributes: ['rtpmap:96 opus/48000/2', 'fmtp:96 maxaveragebitrate=64000'],
      }
      const ptimeMs = toc & 3 ? 40 : 20
      const payload = new Uint8Array(bytes).fill(toc, 0, 1)
      const run = { packets: 9000 / ptimeMs, payloadType: 96, ptimeMs, ticks: ptimeMs * 48, payload }
      const call = await bothWays(formats, run)
      for (const name of ['from_caller', 'from_callee'] as const)
        expect(directionOf(call, name).mos_model).toContain(
          `${model}, Alahmadi's fit, no ITU value (Ie ${ie}`,
        )
    },
  )

  it('a codec that puts more media in a packet weighs no less for it', async () => {
    // 20 s in 1,000 packets, then 20 s in 333.
    const { calls, streams } = await replayScenario({
      calls: [
        {
          duration_s: 40,
          rtcp: false,
          offer: ['G729'],
          reinvite: [{ at_s: 20, codec: 'G729', ptime_ms: 60 }],
        },
      ],
    })
    for (const name of ['from_caller', 'from_callee'] as const)
      expectNear(directionOf(only(calls), name).mos_lq, mosOf({ ie: 10 / 2 }), 0.01)
    for (const { mos_lq } of streams) expectNear(mos_lq, mosOf({ ie: 10 / 2 }), 0.01)
  })

  it('over mixed scales the codec of most time speaks, not that of most packets', async () => {
    const { calls } = await replayScenario({
      calls: [
        {
          duration_s: 40,
          rtcp: false,
          offer: ['G722'],
          reinvite: [{ at_s: 15, codec: 'G722', ptime_ms: 60 }],
        },
      ],
    })
    for (const name of ['from_caller', 'from_callee'] as const)
      expect(directionOf(only(calls), name)).toMatchObject({ mos_scale: 'wb', mos_mixed_scale: true })
  })

  it('a re-INVITE from PCMU to G.729 weighs R by time', async () => {
    const { calls, truth } = await replayScenario({
      calls: [{ duration_s: 40, rtcp: false, offer: ['G729'], reinvite: [{ at_s: 10, codec: 'G729' }] }],
    })
    for (const name of ['from_caller', 'from_callee'] as const) {
      const direction = directionOf(only(calls), name)
      expectTruth(direction, truth.calls[0].media[name])
      expect(direction).toMatchObject({ codec: 'G729', payload_type: 18, mos_scale: 'nb', segments: 1 })
      expect(direction.mos_mixed_scale).toBeUndefined()
      // G.113: Ie 10 for G.729 (annexb=no). 10 s of R 93.2 and 30 s of 83.2: three quarters of the way down.
      expect(direction.mos_lq).toBeGreaterThan(mosOf({ ie: 10 }))
      expectNear(direction.mos_lq, mosOf({ ie: 10 * 0.75 }), 0.01)
    }
  })

  it('a dynamic type that nothing describes has packets and losses, but no codec, jitter or MOS', async () => {
    const call = callByHand()
    const { calls } = await replay([
      ...call.frames,
      ...media({
        from: ALICE_AUDIO,
        to: BOB_AUDIO,
        startMs: call.answerMs + 40,
        packets: 400,
        payloadType: 120,
        without: (n) => n === 100,
      }),
    ])
    const direction = directionOf(only(calls), 'from_caller')
    expect(direction).toMatchObject({ packets: 399, lost: 1, payload_type: 120 })
    expect(direction.codec).toBeUndefined()
    expect(direction.jitter_max_ms).toBeUndefined()
    expect(direction.mos_lq).toBeUndefined()
    expect(direction.late).toBeUndefined()
  })
})
