// node pace.mjs FILE SECONDS: the first seconds of a capture to standard output, each packet when its time has come. Tells
// on standard error, at the end, how far it fell behind at most.
import { openSync, readSync, writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

const CHUNK = 4 << 20
const FILE_HEADER = 24
const PACKET_HEADER = 16
const TICK_MS = 10

const file = openSync(process.argv[2], 'r')
const mostMs = Number(process.argv[3]) * 1000
const header = Buffer.alloc(FILE_HEADER)
readSync(file, header)
// Seconds and nanoseconds, little endian: what `callprobe generate` writes.
if (header.readUInt32LE(0) !== 0xa1b23c4d) throw new Error(`${process.argv[2]} is not a pcap of nanoseconds`)

/** A full pipe makes the reader's fault ours: then packets are late, and that is told. */
async function write(bytes) {
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(1, bytes, at)
    } catch (error) {
      if (error.code === 'EPIPE') process.exit(0)
      if (error.code !== 'EAGAIN') throw error
      await sleep(1)
    }
  }
}

await write(header)
let chunk = Buffer.alloc(0)
let begun
let latestMs = 0
let firstMs
let isOver = false
while (!isOver) {
  const next = Buffer.allocUnsafe(CHUNK)
  const length = readSync(file, next)
  if (length === 0) break
  chunk = Buffer.concat([chunk, next.subarray(0, length)])
  let at = 0
  let sent = 0
  while (at + PACKET_HEADER <= chunk.length) {
    const end = at + PACKET_HEADER + chunk.readUInt32LE(at + 8)
    if (end > chunk.length) break
    const timeMs = chunk.readUInt32LE(at) * 1000 + chunk.readUInt32LE(at + 4) / 1e6
    begun ??= performance.now() - timeMs
    firstMs ??= timeMs
    isOver = timeMs - firstMs > mostMs
    if (isOver) break
    if (timeMs > performance.now() - begun) {
      await write(chunk.subarray(sent, at))
      sent = at
      while (timeMs > performance.now() - begun) await sleep(TICK_MS)
    } else latestMs = Math.max(latestMs, performance.now() - begun - timeMs)
    at = end
  }
  await write(chunk.subarray(sent, at))
  chunk = chunk.subarray(at)
}
console.error(JSON.stringify({ latest_ms: latestMs }))
