/**
 * The hot path alone: a capture that lies in memory is parsed, decoded and measured, all metrics on, on one thread or
 * with a thread that reads and one that measures. Prints one JSON line.
 * Usage: node bench/.build/bundle/in-process.js FILE WARM_UP_FILE [THREADS]
 *
 * The beginning of the second file comes first and lets the compiler settle, as it has in any process older than a second:
 * through the same probe, since the compiler takes a thread's one meter for granted. The file itself comes an hour later,
 * when nothing is left of those streams. The reading thread starts afresh all the same.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { MemorySource } from '../src/capture/memory-source.js'
import { DEFAULT_CONFIG } from '../src/config/config.js'
import { Probe } from '../src/pipeline/probe.js'
import { describedBatch } from '../src/rtp/described-batch.js'
import { ReaderSource } from '../src/pipeline/reader/reader-source.js'

const CHUNK_BYTES = 2 ** 30

function load(path: string, most = Infinity): Uint8Array[] {
  const descriptor = openSync(path, 'r')
  const chunks: Uint8Array[] = []
  let left = Math.min(fstatSync(descriptor).size, most)
  while (left > 0) {
    const chunk = new Uint8Array(new SharedArrayBuffer(Math.min(left, CHUNK_BYTES)))
    let filled = 0
    while (filled < chunk.length) {
      const got = readSync(descriptor, chunk, filled, chunk.length - filled, null)
      if (got === 0) throw new Error(`${path} became shorter while it was read`)
      filled += got
    }
    chunks.push(chunk)
    left -= chunk.length
  }
  closeSync(descriptor)
  return chunks
}

const WARM_UP_PACKETS = 1_000_000
const PCAP_HEADER_BYTES = 24
const RECORD_HEADER_BYTES = 16
const AN_HOUR_S = 3600
/** So often the probe looks around while nothing comes. */
const QUIET_STEPS = 400

/** Moves the records of a little-endian pcap, which may lie across chunks, to another time. */
function shift(chunks: readonly Uint8Array[], seconds: number): void {
  const views = chunks.map((chunk) => new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength))
  const size = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
  const byteAt = (at: number): { view: DataView; at: number } => ({
    view: views[Math.floor(at / CHUNK_BYTES)],
    at: at % CHUNK_BYTES,
  })
  const read = (at: number): number => {
    const word = byteAt(at)
    if (word.at + 4 <= word.view.byteLength) return word.view.getUint32(word.at, true)
    let value = 0
    for (let k = 3; k >= 0; k--) value = value * 256 + byteAt(at + k).view.getUint8(byteAt(at + k).at)
    return value
  }
  for (
    let at = PCAP_HEADER_BYTES;
    at + RECORD_HEADER_BYTES <= size;
    at += RECORD_HEADER_BYTES + read(at + 8)
  ) {
    const later = read(at) + seconds
    const word = byteAt(at)
    if (word.at + 4 <= word.view.byteLength) word.view.setUint32(word.at, later, true)
    else for (let k = 0; k < 4; k++) byteAt(at + k).view.setUint8(byteAt(at + k).at, (later / 256 ** k) & 255)
  }
}

async function run(probe: Probe, chunks: readonly Uint8Array[], mostPackets = Infinity): Promise<number> {
  const source =
    threads === 2
      ? await ReaderSource.ofMemory(chunks)
      : new MemorySource(chunks, { batch: describedBatch() })
  const until = probe.packetCount + mostPackets
  let lastMs = NaN
  for (let batch = await source.next(); batch !== null; batch = await source.next()) {
    lastMs = batch.timeMs[batch.end - 1]
    probe.onBatch(batch)
    if (probe.packetCount >= until) break
  }
  await source.close()
  return lastMs
}

const [, , path, warmUpPath, threadsText = '1'] = process.argv
const threads = Number(threadsText)
if (path === undefined || warmUpPath === undefined)
  throw new Error('usage: in-process FILE WARM_UP_FILE [THREADS]')
const config = structuredClone(DEFAULT_CONFIG)
config.limits.streams = 262_144
const probe = new Probe(config, 'file', () => undefined)

const endMs = await run(probe, load(warmUpPath, WARM_UP_PACKETS * 256), WARM_UP_PACKETS)
for (let step = 1; step <= QUIET_STEPS; step++) probe.onQuiet(endMs + (step * AN_HOUR_S * 500) / QUIET_STEPS)
const chunks = load(path)
shift(chunks, AN_HOUR_S)
const before = { packets: probe.packetCount, streams: probe.counts().streams }
const cpu = process.cpuUsage()
const started = performance.now()
await run(probe, chunks)
const seconds = (performance.now() - started) / 1000
const used = process.cpuUsage(cpu)
const measured = {
  packets: probe.packetCount - before.packets,
  streams: probe.counts().streams - before.streams,
  seconds,
  cpuSeconds: (used.user + used.system) / 1e6,
  rss: process.memoryUsage().rss,
}
process.stdout.write(`${JSON.stringify(measured)}\n`)
