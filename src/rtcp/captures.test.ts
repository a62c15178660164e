import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { PacketDecoder } from '../decode/decoder.js'
import { KIND_UDP } from '../decode/packet.js'
import { forEachFrame } from '../decode/test-captures.js'
import type { RtcpCompound, RtcpPacket } from './packets.js'
import { looksLikeRtcp, parseRtcp } from './parse.js'
import { RttMeter, type RttSample } from './rtt.js'

const CAPTURES = join(import.meta.dirname, '../../../shared/pcaps')
const absent = !existsSync(CAPTURES)
if (absent) console.warn(`skipped: no captures at ${CAPTURES}`)

interface Seen {
  frame: number
  timeMs: number
  compound: RtcpCompound
}

/** Every UDP payload that looks like RTCP, by frame number. */
function readRtcp(name: string): Map<number, Seen> {
  const found = new Map<number, Seen>()
  const decoder = new PacketDecoder()
  let frame = 0
  forEachFrame(
    readFileSync(join(CAPTURES, name)),
    (bytes, view, offset, captured, wire, linkType, timeMs) => {
      frame++
      if (decoder.decode(bytes, view, offset, captured, wire, linkType, timeMs) !== KIND_UDP) return
      const { payloadOffset, payloadCaptured, payloadLength } = decoder
      if (!looksLikeRtcp(decoder.bytes, payloadOffset, payloadCaptured, payloadLength)) return
      const options = { wireLength: payloadLength }
      const compound = parseRtcp(decoder.bytes, payloadOffset, payloadCaptured, options)
      found.set(frame, { frame, timeMs, compound })
    },
  )
  return found
}

type Row = Record<string, string[]>

/** tshark's fields of every RTCP frame; several values of a field are joined by `|`. */
function readTruth(name: string): Row[] {
  const [head, ...lines] = readFileSync(join(CAPTURES, 'truth', `${name}.rtcp.csv`), 'utf8')
    .trimEnd()
    .split('\n')
  const names = head.split(',')
  return lines.map((line) => {
    const cells = line.split(',').map((cell) => cell.replaceAll('"', ''))
    return Object.fromEntries(names.map((key, i) => [key, cells[i] === '' ? [] : cells[i].split('|')]))
  })
}

const TYPE_NUMBERS = { sr: 200, rr: 201, sdes: 202, bye: 203, app: 204, rtpfb: 205, psfb: 206, xr: 207 }

function hex8(value: number): string {
  return `0x${value.toString(16).padStart(8, '0')}`
}

function identifiers(packet: RtcpPacket): number[] {
  if (packet.type === 'sr' || packet.type === 'rr') return packet.reports.map((report) => report.ssrc)
  if (packet.type === 'sdes') return packet.chunks.map((chunk) => chunk.ssrc)
  return packet.type === 'bye' ? packet.ssrcs : []
}

/** The compound in tshark's fields. */
function asRow({ packets }: RtcpCompound): Row {
  const senders = packets.filter((p) => p.type === 'sr').map((p) => p.sender)
  const reports = packets.flatMap((p) => (p.type === 'sr' || p.type === 'rr' ? p.reports : []))
  const numbers = (values: (number | undefined)[]) => values.map(String)
  return {
    'rtcp.pt': numbers(packets.map((p) => (p.type === 'other' ? p.packetType : TYPE_NUMBERS[p.type]))),
    'rtcp.rc': numbers(
      packets.flatMap((p) => (p.type === 'sr' || p.type === 'rr' ? [p.reports.length] : [])),
    ),
    'rtcp.senderssrc': packets.flatMap((p) =>
      p.type === 'sr' || p.type === 'rr' || p.type === 'rtpfb' || p.type === 'psfb' ? [hex8(p.ssrc)] : [],
    ),
    'rtcp.sender.packetcount': numbers(senders.map((s) => s?.packetCount)),
    'rtcp.sender.octetcount': numbers(senders.map((s) => s?.octetCount)),
    'rtcp.timestamp.rtp': numbers(senders.map((s) => s?.rtpTimestamp)),
    'rtcp.timestamp.ntp.msw': numbers(senders.map((s) => s?.ntpSeconds)),
    'rtcp.timestamp.ntp.lsw': numbers(senders.map((s) => s?.ntpFraction)),
    'rtcp.ssrc.identifier': packets.flatMap(identifiers).map(hex8),
    'rtcp.ssrc.fraction': numbers(reports.map((r) => r.fractionLost)),
    'rtcp.ssrc.cum_nr': numbers(reports.map((r) => r.cumulativeLost)),
    'rtcp.ssrc.ext_high': numbers(reports.map((r) => r.extendedHighest)),
    'rtcp.ssrc.jitter': numbers(reports.map((r) => r.jitter)),
    'rtcp.ssrc.lsr': numbers(reports.map((r) => r.lsr)),
    'rtcp.ssrc.dlsr': numbers(reports.map((r) => r.dlsr)),
  }
}

/** Captures of plain RTCP, and how many of their frames tshark reads without complaint (ICMP quotes left out). */
const PLAIN: [string, number][] = [
  ['ISA__aaa.pcap', 1],
  ['Laborator09__sip.pcap', 2],
  ['libosmo-netif__rtp-nanobts-2-phones-amr.pcap', 8],
  ['nDPI__line.pcap', 9],
  ['nDPI__rtcp_multiple_pkts_in_the_same_datagram.pcap', 5],
  ['pcapApplication__yate.pcap', 46],
  ['pcaps__Forensic_challenge_4.pcap', 21],
  ['rtpproxy__rtcp.o.pcap', 1],
  ['sip_captures__RTP-Protocol.pcap', 2],
  ['sipnab__sip-over-tcp.pcap', 2],
  ['wireshark_samples__ctcloud_cvi.pcap', 19],
  ['wireshark_samples__opus.pcap', 19],
  ['wrapped_janus_rtcp_corpus.pcap', 9],
]

describe.skipIf(absent)('real RTCP against tshark', () => {
  it.each(PLAIN)('%s: every field of every report', (name, frames) => {
    const found = readRtcp(name)
    let compared = 0
    for (const row of readTruth(name)) {
      // Without a packet type: keepalives on an RTCP port.
      if (row['rtcp.pt'].length === 0 || row['_ws.malformed'].length > 0 || row['ip.src'].length > 1) continue
      const frame = Number(row['frame.number'][0])
      const seen = found.get(frame)
      expect(seen, `frame ${frame}`).toBeDefined()
      if (seen === undefined) continue
      const ours = asRow(seen.compound)
      for (const field of Object.keys(ours))
        expect(ours[field], `frame ${frame} ${field}`).toEqual(row[field])
      compared++
    }
    expect(compared).toBe(frames)
  })

  it('SRTCP of a Discord call: all of it is recognised, where tshark reads reports of 87/256 lost', () => {
    const found = readRtcp('TracePcap__discord.pcap')
    const truth = readTruth('TracePcap__discord.pcap')
    for (const row of truth) {
      const frame = Number(row['frame.number'][0])
      expect(found.get(frame)?.compound, `frame ${frame}`).toMatchObject({ encrypted: true, packets: [] })
    }
    expect(truth).toHaveLength(16)
  })

  it('no plain capture has a compound that is taken for SRTCP', () => {
    for (const [name] of PLAIN) {
      for (const seen of readRtcp(name).values()) {
        expect(seen.compound.encrypted, `${name} frame ${seen.frame}`).toBe(false)
      }
    }
  })
})

/** Feeds all reports of a capture to one meter. Returns samples by frame. */
function measure(name: string): { samples: Map<number, RttSample[]>; meter: RttMeter } {
  const meter = new RttMeter()
  const samples = new Map<number, RttSample[]>()
  for (const { frame, timeMs, compound } of readRtcp(name).values()) {
    for (const packet of compound.packets) {
      if (packet.type !== 'sr' && packet.type !== 'rr') continue
      const found = packet.reports
        .map((report) => meter.onReportBlock(packet.ssrc, report.ssrc, report.lsr, report.dlsr, timeMs))
        .filter((sample) => sample !== undefined)
      if (found.length > 0) samples.set(frame, found)
      if (packet.type === 'sr' && packet.sender)
        meter.onSenderReport(packet.ssrc, packet.sender.ntpMiddle32, timeMs)
    }
  }
  return { samples, meter }
}

/**
 * From tshark's fields rtcp.lsr-frame-captured (whole ms since the SR named) and rtcp.ssrc.dlsr: frame, the two.
 * tshark prints rtcp.roundtrip-delay, their difference, from 10 ms on only.
 */
const ROUND_TRIPS: [string, [number, number, number][]][] = [
  [
    'wireshark_samples__opus.pcap',
    [
      [406, 786, 47184],
      [813, 262, 14392],
      [1219, 1258, 79954],
    ],
  ],
  [
    'wireshark_samples__ctcloud_cvi.pcap',
    [
      [1184, 712, 46076],
      [1372, 315, 19661],
      [1908, 1344, 87817],
      [2517, 2371, 154665],
      [2925, 610, 39524],
      [3194, 420, 27525],
      [3845, 1450, 94371],
      [4449, 1512, 98573],
    ],
  ],
  [
    'pcaps__Forensic_challenge_4.pcap',
    [
      [1644, 2050, 134348],
      [1694, 1028, 63176],
      [1833, 3984, 260374],
      [1905, 1016, 66584],
      [2105, 2000, 130416],
      [2376, 2999, 196476],
      [2377, 20, 1245],
      [2566, 3041, 199229],
      [2762, 1959, 128319],
      [2813, 1061, 69337],
      [2986, 4072, 266665],
      [3081, 928, 60751],
      [3290, 2102, 136970],
      [3580, 2898, 189857],
      [3594, 128, 5898],
      [3893, 3164, 203751],
      [4072, 1835, 120193],
      [4140, 655, 39911],
    ],
  ],
  ['sipnab__sip-over-tcp.pcap', [[17, 17, 1048]]],
  [
    'libosmo-netif__rtp-nanobts-2-phones-amr.pcap',
    [
      [540, 220, 14221],
      [1958, 6739, 441319],
      [2074, 557, 35979],
    ],
  ],
]

describe.skipIf(absent)('round trips at the tap against tshark', () => {
  it.each(ROUND_TRIPS)('%s', (name, expected) => {
    const { samples } = measure(name)
    for (const [frame, sinceSrMs, dlsr] of expected) {
      const sample = samples.get(frame)?.[0]
      const rttMs = sinceSrMs - (dlsr * 1000) / 65536
      if (rttMs < -1) expect(sample, `frame ${frame}`).toBeUndefined()
      // Whole milliseconds there, and of a relayed SR another copy.
      else expect(Math.abs((sample?.rttMs ?? NaN) - rttMs), `frame ${frame}`).toBeLessThanOrEqual(1.5)
    }
    expect([...samples.keys()]).toEqual(
      expected.filter(([, since, dlsr]) => since - (dlsr * 1000) / 65536 >= -1).map(([frame]) => frame),
    )
  })

  it('reports copied on their way through a relay are one sample each', () => {
    const { meter } = measure('libosmo-netif__rtp-nanobts-2-phones-amr.pcap')
    expect(meter.counters).toMatchObject({ samples: 3, repeatedReports: 3, repeatedReferences: 4 })
  })
})
