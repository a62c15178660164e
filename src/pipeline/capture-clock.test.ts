import { expect, it } from 'vitest'
import { MemorySource } from '../capture/memory-source.js'
import { PcapWriter } from '../capture/pcap-writer.js'
import { DEFAULT_CONFIG } from '../config/config.js'
import { Probe } from './probe.js'

/** 2024-01-01T00:00:00Z */
const START_MS = 1_704_067_200_000

it('a capture whose clock was set back lasts from its earliest to its latest time, not less than nothing', async () => {
  const writer = new PcapWriter()
  writer.write(START_MS, new Uint8Array(60))
  writer.write(START_MS - 3_600_000, new Uint8Array(60))
  const probe = new Probe(DEFAULT_CONFIG, 'file', () => undefined)
  const source = new MemorySource(writer.toBytes())
  for (let batch = await source.next(); batch !== null; batch = await source.next()) probe.onBatch(batch)
  expect(probe.counts()).toMatchObject({
    start: '2023-12-31T23:00:00.000Z',
    end: '2024-01-01T00:00:00.000Z',
    duration_ms: 3_600_000,
  })
})
