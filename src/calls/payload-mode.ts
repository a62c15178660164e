import type { DecodedPacket } from '../decode/packet.js'
import type { OpusBandwidth } from '../quality/codecs-opus.js'
import { parseFmtp, type CodecHints } from '../quality/codecs.js'
import type { PayloadFormat } from '../sip/sdp-types.js'

/** Encodings whose payload header says which mode or bandwidth is in use. */
export function hasPayloadMode(encoding: string | undefined): boolean {
  return encoding === 'AMR' || encoding === 'AMR-WB' || encoding === 'OPUS'
}

/** Where the payload behind the RTP header starts (RFC 3550 5.1), -1 when it was cut off. */
export function payloadStart(p: DecodedPacket): number {
  const at = p.payloadOffset
  const end = at + p.payloadCaptured
  let start = at + 12 + (p.bytes[at] & 15) * 4
  if (p.bytes[at] & 0x10) {
    if (start + 4 > end) return -1
    start += 4 + p.view.getUint16(start + 2) * 4
  }
  return start < end ? start : -1
}

const AMR_SPEECH_MODES = { AMR: 8, 'AMR-WB': 9 } as const

/**
 * Frame type of an AMR or AMR-WB payload (RFC 4867 4.3, 4.4), undefined for comfort noise, lost and empty frames.
 *
 * bandwidth-efficient: CMR(4) F(1) FT(4) Q(1) ...    octet-aligned: CMR(4) 0(4) | F(1) FT(4) Q(1) 0(2) ...
 */
export function amrMode(
  encoding: 'AMR' | 'AMR-WB',
  first: number,
  second: number,
  octetAligned: boolean,
): number | undefined {
  const type = octetAligned ? (second >> 3) & 15 : ((first & 7) << 1) | (second >> 7)
  return type < AMR_SPEECH_MODES[encoding] ? type : undefined
}

/** Audio bandwidth of an Opus packet: the configuration number of its TOC byte (RFC 6716 3.1, table 2). */
export function opusBandwidth(toc: number): OpusBandwidth {
  const configuration = toc >> 3
  if (configuration < 8) return 'NB'
  if (configuration < 12) return 'WB'
  if (configuration < 16) return 'SWB'
  if (configuration < 20) return 'NB'
  return configuration < 24 ? 'WB' : 'SWB'
}

const OPUS_BANDWIDTHS: readonly OpusBandwidth[] = ['NB', 'WB', 'SWB']

/** Modes seen in samples of one stream's payload headers; the most frequent one stands for the stream. */
export class PayloadModes {
  private readonly counts = new Uint32Array(16)
  /** Identifies the hint: codec rows are looked up once for each. */
  key = 0
  hints: CodecHints = {}

  /** Takes one packet's payload header. */
  sample(p: DecodedPacket, format: PayloadFormat): void {
    const start = payloadStart(p)
    if (start < 0) return
    if (format.encoding === 'OPUS') {
      this.count(OPUS_BANDWIDTHS.indexOf(opusBandwidth(p.bytes[start])), format)
      return
    }
    if (format.encoding !== 'AMR' && format.encoding !== 'AMR-WB') return
    if (start + 1 >= p.payloadOffset + p.payloadCaptured) return
    const aligned = parseFmtp(format.fmtp).get('octet-align') === '1'
    const mode = amrMode(format.encoding, p.bytes[start], p.bytes[start + 1], aligned)
    if (mode !== undefined) this.count(mode, format)
  }

  private count(mode: number, format: PayloadFormat): void {
    this.counts[mode]++
    let best = 0
    for (let k = 1; k < this.counts.length; k++) if (this.counts[k] > this.counts[best]) best = k
    this.key = best + 1
    this.hints = format.encoding === 'OPUS' ? { opusBandwidth: OPUS_BANDWIDTHS[best] } : { mode: best }
  }

  /** A new interval: its own packets decide. */
  restart(): void {
    this.counts.fill(0)
  }
}
