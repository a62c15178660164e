/**
 * Wideband and fullband codec rows: ITU-T G.113 (09/2024, Erratum 1) Appendices IV and V where they have a value, a
 * named stand-in where they have not. A missing Bpl gets the lowest one published on that scale (wb 4.3, fb 9.3),
 * so that a score under loss errs on the low side.
 */
import { codecRow, type CodecRow } from './codec-row.js'

const BPL_WB = 4.3
const BPL_FB = 9.3

/** AMR-WB modes 0..8 (RFC 4867): kbit/s, Ie,WB monotic (Table IV.1), Bpl of the nearest mode of Table IV.4. */
const AMR_WB_MODES = [
  { kbps: 6.6, ie: 41, bpl: 4.3 },
  { kbps: 8.85, ie: 26, bpl: 4.3 },
  { kbps: 12.65, ie: 13, bpl: 4.3 },
  { kbps: 14.25, ie: 10, bpl: 4.3 },
  { kbps: 15.85, ie: 7, bpl: 4.3 },
  { kbps: 18.25, ie: 5, bpl: 4.6 },
  { kbps: 19.85, ie: 3, bpl: 4.6 },
  { kbps: 23.05, ie: 1, bpl: 4.6 },
  { kbps: 23.85, ie: 8, bpl: 4.9 },
] as const

/** Diotic listening, the only presentation for which Ie,WB (Table IV.3) and Bpl,WB (Table IV.4) are both published. */
const AMR_WB_DIOTIC = [
  { kbps: 12.65, ie: 20, bpl: 4.3 },
  { kbps: 23.05, ie: 8, bpl: 4.6 },
  { kbps: 23.85, ie: 10, bpl: 4.9 },
] as const

const amrWb = {
  codec: 'AMR-WB',
  aliases: ['AMR-WB'],
  clockRateHz: 16000,
  scale: 'wb',
  frameMs: 20,
  ptimeMs: 20,
  // 5 ms of look-ahead and 0.9375 ms of down-sampling filter, G.722.2.
  lookaheadMs: 5.9375,
} as const

const MONOTIC_NOTE =
  'no Bpl is published for listening with one ear: that of the nearest mode, both ears, stands in'

function amrWbRow(mode: number, assumed: boolean): CodecRow {
  const { kbps, ie, bpl } = AMR_WB_MODES[mode]
  return codecRow({
    ...amrWb,
    id: assumed ? 'amr-wb-assumed' : `amr-wb-${kbps}`,
    ie,
    bpl,
    label: assumed ? `AMR-WB, mode not known, ${kbps} kbit/s assumed` : `AMR-WB ${kbps} kbit/s`,
    source: 'Ie G.113 Table IV.1 monotic, Bpl borrowed from Table IV.4 diotic',
    grounded: false,
    note: assumed ? `the mode is not known; ${MONOTIC_NOTE}` : MONOTIC_NOTE,
  })
}

const g722 = { codec: 'G.722', aliases: ['G722'], clockRateHz: 8000, scale: 'wb', bpl: BPL_WB } as const

function g722Row(kbps: number, ie: number): CodecRow {
  return codecRow({
    ...g722,
    id: `g722-${kbps}`,
    ie,
    label: `G.722 ${kbps} kbit/s`,
    source: 'Ie G.113 App. IV (unconfirmed), Bpl borrowed from Table IV.4',
    grounded: false,
    note: 'Bpl is not published: the lowest wideband value (4.3) stands in',
    frameMs: 0.125,
    ptimeMs: 20,
    lookaheadMs: 1.5,
  })
}

function g7221Row(kbps: number, ie: number): CodecRow {
  return codecRow({
    id: `g722.1-${kbps}`,
    codec: 'G.722.1',
    aliases: ['G7221'],
    clockRateHz: 16000,
    scale: 'wb',
    ie,
    bpl: BPL_WB,
    label: `G.722.1 ${kbps} kbit/s`,
    source: 'Ie G.113 App. IV (unconfirmed), Bpl borrowed from Table IV.4',
    grounded: false,
    note: 'Bpl is not published: the lowest wideband value (4.3) stands in',
    frameMs: 20,
    ptimeMs: 20,
    lookaheadMs: 20,
  })
}

/** EVS in SWB mode, diotic: Tables V.1 and V.3; 32 kbit/s as Erratum 1 (01/2026) corrects it. */
const EVS_SWB = [
  { kbps: 9.6, ie: 22.7, bpl: 13 },
  { kbps: 13.2, ie: 17.1, bpl: 11.7 },
  { kbps: 16.4, ie: 10.8, bpl: 10.3 },
  { kbps: 24.4, ie: 7.2, bpl: 11.4 },
  { kbps: 32, ie: 8.7, bpl: 9.3 },
  { kbps: 48, ie: 10.2, bpl: 9.6 },
] as const

const evs = {
  codec: 'EVS',
  aliases: ['EVS'],
  clockRateHz: 16000,
  scale: 'fb',
  source: 'G.113 App. V diotic, Erratum 1',
  frameMs: 20,
  ptimeMs: 20,
  // 32 ms in all, less the frame: 3GPP TS 26.445.
  lookaheadMs: 12,
} as const

function l16Row(clockRateHz: number, scale: 'wb' | 'fb', bpl: number): CodecRow {
  return codecRow({
    id: `l16-${clockRateHz}`,
    codec: 'L16',
    aliases: ['L16'],
    clockRateHz,
    scale,
    ie: 0,
    bpl,
    label: `L16 at ${clockRateHz / 1000} kHz`,
    source: 'Ie by definition of the scale, Bpl borrowed',
    grounded: false,
    note: 'no row in G.113: linear PCM is what the scale calls unimpaired; the lowest Bpl of the scale stands in',
    frameMs: 1000 / clockRateHz,
    ptimeMs: 20,
    lookaheadMs: 0,
  })
}

/** Rate whose EVS row is used when neither SDP nor the stream tells one: 13.2, the lowest common SWB rate. */
const EVS_ASSUMED = EVS_SWB[1]

export const WIDEBAND_ROWS: readonly CodecRow[] = [
  ...AMR_WB_MODES.map((_, mode) => amrWbRow(mode, false)),
  amrWbRow(2, true),
  ...AMR_WB_DIOTIC.map(({ kbps, ie, bpl }) =>
    codecRow({
      ...amrWb,
      id: `amr-wb-${kbps}-diotic`,
      ie,
      bpl,
      label: `AMR-WB ${kbps} kbit/s, diotic`,
      source: 'G.113 Tables IV.3 and IV.4',
      grounded: true,
    }),
  ),
  g722Row(64, 13),
  g722Row(56, 20),
  g722Row(48, 31),
  g7221Row(32, 13),
  g7221Row(24, 19),
  codecRow({
    id: 'g729.1-32',
    codec: 'G.729.1',
    aliases: ['G7291'],
    clockRateHz: 16000,
    scale: 'wb',
    ie: 7,
    bpl: BPL_WB,
    label: 'G.729.1 32 kbit/s',
    source: 'Ie G.113 App. IV (unconfirmed), Bpl borrowed from Table IV.4',
    grounded: false,
    note: 'Bpl is not published: the lowest wideband value (4.3) stands in; 32 kbit/s is assumed',
    frameMs: 20,
    ptimeMs: 20,
    lookaheadMs: 28.9375,
  }),
  l16Row(16000, 'wb', BPL_WB),
  ...EVS_SWB.map(({ kbps, ie, bpl }) =>
    codecRow({ ...evs, id: `evs-swb-${kbps}`, ie, bpl, label: `EVS SWB ${kbps} kbit/s`, grounded: true }),
  ),
  codecRow({
    ...evs,
    id: 'evs-assumed',
    ie: EVS_ASSUMED.ie,
    bpl: EVS_ASSUMED.bpl,
    label: `EVS, rate or bandwidth not known, SWB ${EVS_ASSUMED.kbps} kbit/s assumed`,
    grounded: false,
    note: 'values exist for SWB at a known rate only; SWB 13.2 kbit/s stands in',
  }),
  l16Row(32000, 'fb', BPL_FB),
  l16Row(44100, 'fb', BPL_FB),
  l16Row(48000, 'fb', BPL_FB),
]
