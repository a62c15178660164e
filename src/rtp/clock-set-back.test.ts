import { expect, it } from 'vitest'
import { Feed } from '../../test/differential/feed.js'
import { stream } from '../../test/differential/streams.js'

it("when the capture's clock is set back, the last packet of an interval is not before its first", () => {
  const feed = new Feed().announce()
  feed.sendAll(stream(0, 1000))
  feed.sendAll(stream(1000, 1100).map((packet) => ({ ...packet, timeMs: packet.timeMs - 3_600_000 })))
  feed.finish()
  const { rows } = feed.collector.streams[0]
  expect(rows.length).toBeGreaterThan(1)
  for (const { firstPacket, lastPacket } of rows) expect(lastPacket).toBeGreaterThanOrEqual(firstPacket)
})
