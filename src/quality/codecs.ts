/** Finds the E-model row of a codec from what SDP and the stream tell, or from a name that a person typed. */
import type { CodecRow } from './codec-row.js'
import { NARROWBAND_ROWS } from './codecs-narrowband.js'
import { OPUS_ROWS, opusRowFor, type OpusBandwidth } from './codecs-opus.js'
import { WIDEBAND_ROWS } from './codecs-wideband.js'

export const CODEC_ROWS: readonly CodecRow[] = [...NARROWBAND_ROWS, ...WIDEBAND_ROWS, ...OPUS_ROWS]

const ROWS_BY_ID = new Map(CODEC_ROWS.map((row) => [row.id, row]))

/** Audio codecs that are deliberately without a row, so without a MOS, and why. */
export const CODECS_WITHOUT_ROW: readonly { name: string; aliases: readonly string[]; reason: string }[] = [
  {
    name: 'Speex',
    aliases: ['SPEEX'],
    reason: 'no published impairment values, and its quality setting cannot be seen from outside',
  },
  { name: 'SILK', aliases: ['SILK'], reason: 'no published impairment values' },
  { name: 'iSAC', aliases: ['ISAC'], reason: 'no published impairment values' },
  { name: 'BroadVoice', aliases: ['BV16', 'BV32'], reason: 'no published impairment values' },
  { name: 'DVI4', aliases: ['DVI4', 'VDVI'], reason: 'no published impairment values' },
  { name: 'LPC', aliases: ['LPC'], reason: 'no published impairment values' },
  {
    name: 'QCELP',
    aliases: ['QCELP'],
    reason: 'published for the 8 kbit/s variant only, which RTP does not carry',
  },
  { name: 'G.719', aliases: ['G719'], reason: 'no published impairment values' },
  {
    name: 'G.711.1',
    aliases: ['PCMA-WB', 'PCMU-WB'],
    reason: 'no published impairment values for the layers in use',
  },
  { name: 'AMR-WB+', aliases: ['AMR-WB+'], reason: 'no published impairment values' },
  { name: 'AAC', aliases: ['MP4A-LATM', 'MPEG4-GENERIC'], reason: 'no published impairment values' },
]

/** Audio bandwidth of an EVS frame. */
export type EvsBandwidth = 'NB' | 'WB' | 'SWB' | 'FB'

/** What EVS payloads say of themselves (3GPP TS 26.445 A.2). */
export interface EvsMode {
  /** Bit rate in the primary mode, kbit/s; undefined in the AMR-WB interoperable mode. */
  kbps?: number
  /** Where a frame of the primary mode says it in its first byte: from 9.6 kbit/s on. */
  bandwidth?: EvsBandwidth
}

/** What else is known of the stream. */
export interface CodecHints {
  /** The value of SDP's a=fmtp for the payload type. */
  fmtp?: string
  /** AMR, AMR-WB: frame type seen in the payload (RFC 4867), 0..7 or 0..8. Overrides fmtp. */
  mode?: number
  /** Bit rate of the codec while it speaks, as seen in the payload or given; picks rows of Opus, EVS, G.723.1. Overrides fmtp. */
  bitrateBps?: number
  /** Opus: audio bandwidth seen in the payload (RFC 6716). Overrides fmtp. */
  opusBandwidth?: OpusBandwidth
  /** EVS: mode seen in the payload. Overrides fmtp. */
  evs?: EvsMode
  /** G.711: does the receiver conceal losses? Default true. */
  g711Plc?: boolean
}

/** a=fmtp as lower-case keys and trimmed values; parameters without a value become ''. */
export function parseFmtp(fmtp: string | undefined): Map<string, string> {
  const parameters = new Map<string, string>()
  for (const part of (fmtp ?? '').split(';')) {
    const equals = part.indexOf('=')
    const key = (equals < 0 ? part : part.slice(0, equals)).trim().toLowerCase()
    if (key !== '') parameters.set(key, equals < 0 ? '' : part.slice(equals + 1).trim())
  }
  return parameters
}

function row(id: string): CodecRow {
  const found = ROWS_BY_ID.get(id)
  if (found === undefined) throw new Error(`codec table has no row ${id}`)
  return found
}

function positive(text: string | undefined): number | undefined {
  const value = Number(text)
  return text !== undefined && text !== '' && value > 0 && Number.isFinite(value) ? value : undefined
}

/** Highest mode of a=fmtp mode-set: a sender uses it unless it is asked for less. */
function highestMode(fmtp: Map<string, string>): number | undefined {
  const modes = (fmtp.get('mode-set') ?? '').match(/\d+/g)
  return modes === null ? undefined : Math.max(...modes.map(Number))
}

/** RFC 4867 mode 7 is 12.2 kbit/s, 4 is 7.4. No value can be borrowed for the other six: no row. */
function amrRow(fmtp: Map<string, string>, mode: number | undefined): CodecRow | undefined {
  const index = mode ?? highestMode(fmtp)
  if (index === undefined) return row('amr-assumed')
  return index === 7 ? row('amr-12.2') : index === 4 ? row('amr-7.4') : undefined
}

const AMR_WB_KBPS = ['6.6', '8.85', '12.65', '14.25', '15.85', '18.25', '19.85', '23.05', '23.85']

function amrWbRow(fmtp: Map<string, string>, mode: number | undefined): CodecRow | undefined {
  const index = mode ?? highestMode(fmtp)
  if (index === undefined) return row('amr-wb-assumed')
  return index in AMR_WB_KBPS ? row(`amr-wb-${AMR_WB_KBPS[index]}`) : undefined
}

/** RFC 7587: maxplaybackrate and sprop-maxcapturerate bound the audio bandwidth, cbr=1 asks for constant rate. */
function opusRow(
  fmtp: Map<string, string>,
  bitrateBps: number | undefined,
  seen: OpusBandwidth | undefined,
): CodecRow {
  const rates = [fmtp.get('maxplaybackrate'), fmtp.get('sprop-maxcapturerate')].map(positive)
  const highest = Math.min(...rates.map((rate) => rate ?? Infinity))
  const bandwidth: OpusBandwidth | undefined =
    seen ?? (highest <= 8000 ? 'NB' : highest <= 16000 ? 'WB' : highest < Infinity ? 'SWB' : undefined)
  const bps = bitrateBps ?? positive(fmtp.get('maxaveragebitrate'))
  return opusRowFor({
    bandwidth,
    rateControl: fmtp.get('cbr') === '1' ? 'CBR' : 'VBR',
    kbps: bps === undefined ? undefined : bps / 1000,
  })
}

const EVS_KBPS = [9.6, 13.2, 16.4, 24.4, 32, 48]

/**
 * 3GPP TS 26.445 A.3.3: values exist for SWB at a known rate; NB, WB (all there is below 9.6 kbit/s) and AMR-WB IO have
 * none on any scale.
 */
function evsRow(fmtp: Map<string, string>, { evs, bitrateBps }: CodecHints): CodecRow | undefined {
  const interoperable = evs === undefined ? fmtp.get('evs-mode-switch') === '1' : evs.kbps === undefined
  if (interoperable) return undefined
  const bandwidth = evs?.bandwidth ?? fmtp.get('bw') ?? fmtp.get('bw-send')
  if (bandwidth !== undefined && !/swb|fb/i.test(bandwidth)) return undefined
  if (evs?.kbps !== undefined && evs.kbps < EVS_KBPS[0]) return undefined
  const rates = (fmtp.get('br') ?? fmtp.get('br-send') ?? '').match(/[\d.]+/g)
  const signalled = rates !== null && rates.length === 1 ? Number(rates[0]) : undefined
  const kbps = evs?.kbps ?? signalled ?? (bitrateBps === undefined ? undefined : bitrateBps / 1000)
  if (kbps === undefined || bandwidth?.toLowerCase() !== 'swb') return row('evs-assumed')
  const nearest = EVS_KBPS.reduce((best, next) =>
    Math.abs(next - kbps) < Math.abs(best - kbps) ? next : best,
  )
  return Math.abs(nearest - kbps) <= 0.1 * nearest ? row(`evs-swb-${nearest}`) : row('evs-assumed')
}

/** annexa (G.723.1) and annexb (G.729) default to yes (RFC 4856): silence suppression is allowed. */
function hasVad(fmtp: Map<string, string>, key: string): boolean {
  return fmtp.get(key)?.toLowerCase() !== 'no'
}

function g723Row(fmtp: Map<string, string>, bitrateBps: number | undefined): CodecRow {
  const bps = bitrateBps ?? positive(fmtp.get('bitrate'))
  // SDP writes 5.3 or 5300. The two rates are 5.33 and 6.4 kbit/s on the wire (20 or 24 bytes each 30 ms).
  const kbps = bps === undefined ? 6.3 : bps > 100 ? bps / 1000 : bps
  if (kbps < 5.85) return row('g723.1-5.3')
  return row(hasVad(fmtp, 'annexa') ? 'g723.1-6.3-vad' : 'g723.1-6.3-no-vad')
}

/** RFC 5577: bitrate=24000|32000 (|48000, 14 kHz audio, has no value). */
function g7221Row(fmtp: Map<string, string>): CodecRow | undefined {
  const bps = positive(fmtp.get('bitrate')) ?? 32000
  return bps === 32000 ? row('g722.1-32') : bps === 24000 ? row('g722.1-24') : undefined
}

/**
 * The row that scores an RTP encoding. `encodingName` as in SDP (any case), `clockRateHz` 0 when unknown. undefined:
 * not a speech codec, or one for which there is neither a published value nor an acceptable stand-in, so no MOS.
 */
export function lookupCodec(
  encodingName: string,
  clockRateHz: number,
  hints: CodecHints = {},
): CodecRow | undefined {
  const name = encodingName.toUpperCase()
  const candidates = CODEC_ROWS.filter(
    (candidate) =>
      candidate.aliases.includes(name) && (clockRateHz === 0 || candidate.clockRateHz === clockRateHz),
  )
  if (candidates.length === 0) return undefined
  const fmtp = parseFmtp(hints.fmtp)
  switch (candidates[0].codec) {
    case 'G.711':
      return row((hints.g711Plc ?? true) ? 'g711' : 'g711-no-plc')
    case 'G.729':
      return row(hasVad(fmtp, 'annexb') ? 'g729a-vad' : 'g729-no-vad')
    case 'G.723.1':
      return g723Row(fmtp, hints.bitrateBps)
    case 'AMR':
      return amrRow(fmtp, hints.mode)
    case 'AMR-WB':
      return amrWbRow(fmtp, hints.mode)
    case 'iLBC':
      return row(fmtp.get('mode') === '20' ? 'ilbc-20' : 'ilbc-30')
    case 'G.722.1':
      return g7221Row(fmtp)
    case 'EVS':
      return evsRow(fmtp, hints)
    case 'Opus':
      return opusRow(fmtp, hints.bitrateBps, hints.opusBandwidth)
    default:
      return candidates[0]
  }
}

/** Why a codec has no row, for messages; undefined when it has one or is not known at all. */
export function reasonWithoutRow(encodingName: string): string | undefined {
  const name = encodingName.toUpperCase()
  return CODECS_WITHOUT_ROW.find((entry) => entry.aliases.includes(name) || entry.name.toUpperCase() === name)
    ?.reason
}
