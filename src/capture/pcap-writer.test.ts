import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { handPcap } from '../../test/helpers/capture-bytes.js'
import { PcapFileWriter, PcapWriter } from './pcap-writer.js'

describe('PcapWriter', () => {
  it('writes the file that the format asks for, in microseconds', () => {
    const writer = new PcapWriter({ linkType: 113, snapLength: 65535 })
    writer.write(1_760_000_000_123.456, Uint8Array.of(1, 2, 3))
    writer.write(1_760_000_001_000, Uint8Array.of(4), 1500)
    const expected = handPcap({
      magic: 0xa1b2c3d4,
      little: true,
      linkWord: 113,
      records: [
        { seconds: 1_760_000_000, fraction: 123_456, frame: [1, 2, 3] },
        { seconds: 1_760_000_001, fraction: 0, frame: [4], wire: 1500 },
      ],
    })
    expect(writer.toBytes()).toEqual(expected)
    expect(writer.packets).toBe(2)
  })

  it('writes nanoseconds, and cuts frames at the snap length', () => {
    const writer = new PcapWriter({ nanoseconds: true, snapLength: 2 })
    writer.write(1500.000_25, Uint8Array.of(1, 2, 3))
    const bytes = writer.toBytes()
    expect([...bytes.subarray(0, 4)]).toEqual([0x4d, 0x3c, 0xb2, 0xa1])
    const view = new DataView(bytes.buffer)
    expect([24, 28, 32, 36].map((offset) => view.getUint32(offset, true))).toEqual([1, 500_000_250, 2, 3])
    expect(bytes).toHaveLength(42)
  })

  it('carries into the next second what rounds up to it', () => {
    const writer = new PcapWriter()
    writer.write(1999.9999, Uint8Array.of(1))
    const view = new DataView(writer.toBytes().buffer)
    expect([view.getUint32(24, true), view.getUint32(28, true)]).toEqual([2, 0])
  })
})

describe('PcapFileWriter', () => {
  it('writes the same bytes to a file that only its owner may read', () => {
    const folder = mkdtempSync(join(tmpdir(), 'callprobe-writer-'))
    const path = join(folder, 'out.pcap')
    const memory = new PcapWriter({ nanoseconds: true })
    const file = new PcapFileWriter(path, { nanoseconds: true })
    const frame = new Uint8Array(1400).map((_, i) => i & 255)
    // 2.8 MB: more than one buffer.
    for (let i = 0; i < 2000; i++) {
      memory.write(1_760_000_000_000 + i * 0.25, frame, 1500)
      file.writeRange(1_760_000_000_000 + i * 0.25, frame, 0, frame.length, 1500)
    }
    file.close()
    expect(Buffer.compare(readFileSync(path), memory.toBytes())).toBe(0)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    rmSync(folder, { recursive: true })
  })

  it('says which file cannot be written', () => {
    expect(() => new PcapFileWriter('/nowhere/out.pcap')).toThrow(/cannot write \/nowhere\/out\.pcap/)
  })
})
