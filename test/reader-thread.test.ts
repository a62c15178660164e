import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { PacketBatch, PacketSource, SourceWarning } from '../src/capture/batch.js'
import { openFiles } from '../src/capture/open.js'
import { DEFAULT_CONFIG } from '../src/config/config.js'
import { Probe } from '../src/pipeline/probe.js'
import type { ReaderSource } from '../src/pipeline/reader/reader-source.js'
import type { RowBatch } from '../src/rtp/packet-rows.js'
import { jsonLine } from '../src/sinks/json-line.js'
import { ROOT, sharedPath } from './helpers/programs.js'
import { transpile } from './helpers/transpiled.js'

const FIXTURES = readdirSync(join(ROOT, 'fixtures'))
  .filter((name) => name.endsWith('.pcap'))
  .map((name) => join(ROOT, 'fixtures', name))

interface Run {
  lines: string[]
  counts: unknown
  warnings: readonly SourceWarning[]
  files: number
}

async function runOf(source: PacketSource<PacketBatch | RowBatch>): Promise<Run> {
  const lines: string[] = []
  const probe = new Probe(DEFAULT_CONFIG, 'file', (record) => lines.push(jsonLine(record)))
  try {
    for (let batch = await source.next(); batch !== null; batch = await source.next()) probe.onBatch(batch)
    for (const _ of probe.finish());
  } finally {
    await source.close()
  }
  return { lines, counts: probe.counts(), warnings: source.warnings, files: source.files }
}

describe('captures read by a thread of their own', () => {
  let folder = ''
  let scratch = ''
  let open: typeof ReaderSource.open

  beforeAll(async () => {
    // The thread runs what it finds beside itself: JavaScript, made of the sources as they are now.
    folder = transpile(['src/pipeline/reader/reader-source.ts', 'src/pipeline/reader/reader-thread.ts'])
    scratch = mkdtempSync(join(tmpdir(), 'callprobe-reader-'))
    const path = join(folder, 'src/pipeline/reader/reader-source.js')
    const module: { ReaderSource: typeof ReaderSource } = await import(pathToFileURL(path).href)
    open = (paths) => module.ReaderSource.open(paths)
  })
  afterAll(() => {
    for (const made of [folder, scratch]) rmSync(made, { recursive: true, force: true })
  })

  async function expectSame(paths: readonly string[]): Promise<Run> {
    const alone = await runOf(await openFiles(paths))
    const beside = await runOf(await open(paths))
    expect(beside).toEqual(alone)
    return beside
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
