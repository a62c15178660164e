import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { handPcap, readPackets } from '../../test/helpers/capture-bytes.js'
import { noteSkip } from '../../test/helpers/programs.js'
import { openFiles } from './open.js'

/** A capture of one-byte frames: `[seconds, frame byte]` each. */
function capture(...packets: [seconds: number, byte: number][]): Uint8Array {
  const records = packets.map(([seconds, byte]) => ({ seconds, fraction: 0, frame: [byte] }))
  return handPcap({ magic: 0xa1b2c3d4, little: true, records })
}

let folder = ''
function put(name: string, bytes: Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, bytes)
  return path
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'callprobe-open-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

async function read(paths: string[], stdin?: Readable) {
  const source = await openFiles(paths, { stdin })
  const packets = await readPackets(source)
  return { packets, frames: packets.map((packet) => packet.hex).join(' '), source }
}

describe('several captures', () => {
  it('that follow each other are read in order of time, whatever the order they are named in', async () => {
    const late = put('late.pcap', capture([200, 0x21], [201, 0x22]))
    const early = put('early.pcap', capture([100, 0x11], [101, 0x12]))
    const { frames, source } = await read([late, early])
    expect(frames).toBe('11 12 21 22')
    expect(source.warnings).toEqual([])
    expect(source.progress()).toEqual({ bytesRead: 116, bytesTotal: 116 })
  })

  it('that overlap are merged packet by packet', async () => {
    const caller = put('caller.pcap', capture([10, 0xa0], [12, 0xa2], [13, 0xa3], [16, 0xa6]))
    const callee = put('callee.pcap.gz', gzipSync(capture([11, 0xb1], [14, 0xb4], [15, 0xb5])))
    const third = put('third.pcap', capture([12, 0xc2], [20, 0xc9]))
    const { packets, frames } = await read([callee, third, caller])
    expect(packets.map((packet) => packet.timeMs / 1000)).toEqual([10, 11, 12, 12, 13, 14, 15, 16, 20])
    expect(frames.replace(/c2 a2/, 'a2 c2')).toBe('a0 b1 a2 c2 a3 b4 b5 a6 c9')
  })

  it('keep the order of packets within one capture, even where their times step back', async () => {
    const shaky = put('shaky.pcap', capture([30, 1], [32, 2], [31, 3], [33, 4]))
    const other = put('other.pcap', capture([32, 5], [40, 6]))
    const { frames } = await read([shaky, other])
    expect(frames.replace(/05 ?/, '')).toBe('01 02 03 04 06')
    expect(frames).toContain('05')
  })

  it('go on after one that is truncated, damaged, empty or no capture at all', async () => {
    const whole = capture([50, 1], [51, 2])
    const cut = put('cut.pcap', whole.subarray(0, whole.length - 1))
    const empty = put('empty.pcap', new Uint8Array(0))
    const letter = put('letter.pcap', Buffer.from('Dear Sir or Madam'))
    const header = put('header.pcap', whole.subarray(0, 24))
    const good = put('good.pcap', capture([60, 3]))
    const { frames, source } = await read([good, letter, empty, cut, header])
    expect(frames).toBe('01 03')
    const seen = source.warnings.map((warning) => [warning.source, warning.kind, warning.offset])
    expect(seen).toContainEqual([cut, 'truncated', 41])
    expect(seen).toContainEqual([empty, 'truncated', 0])
    expect(seen).toContainEqual([letter, 'damaged', 0])
    expect(seen).toHaveLength(3)
  })

  it('of which none is a capture are an error', async () => {
    const empty = put('nothing1.pcap', new Uint8Array(0))
    const letter = put('nothing2.pcap', Buffer.from('Dear Sir or Madam'))
    await expect(openFiles([letter, empty])).rejects.toMatchObject({ code: 'NOT_A_CAPTURE' })
  })

  it('named twice are read once', async () => {
    const file = put('twice.pcap', capture([70, 1]))
    expect((await read([file, `${folder}/./twice.pcap`])).frames).toBe('01')
  })

  it('by the hundred hold one descriptor at a time when they follow each other', async () => {
    const names = Array.from({ length: 150 }, (_, i) =>
      put(`ring-${String(i).padStart(3, '0')}.pcap`, capture([1000 + 2 * i, i], [1001 + 2 * i, i])),
    )
    const before = readdirSync('/proc/self/fd').length
    const source = await openFiles(names.reverse())
    let packets = 0
    let most = 0
    for (let batch = await source.next(); batch !== null; batch = await source.next()) {
      packets += batch.end - batch.first
      most = Math.max(most, readdirSync('/proc/self/fd').length - before)
    }
    expect(packets).toBe(300)
    expect(most).toBeLessThanOrEqual(2)
  })

  it('that all overlap are merged from many open readers', async () => {
    const names = Array.from({ length: 40 }, (_, i) =>
      put(
        `leg-${i}.pcap`,
        capture(...Array.from({ length: 50 }, (_, k): [number, number] => [5000 + i + k * 40, i])),
      ),
    )
    const { packets } = await read(names)
    const times = packets.map((packet) => packet.timeMs)
    expect(times).toHaveLength(2000)
    expect(times).toEqual([...times].sort((a, b) => a - b))
  })
})

describe('patterns', () => {
  it('are expanded, and a file that has the name of the pattern wins', async () => {
    mkdirSync(join(folder, 'set'))
    put('set/a1.pcap', capture([1, 1]))
    put('set/a2.pcap', capture([2, 2]))
    put('set/note.txt', Buffer.from('x'))
    expect((await read([join(folder, 'set', '*.pcap')])).frames).toBe('01 02')
    put('set/a[12].pcap', capture([9, 9]))
    expect((await read([join(folder, 'set', 'a[12].pcap')])).frames).toBe('09')
  })

  it('that match nothing are an error', async () => {
    await expect(openFiles([join(folder, 'set', '*.cap')])).rejects.toMatchObject({ code: 'NO_FILE_MATCHES' })
  })
})

describe('a file that cannot be read', () => {
  it('because it is not there', async () => {
    const attempt = openFiles([join(folder, 'gone.pcap')])
    await expect(attempt).rejects.toMatchObject({ code: 'FILE_NOT_FOUND', name: 'CallprobeError' })
    await expect(attempt).rejects.toThrow(/gone\.pcap: no such file/)
  })

  it('because it is a directory: the hint says how to name its files', async () => {
    await expect(openFiles([folder])).rejects.toMatchObject({
      code: 'IS_A_DIRECTORY',
      hint: expect.stringContaining(`${folder}/*.pcap*`),
    })
  })

  const isRoot = process.getuid?.() === 0
  if (isRoot) noteSkip('root may read every file: run as a plain user')
  it.skipIf(isRoot)('because its owner forbids it', async () => {
    const path = put('secret.pcap', capture([1, 1]))
    chmodSync(path, 0)
    await expect(openFiles([path])).rejects.toMatchObject({ code: 'FILE_NOT_READABLE' })
  })

  it('because it is empty', async () => {
    const path = put('void.pcap', new Uint8Array(0))
    await expect(openFiles([path])).rejects.toMatchObject({ code: 'EMPTY_CAPTURE' })
  })

  it('because it is no capture: the message lists what is', async () => {
    const path = put('page.pcap', Buffer.from('<html>'))
    await expect(openFiles([path])).rejects.toThrow(/pcapng.*gzip.*zstd/)
  })

  it('because it is in another format: the hint names the tool that converts or unpacks it', async () => {
    const cases: [bytes: number[], says: RegExp, hint: RegExp][] = [
      [[0x73, 0x6e, 0x6f, 0x6f, 0x70, 0, 0, 0, 0, 0, 0, 2], /snoop/, /editcap/],
      [[0x42, 0x5a, 0x68, 0x39, 0x31], /bzip2/, /bzcat/],
      [[0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0], /xz/, /xzcat/],
    ]
    for (const [bytes, says, hint] of cases) {
      const path = put('foreign.bin', Uint8Array.from(bytes))
      await expect(openFiles([path])).rejects.toThrow(says)
      await expect(openFiles([path])).rejects.toMatchObject({ hint: expect.stringMatching(hint) })
    }
  })
})

describe('standard input', () => {
  const bytes = capture([1, 1], [2, 2])

  it('is read as it comes, plain or packed', async () => {
    for (const form of [bytes, gzipSync(bytes)]) {
      const { frames, source } = await read(['-'], Readable.from([form.subarray(0, 7), form.subarray(7)]))
      expect(frames).toBe('01 02')
      expect(source.progress()).toEqual({ bytesRead: form.length, bytesTotal: 0 })
    }
  })

  it('that is no capture is an error of the first batch, named -', async () => {
    const source = await openFiles(['-'], { stdin: Readable.from([Buffer.from('hello world')]) })
    await expect(source.next()).rejects.toThrow(/^- is not a capture/)
  })

  it('takes part in a merge with files', async () => {
    const file = put('beside.pcap', capture([1.5 * 2, 3]))
    const { frames } = await read(['-', file], Readable.from([bytes]))
    expect(frames).toBe('01 02 03')
  })
})
