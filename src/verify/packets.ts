import { canonicalAddress, streamKey } from './tshark-streams.js'
import { tsharkLines } from './tshark-run.js'

/** One RTP packet as tshark's dissector read it. */
export interface RtpPacket {
  /** Frame number in the file, from 1. */
  frame: number
  /** Since the file's first frame. */
  timeMs: number
  sequence: number
  timestamp: number
  payloadType: number
  marker: boolean
  /** What the payload type stands for: media, a telephone-event (RFC 4733) or comfort noise (RFC 3389). */
  kind: 'media' | 'event' | 'noise'
  /** By the static table (RFC 3551) or the SDP that tshark read; 0 when neither knows the type. */
  clockRateHz: number
  transport: 'udp' | 'tcp'
  /** UDP payload in bytes. */
  length: number
}

/** The packets of a file by stream (streamKey), and how many found no room. */
export interface PacketRows {
  streams: Map<string, RtpPacket[]>
  dropped: number
}

/** Packets kept for recomputation; the streams of a larger file are compared, but their differences not explained. */
export const MOST_PACKETS = 4_000_000

const FIELDS = [
  'frame.number',
  'frame.time_relative',
  'frame.protocols',
  'ip.src',
  'ipv6.src',
  'ip.dst',
  'ipv6.dst',
  'udp.srcport',
  'udp.dstport',
  'tcp.srcport',
  'tcp.dstport',
  'udp.length',
  'rtp.ssrc',
  'rtp.seq',
  'rtp.timestamp',
  'rtp.p_type',
  'rtp.marker',
  '_ws.col.Info',
  'sdp.media_attr',
]
/** Between several values of one field: occurs in no address, number or SDP line. */
const AGGREGATOR = '\u001f'

/** RFC 3551 tables 4 and 5: clock rates of the static types, with 13 and 19 (comfort noise). */
const STATIC_CLOCK_HZ: Readonly<Record<number, number>> = {
  ...Object.fromEntries([0, 1, 2, 3, 4, 5, 7, 8, 9, 12, 13, 15, 18, 19].map((type) => [type, 8000])),
  ...Object.fromEntries([14, 25, 26, 28, 31, 32, 33, 34].map((type) => [type, 90_000])),
  6: 16_000,
  10: 44_100,
  11: 44_100,
  16: 11_025,
  17: 22_050,
}

/**
 * Reads every RTP packet of a file through tshark's dissectors: an account that shares no code with our own decoder.
 * @throws CallprobeError TOOL_MISSING, TOOL_FAILED
 */
export async function readPackets(file: string, options: readonly string[]): Promise<PacketRows> {
  const args = ['-n', '-r', file, ...options, '-Y', 'rtp or sdp', '-T', 'fields']
  args.push('-E', 'separator=/t', '-E', 'occurrence=a', '-E', `aggregator=${AGGREGATOR}`)
  for (const field of FIELDS) args.push('-e', field)
  const rows: PacketRows = { streams: new Map(), dropped: 0 }
  const clocks: SdpClocks = new Map()
  let kept = 0
  for await (const line of tsharkLines(args)) {
    const cells = line.split('\t')
    if (cells.length < FIELDS.length) continue
    noteRtpmaps(cells[18], clocks)
    // Quoted by an ICMP error: no packet of the stream.
    if (cells[13] === '' || cells[2].includes(':icmp')) continue
    if (kept >= MOST_PACKETS) {
      rows.dropped++
      continue
    }
    kept++
    const packet = packetOf(cells, clocks)
    const key = keyOf(cells)
    const packets = rows.streams.get(key)
    if (packets) packets.push(packet)
    else rows.streams.set(key, [packet])
  }
  return rows
}

/** By payload type and encoding name in lower case. */
type SdpClocks = Map<string, number>

/** `rtpmap:96 opus/48000/2` */
function noteRtpmaps(attributes: string, clocks: SdpClocks): void {
  if (attributes === '') return
  for (const attribute of attributes.split(AGGREGATOR)) {
    const m = /^rtpmap:\s*(\d+)\s+([^/\s]+)\/(\d+)/.exec(attribute)
    if (m !== null) clocks.set(`${m[1]} ${m[2].toLowerCase()}`, Number(m[3]))
  }
}

function packetOf(cells: readonly string[], clocks: SdpClocks): RtpPacket {
  const payloadType = Number(last(cells[15]))
  const isEvent = cells[2].endsWith(':rtpevent')
  const name = isEvent ? 'telephone-event' : (/^PT=([^,]+),/.exec(cells[17])?.[1] ?? '').toLowerCase()
  const event = isEvent || name === 'telephone-event'
  const noise = payloadType === 13 || payloadType === 19 || name === 'cn'
  return {
    frame: Number(cells[0]),
    timeMs: Number(cells[1]) * 1000,
    sequence: Number(last(cells[13])),
    timestamp: Number(last(cells[14])),
    payloadType,
    marker: last(cells[16]) === '1' || last(cells[16]) === 'True',
    kind: event ? 'event' : noise ? 'noise' : 'media',
    clockRateHz: STATIC_CLOCK_HZ[payloadType] ?? clocks.get(`${payloadType} ${name}`) ?? 0,
    transport: cells[7] === '' ? 'tcp' : 'udp',
    length: Number(last(cells[11])) - 8,
  }
}

function keyOf(cells: readonly string[]): string {
  // The innermost network layer names the stream, as in tshark's own table.
  const v6 = cells[2].lastIndexOf(':ipv6') > Math.max(cells[2].lastIndexOf(':ip:'), -1)
  return streamKey({
    sourceAddress: canonicalAddress(last(v6 ? cells[4] : cells[3])),
    sourcePort: Number(last(cells[7] || cells[9])),
    destinationAddress: canonicalAddress(last(v6 ? cells[6] : cells[5])),
    destinationPort: Number(last(cells[8] || cells[10])),
    ssrc: `0x${Number(last(cells[12])).toString(16).padStart(8, '0')}`,
  })
}

function last(cell: string): string {
  return cell.slice(cell.lastIndexOf(AGGREGATOR) + 1)
}
