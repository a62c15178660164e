import { describe, expect, it } from 'vitest'
import { xr } from './test-xr.js'

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
