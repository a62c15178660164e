import { describe, expect, it } from 'vitest'
import { xr } from '../rtcp/test-xr.js'
import { XR_FIELDS, XrReports, type XrFields } from './xr-fields.js'

const SSRC = '11111111'

/** Packets of blocks, ten seconds apart, of a stream at 8000 Hz. */
function told(...packets: string[][]): XrFields {
  const reports = new XrReports()
  packets.forEach((blocks, n) => {
    for (const block of xr(...blocks).blocks) reports.onBlock(block, n * 10_000, 8000)
  })
  return reports.fields()
}

/** RFC 3611 4.6: L, D, J, TTL; span, lost, duplicates, jitter (4), TTL (4). */
const statistics = (span: string, lost: string, jitter: string): string =>
  `06e80009 ${SSRC} ${span} ${lost} 00000002 ${jitter} 373b3901`

describe('spans of sequence numbers', () => {
  const first = statistics('00640096', '00000005', '00000008 00000190 00000050 00000018')

  it('the statistics of spans that follow each other add up; 80 units of 1/8000 s are 10 ms', () => {
    const second = statistics('009600c8', '00000001', '00000010 000000a0 00000028 00000008')
    expect(told([first], [second])).toEqual({
      rtcp_xr_lost: 6,
      rtcp_xr_duplicates: 4,
      rtcp_xr_jitter_min_ms: 1,
      rtcp_xr_jitter_max_ms: 50,
      rtcp_xr_jitter_mean_ms: 5,
      rtcp_xr_jitter_deviation_ms: 1,
      rtcp_xr_ttl_min: 55,
      rtcp_xr_ttl_max: 59,
      rtcp_xr_ttl_mean: 57,
      rtcp_xr_ttl_deviation: 1,
    })
  })

  it('a span that grew replaces its former self, one told again is not counted twice', () => {
    const grown = statistics('006400c8', '00000009', '00000008 00000190 00000050 00000018')
    expect(told([first], [grown], [grown])).toMatchObject({ rtcp_xr_lost: 9, rtcp_xr_duplicates: 2 })
  })

  it('a copy that the mirror made is no second report', () => {
    const reports = new XrReports()
    const [block] = xr('18d00002 11111111 00000009'.replace('18d0', '1890')).blocks
    reports.onBlock(block, 0, 8000)
    reports.onBlock(block, 5, 8000)
    reports.onBlock(block, 5000, 8000)
    expect(reports.fields()).toEqual({ rtcp_xr_discarded_early: 18 })
  })

  it('the loss RLE of RFC 3611 4.1: one chunk of 14 received, one of bits with three lost in a row', () => {
    // 0x400e: 14 received; 0xf8ff: 1 1111 000 11111111 less its first bit, 15 packets.
    expect(told([`01000003 ${SSRC} 0000001d 400ef8ff`])).toEqual({
      rtcp_xr_rle_reported: 29,
      rtcp_xr_rle_lost: 3,
      rtcp_xr_rle_longest_loss: 3,
    })
    expect(told([`02000003 ${SSRC} 0000001d 400ef8ff`])).toEqual({ rtcp_xr_rle_duplicates: 3 })
    expect(told([`03000004 ${SSRC} 00000002 00000001 00000002`])).toEqual({ rtcp_xr_receipt_times: 2 })
  })
})

describe('blocks since RFC 6776', () => {
  it('counts of intervals add up; cumulative ones replace each other and outweigh them', () => {
    const late = (i: string, n: string): string => `18${i}00002 ${SSRC} 0000000${n}`
    expect(told([late('a', '4')], [late('a', '3')])).toEqual({ rtcp_xr_discarded_late: 7 })
    expect(told([late('a', '4')], [late('e', '5')], [late('a', '3')], [late('e', '8')])).toEqual({
      rtcp_xr_discarded_late: 8,
    })
  })

  it('each says its own', () => {
    expect(
      told([
        `0e000007 ${SSRC} 00000064 00000064 000000c8 00050000 0000000a 80000000`,
        `0fc00004 ${SSRC} 00a05f00 ff604b00 00580000`,
        `10c00006 ${SSRC} 00001000 00000800 00002000 00000000 20000000`,
        `14c00005 ${SSRC} 10000bb8 00001900 00640032 00012345`,
        `15c00003 ${SSRC} 10000007 00003200`,
        `17e00003 ${SSRC} 00280078 0064000a`,
        `18d00002 ${SSRC} 00000003`,
        `1ae00002 ${SSRC} 00000640`,
        `1ac00002 ${SSRC} 00000140`,
        `1dc00002 ${SSRC} 050003c0`,
        `1ef00006 ${SSRC} 00002710 000000fa 0000003c 00020000 00000078`,
        `1ff00004 ${SSRC} 00000064 00000007 0002000f`,
      ]),
    ).toEqual({
      rtcp_xr_measured_ms: 10_500,
      rtcp_xr_pdv_metric: 'mapdv2',
      rtcp_xr_pdv_mean_ms: 5.5,
      rtcp_xr_pdv_positive_ms: 10,
      rtcp_xr_pdv_positive_percent: 95,
      rtcp_xr_pdv_negative_ms: -10,
      rtcp_xr_pdv_negative_percent: 75,
      rtcp_xr_rtt_ms: 62.5,
      rtcp_xr_rtt_min_ms: 31.25,
      rtcp_xr_rtt_max_ms: 125,
      rtcp_xr_system_delay_ms: 125,
      rtcp_xr_gmin: 16,
      rtcp_xr_burst_count: 3,
      rtcp_xr_burst_lost: 25,
      rtcp_xr_burst_expected: 100,
      rtcp_xr_burst_duration_ms: 1000,
      rtcp_xr_burst_discarded: 7,
      rtcp_xr_burst_discard_expected: 50,
      rtcp_xr_buffer: 'adaptive',
      rtcp_xr_buffer_nominal_ms: 40,
      rtcp_xr_buffer_max_ms: 120,
      rtcp_xr_buffer_high_water_ms: 100,
      rtcp_xr_buffer_low_water_ms: 10,
      rtcp_xr_discarded_early: 3,
      rtcp_xr_discarded_early_bytes: 1600,
      rtcp_xr_discarded_late_bytes: 320,
      rtcp_xr_mos: 3.75,
      rtcp_xr_mos_algorithm: 10,
      rtcp_xr_playout_ms: 10_000,
      rtcp_xr_concealed_ms: 250,
      rtcp_xr_buffer_concealed_ms: 60,
      rtcp_xr_interruptions: 2,
      rtcp_xr_interruption_mean_ms: 120,
      rtcp_xr_unimpaired_s: 100,
      rtcp_xr_concealed_s: 7,
      rtcp_xr_severely_concealed_s: 2,
      rtcp_xr_severe_threshold_ms: 15,
    })
  })

  it('what is unavailable is absent', () => {
    expect(
      told([
        `10c00006 ${SSRC} ffffffff ffffffff ffffffff ffffffff 00000000`,
        `17e00003 ${SSRC} ffffffff ffffffff`,
        `1dc00002 ${SSRC} 0500ffff`,
        `07000008 ${SSRC} 00000000 00000000 00000000 7f7f7f10 7f7f7f7f 00000000 00000000`,
      ]),
    ).toEqual({
      rtcp_xr_buffer: 'adaptive',
      rtcp_xr_loss_percent: 0,
      rtcp_xr_discard_percent: 0,
      rtcp_xr_burst_density_percent: 0,
      rtcp_xr_gap_density_percent: 0,
      rtcp_xr_burst_duration_ms: 0,
      rtcp_xr_gap_duration_ms: 0,
      rtcp_xr_gmin: 16,
    })
  })
})

it('every field begins with rtcp_xr_', () => {
  for (const name of Object.keys(XR_FIELDS)) expect(name).toMatch(/^rtcp_xr_[a-z_]+$/)
})
