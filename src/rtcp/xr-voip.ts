import type { XrBody } from './extended-report.js'
import { i8, u16, u32 } from './words.js'
import type { VoipMetricsBlock } from './xr-blocks.js'

const UNAVAILABLE = 127
const CONCEALMENT = ['unspecified', 'disabled', 'enhanced', 'standard'] as const
const BUFFER = ['unknown', 'reserved', 'fixed', 'adaptive'] as const

/**
 * Block 7, RFC 3611 4.7:
 *
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |     BT=7      |   reserved    |       block length = 8        |
 * +---------------+---------------+-------------------------------+
 * |                        SSRC of source                         |
 * +---------------+---------------+---------------+---------------+
 * |   loss rate   | discard rate  | burst density |  gap density  |
 * +---------------+---------------+---------------+---------------+
 * |       burst duration          |         gap duration          |
 * +-------------------------------+-------------------------------+
 * |     round trip delay          |       end system delay        |
 * +---------------+---------------+---------------+---------------+
 * | signal level  |  noise level  |     RERL      |     Gmin      |
 * +---------------+---------------+---------------+---------------+
 * |   R factor    | ext. R factor |    MOS-LQ     |    MOS-CQ     |
 * +---------------+---------------+---------------+---------------+
 * |   RX config   |   reserved    |          JB nominal           |
 * +---------------+---------------+-------------------------------+
 * |          JB maximum           |          JB abs max           |
 * +-------------------------------+-------------------------------+
 */
export function parseVoipMetrics(body: XrBody): VoipMetricsBlock {
  const { bytes, at, end } = body
  const config = bytes[at + 28]
  const block: VoipMetricsBlock = {
    type: 'voip_metrics',
    ssrc: u32(bytes, at + 4),
    lossPercent: percent(bytes[at + 8]),
    discardPercent: percent(bytes[at + 9]),
    burstDensityPercent: percent(bytes[at + 10]),
    gapDensityPercent: percent(bytes[at + 11]),
    burstDurationMs: u16(bytes, at + 12),
    gapDurationMs: u16(bytes, at + 14),
    roundTripMs: u16(bytes, at + 16),
    endSystemDelayMs: u16(bytes, at + 18),
    signalLevelDbm: available(i8(bytes, at + 20)),
    noiseLevelDbm: available(i8(bytes, at + 21)),
    echoReturnLossDb: available(bytes[at + 22]),
    gmin: bytes[at + 23],
    rFactor: upTo100(bytes[at + 24]),
    externalRFactor: upTo100(bytes[at + 25]),
    mosLq: mos(bytes[at + 26]),
    mosCq: mos(bytes[at + 27]),
    concealment: CONCEALMENT[config >> 6],
    buffer: BUFFER[(config >> 4) & 3],
    bufferRate: config & 0x0f,
    bufferNominalMs: u16(bytes, at + 30),
  }
  if (at + 36 <= end) {
    block.bufferMaxMs = u16(bytes, at + 32)
    block.bufferAbsoluteMaxMs = u16(bytes, at + 34)
  }
  return block
}

function percent(n256: number): number {
  return (n256 * 100) / 256
}

function available(value: number): number | undefined {
  return value === UNAVAILABLE ? undefined : value
}

function upTo100(value: number): number | undefined {
  return value <= 100 ? value : undefined
}

/** Ten times the score; 10..50 are defined. */
function mos(tenths: number): number | undefined {
  return tenths >= 10 && tenths <= 50 ? tenths / 10 : undefined
}
