import { describe, expect, it } from 'vitest'
import type { ReportBlock, SenderInfo } from './packets.js'
import { FarEndView } from './view.js'
import type { VoipMetricsBlock } from './xr-blocks.js'

const PHONE = 0xbbbbbbbb

function block(
  extendedHighest: number,
  cumulativeLost: number,
  rest: Partial<ReportBlock> = {},
): ReportBlock {
  return { ssrc: 1, fractionLost: 0, cumulativeLost, extendedHighest, jitter: 0, lsr: 0, dlsr: 0, ...rest }
}

function sender(packetCount: number, rest: Partial<SenderInfo> = {}): SenderInfo {
  return {
    ntpSeconds: 3_000_000_000 + packetCount,
    ntpFraction: 0,
    ntpMiddle32: 0,
    rtpTimestamp: packetCount * 160,
    packetCount,
    octetCount: packetCount * 160,
    ...rest,
  }
}

/** Reports every 5 s (250 packets at 20 ms). */
function feed(view: FarEndView, blocks: ReportBlock[], startMs = 5000): void {
  blocks.forEach((one, i) => view.onReportBlock(PHONE, one, startMs + i * 5000))
}

describe('what the far end reports of a stream', () => {
  it('loss is that between the first and the last report, from the highest sequence numbers', () => {
    const view = new FarEndView()
    feed(view, [block(1250, 40), block(1500, 45), block(1750, 50)])
    expect(view.summary()).toMatchObject({
      reports: 3,
      reporters: 1,
      firstReportMs: 5000,
      lastReportMs: 15_000,
      expected: 500,
      lost: 10,
      lossPercent: 2,
      cumulativeLost: 50,
    })
  })

  it('when the stream’s start was seen, the first report counts as loss since then', () => {
    const view = new FarEndView({ start: { sequence: 1001 } })
    feed(view, [block(1250, 5)])
    expect(view.summary()).toMatchObject({ expected: 250, lost: 5, lossPercent: 2, cumulativeLost: 5 })
  })

  it('one report alone says how many were lost, not of how many', () => {
    const view = new FarEndView()
    feed(view, [block(1250, 5, { fractionLost: 64 })])
    const summary = view.summary()
    expect(summary).toMatchObject({ cumulativeLost: 5, fractionLostMaxPercent: 25 })
    expect(summary).not.toHaveProperty('lossPercent')
    expect(summary).not.toHaveProperty('expected')
  })

  it('no report, no numbers', () => {
    expect(new FarEndView().summary()).toEqual({ reports: 0, reporters: 0, implausible: 0, ignored: 0 })
  })

  it('jitter is in timestamp units; with the clock rate it is in ms', () => {
    const view = new FarEndView()
    feed(view, [block(250, 0, { jitter: 80 }), block(500, 0, { jitter: 160 })])
    expect(view.summary()).toMatchObject({ jitterMeanTicks: 120, jitterMaxTicks: 160 })
    expect(view.summary()).not.toHaveProperty('jitterMaxMs')
    view.clockRate = 8000
    expect(view.summary()).toMatchObject({ jitterMeanMs: 15, jitterMaxMs: 20 })
  })

  it('sequence numbers wrap, also for a receiver that does not count cycles', () => {
    const counting = new FarEndView({ start: { sequence: 65_400 } })
    feed(counting, [block(65_500, 0), block(65_536 + 213, 5)])
    expect(counting.summary()).toMatchObject({ expected: 350, lost: 5, implausible: 0 })
    const notCounting = new FarEndView({ start: { sequence: 65_400 } })
    feed(notCounting, [block(65_500, 0), block(213, 5)])
    expect(notCounting.summary()).toMatchObject({ expected: 350, lost: 5, implausible: 0 })
    const wrappedBefore = new FarEndView({ start: { sequence: 65_400 } })
    feed(wrappedBefore, [block(213, 5)])
    expect(wrappedBefore.summary()).toMatchObject({ expected: 350, lost: 5 })
  })

  it('a receiver that begins with any number of cycles is not believed to expect 65,536 more', () => {
    const view = new FarEndView({ start: { sequence: 1001, timeMs: 0 } })
    feed(view, [block(3 * 65_536 + 1250, 5)])
    expect(view.summary()).toMatchObject({ expected: 250, lost: 5 })
  })

  it('a first report about what came before the start is not taken for 65,000 packets', () => {
    const view = new FarEndView({ start: { sequence: 1001, timeMs: 0 } })
    feed(view, [block(1000, 20), block(1250, 25)])
    expect(view.summary()).toMatchObject({ expected: 250, lost: 5, implausible: 1 })
  })

  it('duplicates make cumulative lost negative, which is no loss', () => {
    const view = new FarEndView({ start: { sequence: 1 } })
    feed(view, [block(250, -30), block(500, -60)])
    expect(view.summary()).toMatchObject({ expected: 500, lost: 0, lossPercent: 0, cumulativeLost: -60 })
  })

  it('a mirror’s copy of a report counts once', () => {
    const view = new FarEndView()
    feed(view, [block(250, 0), block(500, 1), block(500, 1)])
    expect(view.summary()).toMatchObject({ reports: 2, expected: 250, lost: 1, implausible: 0 })
  })

  it('a report overtaken by the next is left out', () => {
    const view = new FarEndView()
    feed(view, [block(250, 0), block(750, 2), block(500, 1), block(1000, 3)])
    expect(view.summary()).toMatchObject({ reports: 3, expected: 750, lost: 3, implausible: 0 })
  })

  it('cumulative lost that jumps beyond what was expected is garbage, and measured on from there', () => {
    const view = new FarEndView()
    feed(view, [block(250, 0), block(500, 5_000_000), block(750, 5_000_002), block(1000, 5_000_003)])
    expect(view.summary()).toMatchObject({ expected: 500, lost: 3, implausible: 1 })
  })

  it('a receiver that begins anew (highest far behind) is measured from there', () => {
    const view = new FarEndView()
    feed(view, [block(60_000, 10), block(60_250, 12), block(300, 0), block(550, 5)])
    expect(view.summary()).toMatchObject({ expected: 500, lost: 7, implausible: 1, cumulativeLost: 5 })
  })

  it('random numbers (SRTCP read as reports) give no loss', () => {
    const view = new FarEndView({ clockRate: 48_000 })
    feed(view, [
      block(2_040_047_687, 6_476_649, { jitter: 4_287_227_682, fractionLost: 87 }),
      block(814_053_417, 6_710_937, { jitter: 2_093_492_289, fractionLost: 90 }),
      block(1_790_126_226, -7_642_942, { jitter: 1_677_420_212, fractionLost: 216 }),
    ])
    const summary = view.summary()
    expect(summary).not.toHaveProperty('lossPercent')
    expect(summary).not.toHaveProperty('jitterMaxMs')
    expect(summary.implausible).toBeGreaterThanOrEqual(2)
  })

  it('a receiver that changes its SSRC goes on where the old one ended', () => {
    const view = new FarEndView({ start: { sequence: 1 } })
    view.onReportBlock(1, block(250, 5), 5000)
    view.onReportBlock(1, block(500, 10), 10_000)
    view.onReportBlock(2, block(1000, 0), 20_000)
    view.onReportBlock(2, block(1250, 5), 25_000)
    expect(view.summary()).toMatchObject({ reporters: 2, expected: 750, lost: 15, cumulativeLost: 5 })
  })

  it('receivers at the same time are not added up, and more than four are not followed', () => {
    const view = new FarEndView({ start: { sequence: 1 } })
    for (let receiver = 1; receiver <= 6; receiver++) {
      view.onReportBlock(receiver, block(250, 5), 5000 + receiver)
      view.onReportBlock(receiver, block(500, 10), 10_000 + receiver)
    }
    expect(view.summary()).toMatchObject({ reporters: 4, ignored: 4, expected: 500, lost: 10 })
  })
})

describe('what the sender itself reports', () => {
  it('its packet and octet counts bound what was sent before the tap', () => {
    const view = new FarEndView()
    view.onSenderInfo(sender(250), 5000)
    view.onSenderInfo(sender(500), 10_000)
    view.onSenderInfo(sender(500), 10_003)
    expect(view.summary().sender).toEqual({
      reports: 2,
      resets: 0,
      first: { timeMs: 5000, rtpTimestamp: 40_000, packets: 250, octets: 40_000 },
      last: { timeMs: 10_000, rtpTimestamp: 80_000, packets: 500, octets: 80_000 },
    })
  })

  it('32-bit counters wrap', () => {
    const view = new FarEndView()
    view.onSenderInfo(sender(0xffffff00, { ntpSeconds: 1, octetCount: 0xfffffff0 }), 0)
    view.onSenderInfo(sender(0x100, { ntpSeconds: 2, octetCount: 0x10 }), 5000)
    const summary = view.summary().sender
    expect(summary?.last.packets).toBe(0xffffff00 + 0x200)
    expect(summary?.last.octets).toBe(0xfffffff0 + 0x20)
  })

  it('counts that begin anew are counted from there; an SR overtaken by the next is not a beginning', () => {
    const view = new FarEndView()
    view.onSenderInfo(sender(1000, { ntpSeconds: 100 }), 0)
    view.onSenderInfo(sender(900, { ntpSeconds: 95 }), 10)
    expect(view.summary().sender).toMatchObject({ reports: 1, resets: 0 })
    view.onSenderInfo(sender(20, { ntpSeconds: 110 }), 10_000)
    view.onSenderInfo(sender(270, { ntpSeconds: 115 }), 15_000)
    expect(view.summary().sender).toMatchObject({
      reports: 3,
      resets: 1,
      first: { packets: 20 },
      last: { packets: 270 },
    })
  })
})

describe('what the endpoint measured (XR)', () => {
  const VOIP: VoipMetricsBlock = {
    type: 'voip_metrics',
    ssrc: 1,
    lossPercent: 5,
    discardPercent: 1,
    burstDensityPercent: 30,
    gapDensityPercent: 1,
    burstDurationMs: 120,
    gapDurationMs: 10_000,
    roundTripMs: 48,
    endSystemDelayMs: 140,
    gmin: 16,
    rFactor: 88,
    mosLq: 4.2,
    mosCq: 4.1,
    concealment: 'standard',
    buffer: 'adaptive',
    bufferRate: 5,
    bufferNominalMs: 40,
    bufferMaxMs: 80,
    bufferAbsoluteMaxMs: 300,
  }

  it('the latest VoIP metrics count', () => {
    const view = new FarEndView()
    view.onXrBlock({ ...VOIP, mosLq: 3.1 }, 1000)
    view.onXrBlock(VOIP, 2000)
    expect(view.summary().endpoint).toMatchObject({
      timeMs: 2000,
      mosLq: 4.2,
      mosCq: 4.1,
      rFactor: 88,
      roundTripMs: 48,
      endSystemDelayMs: 140,
      bufferKind: 'adaptive',
      bufferNominalMs: 40,
    })
  })

  it('what a later block calls unavailable, or 0 for not measured, stays as it was', () => {
    const view = new FarEndView()
    view.onXrBlock(VOIP, 1000)
    view.onXrBlock(
      { ...VOIP, mosLq: undefined, rFactor: undefined, roundTripMs: 0, endSystemDelayMs: 0 },
      2000,
    )
    expect(view.summary().endpoint).toMatchObject({ mosLq: 4.2, rFactor: 88, roundTripMs: 48 })
    const none = new FarEndView()
    none.onXrBlock({ ...VOIP, mosLq: undefined, roundTripMs: 0 }, 1000)
    expect(none.summary().endpoint).not.toHaveProperty('mosLq')
    expect(none.summary().endpoint).not.toHaveProperty('roundTripMs')
  })

  it('blocks of other kinds add to it', () => {
    const view = new FarEndView()
    view.onXrBlock(
      {
        type: 'jitter_buffer',
        ssrc: 1,
        interval: 'interval',
        adaptive: false,
        nominalMs: 60,
        maximumMs: 100,
      },
      1,
    )
    view.onXrBlock({ type: 'discard_count', ssrc: 1, interval: 'cumulative', reason: 'late', packets: 4 }, 2)
    view.onXrBlock({ type: 'delay', ssrc: 1, interval: 'interval', meanRoundTripMs: 30 }, 3)
    view.onXrBlock({ type: 'other', blockType: 254, length: 8 }, 4)
    expect(view.summary().endpoint).toEqual({
      timeMs: 3,
      bufferKind: 'fixed',
      bufferNominalMs: 60,
      bufferMaxMs: 100,
      discardedPackets: 4,
      roundTripMs: 30,
    })
  })
})
