import { describe, expect, it } from 'vitest'
import { EXAMPLE_CALL, EXAMPLE_SUMMARY } from '../calls/record-examples.js'
import type { SummaryRecord } from '../calls/records.js'
import { SKIP_REASONS } from '../decode/packet.js'
import { CallCoverage, limitationsOf, remarksOf } from './limitations.js'
import { noCuts } from './limits.js'

const CLEAN: SummaryRecord = {
  type: 'summary',
  schema: 1,
  probe: 'test',
  packets: 1000,
  bytes: 200_000,
  calls: 2,
  calls_by_state: {},
  calls_by_quality: {},
  streams: 2,
  rtp_packets: 900,
  sip_messages: 10,
  skipped: {},
  evictions: {},
  truncated_files: [],
}
const texts = (summary: SummaryRecord, coverage = new CallCoverage(), cuts = noCuts()): string[] =>
  limitationsOf(summary, coverage, cuts).map(({ level, text }) => `${level}: ${text}`)

describe('what could not be seen', () => {
  it('is nothing when nothing was skipped', () => {
    expect(texts(CLEAN)).toEqual([])
  })

  it.each(SKIP_REASONS)('tells of packets skipped as %s, as a limitation or as a remark', (reason) => {
    const summary = { ...CLEAN, skipped: { [reason]: 3 } }
    const told = [...texts(summary), ...remarksOf(summary)]
    expect(told).toHaveLength(1)
    expect(told[0]).toContain('3 ')
    expect(told[0]).not.toContain('skipped:')
  })

  it('names a damaged file with its offset before everything that is only a note', () => {
    const coverage = new CallCoverage()
    coverage.add({ ...EXAMPLE_CALL, validity: { complete_end: false } })
    const summary = {
      ...CLEAN,
      truncated_files: [{ file: 'a.pcap', offset: 1234, message: 'ends within a packet' }],
    }
    expect(texts(summary, coverage)).toEqual([
      'warning: a.pcap at byte 1,234: ends within a packet',
      'note: 1 call had not ended when the capture did: the figures cover what was seen.',
    ])
  })

  it('tells drops of the capture and losses of the mirror from losses of the network', () => {
    const coverage = new CallCoverage()
    coverage.add({ ...EXAMPLE_CALL, validity: { mirror_loss: 12, capture_drops: 3 } })
    expect(texts({ ...CLEAN, capture_drops: 40, reported_drops: 2 }, coverage)).toEqual([
      'warning: 42 packets were dropped while capturing: loss may be theirs.',
      "warning: 1 call ran while the capture dropped packets: their loss may be the capture's.",
      'warning: The mirror lost 12 packets that RTCP shows were received, in 1 call: their loss is overstated.',
    ])
  })

  it('says what the report itself left out', () => {
    const cuts = {
      ...noCuts(),
      callsNotListed: 5,
      callsWithoutDetails: 2,
      goodCallsShortened: 7,
      messagesCut: 1,
    }
    expect(texts(CLEAN, new CallCoverage(), cuts)).toEqual([
      'warning: 5 calls beyond the first 50,000 are not in this report.',
      'warning: 2 calls have no page of their own: the report reached its size.',
      'note: 7 calls of good quality are shown without SIP messages and seconds, to keep the report small.',
      'note: 1 SIP messages are left out or cut.',
    ])
  })

  it('leaves nothing of a summary with everything in it unsaid', () => {
    const all = texts(EXAMPLE_SUMMARY).join('\n')
    for (const limit of Object.keys(EXAMPLE_SUMMARY.evictions))
      expect(all).toContain(limit.replaceAll('_', ' '))
    for (const { message } of EXAMPLE_SUMMARY.truncated_files) expect(all).toContain(message)
    for (const warning of EXAMPLE_SUMMARY.warnings ?? []) expect(all).toContain(warning)
  })
})
