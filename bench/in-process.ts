/**
 * The hot path alone: a capture that lies in memory is parsed, decoded and measured, all metrics on, on one thread or
 * with a thread that reads and one that measures. Prints one JSON line.
 * Usage: node bench/.build/bundle/in-process.js FILE WARM_UP_FILE [THREADS]
 *
 * The beginning of the second file comes first and lets the compiler settle, as it has in any process older than a second:
 * through the same probe and the same threads, since what the compiler settles is theirs. The file itself comes an hour
 * later, when nothing is left of those streams. A reading thread has read a few thousand of its packets by then.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import type { PacketSource } from '../src/capture/batch.js'
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

interface Place {
  view: DataView
  at: number
}

/** Bytes of chunks of CHUNK_BYTES each, the last one shorter. */
class Chunks {
  private readonly views: DataView[]
  readonly size: number

  constructor(readonly list: readonly Uint8Array[]) {
    this.views = list.map((chunk) => new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength))
    this.size = list.reduce((sum, chunk) => sum + chunk.length, 0)
  }

  private place(at: number): Place {
    return { view: this.views[Math.floor(at / CHUNK_BYTES)], at: at % CHUNK_BYTES }
  }

  /** A little-endian word, which may lie across chunks. */
  read(at: number): number {
    const word = this.place(at)
    if (word.at + 4 <= word.view.byteLength) return word.view.getUint32(word.at, true)
    let value = 0
    for (let k = 3; k >= 0; k--) {
      const byte = this.place(at + k)
      value = value * 256 + byte.view.getUint8(byte.at)
    }
    return value
  }

  write(at: number, value: number): void {
    for (let k = 0; k < 4; k++) {
      const byte = this.place(at + k)
      byte.view.setUint8(byte.at, (value / 256 ** k) & 255)
    }
  }

  /** Where the records of a pcap begin, and where the last of them ends. */
  *records(): Generator<number> {
    for (
      let at = PCAP_HEADER_BYTES;
      at + RECORD_HEADER_BYTES <= this.size;
      at += RECORD_HEADER_BYTES + this.read(at + 8)
    )
      yield at
  }
}

/** The first packets of a pcap, which lie in its first chunk. */
function beginning(path: string, packets: number): Uint8Array {
  const chunks = new Chunks(load(path, packets * 256))
  let left = packets
  for (const at of chunks.records()) if (left-- === 0) return chunks.list[0].subarray(0, at)
  throw new Error(`${path} holds fewer than ${packets} packets`)
}

/** The records of a pcap without its header, moved in time. */
function laterRecords(path: string, seconds: number): Uint8Array[] {
  const chunks = new Chunks(load(path))
  for (const at of chunks.records()) chunks.write(at, chunks.read(at) + seconds)
  const [first, ...others] = chunks.list
  return [first.subarray(PCAP_HEADER_BYTES), ...others]
}

/** Measures what comes, `mostPackets` of it at most. @returns time of the last packet, ms */
async function run(probe: Probe, source: PacketSource, mostPackets = Infinity): Promise<number> {
  const until = probe.packetCount + mostPackets
  let lastMs = NaN
  while (probe.packetCount < until) {
    const batch = await source.next()
    if (batch === null) break
    lastMs = batch.timeMs[batch.end - 1]
    probe.onBatch(batch)
  }
  return lastMs
}

const [, , path, warmUpPath, threadsText = '1'] = process.argv
const threads = Number(threadsText)
if (path === undefined || warmUpPath === undefined)
  throw new Error('usage: in-process FILE WARM_UP_FILE [THREADS]')
const config = structuredClone(DEFAULT_CONFIG)
config.limits.streams = 262_144
const probe = new Probe(config, 'file', () => undefined)

const chunks = [beginning(warmUpPath, WARM_UP_PACKETS), ...laterRecords(path, AN_HOUR_S)]
const source =
  threads === 2 ? await ReaderSource.ofMemory(chunks) : new MemorySource(chunks, { batch: describedBatch() })
const endMs = await run(probe, source, WARM_UP_PACKETS)
for (let step = 1; step <= QUIET_STEPS; step++) probe.onQuiet(endMs + (step * AN_HOUR_S * 500) / QUIET_STEPS)
const before = { packets: probe.packetCount, streams: probe.counts().streams }
const cpu = process.cpuUsage()
const started = performance.now()
await run(probe, source)
const seconds = (performance.now() - started) / 1000
const used = process.cpuUsage(cpu)
const measured = {
  packets: probe.packetCount - before.packets,
  streams: probe.counts().streams - before.streams,
  seconds,
  cpuSeconds: (used.user + used.system) / 1e6,
  rss: process.memoryUsage().rss,
}
await source.close()
process.stdout.write(`${JSON.stringify(measured)}\n`)
