/**
 * The hot path alone: a capture that lies in memory is parsed, decoded and measured, all metrics on, on one thread or
 * with a thread that reads and one that measures. Prints one JSON line.
 * Usage: node bench/.build/bench/in-process.js FILE [WARM_UP_PACKETS [THREADS]]
 *
 * A first run over the beginning of the file lets the compiler settle, as it has in any process older than a second; the
 * reading thread starts afresh all the same.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { MemorySource } from '../src/capture/memory-source.js'
import { DEFAULT_CONFIG } from '../src/config/config.js'
import { Probe } from '../src/pipeline/probe.js'
import { ReaderSource } from '../src/pipeline/reader/reader-source.js'

const CHUNK_BYTES = 2 ** 30

function load(path: string): Uint8Array[] {
  const descriptor = openSync(path, 'r')
  const chunks: Uint8Array[] = []
  let left = fstatSync(descriptor).size
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

interface Measured {
  packets: number
  streams: number
  seconds: number
  cpuSeconds: number
}

async function measure(chunks: readonly Uint8Array[], mostPackets = Infinity): Promise<Measured> {
  const source = threads === 2 ? await ReaderSource.ofMemory(chunks) : new MemorySource(chunks)
  const config = structuredClone(DEFAULT_CONFIG)
  config.limits.streams = 262_144
  const probe = new Probe(config, 'file', () => undefined)
  const cpu = process.cpuUsage()
  const started = performance.now()
  for (let batch = await source.next(); batch !== null; batch = await source.next()) {
    probe.onBatch(batch)
    if (probe.packetCount >= mostPackets) break
  }
  const seconds = (performance.now() - started) / 1000
  const used = process.cpuUsage(cpu)
  await source.close()
  return {
    packets: probe.packetCount,
    streams: probe.counts().streams,
    seconds,
    cpuSeconds: (used.user + used.system) / 1e6,
  }
}

const [, , path, warmUp = '1000000', threadsText = '1'] = process.argv
const threads = Number(threadsText)
if (path === undefined) throw new Error('usage: in-process FILE [WARM_UP_PACKETS [THREADS]]')
const chunks = load(path)
if (Number(warmUp) > 0) await measure(chunks, Number(warmUp))
const measured = await measure(chunks)
process.stdout.write(`${JSON.stringify({ ...measured, rss: process.memoryUsage().rss })}\n`)
