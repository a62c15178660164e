/** What the E-model needs to know about a codec, and where that knowledge comes from. */
export type MosScale = 'nb' | 'wb' | 'fb'

export interface CodecRow {
  /** Stable key of the row, e.g. `g711`, `amr-wb-12.65`. */
  readonly id: string
  /** Codec without mode or variant, as records and tags name it: `PCMU/PCMA` is `G.711`, `AMR-WB`, `Opus`, ... */
  readonly codec: string
  /** SDP encoding names (RFC 3551, RFC 4855), upper case. */
  readonly aliases: readonly string[]
  /** RTP clock rate, Hz. */
  readonly clockRateHz: number
  readonly scale: MosScale
  /** Equipment impairment factor on `scale`. */
  readonly ie: number
  /** Packet-loss robustness factor on `scale`. */
  readonly bpl: number
  /** The codec with its variant, e.g. `G.711 A/mu-law with PLC`. */
  readonly label: string
  /** Where Ie and Bpl come from. */
  readonly source: string
  /** True only if both Ie and Bpl are published for this codec in this variant. */
  readonly grounded: boolean
  /** What was assumed or borrowed; present when `grounded` is false. */
  readonly note?: string
  /** Shortest frame, ms (0.125 = a sample). */
  readonly frameMs: number
  /** Packet time to assume when the stream does not tell. */
  readonly ptimeMs: number
  /** Algorithmic delay beyond one frame, ms. */
  readonly lookaheadMs: number
  /** `mos_model` of records: model, edition, codec row. */
  readonly model: string
}

const MODEL_NAMES: Record<MosScale, string> = {
  nb: 'G.107 (06/2015) nb',
  wb: 'G.107.1 (06/2019 with Cor.1) wb',
  fb: 'G.107.2 (03/2023) fb',
}

/** Model and edition of a scale, as `mos_model` begins. */
export function modelName(scale: MosScale): string {
  return MODEL_NAMES[scale]
}

/** A row with its `model` text filled in. */
export function codecRow(row: Omit<CodecRow, 'model'>): CodecRow {
  const standIn = row.grounded ? '' : ', stand-in'
  return {
    ...row,
    model: `${modelName(row.scale)}; ${row.label}, ${row.source} (Ie ${row.ie}, Bpl ${row.bpl}${standIn})`,
  }
}

/** A row for factors that the user gives, e.g. on the command line. */
export function explicitRow(ie: number, bpl: number, scale: MosScale): CodecRow {
  return codecRow({
    id: 'explicit',
    codec: 'explicit',
    aliases: [],
    clockRateHz: 0,
    scale,
    ie,
    bpl,
    label: 'explicit factors',
    source: 'given by the user',
    grounded: true,
    frameMs: 20,
    ptimeMs: 20,
    lookaheadMs: 0,
  })
}
