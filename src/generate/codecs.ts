import type { CodecName } from './scenario.js'

/** What a sender needs to know about a codec. Clock rates and static types: RFC 3551, 3952 (iLBC), 4867, 7587, TS 26.445. */
export interface Codec {
  name: CodecName
  /** Static payload type, or the dynamic one that the generator uses unless told otherwise. */
  payloadType: number
  clockRateHz: number
  channels: number
  ptimeMs: number
  /** ptime must be a multiple of this. */
  frameMs: number
  /** RTP payload bytes for one packet. */
  payloadBytes: (ptimeMs: number) => number
  fmtp?: (ptimeMs: number) => string
}

const linear =
  (bytesPerMs: number) =>
  (ptimeMs: number): number =>
    Math.round(bytesPerMs * ptimeMs)

/** Octet-aligned: CMR octet, then one TOC octet and one padded speech frame per 20 ms. */
const amr =
  (speechBytes: number) =>
  (ptimeMs: number): number =>
    1 + Math.round(ptimeMs / 20) * (1 + speechBytes)

/** 488 bits (TS 26.445 table A.1). */
const EVS_FRAME_BYTES = 61

export const CODECS: Record<CodecName, Codec> = {
  PCMU: {
    name: 'PCMU',
    payloadType: 0,
    clockRateHz: 8000,
    channels: 1,
    ptimeMs: 20,
    frameMs: 1,
    payloadBytes: linear(8),
  },
  PCMA: {
    name: 'PCMA',
    payloadType: 8,
    clockRateHz: 8000,
    channels: 1,
    ptimeMs: 20,
    frameMs: 1,
    payloadBytes: linear(8),
  },
  // Samples at 16 kHz, RTP clock 8000 (RFC 3551 4.5.2).
  G722: {
    name: 'G722',
    payloadType: 9,
    clockRateHz: 8000,
    channels: 1,
    ptimeMs: 20,
    frameMs: 1,
    payloadBytes: linear(8),
  },
  G729: {
    name: 'G729',
    payloadType: 18,
    clockRateHz: 8000,
    channels: 1,
    ptimeMs: 20,
    frameMs: 10,
    payloadBytes: linear(1),
    fmtp: () => 'annexb=no',
  },
  GSM: {
    name: 'GSM',
    payloadType: 3,
    clockRateHz: 8000,
    channels: 1,
    ptimeMs: 20,
    frameMs: 20,
    payloadBytes: linear(33 / 20),
  },
  iLBC: {
    name: 'iLBC',
    payloadType: 97,
    clockRateHz: 8000,
    channels: 1,
    ptimeMs: 30,
    frameMs: 10,
    payloadBytes: (ptimeMs) => (ptimeMs % 30 === 0 ? (ptimeMs / 30) * 50 : Math.ceil(ptimeMs / 20) * 38),
    fmtp: (ptimeMs) => `mode=${ptimeMs % 30 === 0 ? 30 : 20}`,
  },
  AMR: {
    name: 'AMR',
    payloadType: 98,
    clockRateHz: 8000,
    channels: 1,
    ptimeMs: 20,
    frameMs: 20,
    payloadBytes: amr(31),
    fmtp: () => 'octet-align=1',
  },
  'AMR-WB': {
    name: 'AMR-WB',
    payloadType: 99,
    clockRateHz: 16000,
    channels: 1,
    ptimeMs: 20,
    frameMs: 20,
    payloadBytes: amr(60),
    fmtp: () => 'octet-align=1',
  },
  // Compact format, where the size of a payload tells the rate, 24.4 kbit/s; header-full for more than one frame.
  EVS: {
    name: 'EVS',
    payloadType: 100,
    clockRateHz: 16000,
    channels: 1,
    ptimeMs: 20,
    frameMs: 20,
    payloadBytes: (ptimeMs) => (ptimeMs === 20 ? EVS_FRAME_BYTES : (ptimeMs / 20) * (1 + EVS_FRAME_BYTES)),
    fmtp: () => 'br=9.6-24.4;bw=nb-swb',
  },
  opus: {
    name: 'opus',
    payloadType: 111,
    clockRateHz: 48000,
    channels: 2,
    ptimeMs: 20,
    frameMs: 2.5,
    payloadBytes: linear(4),
    fmtp: () => 'minptime=10;useinbandfec=1',
  },
}

const NOISE_BYTES = 65536
const noise = new Uint8Array(NOISE_BYTES * 2)
{
  let state = 0x2545f491
  for (let i = 0; i < NOISE_BYTES; i++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    noise[i] = state >>> 11
    noise[i + NOISE_BYTES] = noise[i]
  }
}

/** Fills `out[offset, offset + length)` with noise that depends on `key` alone. `length` <= 65536. */
export function fillNoise(out: Uint8Array, offset: number, length: number, key: number): void {
  const from = Math.imul(key, 2654435761) >>> 16
  out.set(noise.subarray(from, from + length), offset)
}

const AMR_FT = 7
const AMR_WB_FT = 8
/** CELT-only fullband, 20 ms, mono, one frame (RFC 6716 3.1). */
const OPUS_TOC = 31 << 3

/** At 24.4 kbit/s EVS frames begin with the bandwidth in two bits: super-wideband (TS 26.445 7.1.3). */
const EVS_SWB = 2 << 6

/** Table of contents: one octet a frame, F(1 but for the last), primary mode, rate. */
const EVS_RATE = 6

function fillEvs(frames: number, out: Uint8Array, offset: number, length: number): void {
  const contents = frames > 1 ? frames : 0
  if (length <= contents) return
  for (let i = 0; i < contents; i++) out[offset + i] = (i + 1 < frames ? 0x40 : 0) | EVS_RATE
  out[offset + contents] = EVS_SWB | (out[offset + contents] & 63)
}

/** Fills an audio payload: noise, with the header bits that AMR, EVS and Opus receivers parse. */
export function fillAudio(
  codec: Codec,
  ptimeMs: number,
  out: Uint8Array,
  offset: number,
  length: number,
  key: number,
): void {
  fillNoise(out, offset, length, key)
  if (codec.name === 'opus' && length > 0) out[offset] = OPUS_TOC
  if (codec.name === 'EVS') fillEvs(ptimeMs / 20, out, offset, length)
  if (codec.name !== 'AMR' && codec.name !== 'AMR-WB') return
  const frames = Math.round(ptimeMs / 20)
  if (length < 1 + frames) return
  const frameType = codec.name === 'AMR' ? AMR_FT : AMR_WB_FT
  out[offset] = 0xf0
  for (let i = 0; i < frames; i++) out[offset + 1 + i] = (i + 1 < frames ? 0x80 : 0) | (frameType << 3) | 0x04
}
