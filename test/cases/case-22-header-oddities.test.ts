import { describe, expect, it } from 'vitest'
import type { DirectionSpec } from '../../src/generate/scenario.js'
import { directionOf, expectTruth, only, replay, replayScenario } from '../helpers/replay.js'
import { ALICE_AUDIO, BOB_AUDIO, callByHand, datagram, media, NOON, rtp } from './hand-made.js'

const FROM = '192.0.2.1:4000'
const TO = '192.0.2.2:5000'

describe('case 22: RTP headers as nobody expects them', () => {
  it('SSRC 0 is an SSRC', async () => {
    const call = callByHand()
    const run = { startMs: call.answerMs + 40, packets: 400, ssrc: 0 }
    const { calls, streams } = await replay([
      ...call.frames,
      ...media({ ...run, from: ALICE_AUDIO, to: BOB_AUDIO }),
      ...media({ ...run, from: BOB_AUDIO, to: ALICE_AUDIO, without: (n) => n === 99 }),
    ])
    expect(directionOf(only(calls), 'from_caller')).toMatchObject({
      packets: 400,
      lost: 0,
      ssrcs: ['0x00000000'],
    })
    expect(directionOf(only(calls), 'from_callee')).toMatchObject({
      packets: 399,
      lost: 1,
      ssrcs: ['0x00000000'],
    })
    expect(streams.map((stream) => stream.ssrc)).toEqual(['0x00000000', '0x00000000'])
  })

  it('SSRC 0 and sequence number 0 without signalling', async () => {
    const run = { from: FROM, to: TO, startMs: NOON, packets: 100, ssrc: 0, sequence: 0, timestamp: 0 }
    const { streams } = await replay(media(run))
    expect(only(streams)).toMatchObject({ packets: 100, lost: 0, ssrc: '0x00000000' })
  })

  it('packets with a header and nothing else are packets', async () => {
    const call = callByHand()
    const empty = { payload: new Uint8Array(0) }
    const { calls } = await replay([
      ...call.frames,
      ...media({ from: ALICE_AUDIO, to: BOB_AUDIO, startMs: call.answerMs + 40, packets: 400, ...empty }),
    ])
    // 12 bytes of RTP each, 54 on the wire: the rest of the 60 bytes of Ethernet is padding and not counted.
    expect(directionOf(only(calls), 'from_caller')).toMatchObject({ packets: 400, lost: 0, bytes: 400 * 12 })
  })

  it.each<[string, DirectionSpec]>([
    ['padding', { padding_bytes: 24 }],
    ['contributing sources', { csrc_count: 15 }],
    ['an extension', { extension_bytes: 40 }],
    ['all of them', { padding_bytes: 4, csrc_count: 3, extension_bytes: 8 }],
    ['large packets', { payload_bytes: 1400 }],
  ])('%s change no number but bytes', async (_, spec) => {
    const { calls, truth } = await replayScenario({
      calls: [
        {
          duration_s: 10,
          rtcp: false,
          media: { both: { ...spec, loss: { packets: [100, 101] }, reorder: { packets: [200] } } },
        },
      ],
    })
    for (const name of ['from_caller', 'from_callee'] as const) {
      const direction = directionOf(only(calls), name)
      expectTruth(direction, truth.calls[0].media[name])
      const { padding_bytes = 0, csrc_count = 0, extension_bytes, payload_bytes = 160 } = spec
      const extension = extension_bytes === undefined ? 0 : 4 + extension_bytes
      expect(direction.bytes).toBe(
        direction.packets * (12 + 4 * csrc_count + extension + payload_bytes + padding_bytes),
      )
      expect(direction).toMatchObject({ lost: 2, reordered: 1, codec: 'PCMU' })
    }
  })

  it('a header that claims more than the datagram holds is no reason to stop', async () => {
    const call = callByHand()
    const frames = media({ from: ALICE_AUDIO, to: BOB_AUDIO, startMs: call.answerMs + 40, packets: 300 })
    // 15 CSRCs promised, none there; an extension of 64 KB promised; padding longer than the packet.
    const header = { timestamp: 16_000 + 300 * 160, ssrc: 0x1001, payload: new Uint8Array(0) }
    const csrcs = rtp({ ...header, sequence: 1300 })
    csrcs[0] = 0x8f
    const extended = rtp({ ...header, sequence: 1301, timestamp: 16_000 + 301 * 160, extension: 0 })
    extended[14] = 0xff
    extended[15] = 0xff
    const padded = rtp({
      ...header,
      sequence: 1302,
      timestamp: 16_000 + 302 * 160,
      payload: new Uint8Array([255]),
    })
    padded[0] |= 0x20
    const odd = [csrcs, extended, padded].map((bytes, n) =>
      datagram(call.answerMs + 40 + (300 + n) * 20, ALICE_AUDIO, BOB_AUDIO, bytes),
    )
    const { calls } = await replay([...call.frames, ...frames, ...odd])
    expect(directionOf(only(calls), 'from_caller')).toMatchObject({ packets: 303, lost: 0, reordered: 0 })
  })

  it('UDP on the media port that is no RTP (STUN, keepalives of 1 or 4 bytes) is not counted', async () => {
    const call = callByHand()
    const frames = media({ from: ALICE_AUDIO, to: BOB_AUDIO, startMs: call.answerMs + 40, packets: 300 })
    const stun = new Uint8Array(20)
    stun.set([0x00, 0x01, 0x00, 0x00, 0x21, 0x12, 0xa4, 0x42])
    const others = [
      stun,
      Uint8Array.of(0),
      new Uint8Array(4),
      Uint8Array.of(0x80, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
    ]
    const strays = others.map((bytes, n) =>
      datagram(call.answerMs + 1000 + n * 100, ALICE_AUDIO, BOB_AUDIO, bytes),
    )
    const { calls, streams } = await replay([...call.frames, ...frames, ...strays])
    expect(directionOf(only(calls), 'from_caller')).toMatchObject({ packets: 300, lost: 0, bytes: 300 * 172 })
    expect(streams).toHaveLength(1)
  })
})
