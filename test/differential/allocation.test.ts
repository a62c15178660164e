import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { PacketDecoder } from '../../src/decode/decoder.js'
import { KIND_UDP } from '../../src/decode/packet.js'
import { PACKET_RTP, RtpMeter } from '../../src/rtp/meter.js'
import { Random } from './random.js'
import { START_MS } from './streams.js'

/** CALLPROBE_ALLOCATION_PACKETS=5000000 for the long run. */
const PACKETS = Number(process.env.CALLPROBE_ALLOCATION_PACKETS ?? 300_000)
const PART = 30_000
const WARM_UP_PARTS = 20
const STREAMS = 100
const LINKTYPE_ETHERNET = 1
const FRAME = 14 + 20 + 8 + 172

setFlagsFromString('--expose-gc')
const collectGarbage: unknown = runInNewContext('gc')

function heapUsed(): number {
  if (typeof collectGarbage !== 'function') throw new Error('needs the garbage collector: --expose-gc')
  collectGarbage()
  return process.memoryUsage().heapUsed
}

function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]
}

/** 20 ms of all streams: one frame each, whose numbers are written anew for every round. */
class Traffic {
  readonly bytes = new Uint8Array(STREAMS * FRAME)
  readonly view = new DataView(this.bytes.buffer)

  constructor() {
    for (let k = 0; k < STREAMS; k++) {
      const at = k * FRAME
      const { view } = this
      view.setUint16(at + 12, 0x0800)
      view.setUint16(at + 14, 0x4500)
      view.setUint16(at + 16, FRAME - 14)
      view.setUint16(at + 22, 0x4011)
      view.setUint32(at + 26, 0x0a000001)
      view.setUint32(at + 30, 0x0a000002)
      view.setUint16(at + 34, 10_000 + 2 * k)
      view.setUint16(at + 36, 20_000 + 2 * k)
      view.setUint16(at + 38, 8 + 172)
      view.setUint16(at + 42, 0x8000)
      view.setUint32(at + 50, 0x1000 + k)
    }
  }

  round(number: number): void {
    for (let at = 42; at < this.bytes.length; at += FRAME) {
      this.view.setUint16(at + 2, number & 0xffff)
      this.view.setInt32(at + 4, Math.imul(number, 160))
    }
  }
}

/** Bytes of heap that a packet takes from frame to meter, at rest after a warm-up. `delays`: ms, < 0 = lost. */
function bytesPerPacket(delays: Float64Array): number {
  let rows = 0
  const meter = new RtpMeter(
    { onStreamStart: () => undefined, onRow: () => rows++, onStreamEnd: () => undefined },
    { maxStreams: 256 },
  )
  const decoder = new PacketDecoder()
  const traffic = new Traffic()
  let round = 0
  let delayAt = 0
  const run = (packets: number): number => {
    let rtp = 0
    for (const end = round + packets / STREAMS; round < end; round++) {
      traffic.round(round)
      for (let k = 0; k < STREAMS; k++) {
        const delay = delays[delayAt++]
        if (delayAt === delays.length) delayAt = 0
        if (delay < 0) continue
        const timeMs = START_MS + round * 20 + k * 0.1 + delay
        if (
          decoder.decode(traffic.bytes, traffic.view, k * FRAME, FRAME, FRAME, LINKTYPE_ETHERNET, timeMs) ===
          KIND_UDP
        )
          if (meter.onPacket(decoder) === PACKET_RTP) rtp++
      }
      meter.sweep(START_MS + round * 20, 1)
    }
    return rtp
  }
  const started = heapUsed()
  const grown: number[] = []
  let rtp = 0
  // The first parts run before everything is compiled; a part is too short for a collection, so garbage counts as well.
  for (let part = 0; part < WARM_UP_PARTS + PACKETS / PART; part++) {
    const before = heapUsed()
    rtp += run(PART)
    grown.push((process.memoryUsage().heapUsed - before) / PART)
  }
  expect(rtp).toBeGreaterThan(0.8 * PACKETS)
  expect(rows).toBeGreaterThan(STREAMS)
  // Nothing is kept, either: two megabytes are room for compiled code.
  expect(heapUsed() - started).toBeLessThan(2e6)
  return median(grown.slice(WARM_UP_PARTS))
}

describe('a packet of a known stream puts nothing on the heap', () => {
  it('in a clean stream', { timeout: 600_000 }, () => {
    // One boxed number would be 16 bytes.
    expect(bytesPerPacket(new Float64Array(1))).toBeLessThan(2)
  })

  it(
    'but for a boxed number where one is late or lost: under 8 bytes on average',
    { timeout: 600_000 },
    () => {
      const random = new Random(11)
      const delays = Float64Array.from({ length: 99_991 }, () =>
        random.chance(0.02) ? -1 : random.chance(0.02) ? random.between(40, 300) : 15 * random.next(),
      )
      expect(bytesPerPacket(delays)).toBeLessThan(8)
    },
  )
})
