import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { PacketSource, SourceWarning } from '../src/capture/batch.js'
import { MemorySource } from '../src/capture/memory-source.js'
import { openFiles } from '../src/capture/open.js'
import { PcapWriter } from '../src/capture/pcap-writer.js'
import { DEFAULT_CONFIG } from '../src/config/config.js'
import { generateScenario } from '../src/generate/generate.js'
import { Probe } from '../src/pipeline/probe.js'
import type { ReaderSource } from '../src/pipeline/reader/reader-source.js'
import { jsonLine } from '../src/sinks/json-line.js'
import { readPackets } from './helpers/capture-bytes.js'
import { requirePrograms, ROOT, sharedPath } from './helpers/programs.js'
import { pcapOf, type Frame } from './helpers/replay.js'
import { transpile } from './helpers/transpiled.js'

const FIXTURES = readdirSync(join(ROOT, 'fixtures'))
  .filter((name) => name.endsWith('.pcap'))
  .map((name) => join(ROOT, 'fixtures', name))
const LARGEST = FIXTURES.reduce((a, b) => (statSync(a).size > statSync(b).size ? a : b))

/** Frames of a call, to be repeated. */
const SOME_FRAMES: Frame[] = []
const LONG_ROUNDS = 60

beforeAll(async () => {
  for (const { timeMs, hex } of await readPackets(new MemorySource(readFileSync(LARGEST))))
    SOME_FRAMES.push({ timeMs, frame: Buffer.from(hex, 'hex') })
})

/** The frames again and again, in rounds of an hour; with `extra`, behind a frame of 60 bytes and so many more. */
function longCapture(rounds: number, { extra = -1, snapLength = 65_535 } = {}): Uint8Array {
  const writer = new PcapWriter({ snapLength })
  if (extra >= 0) writer.write(SOME_FRAMES[0].timeMs, new Uint8Array(60 + extra))
  for (let round = 0; round < rounds; round++)
    for (const { timeMs, frame } of SOME_FRAMES) writer.write(timeMs + round * 3_600_000, frame)
  return writer.toBytes()
}

interface Run {
  lines: string[]
  counts: unknown
  warnings: readonly SourceWarning[]
  files: number
}

async function runOf(source: PacketSource): Promise<Run> {
  const lines: string[] = []
  const probe = new Probe(DEFAULT_CONFIG, 'file', (record) => lines.push(jsonLine(record)))
  try {
    for (;;) {
      const batch = await source.next()
      probe.noteCuts(source.cuts ?? 0)
      if (batch === null) break
      probe.onBatch(batch)
    }
    for (const _ of probe.finish());
  } finally {
    await source.close()
  }
  return { lines, counts: probe.counts(), warnings: source.warnings, files: source.files }
}

describe('captures read by a thread of their own', () => {
  let folder = ''
  let scratch = ''
  let main = ''
  let long = ''
  let open: typeof ReaderSource.open
  let ofMemory: typeof ReaderSource.ofMemory

  beforeAll(async () => {
    // The thread runs what it finds beside itself: JavaScript, made of the sources as they are now.
    folder = transpile(['src/cli/main.ts', 'src/pipeline/reader/reader-thread.ts'])
    scratch = mkdtempSync(join(tmpdir(), 'callprobe-reader-'))
    const path = join(folder, 'src/pipeline/reader/reader-source.js')
    const module: { ReaderSource: typeof ReaderSource } = await import(pathToFileURL(path).href)
    open = (paths) => module.ReaderSource.open(paths)
    ofMemory = (chunks) => module.ReaderSource.ofMemory(chunks)
    main = join(folder, 'main.mjs')
    const entry = pathToFileURL(join(folder, 'src/cli/main.js')).href
    writeFileSync(main, `import { main } from '${entry}'\nprocess.exitCode = await main(process.argv)\n`)
    long = writeScratch('long.pcap', longCapture(LONG_ROUNDS))
  }, 60_000)
  afterAll(() => {
    for (const made of [folder, scratch]) rmSync(made, { recursive: true, force: true })
  })

  async function expectSame(paths: readonly string[]): Promise<Run> {
    const alone = await runOf(await openFiles(paths))
    const beside = await runOf(await open(paths))
    expect(beside).toEqual(alone)
    return beside
  }

  function writeScratch(name: string, bytes: Uint8Array): string {
    const path = join(scratch, name)
    writeFileSync(path, bytes)
    return path
  }

  it.each(FIXTURES)('give the records that one thread gives: %s', async (path) => {
    const { lines } = await expectSame([path])
    expect(lines.length).toBeGreaterThan(2)
  })

  it('are merged in time order, unpacked, and read as one run', async () => {
    const packed = join(scratch, 'packed.pcap.gz')
    writeFileSync(packed, gzipSync(readFileSync(FIXTURES[0])))
    const { files } = await expectSame([packed, ...FIXTURES.slice(1)])
    expect(files).toBe(FIXTURES.length)
  })

  it('yield all that precedes damage, with the same warning', async () => {
    const path = join(scratch, 'cut.pcap')
    const whole = readFileSync(FIXTURES[0])
    writeFileSync(path, whole.subarray(0, Math.floor(whole.length * 0.7)))
    const { warnings, lines } = await expectSame([path])
    expect(warnings).toHaveLength(1)
    expect(lines.length).toBeGreaterThan(0)
  })

  it('of which one breaks off while calls are up: those say so, of a run of several files', async () => {
    const { packets } = generateScenario({
      calls: [
        { call_id: 'before', duration_s: 5, rtcp: false },
        { call_id: 'during', at_s: 2, duration_s: 20, rtcp: false },
        { call_id: 'after', at_s: 12, duration_s: 5, rtcp: false },
      ],
    })
    const cutMs = packets[0].timeMs + 11_000
    const parts = [packets.filter((p) => p.timeMs < cutMs), packets.filter((p) => p.timeMs >= cutMs)]
    const [first, second] = parts.map((part) => pcapOf(part))
    const { lines } = await expectSame([
      writeScratch('rotated-1.pcap', first.subarray(0, first.length - 7)),
      writeScratch('rotated-2.pcap', second),
    ])
    const calls = lines.map((line) => JSON.parse(line)).filter(({ type }) => type === 'call')
    expect(calls.map(({ call_id, validity }) => [call_id, validity.truncated])).toEqual([
      ['before', undefined],
      ['after', undefined],
      ['during', true],
    ])
    const streams = lines.map((line) => JSON.parse(line)).filter(({ type }) => type === 'stream')
    expect(streams.map(({ call_id, validity }) => `${call_id} ${validity.truncated}`).sort()).toEqual([
      ...['after undefined', 'after undefined', 'before undefined', 'before undefined'],
      ...['during true', 'during true'],
    ])
  })

  it('yield all that precedes a record that makes no sense', async () => {
    const bytes = longCapture(2)
    // The captured length of some record in the middle, beyond what any capture has (LINKTYPE pcap: 16 bytes a header).
    let at = 24
    while (at < bytes.length / 2) at += 16 + Buffer.from(bytes.buffer).readUInt32LE(at + 8)
    bytes.fill(0xff, at + 8, at + 12)
    const { warnings } = await expectSame([writeScratch('damaged.pcap', bytes)])
    expect(warnings.map(({ kind, offset }) => ({ kind, offset }))).toEqual([{ kind: 'damaged', offset: at }])
  })

  it('that are damaged inside their compression yield what came before', async () => {
    const packed = gzipSync(longCapture(4))
    packed.fill(0x55, packed.length >> 1, (packed.length >> 1) + 64)
    const { warnings, lines } = await expectSame([writeScratch('damaged.pcap.gz', packed)])
    expect(warnings).toHaveLength(1)
    expect(lines.length).toBeGreaterThan(0)
  })

  it('may hold nothing but a header', async () => {
    const { lines, warnings } = await expectSame([writeScratch('nothing.pcap', new PcapWriter().toBytes())])
    expect([lines.length, warnings.length]).toEqual([0, 0])
  })

  it.each([40, 54, 60, 100])('may have been cut at a snap length of %i bytes', async (snapLength) => {
    const { counts } = await expectSame([
      writeScratch(`cut-${snapLength}.pcap`, longCapture(1, { snapLength })),
    ])
    expect(counts).toMatchObject({ packets: SOME_FRAMES.length })
  })

  it('are measured alike wherever a buffer cuts a record in two', async () => {
    // Buffers hold 1 MiB: each file begins with a record one byte longer than the file before.
    for (const extra of [0, 1, 2, 7, 15, 16, 17, 23]) {
      const { counts } = await expectSame([writeScratch(`shift-${extra}.pcap`, longCapture(5, { extra }))])
      expect(counts).toMatchObject({ packets: 5 * SOME_FRAMES.length + 1 })
    }
  }, 60_000)

  it('go round the shared buffers many times', async () => {
    const { counts } = await expectSame([long])
    expect(counts).toMatchObject({ packets: LONG_ROUNDS * SOME_FRAMES.length })
    await expectSame([writeScratch('long.pcap.gz', gzipSync(readFileSync(long)))])
  }, 60_000)

  it('overlap packet by packet', async () => {
    const [one, other] = [0, 1].map((odd) => {
      const writer = new PcapWriter()
      SOME_FRAMES.forEach(({ timeMs, frame }, n) => n % 2 === odd && writer.write(timeMs, frame))
      return writeScratch(`every-${odd}.pcap`, writer.toBytes())
    })
    const { counts, files } = await expectSame([one, other])
    expect(counts).toMatchObject({ packets: SOME_FRAMES.length })
    expect(files).toBe(2)
  })

  it.each([1, 7, 64, 1000, 65_537])('may lie in memory in pieces of %i bytes', async (size) => {
    const bytes = readFileSync(FIXTURES[0]).subarray(0, size < 64 ? 20_000 : undefined)
    const pieces = []
    for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size))
    const alone = await runOf(new MemorySource(pieces))
    expect(await runOf(await ofMemory(pieces))).toEqual(alone)
    const shared = new Uint8Array(new SharedArrayBuffer(bytes.length))
    shared.set(bytes)
    expect(await runOf(await ofMemory([shared]))).toMatchObject({ counts: alone.counts })
  })

  it('packed with zstd are unpacked', async (context) => {
    if (!requirePrograms('zstd')) return context.skip('zstd is not installed')
    const packed = execFileSync('zstd', ['-q', '-c', long], { maxBuffer: 2 ** 28 })
    await expectSame([writeScratch('long.pcap.zst', packed)])
    await expectSame([writeScratch('cut.pcap.zst', packed.subarray(0, packed.length >> 1))])
  }, 60_000)

  it('that are missing, or no captures, are errors with the same code', async () => {
    const text = join(scratch, 'notes.txt')
    writeFileSync(text, 'no capture at all, but long enough to look at')
    for (const path of [join(scratch, 'none.pcap'), text, scratch]) {
      const failures = await Promise.all(
        [openFiles([path]), open([path])].map((opening) =>
          opening.then(
            () => 'opened',
            (error: unknown) =>
              error instanceof Error && 'code' in error ? [error.code, error.message] : 'another error',
          ),
        ),
      )
      expect(failures[1]).toEqual(failures[0])
      expect(failures[0]).not.toBe('opened')
    }
  })

  it('may be given up in the middle', async () => {
    const source = await open(FIXTURES)
    expect(await source.next()).not.toBeNull()
    await source.close()
    expect(await source.next()).toBeNull()
  })

  it('may be given up while the thread waits for room, or before it began', async () => {
    const source = await open([long])
    expect(await source.next()).not.toBeNull()
    await new Promise((resolve) => setTimeout(resolve, 300))
    await source.close()
    expect(await source.next()).toBeNull()
    await (await open([long])).close()
  })

  it('say the same on the command line, with the same exit code', () => {
    const text = writeScratch('text.txt', Buffer.from('no capture at all, but long enough to look at'))
    const cut = writeScratch('cut-short.pcap', readFileSync(FIXTURES[0]).subarray(0, 30_001))
    for (const [path, code] of [
      [join(scratch, 'none.pcap'), 1],
      [text, 1],
      [writeScratch('empty.pcap', new Uint8Array(0)), 1],
      [cut, 0],
      [FIXTURES[1], 0],
    ] as const) {
      const [one, two] = ['1', '2'].map((workers) => {
        const { status, stdout, stderr } = spawnSync(
          process.execPath,
          [main, 'replay', '--format', 'ndjson', '--workers', workers, path],
          { encoding: 'utf8' },
        )
        const lines = stdout
          .split('\n')
          .map((line) => line.replace(/"(processing_ms|packets_per_s)":[\d.]+/g, ''))
        return { status, stderr, lines }
      })
      expect(two).toEqual(one)
      expect(one.status).toBe(code)
    }
  }, 60_000)

  it('end with the command when it is interrupted', async () => {
    const many = Array<string>(40).fill(long)
    const child = spawn(process.execPath, [main, 'replay', '--workers', '2', '--format', 'ndjson', ...many])
    const ended = new Promise<NodeJS.Signals | number | null>((resolve) =>
      child.once('exit', (code, signal) => resolve(signal ?? code)),
    )
    await new Promise((resolve) => child.stdout.once('data', resolve))
    child.kill('SIGINT')
    expect(await ended).toBe('SIGINT')
  }, 60_000)

  it('give the same records for captures of other people', async (context) => {
    const pcaps = sharedPath('pcaps')
    if (pcaps === undefined) return context.skip('../shared/pcaps is not here')
    const names = readdirSync(pcaps, { recursive: true, encoding: 'utf8' })
    const paths = names
      .filter((name) => /\.(pcap|pcapng|cap)(\.gz)?$/.test(name))
      .map((name) => join(pcaps, name))
    expect(paths.length).toBeGreaterThan(20)
    for (const path of paths) await expectSame([path])
  }, 180_000)
})
