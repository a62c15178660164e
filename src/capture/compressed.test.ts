import { execFileSync, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { createGunzip, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { handPcap, readPackets, u32 } from '../../test/helpers/capture-bytes.js'
import { MemorySource } from './memory-source.js'
import { openFiles } from './open.js'

/** Frames of 60 bytes, 20 ms apart, with enough in common to be worth compressing. */
function sample(count: number): Uint8Array {
  return handPcap({
    magic: 0xa1b2c3d4,
    little: true,
    records: Array.from({ length: count }, (_, i) => ({
      seconds: 1_760_000_000 + Math.floor((i * 20) / 1000),
      fraction: ((i * 20) % 1000) * 1000,
      frame: Array.from({ length: 60 }, (_, k) => (k * 7 + (k % 5 === 0 ? i : 0)) & 255),
    })),
  })
}

/** A capture with the packets of `sample(40)`, packed by the zstd tool (1.5, level 19, with checksum). */
const PACKED_BY_ZSTD = [
  'KLUv/WT4Cg0YAHQo1MOyoQIABAAEAAF452g8AAcOFRwjKjE4P0ZNVFtiaXB3foWMk5qhqK+2vcTL0tng5+71/AMKERgfJi00',
  'O0JJUFdeZWxzeoGIj5adIE4BJEdqjbDT9hk8X4JAnAIlSGuOsdT3Gj1gg2DqAyZJbI+y1fgbPmGEgDgBAAQnSm2Qs9b5HD9i',
  'haCGBShLbpG01/odQGOGwNQGKUxvkrXY+x5BZIfgIgIABypNcJO22fwfQmWIAHEIK05xlLfa/SBDZokgvwksT3KVuNv+IURn',
  'ikANAwAKLVBzlrnc/yJFaItgWwsuUXSXut0AI0ZpjICpDC9SdZi73gEkR2qNoPcNMFN2mbzfAiVIa47ARQQADjFUd5q94AMm',
  'SWyP4JMPMlV4m77hBCdKbZAA4hAzVnmcv+IFKEtukSAwBQARNFd6ncDjBilMb5JAfhI1WHueweQHKk1wk2DMEzZZfJ/C5Qgr',
  'TnGUgBoGABQ3Wn2gw+YJLE9ylaBoFThbfqHE5wotUHOWwLYWOVx/osXoCy5RdJfgBAcAFzpdgKPG6QwvUnWYAFMYO16BpMfq',
  'DTBTdpkgoRk8X4KlyOsOMVR3mkDvGj1gg6bJ7A8yVXibYD0IABs+YYSnyu0QM1Z5nICLHD9ihajL7hE0V3qdoNkdQGOGqczv',
  'EjVYe57AJwkAHkFkh6rN8BM2WXyf4HUfQmWIq87xFDdafaAAxCBDZomsz/IVOFt+oSASCgAhRGeKrdDzFjlcf6JAYCJFaIuu',
  '0fQXOl2Ao2CuI0ZpjK/S9Rg7XoGkgPwkR2qNsNP2GTxfgqWgSgsAJUhrjrHU9xo9YIOmwJgmSWyPstX4Gz5hhKfg5idKbZCz',
  '1vkcP2KFqIiPlp2B/6gRgNsa+3fRS2sRYCddHGHdvkujXMfqlD6vMqf00bt+XlWe0kvv+nmVOqWP3vXzqnJKn7eSvI7VKX1e',
  'ZXIdm1P6vKrkOi6n6fUqletYndLnVeaUPnrXz6vKU3rpXT+vUqf00bt+XlVO6fPmfH4q4D9I9eNPaWpP0UtO',
].join('')

async function read(...chunks: Uint8Array[]) {
  const source = new MemorySource(chunks)
  return { packets: await readPackets(source), warnings: source.warnings, progress: source.progress() }
}

/** What zlib makes of damaged data, given it a kilobyte at a time. */
async function inflatedOf(packed: Uint8Array): Promise<Buffer> {
  const gunzip = createGunzip({ chunkSize: 1024 })
  const pieces: Uint8Array[] = []
  gunzip.on('data', (piece: Uint8Array) => pieces.push(piece))
  const failure = once(gunzip, 'error')
  for (let at = 0; at < packed.length && !gunzip.destroyed; at += 1024)
    await Promise.race([
      failure,
      new Promise<void>((resolve) => void gunzip.write(packed.subarray(at, at + 1024), () => resolve())),
    ])
  return Buffer.concat(pieces)
}

const FILE = sample(40)
const plain = await readPackets(new MemorySource(FILE))

describe('gzip', () => {
  it('is told by its content and unpacked', async () => {
    const packed = gzipSync(FILE)
    const { packets, warnings, progress } = await read(packed)
    expect(packets).toEqual(plain)
    expect(warnings).toEqual([])
    expect(progress).toEqual({ bytesRead: packed.length, bytesTotal: packed.length })
  })

  it('members one after the other are one file (RFC 1952 2.2)', async () => {
    for (const cut of [1, 24, 1000]) {
      const { packets, warnings } = await read(gzipSync(FILE.subarray(0, cut)), gzipSync(FILE.subarray(cut)))
      expect(packets).toEqual(plain)
      expect(warnings).toEqual([])
    }
  })

  it('data that is cut off yields every packet before the cut', async () => {
    const packed = gzipSync(sample(20_000), { level: 0 })
    const kept = packed.length - 100_000
    const { packets, warnings } = await read(packed.subarray(0, kept))
    expect(warnings).toMatchObject([{ kind: 'truncated' }])
    // Level 0 stores (RFC 1951 3.2.4): 5 bytes per block, a gzip header of 10, and 76 bytes per record.
    const stored = kept - 10 - 5 * Math.ceil(kept / 16_000)
    expect(packets.length).toBeGreaterThanOrEqual(Math.floor((stored - 24) / 76))
    expect(warnings[0].offset).toBe(24 + packets.length * 76)
  })

  it('data that is damaged yields what precedes the damage and says so', async () => {
    const packed = gzipSync(sample(20_000), { level: 0 })
    const middle = packed.length >> 1
    // Whichever stored block starts in here has lengths that do not fit.
    packed.fill(0x55, middle, middle + 70_000)
    const { packets, warnings } = await read(packed)
    expect(warnings).toMatchObject([{ kind: 'damaged' }])
    expect(packets.length).toBeGreaterThan(9000)
  })

  it('damage costs a file no more than a pipe, and no more than 16 KiB', async () => {
    const whole = sample(60_000)
    const packed = gzipSync(whole, { level: 1 })
    const folder = mkdtempSync(join(tmpdir(), 'callprobe-gzip-'))
    try {
      for (const share of [0.02, 0.5, 0.97]) {
        const at = Math.floor(packed.length * share)
        const damaged = Buffer.from(packed)
        damaged.fill(0xff, at, at + 64)
        // zlib may notice much later: what it makes of the bytes until then is not what was packed.
        const unpacked = await inflatedOf(damaged)
        const intact = unpacked.findIndex((byte, i) => byte !== whole[i])
        const path = join(folder, 'damaged.pcap.gz')
        writeFileSync(path, damaged)
        const file = await openFiles([path])
        const pipe = await openFiles(['-'], { stdin: Readable.from([damaged]) })
        const fromFile = await readPackets(file)
        expect(fromFile).toEqual(await readPackets(pipe))
        const kept = intact < 0 ? unpacked.length : intact
        expect(fromFile.length).toBeGreaterThanOrEqual(Math.floor((kept - 16_384 - 24) / 76))
        expect(file.warnings).toMatchObject([{ kind: 'damaged' }])
      }
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('a file that is gone when its damage is found yields what was read', async () => {
    const packed = gzipSync(sample(60_000), { level: 0 })
    packed.fill(0x55, packed.length - 100_000)
    const folder = mkdtempSync(join(tmpdir(), 'callprobe-gzip-'))
    try {
      const path = join(folder, 'damaged.pcap.gz')
      writeFileSync(path, packed)
      const source = await openFiles([path])
      rmSync(path)
      const packets = await readPackets(source)
      expect(packets.length).toBeGreaterThan(40_000)
      expect(source.warnings).toMatchObject([{ kind: 'damaged', offset: 24 + packets.length * 76 }])
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('that is only a header is no capture', async () => {
    await expect(read(gzipSync(FILE).subarray(0, 12))).rejects.toMatchObject({ code: 'NOT_A_CAPTURE' })
  })

  it('of something else is no capture', async () => {
    await expect(read(gzipSync(Buffer.from('a letter')))).rejects.toMatchObject({ code: 'NOT_A_CAPTURE' })
  })

  it('with junk behind the last member is read to its end', async () => {
    const { packets } = await read(gzipSync(FILE), new Uint8Array(1000).fill(0x41))
    expect(packets).toEqual(plain)
  })
})

interface ZstdBlock {
  raw?: Uint8Array
  repeat?: [byte: number, count: number]
}

/** A frame of raw and RLE blocks, laid out by RFC 8878 3.1.1: no content size, a window of 1 KiB times 2^7. */
function zstdFrame(blocks: ZstdBlock[]): number[] {
  const bytes = [...u32(0xfd2fb528, true), 0x00, 7 << 3]
  blocks.forEach(({ raw, repeat = [0, 0] }, i) => {
    const last = i === blocks.length - 1 ? 1 : 0
    const size = raw === undefined ? repeat[1] : raw.length
    const header = (size << 3) | ((raw === undefined ? 1 : 0) << 1) | last
    bytes.push(...u32(header, true).slice(0, 3), ...(raw ?? [repeat[0]]))
  })
  return bytes
}

describe('zstd', () => {
  const packed = Buffer.from(PACKED_BY_ZSTD, 'base64')

  it('is told by its content and unpacked', async () => {
    const { packets, warnings, progress } = await read(packed)
    expect(packets).toEqual(plain)
    expect(warnings).toEqual([])
    expect(progress.bytesRead).toBe(packed.length)
  })

  it('is unpacked wherever its bytes are cut in two', async () => {
    for (let cut = 0; cut <= packed.length; cut += 13) {
      expect((await read(packed.subarray(0, cut), packed.subarray(cut))).packets).toEqual(plain)
    }
  })

  it('frames one after the other are one file, and skippable frames are stepped over (RFC 8878 3.1)', async () => {
    const skippable = [...u32(0x184d2a53, true), ...u32(5, true), 1, 2, 3, 4, 5]
    const bytes = Uint8Array.from([
      ...skippable,
      ...zstdFrame([{ raw: FILE.subarray(0, 10) }, { raw: FILE.subarray(10, 300) }]),
      ...skippable,
      ...zstdFrame([{ raw: FILE.subarray(300) }]),
    ])
    const { packets, warnings } = await read(bytes)
    expect(warnings).toEqual([])
    expect(packets).toEqual(plain)
  })

  it('blocks of one repeated byte are spread out', async () => {
    const record = { seconds: 1, fraction: 0, frame: [], wire: 0 }
    const header = handPcap({ magic: 0xa1b2c3d4, little: true, records: [record] })
    header.set(u32(50_000, true), 24 + 8)
    const { packets } = await read(Uint8Array.from(zstdFrame([{ raw: header }, { repeat: [0xab, 50_000] }])))
    expect(packets).toHaveLength(1)
    expect(packets[0].hex).toBe('ab'.repeat(50_000))
  })

  it('data that is cut off yields every packet of the whole blocks', async () => {
    const bytes = Uint8Array.from(zstdFrame([{ raw: FILE.subarray(0, 500) }, { raw: FILE.subarray(500) }]))
    const { packets, warnings } = await read(bytes.subarray(0, bytes.length - 1))
    expect(packets).toHaveLength(Math.floor((500 - 24) / 76))
    expect(warnings).toMatchObject([{ kind: 'truncated', offset: 24 + 6 * 76 }])
  })

  it('data that is damaged yields what precedes the damage and says so', async () => {
    const good = zstdFrame([{ raw: FILE.subarray(0, 500) }])
    const damaged = Uint8Array.from([
      ...good,
      ...packed.subarray(0, 200),
      ...new Array<number>(600).fill(0xff),
    ])
    const { packets, warnings } = await read(damaged)
    expect(packets.length).toBeGreaterThanOrEqual(6)
    expect(warnings).toMatchObject([{ kind: 'damaged' }])
  })

  it('with a Huffman table that would keep a decoder busy for ever is refused', async () => {
    // Literals with a tree (5 literals in 14 bytes), whose weights are in an FSE table of 32 states for one symbol.
    const content = [0x52, 0x80, 0x03, 6, 0xf0, 0x03, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0]
    const header = u32((content.length << 3) | (2 << 1) | 1, true).slice(0, 3)
    const frame = [...u32(0xfd2fb528, true), 0x00, 0x38, ...header, ...content]
    const { packets, warnings } = await read(Uint8Array.from([...zstdFrame([{ raw: FILE }]), ...frame]))
    expect(packets).toEqual(plain)
    expect(warnings).toMatchObject([{ kind: 'damaged' }])
    expect(warnings[0].message).toContain('Huffman')
  })

  it('that needs a dictionary, or more memory than 128 MiB, is refused with the reason', async () => {
    const magic = u32(0xfd2fb528, true)
    const dictionary = Uint8Array.from([...magic, 0x01, 0x38, 0x07, ...new Array<number>(30).fill(0)])
    await expect(read(dictionary)).rejects.toThrow(/dictionary/)
    const window = Uint8Array.from([...magic, 0x00, 21 << 3, ...new Array<number>(30).fill(0)])
    await expect(read(window)).rejects.toThrow(/2048 MiB/)
  })
})

const haveZstd = spawnSync('zstd', ['--version']).status === 0

describe.skipIf(!haveZstd)('what the zstd tool writes (skipped where it is not installed)', () => {
  const large = sample(12_000)
  for (const options of [
    ['-1'],
    ['-3', '--no-check'],
    ['-19'],
    ['--fast=5'],
    ['--long=24', '-5'],
    ['--ultra', '-20'],
  ]) {
    it(`with ${options.join(' ')} is read back whole`, async () => {
      const bytes = execFileSync('zstd', ['-q', '-c', ...options], { input: large, maxBuffer: 2 ** 26 })
      const { packets, warnings } = await read(bytes)
      expect(warnings).toEqual([])
      expect(packets).toEqual(await readPackets(new MemorySource(large)))
    })
  }
})
