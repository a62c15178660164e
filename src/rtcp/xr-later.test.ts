import { describe, expect, it } from 'vitest'
import { xr } from './test-xr.js'

describe('later XR blocks', () => {
  it('14 measurement information (RFC 6776)', () => {
    expect(xr('0e000007 11111111 00000064 00010064 000101f4 000a8000 0000003c 80000000').blocks).toEqual([
      {
        type: 'measurement_information',
        ssrc: 0x11111111,
        firstSequence: 100,
        intervalFirstExtended: 65_636,
        intervalLastExtended: 66_036,
        intervalMs: 10_500,
        cumulativeMs: 60_500,
      },
    ])
  })

  it('15 packet delay variation in 1/16 ms (RFC 6798)', () => {
    expect(xr('0f840004 11111111 01405f00 fec05f00 00580000').blocks).toEqual([
      {
        type: 'pdv',
        ssrc: 0x11111111,
        interval: 'interval',
        metric: 1,
        positiveThresholdMs: 20,
        positivePercentile: 95,
        negativeThresholdMs: -20,
        negativePercentile: 95,
        meanMs: 5.5,
      },
    ])
    expect(xr('0fc00004 11111111 7fffffff 80007ffe 7ffe0000').blocks[0]).toMatchObject({
      interval: 'cumulative',
      positiveThresholdMs: undefined,
      positivePercentile: undefined,
      negativeThresholdMs: undefined,
      meanMs: undefined,
    })
  })

  it('16 delay in 1/65536 s (RFC 6843)', () => {
    expect(xr('10800006 11111111 00001000 00000800 ffffffff 00000000 20000000').blocks).toEqual([
      {
        type: 'delay',
        ssrc: 0x11111111,
        interval: 'interval',
        meanRoundTripMs: 62.5,
        minRoundTripMs: 31.25,
        maxRoundTripMs: undefined,
        endSystemDelayMs: 125,
      },
    ])
  })

  it('20 burst/gap loss: 24, 24, 12 and 36 bits side by side (RFC 6958)', () => {
    expect(xr('14e00005 11111111 10000bb8 00001900 00640032 00012345').blocks).toEqual([
      {
        type: 'burst_gap_loss',
        ssrc: 0x11111111,
        interval: 'cumulative',
        includesDiscards: true,
        threshold: 16,
        burstDurationSumMs: 3000,
        packetsLostInBursts: 25,
        packetsExpectedInBursts: 100,
        bursts: 3,
        burstDurationSquaresSum: 2 * 2 ** 32 + 0x12345,
      },
    ])
  })

  it('21 burst/gap discard (RFC 7003), 24 discard count (7002), 26 bytes discarded (7243)', () => {
    expect(
      xr(
        '15800003 11111111 10000007 00003200',
        '18a00002 11111111 00000009',
        '1aa00002 11111111 00000640',
        '18a00002 11111111 ffffffff',
      ).blocks,
    ).toEqual([
      {
        type: 'burst_gap_discard',
        ssrc: 0x11111111,
        interval: 'interval',
        threshold: 16,
        packetsDiscardedInBursts: 7,
        packetsExpectedInBursts: 50,
      },
      { type: 'discard_count', ssrc: 0x11111111, interval: 'interval', reason: 'late', packets: 9 },
      { type: 'bytes_discarded', ssrc: 0x11111111, interval: 'interval', early: true, bytes: 1600 },
      { type: 'discard_count', ssrc: 0x11111111, interval: 'interval', reason: 'late', packets: undefined },
    ])
  })

  it('23 de-jitter buffer (RFC 7005)', () => {
    expect(xr('17a00003 11111111 00280078 0064ffff').blocks).toEqual([
      {
        type: 'jitter_buffer',
        ssrc: 0x11111111,
        interval: 'interval',
        adaptive: true,
        nominalMs: 40,
        maximumMs: 120,
        highWaterMs: 100,
        lowWaterMs: undefined,
      },
    ])
  })

  it('29 MOS in 1/256, per channel or for the stream (RFC 7266)', () => {
    // CAID 1, PT 0, 4.25; then channel 2 of CAID 3, PT 96: 3.5; then unavailable.
    expect(xr('1d800004 11111111 00800440 81e04380 0080ffff').blocks).toEqual([
      {
        type: 'mos',
        ssrc: 0x11111111,
        interval: 'interval',
        segments: [
          { algorithm: 1, payloadType: 0, mos: 4.25 },
          { algorithm: 3, payloadType: 96, channel: 2, mos: 3.5 },
          { algorithm: 1, payloadType: 0 },
        ],
      },
    ])
  })

  it('30 loss concealment and 31 concealed seconds (RFC 7294)', () => {
    expect(
      xr(
        '1ef00006 11111111 0000ea60 00000258 0000003c 00020000 0000001e',
        '1fb00004 11111111 00000037 00000005 00020032',
      ).blocks,
    ).toEqual([
      {
        type: 'loss_concealment',
        ssrc: 0x11111111,
        interval: 'cumulative',
        method: 3,
        onTimeMs: 60_000,
        lossConcealedMs: 600,
        bufferConcealedMs: 60,
        interruptions: 2,
        meanInterruptionMs: 30,
      },
      {
        type: 'concealed_seconds',
        ssrc: 0x11111111,
        interval: 'interval',
        method: 3,
        unimpairedSeconds: 55,
        concealedSeconds: 5,
        severelyConcealedSeconds: 2,
        severeThresholdMs: 50,
      },
    ])
  })
})
