import { spawnSync } from 'node:child_process'
import { mkdtempSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inflateRawSync } from 'node:zlib'
import { afterAll } from 'vitest'
import { RECORD_SCHEMA, type SummaryRecord } from '../../src/calls/records.js'
import type { PacketSource } from '../../src/capture/batch.js'
import { MemorySource } from '../../src/capture/memory-source.js'
import { openFiles } from '../../src/capture/open.js'
import { ReportOutput } from '../../src/cli/outputs/report.js'
import { DEFAULT_CONFIG } from '../../src/config/config.js'
import { Probe } from '../../src/pipeline/probe.js'
import { ROOT } from './programs.js'

/** A folder for reports that goes away with the tests of the calling file. */
export function reportFolder(): string {
  buildPage()
  const folder = mkdtempSync(join(tmpdir(), 'callprobe-report-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** The page's script is built with `npm run build`; where that was not run, or sources are newer, it is made now. */
function buildPage(): void {
  const folder = join(ROOT, 'src/report/page')
  const built = join(ROOT, 'dist/report/page.js')
  const newest = Math.max(...readdirSync(folder).map((name) => statSync(join(folder, name)).mtimeMs))
  if ((statSync(built, { throwIfNoEntry: false })?.mtimeMs ?? 0) >= newest) return
  mkdirSync(join(ROOT, 'dist/report'), { recursive: true })
  const fresh = `${built}.${process.pid}.js`
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc')
  const done = spawnSync(process.execPath, [compiler, '-p', folder, '--outFile', fresh], { encoding: 'utf8' })
  if (done.status !== 0) throw new Error(`the report's page cannot be compiled: ${done.stdout}${done.stderr}`)
  renameSync(fresh, built)
}

/** Replays captures (paths, or the bytes of one) into a report. */
export async function writeReport(
  path: string,
  capture: readonly string[] | Uint8Array,
): Promise<SummaryRecord> {
  const source = capture instanceof Uint8Array ? new MemorySource(capture) : await openFiles(capture)
  const names = capture instanceof Uint8Array ? ['memory.pcap'] : capture
  const output = new ReportOutput(path, names, DEFAULT_CONFIG, undefined)
  const probe = new Probe(DEFAULT_CONFIG, 'file', (record) => output.record(record), [output.observer])
  try {
    await run(source, probe, output)
    const summary: SummaryRecord = {
      type: 'summary',
      schema: RECORD_SCHEMA,
      probe: 'test',
      ...probe.counts(),
      truncated_files: source.warnings
        .filter((warning) => warning.kind !== 'note')
        .map(({ source: file, offset, message }) => ({ file, offset, message })),
    }
    await output.finish(summary)
    return summary
  } finally {
    await source.close()
  }
}

async function run(source: PacketSource, probe: Probe, output: ReportOutput): Promise<void> {
  for (let batch = await source.next(); batch !== null; batch = await source.next()) {
    probe.onBatch(batch)
    await output.ready()
  }
  for (const _ of probe.finish()) await output.ready()
}

/** An Ethernet frame with a UDP datagram over IPv4, as large as IP allows; checksums are 0 (not used). */
export function udpFrame(
  from: readonly [string, number],
  to: readonly [string, number],
  payload: Uint8Array,
): Uint8Array {
  const frame = new Uint8Array(14 + 20 + 8 + payload.length)
  const view = new DataView(frame.buffer)
  view.setUint16(12, 0x0800)
  view.setUint8(14, 0x45)
  view.setUint16(16, 28 + payload.length)
  view.setUint8(22, 64)
  view.setUint8(23, 17)
  frame.set(from[0].split('.').map(Number), 26)
  frame.set(to[0].split('.').map(Number), 30)
  view.setUint16(34, from[1])
  view.setUint16(36, to[1])
  view.setUint16(38, 8 + payload.length)
  frame.set(payload, 42)
  return frame
}

/** What a report's file holds, as text: its overview, and the details of all calls (without their seconds). */
export function readReport(path: string): { overview: string; details: string } {
  const html = readFileSync(path, 'utf8')
  const overview = /id="overview">([^<]*)</.exec(html)?.[1] ?? ''
  const blocks = [...html.matchAll(/id="block-\d+">([^<]*)</g)].map(([, text]) => {
    const block = inflateRawSync(Buffer.from(text, 'base64'))
    return block.subarray(4, 4 + block.readUInt32LE()).toString()
  })
  return { overview, details: blocks.join('\n') }
}
