import type { DecodedPacket } from '../decode/packet.js'
import type { OpusBandwidth } from '../quality/codecs-opus.js'
import { parseFmtp, type CodecHints } from '../quality/codecs.js'
import type { PayloadFormat } from '../sip/sdp-types.js'
import { EVS_MODES, evsHeaderBytes, evsMode } from './evs-payload.js'

/** Bytes at the start of the payload that say which mode or bandwidth is in use, for encodings that say it. */
const MODE_BYTES: Partial<Record<string, number>> = { AMR: 2, 'AMR-WB': 2, OPUS: 2, EVS: 1, G723: 1 }

/** So many bytes of the payload say which mode or bandwidth is in use; 0 when it does not say so. */
export function payloadModeBytes(encoding: string | undefined): number {
  return MODE_BYTES[encoding ?? ''] ?? 0
}

/** What replay looks at in the payloads of a call. */
export interface ModePlaces {
  /** Payload types that are looked into. None of them is that of telephone events: those say what was dialled. */
  payloadTypes: ReadonlySet<number>
  /** Bytes at the start of each of their payloads. */
  bytes: number
  /** EVS has a header of no fixed size; as its `hf-only` says. */
  evs?: { headerFullOnly: boolean }
}

export function modePlaces(formats: readonly PayloadFormat[]): ModePlaces {
  const speech = formats.filter(({ encoding }) => hasPayloadMode(encoding))
  const events = formats.filter(({ encoding }) => encoding === 'TELEPHONE-EVENT')
  const payloadTypes = new Set(speech.map(({ payloadType }) => payloadType))
  for (const { payloadType } of events) payloadTypes.delete(payloadType)
  const bytes = Math.max(0, ...speech.map(({ encoding }) => payloadModeBytes(encoding)))
  const evs = speech.filter(({ encoding }) => encoding === 'EVS')
  if (evs.length === 0) return { payloadTypes, bytes }
  const headerFullOnly = evs.every(({ fmtp }) => parseFmtp(fmtp).get('hf-only') === '1')
  return { payloadTypes, bytes, evs: { headerFullOnly } }
}

/**
 * Bytes of one payload that say which mode or bandwidth is in use.
 * @param bytes holds the payload at `start`, as far as it is there (`end`)
 * @param length bytes of the whole payload
 */
export function modeHeaderBytes(
  { bytes: least, evs }: ModePlaces,
  bytes: Uint8Array,
  start: number,
  end: number,
  length: number,
): number {
  if (!evs) return least
  return Math.max(least, evsHeaderBytes(bytes, start, end, length, evs.headerFullOnly))
}

/** Whether payload headers of this encoding say which mode or bandwidth is in use. */
export function hasPayloadMode(encoding: string | undefined): boolean {
  return payloadModeBytes(encoding) > 0
}

/** Bytes behind the RTP header without RFC 3550's padding, -1 when that was cut off. */
function payloadLength(p: DecodedPacket, start: number): number {
  const at = p.payloadOffset
  const whole = at + p.payloadLength - start
  if ((p.bytes[at] & 0x20) === 0) return whole
  return p.payloadCaptured < p.payloadLength ? -1 : whole - p.bytes[at + p.payloadLength - 1]
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

const SILK_FRAME_MS = [10, 20, 40, 60]
const CELT_FRAME_MS = [2.5, 5, 10, 20]

/**
 * Audio in an Opus packet, ms: frame size by the configuration number of its TOC byte, times the number of frames (RFC
 * 6716 3.1, 3.2). undefined when there is none, or its number was cut off.
 */
export function opusDurationMs(toc: number, second: number | undefined): number | undefined {
  const configuration = toc >> 3
  const frameMs =
    configuration < 12
      ? SILK_FRAME_MS[configuration & 3]
      : configuration < 16
        ? SILK_FRAME_MS[configuration & 1]
        : CELT_FRAME_MS[configuration & 3]
  const code = toc & 3
  const frames = code === 0 ? 1 : code < 3 ? 2 : second === undefined ? 0 : second & 63
  return frames === 0 ? undefined : frames * frameMs
}

/** Opus packets of no more bytes are silence that is not sent (RFC 7587 3.1.3). */
const OPUS_SILENCE_BYTES = 2

/** The two rates of G.723.1, bit/s, by the lowest bits of a frame (RFC 3551 4.5.3); other values are no speech. */
const G723_RATES_BPS = [6400, 5333]

/** What samples may say, each by its place in the counts. */
const SEEN: CodecHints[] = []
const FIRST_OPUS = 9
const FIRST_EVS = 12
const OPUS_BANDWIDTHS: readonly OpusBandwidth[] = ['NB', 'WB', 'SWB']
for (let mode = 0; mode < FIRST_OPUS; mode++) SEEN.push({ mode })
for (const seen of OPUS_BANDWIDTHS) SEEN.push({ opusBandwidth: seen })
for (const evs of EVS_MODES) SEEN.push({ evs })
const FIRST_G723 = SEEN.length
for (const bitrateBps of G723_RATES_BPS) SEEN.push({ bitrateBps })

/** Modes seen in samples of one stream's payload headers; the most frequent one stands for the stream. */
export class PayloadModes {
  private readonly counts = new Uint32Array(SEEN.length)
  /** Of the Opus packets looked at: their bits and the audio in them. */
  private opusBits = 0
  private opusMs = 0
  /** Identifies the hint: codec rows are looked up once for each. */
  key = 0
  hints: CodecHints = {}

  /** Takes one packet's payload header. */
  sample(p: DecodedPacket, format: PayloadFormat): void {
    const start = payloadStart(p)
    if (start < 0) return
    const seen = this.seenAt(p, start, format)
    if (seen !== undefined) this.count(seen)
  }

  private seenAt(p: DecodedPacket, start: number, { encoding, fmtp }: PayloadFormat): number | undefined {
    const { bytes } = p
    const end = p.payloadOffset + p.payloadCaptured
    if (encoding === 'OPUS') {
      const length = payloadLength(p, start)
      if (length <= OPUS_SILENCE_BYTES) return undefined
      this.noteOpusRate(length, bytes[start], start + 1 < end ? bytes[start + 1] : undefined)
      return FIRST_OPUS + OPUS_BANDWIDTHS.indexOf(opusBandwidth(bytes[start]))
    }
    if (encoding === 'G723') {
      const rate = bytes[start] & 3
      return rate < G723_RATES_BPS.length ? FIRST_G723 + rate : undefined
    }
    if (encoding === 'EVS') {
      const length = payloadLength(p, start)
      const headerFullOnly = parseFmtp(fmtp).get('hf-only') === '1'
      const mode = length > 0 ? evsMode(bytes, start, end, length, headerFullOnly) : undefined
      return mode && FIRST_EVS + EVS_MODES.indexOf(mode)
    }
    if ((encoding !== 'AMR' && encoding !== 'AMR-WB') || start + 1 >= end) return undefined
    const aligned = parseFmtp(fmtp).get('octet-align') === '1'
    return amrMode(encoding, bytes[start], bytes[start + 1], aligned)
  }

  private noteOpusRate(length: number, toc: number, second: number | undefined): void {
    const durationMs = opusDurationMs(toc, second)
    if (durationMs === undefined) return
    this.opusBits += length * 8
    this.opusMs += durationMs
  }

  private count(seen: number): void {
    this.counts[seen]++
    let best = 0
    for (let k = 1; k < this.counts.length; k++) if (this.counts[k] > this.counts[best]) best = k
    // To a whole kbit/s: there are rows for fewer.
    const kbps = this.opusMs > 0 ? Math.round(this.opusBits / this.opusMs) : 0
    this.key = best + 1 + kbps * SEEN.length
    this.hints = kbps > 0 ? { ...SEEN[best], bitrateBps: kbps * 1000 } : SEEN[best]
  }

  /** A new interval: its own packets decide. */
  restart(): void {
    this.counts.fill(0)
    this.opusBits = this.opusMs = 0
  }
}
