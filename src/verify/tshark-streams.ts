import { formatAddress, parseAddress } from '../decode/address.js'
import { tsharkText } from './tshark-run.js'

/** One line of `tshark -q -z rtp,streams`, as tshark prints it: rounded to 0.001 ms. */
export interface TsharkStream {
  key: string
  sourceAddress: string
  sourcePort: number
  destinationAddress: string
  destinationPort: number
  /** "0x1234abcd" */
  ssrc: string
  /** tshark's names of the payload types, e.g. "g711A, telephone-event". */
  payload: string
  packets: number
  lost: number
  maxDeltaMs: number
  meanJitterMs: number
  maxJitterMs: number
}

/** Options that make tshark look for RTP that no signalling announced. */
export const HEURISTICS = ['--enable-heuristic', 'rtp_udp', '--enable-heuristic', 'rtp_stun']

const NUMBER = '(-?[\\d.]+|-?nan|-?inf)'
const LINE = new RegExp(
  '^\\s*[\\d.]+\\s+[\\d.]+\\s+(\\S+)\\s+(\\d+)\\s+(\\S+)\\s+(\\d+)\\s+0x([0-9A-Fa-f]{8})\\s+(.*?)\\s*(\\d+)' +
    `\\s+(-?\\d+)\\s+\\(\\S+%\\)\\s+${NUMBER}\\s+${NUMBER}\\s+${NUMBER}\\s+${NUMBER}\\s+${NUMBER}\\s+${NUMBER}\\s*X?\\s*$`,
)

/** Streams of one capture file as tshark counts them. @throws CallprobeError TOOL_MISSING, TOOL_FAILED */
export async function tsharkStreams(file: string, options: readonly string[]): Promise<TsharkStream[]> {
  return parseStreamTable(await tsharkText(['-n', '-r', file, ...options, '-q', '-z', 'rtp,streams']))
}

/** Reads tshark's table of RTP streams. Lines that are no stream are passed over. */
export function parseStreamTable(lines: readonly string[]): TsharkStream[] {
  const streams: TsharkStream[] = []
  for (const line of lines) {
    const m = LINE.exec(line)
    if (m === null) continue
    const identity = {
      sourceAddress: canonicalAddress(m[1]),
      sourcePort: Number(m[2]),
      destinationAddress: canonicalAddress(m[3]),
      destinationPort: Number(m[4]),
      ssrc: `0x${m[5].toLowerCase()}`,
    }
    streams.push({
      key: streamKey(identity),
      ...identity,
      payload: m[6],
      packets: Number(m[7]),
      lost: Number(m[8]),
      maxDeltaMs: Number(m[11]),
      meanJitterMs: Number(m[13]),
      maxJitterMs: Number(m[14]),
    })
  }
  return streams
}

/** What tells streams apart, as one string. */
export function streamKey(stream: {
  sourceAddress: string
  sourcePort: number
  destinationAddress: string
  destinationPort: number
  ssrc: string
}): string {
  const { sourceAddress, sourcePort, destinationAddress, destinationPort, ssrc } = stream
  return `${sourceAddress} ${sourcePort} ${destinationAddress} ${destinationPort} ${ssrc}`
}

/** RFC 5952, as records print addresses. */
export function canonicalAddress(text: string): string {
  const parsed = parseAddress(text)
  if (parsed === undefined) return text
  const [w0, w1, w2, w3] = parsed.words
  return formatAddress(parsed.version, w0, w1, w2, w3)
}
