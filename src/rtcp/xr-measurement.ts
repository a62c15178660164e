import type { XrBody } from './extended-report.js'
import { i16, shortNtpToMs, u16, u32 } from './words.js'
import type { DelayBlock, MeasurementInformationBlock, PdvBlock } from './xr-blocks.js'
import { interval, measured16, measured32 } from './xr-later.js'

/**
 * Block 14, RFC 6776 4.1:
 *
 * +---------------+---------------+-------------------------------+
 * |     BT=14     |   reserved    |       block length = 7        |
 * +---------------+---------------+-------------------------------+
 * |                        SSRC of source                         |
 * +-------------------------------+-------------------------------+
 * |           reserved            |     first sequence number     |
 * +-------------------------------+-------------------------------+
 * |        extended first sequence number of the interval         |
 * +---------------------------------------------------------------+
 * |        extended last sequence number of the interval          |
 * +---------------------------------------------------------------+
 * |            duration of the interval (1/65536 s)               |
 * +---------------------------------------------------------------+
 * |         cumulative duration: seconds, then fraction           |
 * +---------------------------------------------------------------+
 */
export function parseMeasurementInformation(body: XrBody): MeasurementInformationBlock {
  const { bytes, at } = body
  return {
    type: 'measurement_information',
    ssrc: u32(bytes, at + 4),
    firstSequence: u16(bytes, at + 10),
    intervalFirstExtended: u32(bytes, at + 12),
    intervalLastExtended: u32(bytes, at + 16),
    intervalMs: shortNtpToMs(u32(bytes, at + 20)),
    cumulativeMs: longNtpToMs(u32(bytes, at + 24), u32(bytes, at + 28)),
  }
}

function longNtpToMs(seconds: number, fraction: number): number {
  return seconds * 1000 + (fraction * 1000) / 4294967296
}

/**
 * Block 15, RFC 6798 3.1. Variations are signed, 1/16 ms; percentiles 1/256.
 *
 * +---------------+---+-------+---+-------------------------------+
 * |     BT=15     | I |pdvtyp |Rsv|       block length = 4        |
 * +---------------+---+-------+---+-------------------------------+
 * |                        SSRC of source                         |
 * +-------------------------------+-------------------------------+
 * |   positive threshold / peak   |      positive percentile      |
 * +-------------------------------+-------------------------------+
 * |   negative threshold / peak   |      negative percentile      |
 * +-------------------------------+-------------------------------+
 * |             mean              |           reserved            |
 * +-------------------------------+-------------------------------+
 */
export function parsePdv(body: XrBody): PdvBlock {
  const { bytes, at } = body
  return {
    type: 'pdv',
    ssrc: u32(bytes, at + 4),
    interval: interval(bytes[at + 1]),
    metric: (bytes[at + 1] >> 2) & 0x0f,
    positiveThresholdMs: sixteenths(bytes, at + 8),
    positivePercentile: percentile(bytes, at + 10),
    negativeThresholdMs: sixteenths(bytes, at + 12),
    negativePercentile: percentile(bytes, at + 14),
    meanMs: sixteenths(bytes, at + 16),
  }
}

/** 0x7fff is unavailable, 0x7ffe and 0x8000 over-range. */
function sixteenths(bytes: Uint8Array, at: number): number | undefined {
  const value = i16(bytes, at)
  return value < 0x7ffe && value > -0x8000 ? value / 16 : undefined
}

function percentile(bytes: Uint8Array, at: number): number | undefined {
  const value = measured16(bytes, at)
  return value === undefined ? undefined : value / 256
}

/**
 * Block 16, RFC 6843 3.1. Round trips in 1/65536 s, end system delay as a long NTP time.
 *
 * +---------------+---+-----------+-------------------------------+
 * |     BT=16     | I |   resv.   |       block length = 6        |
 * +---------------+---+-----------+-------------------------------+
 * |                        SSRC of source                         |
 * +---------------------------------------------------------------+
 * |        network round trip: mean, least, greatest (3 words)    |
 * +---------------------------------------------------------------+
 * |           end system delay: seconds, then fraction            |
 * +---------------------------------------------------------------+
 */
export function parseDelay(body: XrBody): DelayBlock {
  const { bytes, at } = body
  const seconds = measured32(bytes, at + 20)
  return {
    type: 'delay',
    ssrc: u32(bytes, at + 4),
    interval: interval(bytes[at + 1]),
    meanRoundTripMs: roundTrip(bytes, at + 8),
    minRoundTripMs: roundTrip(bytes, at + 12),
    maxRoundTripMs: roundTrip(bytes, at + 16),
    endSystemDelayMs: seconds === undefined ? undefined : longNtpToMs(seconds, u32(bytes, at + 24)),
  }
}

function roundTrip(bytes: Uint8Array, at: number): number | undefined {
  const value = measured32(bytes, at)
  return value === undefined ? undefined : shortNtpToMs(value)
}
