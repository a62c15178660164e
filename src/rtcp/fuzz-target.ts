import { looksLikeRtcp, MAX_PACKETS, parseRtcp } from './parse.js'
import type { RtcpCompound, RtcpPacket } from './packets.js'
import { parseQualityReport } from './quality-report.js'
import { RttMeter } from './rtt.js'
import { FarEndView } from './view.js'
import type { XrBlock } from './xr-blocks.js'

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(`RTCP broke a promise: ${what}`)
}

/** Most bytes of a compound in a datagram. */
const MAX_DATAGRAM = 65_535

/**
 * Takes the bytes as one datagram (two bytes of options in front), feeds all it says to a round-trip meter and a view,
 * and checks bounds and units. Throws when a promise does not hold.
 */
export function fuzzRtcpOne(data: Uint8Array): void {
  if (data.length < 2) return
  const bytes = data.subarray(2)
  const captured = Math.min(bytes.length, MAX_DATAGRAM)
  const wireLength = captured + (data[0] & 0x3f)
  const compound = parseRtcp(bytes, 0, captured, { wireLength, expectEncrypted: (data[0] & 0x80) !== 0 })
  looksLikeRtcp(bytes, 0, captured, wireLength)
  checkCompound(compound, captured)
  checkView(compound, data[1])
  checkRtt(compound)
  // Bytes in front of and behind the datagram are not its own.
  const framed = new Uint8Array(captured + 16).fill(0x80)
  framed.set(bytes.subarray(0, captured), 8)
  const again = parseRtcp(framed, 8, captured, { wireLength, expectEncrypted: (data[0] & 0x80) !== 0 })
  check(JSON.stringify(again) === JSON.stringify(compound), 'reads its own bytes only')
}

function checkCompound(compound: RtcpCompound, captured: number): void {
  check(compound.packets.length <= MAX_PACKETS, 'packets are bounded')
  check(!compound.encrypted || compound.packets.length === 0, 'nothing is read of what is encrypted')
  check(new Set(compound.defects).size === compound.defects.length, 'a defect is named once')
  for (const packet of compound.packets) checkPacket(packet, captured)
}

function checkPacket(packet: RtcpPacket, captured: number): void {
  if (packet.type === 'sr' || packet.type === 'rr') {
    check(packet.reports.length * 24 <= captured, 'report blocks fit in the datagram')
    for (const report of packet.reports) {
      check(report.fractionLost >= 0 && report.fractionLost <= 255, 'fraction lost is a byte')
      check(Math.abs(report.cumulativeLost) <= 0x800000, 'cumulative lost is 24 bits')
      check(report.extendedHighest >= 0 && report.lsr >= 0 && report.dlsr >= 0, 'words are unsigned')
    }
  }
  if (packet.type === 'xr') for (const block of packet.blocks) checkBlock(block)
}

function checkBlock(block: XrBlock): void {
  if (block.type === 'loss_rle' || block.type === 'duplicate_rle') {
    check(block.marked <= block.reported && block.reported <= 0x10000, 'RLE counts are bounded')
    check(block.ranges.length <= 256, 'ranges are bounded')
    const inRanges = block.ranges.reduce((sum, range) => sum + range.count, 0)
    check(block.ranges.length === 256 ? inRanges <= block.marked : inRanges === block.marked, 'ranges add up')
  }
  if (block.type === 'voip_metrics') {
    for (const mos of [block.mosLq, block.mosCq]) check(mos === undefined || (mos >= 1 && mos <= 5), 'MOS')
    for (const r of [block.rFactor, block.externalRFactor]) check(r === undefined || r <= 100, 'R')
  }
}

function checkView(compound: RtcpCompound, startSequence: number): void {
  const view = new FarEndView({ clockRate: 8000, start: { sequence: startSequence } })
  compound.packets.forEach((packet, i) => {
    if (packet.type === 'sr' && packet.sender !== undefined) view.onSenderInfo(packet.sender, i * 1000)
    if (packet.type === 'sr' || packet.type === 'rr') {
      for (const report of packet.reports) view.onReportBlock(packet.ssrc, report, i * 1000)
    }
    if (packet.type === 'xr') for (const block of packet.blocks) view.onXrBlock(block, i * 1000)
  })
  const summary = view.summary()
  check(summary.reporters <= 4, 'reporters are bounded')
  check((summary.expected ?? 1) > 0 && (summary.lost ?? 0) >= 0, 'loss is not negative')
  check((summary.lossPercent ?? 0) <= 100, 'loss is a share of what was expected')
}

function checkRtt(compound: RtcpCompound): void {
  const meter = new RttMeter({ sources: 4, outstanding: 2 })
  compound.packets.forEach((packet, i) => {
    if (packet.type === 'sr' && packet.sender !== undefined)
      meter.onSenderReport(packet.ssrc, packet.sender.ntpMiddle32, i)
    if (packet.type !== 'sr' && packet.type !== 'rr') return
    for (const { ssrc, lsr, dlsr } of packet.reports) {
      const sample = meter.onReportBlock(packet.ssrc, ssrc, lsr, dlsr, i + dlsr / 65.536)
      check(
        sample === undefined || (sample.rttMs >= 0 && sample.rttMs <= 60_000),
        'a round trip is plausible',
      )
    }
  })
}

/** Takes the bytes as text of a quality report and checks ranges and bounds. */
export function fuzzQualityReportOne(data: Uint8Array): void {
  const body = new TextDecoder().decode(data)
  for (const text of [body, `VQSessionReport: CallTerm\r\n${body}`]) {
    const report = parseQualityReport(text)
    for (const metrics of [report?.localMetrics, report?.remoteMetrics]) {
      if (metrics === undefined) continue
      check(metrics.mosLq === undefined || (metrics.mosLq >= 1 && metrics.mosLq <= 5), 'MOS is in 1..5')
      check(
        metrics.lossPercent === undefined || (metrics.lossPercent >= 0 && metrics.lossPercent <= 100),
        'loss',
      )
      check(Object.keys(metrics.extensions ?? {}).length <= 16, 'extensions are bounded')
      for (const value of Object.values(metrics)) check(!Number.isNaN(value), 'no value is NaN')
    }
  }
}
