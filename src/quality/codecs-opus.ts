/**
 * Opus rows. ITU-T publishes no impairment factors for Opus; these are M. Alahmadi's fit to measured speech quality
 * (open-source opus e-model, 2021), per audio bandwidth, rate control and bit rate, random loss. The fit does not
 * say which R scale it is on; each bandwidth is taken on the scale of that bandwidth, SWB on the fullband one. All
 * rows are stand-ins (`grounded: false`).
 */
import { codecRow, type CodecRow, type MosScale } from './codec-row.js'

export type OpusBandwidth = 'NB' | 'WB' | 'SWB'
export type OpusRateControl = 'VBR' | 'CBR'

/** kbit/s, Ie, Bpl for random loss (the E-model takes bursts through BurstR). */
type Fit = readonly [kbps: number, ie: number, bpl: number]

const FITS: Record<OpusBandwidth, Record<OpusRateControl, readonly Fit[]>> = {
  SWB: {
    VBR: [
      [16, 30.16, 11.83],
      [19, 23.81, 10.67],
      [22, 20.22, 10.47],
      [25, 20.21, 11.28],
      [28, 18.48, 10.63],
      [31, 16.83, 10.44],
      [34, 14.76, 10.12],
      [37, 12.08, 10.38],
      [40, 10.67, 9.79],
    ],
    CBR: [
      [16, 36.88, 13.3],
      [25, 22.64, 10.57],
      [40, 15.9, 11.35],
    ],
  },
  WB: {
    VBR: [
      [11, 28.41, 23.94],
      [12, 23.3, 22.22],
      [13, 19.96, 19.5],
    ],
    CBR: [
      [12, 29.76, 24.81],
      [15, 18.06, 18.74],
    ],
  },
  NB: {
    VBR: [
      [6, 23, 24.56],
      [9, 11.74, 18.91],
    ],
    CBR: [
      [6, 46.27, 8.94],
      [8, 19.25, 15.13],
      [11, 2.03, 15.95],
    ],
  },
}

const SCALES: Record<OpusBandwidth, MosScale> = { NB: 'nb', WB: 'wb', SWB: 'fb' }

/** Voice in a browser aims at about 32 kbit/s; the nearest fit stands in when no bit rate is known. */
const DEFAULT_KBPS = 31

function opusRow(bandwidth: OpusBandwidth, control: OpusRateControl, [kbps, ie, bpl]: Fit): CodecRow {
  return codecRow({
    id: `opus-${bandwidth}-${control}-${kbps}`.toLowerCase(),
    codec: 'Opus',
    aliases: ['OPUS'],
    // Always 48000 (RFC 7587 4.1), whatever the audio bandwidth.
    clockRateHz: 48000,
    scale: SCALES[bandwidth],
    ie,
    bpl,
    label: `Opus ${bandwidth} ${control} ${kbps} kbit/s`,
    source: "Alahmadi's fit, no ITU value",
    grounded: false,
    note: 'fitted by one author, on a scale that the fit does not name; taken on the scale of the audio bandwidth',
    frameMs: 20,
    ptimeMs: 20,
    // libopus by default: 26.5 ms in all with 20 ms frames.
    lookaheadMs: 6.5,
  })
}

const ROWS_BY_KIND = new Map<string, { kbps: number; row: CodecRow }[]>()
for (const bandwidth of ['SWB', 'WB', 'NB'] as const) {
  for (const control of ['VBR', 'CBR'] as const) {
    const rows = FITS[bandwidth][control].map((fit) => ({
      kbps: fit[0],
      row: opusRow(bandwidth, control, fit),
    }))
    ROWS_BY_KIND.set(bandwidth + control, rows)
  }
}

export const OPUS_ROWS: readonly CodecRow[] = [...ROWS_BY_KIND.values()].flat().map(({ row }) => row)

export interface OpusTraits {
  /** Highest audio bandwidth signalled; undefined lets the bit rate decide. */
  bandwidth?: OpusBandwidth
  rateControl: OpusRateControl
  kbps?: number
}

/** Bandwidth that an encoder left to itself uses for speech at a bit rate. */
function bandwidthAt(kbps: number): OpusBandwidth {
  return kbps < 10 ? 'NB' : kbps < 14 ? 'WB' : 'SWB'
}

/** The fit whose bit rate lies nearest within the bandwidth; rates beyond the fitted ones use the outermost. */
export function opusRowFor({ bandwidth, rateControl, kbps = DEFAULT_KBPS }: OpusTraits): CodecRow {
  const rows = ROWS_BY_KIND.get((bandwidth ?? bandwidthAt(kbps)) + rateControl)!
  return rows.reduce((best, next) => (Math.abs(next.kbps - kbps) < Math.abs(best.kbps - kbps) ? next : best))
    .row
}
