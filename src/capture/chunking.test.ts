import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import {
  block,
  enhancedPacket,
  handPcap,
  interfaceBlock,
  readPackets,
  sectionHeader,
} from '../../test/helpers/capture-bytes.js'
import { StreamInput } from './byte-input.js'
import { InputWindow } from './byte-window.js'
import { CaptureReader } from './capture-reader.js'
import { MemorySource } from './memory-source.js'

const PCAP = handPcap({
  magic: 0xa1b23c4d,
  little: false,
  records: Array.from({ length: 12 }, (_, i) => ({
    seconds: 1_760_000_000 + i,
    fraction: i * 1000,
    frame: Array.from({ length: (i * 5) % 17 }, (_, k) => i + k),
    wire: 40,
  })),
})

const PCAPNG = Uint8Array.from(
  [
    ...[sectionHeader(true), interfaceBlock(true, 1), block(0xbad, new Array<number>(40).fill(3), true)],
    ...Array.from({ length: 6 }, (_, i) =>
      enhancedPacket(true, 0, 1_760_000_000_000_000n + BigInt(i), new Array<number>(i * 3).fill(i)),
    ),
    ...[sectionHeader(false), interfaceBlock(false, 113)],
    enhancedPacket(false, 0, 1_760_000_000_000_123n, [1, 2, 3]),
  ].flat(),
)

function streamed(chunks: Uint8Array[]): CaptureReader {
  const input = new StreamInput(Readable.from(chunks))
  return new CaptureReader(new InputWindow(input, 1024, true), { name: '-', bytesTotal: 0 })
}

function oneByteChunks(bytes: Uint8Array): Uint8Array[] {
  return Array.from(bytes, (byte) => Uint8Array.of(byte))
}

describe('the same packets come out', () => {
  for (const [name, file, count] of [
    ['pcap', PCAP, 12],
    ['pcapng', PCAPNG, 7],
  ] as const) {
    it(`wherever a ${name} file in memory is cut in two`, async () => {
      const whole = await readPackets(new MemorySource(file))
      expect(whole).toHaveLength(count)
      for (let cut = 0; cut <= file.length; cut++) {
        const source = new MemorySource([file.subarray(0, cut), file.subarray(cut)])
        expect(await readPackets(source)).toEqual(whole)
        expect(source.warnings).toEqual([])
      }
    })

    it(`when a ${name} file in memory comes in chunks of one byte`, async () => {
      const whole = await readPackets(new MemorySource(file))
      expect(await readPackets(new MemorySource(oneByteChunks(file)))).toEqual(whole)
    })

    it(`when a ${name} stream comes byte by byte, plain or gzipped`, async () => {
      const whole = await readPackets(new MemorySource(file))
      expect(await readPackets(streamed(oneByteChunks(file)))).toEqual(whole)
      expect(await readPackets(streamed(oneByteChunks(gzipSync(file))))).toEqual(whole)
    })

    it(`when batches of a ${name} file hold a single packet`, async () => {
      const whole = await readPackets(new MemorySource(file))
      expect(await readPackets(new MemorySource(file, { batchCapacity: 1 }))).toEqual(whole)
    })
  }

  it('when records are larger than the buffer of a stream', async () => {
    const frame = (size: number): number[] => Array.from({ length: size }, (_, i) => (i * 31) & 255)
    const file = handPcap({
      magic: 0xa1b2c3d4,
      little: true,
      records: [1, 5000, 100_000, 20, 70_000].map((size, seconds) => ({
        seconds,
        fraction: 1,
        frame: frame(size),
      })),
    })
    const whole = await readPackets(new MemorySource(file))
    expect(whole.map((packet) => packet.captured)).toEqual([1, 5000, 100_000, 20, 70_000])
    for (const size of [100, 1000, 3333, 65_536]) {
      const chunks = Array.from({ length: Math.ceil(file.length / size) }, (_, i) =>
        file.subarray(i * size, (i + 1) * size),
      )
      expect(await readPackets(streamed(chunks))).toEqual(whole)
    }
  })
})

describe('a pipe that pauses', () => {
  it('hands on every whole packet that has come, without waiting for more', async () => {
    const pipe = new Readable({ read() {} })
    const reader = new CaptureReader(new InputWindow(new StreamInput(pipe), 1_048_576, true), {
      name: '-',
      bytesTotal: 0,
    })
    const record = 24 + 16
    pipe.push(PCAP.subarray(0, record + 10))
    const first = await reader.next()
    expect(first?.end).toBe(1)
    pipe.push(PCAP.subarray(record + 10, record + 21 + 16 + 10))
    const second = await reader.next()
    expect(second?.end).toBe(2)
    await reader.close()
  })
})

describe('frames in memory', () => {
  it('are shown where they lie, not copied', async () => {
    const file = Uint8Array.from(PCAP)
    const source = new MemorySource(file)
    const batch = await source.next()
    expect(batch?.bytes.buffer).toBe(file.buffer)
    expect(batch?.view.buffer).toBe(file.buffer)
    expect(batch?.view.byteOffset).toBe(batch?.bytes.byteOffset)
    expect(batch?.view.byteLength).toBe(batch?.bytes.byteLength)
  })
})
