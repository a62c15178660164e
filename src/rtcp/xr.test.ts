import { describe, expect, it } from 'vitest'
import { parseRtcp } from './parse.js'
import { hex } from './test-bytes.js'
import type { XrBlock } from './xr-blocks.js'

/** Parses an XR packet of 0xcafe0002 with the blocks given. */
function xr(...blocks: string[]): { blocks: XrBlock[]; defects: string[] } {
  const content = hex(blocks.join(''))
  const words = (1 + content.length / 4).toString(16).padStart(4, '0')
  const bytes = hex(`80cf${words}cafe0002${Buffer.from(content).toString('hex')}`)
  const compound = parseRtcp(bytes, 0, bytes.length)
  const [packet] = compound.packets
  if (packet.type !== 'xr') throw new Error(`no XR: ${packet.type}`)
  expect(packet.ssrc).toBe(0xcafe0002)
  return { blocks: packet.blocks, defects: compound.defects }
}

const VOIP = `07000008 11111111 0d054c03 00782710 0030008c ebc0371f 5d5c2a29 b5000028 0050012c`

describe('XR blocks of RFC 3611', () => {
  it('loss RLE: runs and bit vectors become ranges of lost packets', () => {
    // From 100 up to and not including 150: 10 received, 5 lost, vector 110000000000011, then received.
    const { blocks, defects } = xr('01000004 11111111 00640096 400a0005 e0034014')
    expect(defects).toEqual([])
    expect(blocks).toEqual([
      {
        type: 'loss_rle',
        ssrc: 0x11111111,
        thinning: 0,
        beginSequence: 100,
        endSequence: 150,
        reported: 50,
        marked: 16,
        ranges: [
          { first: 110, last: 114, count: 5 },
          { first: 117, last: 127, count: 11 },
        ],
      },
    ])
  })

  it('a run may wrap the sequence number, go on over chunks, and end at the null chunk', () => {
    const [block] = xr('01000004 11111111 fffe0004 00020002 40020000').blocks
    expect(block).toMatchObject({
      reported: 6,
      marked: 4,
      ranges: [{ first: 65_534, last: 1, count: 4 }],
    })
  })

  it('what a vector says beyond the last sequence number is padding', () => {
    const [block] = xr('01000003 11111111 0000000a ffe00000').blocks
    expect(block).toMatchObject({ reported: 10, marked: 0, ranges: [] })
  })

  it('thinning by 2^T tells of multiples of 2^T only', () => {
    // T = 2, from 101: 104, 108 (received), 112, 116 (lost); the next, 120, is the end.
    const [block] = xr('01020003 11111111 00650078 40020002').blocks
    expect(block).toMatchObject({ thinning: 2, reported: 4, ranges: [{ first: 112, last: 116, count: 2 }] })
  })

  it('in duplicate RLE a zero is a packet received more than once (4.2)', () => {
    const [block] = xr('02000003 11111111 00000005 40040001').blocks
    expect(block).toMatchObject({
      type: 'duplicate_rle',
      marked: 1,
      ranges: [{ first: 4, last: 4, count: 1 }],
    })
  })

  it('packet receipt times: the header and how many follow', () => {
    expect(xr('03000004 11111111 00010003 000003e8 00000488').blocks).toEqual([
      {
        type: 'receipt_times',
        ssrc: 0x11111111,
        thinning: 0,
        beginSequence: 1,
        endSequence: 3,
        count: 2,
      },
    ])
  })

  it('reference time and DLRR give what LSR and DLSR give for those who send nothing', () => {
    expect(
      xr('04000002 b44db705 20000000', '05000006 33333333 b7052000 00054000 44444444 00000000 00000000')
        .blocks,
    ).toEqual([
      {
        type: 'receiver_reference_time',
        ntpSeconds: 0xb44db705,
        ntpFraction: 0x20000000,
        ntpMiddle32: 0xb7052000,
      },
      {
        type: 'dlrr',
        reports: [
          { ssrc: 0x33333333, lrr: 0xb7052000, dlrr: 0x54000 },
          { ssrc: 0x44444444, lrr: 0, dlrr: 0 },
        ],
      },
    ])
  })

  it('statistics summary: only what the flags announce is there', () => {
    const body = '11111111 000a006e 00000007 00000002 00000001 00000050 00000014 0000000a 3c40 3e01'
    expect(xr(`06e80009 ${body}`).blocks).toEqual([
      {
        type: 'statistics_summary',
        ssrc: 0x11111111,
        beginSequence: 10,
        endSequence: 110,
        lost: 7,
        duplicates: 2,
        jitter: { min: 1, max: 80, mean: 20, deviation: 10 },
        ttl: { min: 60, max: 64, mean: 62, deviation: 1, ipv6: false },
      },
    ])
    expect(xr(`06900009 ${body}`).blocks).toEqual([
      {
        type: 'statistics_summary',
        ssrc: 0x11111111,
        beginSequence: 10,
        endSequence: 110,
        lost: 7,
        ttl: { min: 60, max: 64, mean: 62, deviation: 1, ipv6: true },
      },
    ])
    expect(Object.keys(xr(`06000009 ${body}`).blocks[0])).toEqual([
      'type',
      'ssrc',
      'beginSequence',
      'endSequence',
    ])
  })

  it('VoIP metrics: rates are n/256, levels signed, MOS tenths', () => {
    const { blocks, defects } = xr(VOIP)
    expect(defects).toEqual([])
    expect(blocks).toEqual([
      {
        type: 'voip_metrics',
        ssrc: 0x11111111,
        lossPercent: 5.078125,
        discardPercent: 1.953125,
        burstDensityPercent: 29.6875,
        gapDensityPercent: 1.171875,
        burstDurationMs: 120,
        gapDurationMs: 10_000,
        roundTripMs: 48,
        endSystemDelayMs: 140,
        signalLevelDbm: -21,
        noiseLevelDbm: -64,
        echoReturnLossDb: 55,
        gmin: 31,
        rFactor: 93,
        externalRFactor: 92,
        mosLq: 4.2,
        mosCq: 4.1,
        concealment: 'enhanced',
        buffer: 'adaptive',
        bufferRate: 5,
        bufferNominalMs: 40,
        bufferMaxMs: 80,
        bufferAbsoluteMaxMs: 300,
      },
    ])
  })

  it('127 stands for unavailable, and is no value', () => {
    const [block] = xr(
      '07000008 11111111 00000000 00000000 00000000 7f7f7f10 7f7f7f7f 00000000 00000000',
    ).blocks
    for (const key of [
      'signalLevelDbm',
      'noiseLevelDbm',
      'echoReturnLossDb',
      'rFactor',
      'externalRFactor',
      'mosLq',
      'mosCq',
    ]) {
      expect(block, key).toHaveProperty(key, undefined)
    }
    expect(block).toMatchObject({ gmin: 16, concealment: 'unspecified', buffer: 'unknown' })
  })

  it('R above 100 and MOS outside 1.0..5.0 must be ignored', () => {
    const [block] = xr(
      '07000008 11111111 00000000 00000000 00000000 00000010 65640933 00000000 00000000',
    ).blocks
    expect(block).toMatchObject({
      rFactor: undefined,
      externalRFactor: 100,
      mosLq: undefined,
      mosCq: undefined,
    })
  })

  it('a VoIP metrics block of seven words, as the prose has it, lacks only the last two buffer sizes', () => {
    const { blocks, defects } = xr(VOIP.replace('07000008', '07000007').replace(' 0050012c', ''))
    expect(defects).toEqual([])
    expect(blocks[0]).toMatchObject({ type: 'voip_metrics', mosCq: 4.1, bufferNominalMs: 40 })
    expect(blocks[0]).not.toHaveProperty('bufferMaxMs')
  })
})

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

describe('XR packets', () => {
  it('several blocks stand side by side, unknown ones keep their length', () => {
    const { blocks, defects } = xr('04000002 b44db705 20000000', 'fe000001 00000000', VOIP)
    expect(defects).toEqual([])
    expect(blocks.map((block) => block.type)).toEqual(['receiver_reference_time', 'other', 'voip_metrics'])
    expect(blocks[1]).toEqual({ type: 'other', blockType: 254, length: 8 })
  })

  it('a block too short for its type is a defect and the next one is read', () => {
    const { blocks, defects } = xr('06e00002 11111111 000a006e', '04000002 b44db705 20000000')
    expect(defects).toEqual(['xr_block_too_short'])
    expect(blocks).toMatchObject([
      { type: 'other', blockType: 6, length: 12 },
      { type: 'receiver_reference_time' },
    ])
  })

  it('a block longer than the packet ends it', () => {
    const { blocks, defects } = xr('04000002 b44db705 20000000', '07000008 11111111')
    expect(defects).toEqual(['xr_block_too_long'])
    expect(blocks).toHaveLength(1)
  })

  it('the number of blocks is bounded', () => {
    const { blocks, defects } = xr('05000000'.repeat(70))
    expect(blocks).toHaveLength(64)
    expect(defects).toEqual(['too_many_xr_blocks'])
  })
})
