import { expect, it } from 'vitest'
import { whyNoStream } from './admission.js'
import type { RtpPacket } from './packets.js'

function packets(sequences: readonly number[], changes: Partial<RtpPacket> = {}): RtpPacket[] {
  return sequences.map((sequence, n) => ({
    frame: n + 1,
    timeMs: 20 * n,
    sequence,
    timestamp: 160 * sequence,
    payloadType: 0,
    marker: false,
    kind: 'media',
    clockRateHz: 8000,
    transport: 'udp',
    length: 172,
    ...changes,
  }))
}

it('says that scattered sequence numbers never made five packets in order', () => {
  const why = whyNoStream(packets([1, 2, 3, 900, 901, 40, 41, 42, 43, 9000]))
  expect(why).toMatchObject({ code: 'on_probation', packets: 10 })
  expect(why?.text).toContain('4 at most')
})

it('has no excuse for a stream of five packets in order', () => {
  expect(whyNoStream(packets([65_534, 65_535, 0, 1, 2]))).toBeUndefined()
})

it('names RTP over TCP, and payload types that read as RTCP', () => {
  expect(whyNoStream(packets([1, 2, 3, 4, 5, 6], { transport: 'tcp' }))?.code).toBe('over_tcp')
  expect(whyNoStream(packets([1, 2, 3, 4, 5, 6], { payloadType: 72 }))?.code).toBe(
    'payload_type_reads_as_rtcp',
  )
})
