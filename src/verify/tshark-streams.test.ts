import { expect, it } from 'vitest'
import { parseStreamTable } from './tshark-streams.js'

// Lines as tshark 4.0.17 prints them, with addresses from the documentation ranges.
const TABLE = `
========================= RTP Streams ========================
   Start time      End time     Src IP addr  Port    Dest IP addr  Port       SSRC          Payload  Pkts         Lost   Min Delta(ms)  Mean Delta(ms)   Max Delta(ms)  Min Jitter(ms) Mean Jitter(ms)  Max Jitter(ms) Problems?
    76.878653     96.829533      192.0.2.172  4376      192.0.2.110  4376 0x5711BF84 g711A, telephone-event   666     0 (0.0%)          29.930          30.001          30.068           0.002           1.522          15.767
     3.847241      4.167215       192.0.2.50 17718       192.0.2.58 32144 0x7C1071E2            g711U    33   -16 (-94.1%)           0.004           9.999          20.055           0.004           0.010           0.020 X
     0.028501      0.028501 2001:db8:0:0::1  5798      2001:db8::2  9078 0xC92A7E82      RTPType-96     1     0 (0.0%)          -1.000           0.000           0.000          -1.000           0.000           0.000
==============================================================
`

it('reads names with commas, loss below zero, IPv6 in any form, and the problem mark', () => {
  const streams = parseStreamTable(TABLE.split('\n'))
  expect(streams).toHaveLength(3)
  expect(streams[0]).toMatchObject({
    key: '192.0.2.172 4376 192.0.2.110 4376 0x5711bf84',
    payload: 'g711A, telephone-event',
    packets: 666,
    lost: 0,
    maxDeltaMs: 30.068,
    meanJitterMs: 1.522,
    maxJitterMs: 15.767,
  })
  expect(streams[1]).toMatchObject({ packets: 33, lost: -16, payload: 'g711U', maxJitterMs: 0.02 })
  expect(streams[2]).toMatchObject({ sourceAddress: '2001:db8::1', ssrc: '0xc92a7e82', packets: 1 })
})
