/**
 * Narrowband codec rows: ITU-T G.113 (09/2024) Appendix I where it has a value, a named stand-in where it has not.
 *
 * Two rules for a missing Bpl, both meant to err on the low side: a codec that conceals losses itself (the CELP
 * family) gets the lowest published value of that family, 10.0 of GSM-EFR; a waveform codec gets 4.3, that of G.711
 * without concealment. Look-ahead is the codec's own specification's, without the frame itself.
 */
import { codecRow, type CodecRow } from './codec-row.js'

const BPL_WAVEFORM = 4.3
const BPL_CELP = 10
const APPENDIX_I = 'G.113 (09/2024) App. I'

const NO_BPL_WAVEFORM = 'Bpl is not published: that of G.711 without PLC (4.3), the lowest, stands in'
const NO_BPL_CELP = 'Bpl is not published: that of GSM-EFR (10), the lowest of the CELP family, stands in'

const g711 = {
  codec: 'G.711',
  aliases: ['PCMU', 'PCMA'],
  clockRateHz: 8000,
  scale: 'nb',
  ie: 0,
  source: 'G.113 Table I.4',
  grounded: true,
  frameMs: 0.125,
  ptimeMs: 20,
  lookaheadMs: 0,
} as const

const g729 = { codec: 'G.729', aliases: ['G729'], clockRateHz: 8000, scale: 'nb', bpl: 19 } as const
const g729Timing = { frameMs: 10, ptimeMs: 20, lookaheadMs: 5 } as const

const g723 = { codec: 'G.723.1', aliases: ['G723'], clockRateHz: 8000, scale: 'nb', bpl: 16.1 } as const
const g723Timing = { frameMs: 30, ptimeMs: 30, lookaheadMs: 7.5 } as const

function g726(kbps: number, ie: number): CodecRow {
  return codecRow({
    id: `g726-${kbps}`,
    codec: 'G.726',
    aliases: kbps === 32 ? ['G726-32', 'AAL2-G726-32', 'G721'] : [`G726-${kbps}`, `AAL2-G726-${kbps}`],
    clockRateHz: 8000,
    scale: 'nb',
    ie,
    bpl: BPL_WAVEFORM,
    label: `G.726 ${kbps} kbit/s`,
    source: `Ie ${APPENDIX_I} (unconfirmed), Bpl borrowed`,
    grounded: false,
    note: NO_BPL_WAVEFORM,
    frameMs: 0.125,
    ptimeMs: 20,
    lookaheadMs: 0,
  })
}

const amrTiming = { frameMs: 20, ptimeMs: 20, lookaheadMs: 5 } as const

function amr(id: string, ie: number, label: string, lender: string, note: string): CodecRow {
  return codecRow({
    id,
    codec: 'AMR',
    aliases: ['AMR'],
    clockRateHz: 8000,
    scale: 'nb',
    ie,
    bpl: BPL_CELP,
    label,
    source: `borrowed from ${lender}`,
    grounded: false,
    note,
    ...amrTiming,
  })
}

function ilbc(frameMs: number, kbps: number, lookaheadMs: number): CodecRow {
  return codecRow({
    id: `ilbc-${frameMs}`,
    codec: 'iLBC',
    aliases: ['ILBC'],
    clockRateHz: 8000,
    scale: 'nb',
    ie: 11,
    bpl: 19,
    label: `iLBC ${kbps} kbit/s`,
    source: 'borrowed from G.729A + VAD',
    grounded: false,
    note: 'no published values: those of G.729A + VAD stand in, a codec of similar rate that also conceals itself',
    frameMs,
    ptimeMs: frameMs,
    lookaheadMs,
  })
}

export const NARROWBAND_ROWS: readonly CodecRow[] = [
  codecRow({ ...g711, id: 'g711', bpl: 25.1, label: 'G.711 A/mu-law with PLC' }),
  codecRow({ ...g711, id: 'g711-no-plc', bpl: 4.3, label: 'G.711 A/mu-law without PLC' }),
  codecRow({
    ...g729,
    ...g729Timing,
    id: 'g729a-vad',
    ie: 11,
    label: 'G.729A + VAD',
    source: APPENDIX_I,
    grounded: true,
  }),
  codecRow({
    ...g729,
    ...g729Timing,
    id: 'g729-no-vad',
    ie: 10,
    label: 'G.729 without VAD',
    source: 'Ie G.113 (09/2024) Table I.1, Bpl borrowed',
    grounded: false,
    note: 'Bpl is published for G.729A + VAD only (19); it stands in',
  }),
  codecRow({
    ...g723,
    ...g723Timing,
    id: 'g723.1-6.3-vad',
    ie: 15,
    label: 'G.723.1 6.3 kbit/s + VAD',
    source: APPENDIX_I,
    grounded: true,
  }),
  codecRow({
    ...g723,
    ...g723Timing,
    id: 'g723.1-6.3-no-vad',
    ie: 15,
    label: 'G.723.1 6.3 kbit/s without VAD',
    source: `borrowed from the row with VAD of ${APPENDIX_I}`,
    grounded: false,
    note: 'Ie and Bpl are published with VAD only; they stand in',
  }),
  codecRow({
    ...g723,
    ...g723Timing,
    id: 'g723.1-5.3',
    ie: 19,
    label: 'G.723.1 5.3 kbit/s',
    source: `Ie ${APPENDIX_I} (unconfirmed), Bpl borrowed`,
    grounded: false,
    note: 'Bpl is published for 6.3 kbit/s + VAD only (16.1); it stands in',
  }),
  codecRow({
    id: 'gsm-efr',
    codec: 'GSM-EFR',
    aliases: ['GSM-EFR'],
    clockRateHz: 8000,
    scale: 'nb',
    ie: 5,
    bpl: BPL_CELP,
    label: 'GSM-EFR 12.2 kbit/s',
    source: APPENDIX_I,
    grounded: true,
    frameMs: 20,
    ptimeMs: 20,
    lookaheadMs: 0,
  }),
  codecRow({
    id: 'gsm-fr',
    codec: 'GSM',
    aliases: ['GSM'],
    clockRateHz: 8000,
    scale: 'nb',
    ie: 20,
    bpl: BPL_CELP,
    label: 'GSM-FR 13 kbit/s',
    source: `Ie ${APPENDIX_I} (unconfirmed), Bpl borrowed`,
    grounded: false,
    note: NO_BPL_CELP,
    frameMs: 20,
    ptimeMs: 20,
    lookaheadMs: 0,
  }),
  codecRow({
    id: 'gsm-hr',
    codec: 'GSM-HR',
    aliases: ['GSM-HR-08'],
    clockRateHz: 8000,
    scale: 'nb',
    ie: 23,
    bpl: BPL_CELP,
    label: 'GSM-HR 5.6 kbit/s',
    source: `Ie ${APPENDIX_I} (unconfirmed), Bpl borrowed`,
    grounded: false,
    note: NO_BPL_CELP,
    frameMs: 20,
    ptimeMs: 20,
    lookaheadMs: 4.4,
  }),
  g726(40, 2),
  g726(32, 7),
  g726(24, 25),
  g726(16, 50),
  codecRow({
    id: 'g728',
    codec: 'G.728',
    aliases: ['G728'],
    clockRateHz: 8000,
    scale: 'nb',
    ie: 7,
    bpl: BPL_CELP,
    label: 'G.728 16 kbit/s',
    source: `Ie ${APPENDIX_I} (unconfirmed), Bpl borrowed`,
    grounded: false,
    note: NO_BPL_CELP,
    frameMs: 0.625,
    ptimeMs: 20,
    lookaheadMs: 0,
  }),
  codecRow({
    id: 'evrc',
    codec: 'EVRC',
    aliases: ['EVRC', 'EVRC0', 'EVRC1'],
    clockRateHz: 8000,
    scale: 'nb',
    ie: 6,
    bpl: BPL_CELP,
    label: 'EVRC (IS-127)',
    source: `Ie ${APPENDIX_I} (unconfirmed), Bpl borrowed`,
    grounded: false,
    note: NO_BPL_CELP,
    frameMs: 20,
    ptimeMs: 20,
    lookaheadMs: 10,
  }),
  amr(
    'amr-12.2',
    5,
    'AMR 12.2 kbit/s',
    'GSM-EFR 12.2 kbit/s',
    'G.113 has no AMR row: GSM-EFR, the same algorithm at the same rate, stands in',
  ),
  amr(
    'amr-assumed',
    5,
    'AMR, mode not known, 12.2 kbit/s assumed',
    'GSM-EFR 12.2 kbit/s',
    'G.113 has no AMR row and the mode is not known: GSM-EFR stands in for 12.2 kbit/s',
  ),
  amr(
    'amr-7.4',
    10,
    'AMR 7.4 kbit/s',
    'IS-641 (Ie) and GSM-EFR (Bpl)',
    'G.113 has no AMR row: IS-641, the same algorithm at the same rate, stands in for Ie, GSM-EFR for Bpl',
  ),
  ilbc(20, 15.2, 5),
  ilbc(30, 13.33, 10),
  codecRow({
    id: 'l16-8000',
    codec: 'L16',
    aliases: ['L16'],
    clockRateHz: 8000,
    scale: 'nb',
    ie: 0,
    bpl: BPL_WAVEFORM,
    label: 'L16 at 8 kHz',
    source: 'borrowed from G.711 without PLC',
    grounded: false,
    note: 'no row in G.113: linear PCM loses nothing against G.711, so G.711 without PLC stands in',
    frameMs: 0.125,
    ptimeMs: 20,
    lookaheadMs: 0,
  }),
]
