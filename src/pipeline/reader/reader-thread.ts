/** The reading thread: opens captures, parses their records and describes their frames in shared slabs. */
import { parentPort, workerData } from 'node:worker_threads'
import type { PacketSource } from '../../capture/batch.js'
import { MemorySource } from '../../capture/memory-source.js'
import { openFiles } from '../../capture/open.js'
import { CallprobeError, errorText } from '../../errors.js'
import { describedBatch } from '../../rtp/described-batch.js'
import type { ReaderInput, ReaderMessage, ReaderTask, SourceState } from './messages.js'
import { SharedWindows } from './shared-windows.js'
import { SlabRing } from './slab-ring.js'

const port = parentPort
if (!port) throw new Error('reader-thread runs as a worker only')
const task: ReaderTask = workerData
const ring = new SlabRing(task.ring)
const windows = new SharedWindows(ring, (bytes) => post({ kind: 'memory', bytes }))

function post(message: ReaderMessage): void {
  port?.postMessage(message)
}

function stateOf(source: PacketSource): SourceState {
  const { files, reportedDrops, warnings, cuts = 0 } = source
  return { progress: source.progress(), files, reportedDrops, warnings, cuts }
}

async function read(source: PacketSource): Promise<void> {
  post({ kind: 'open', state: stateOf(source) })
  let slab = ring.slab(0)
  slab.clear()
  const handOver = (): void => {
    slab.bytesRead = source.progress().bytesRead
    ring.handOver()
    windows.filling++
    ring.awaitRoom(windows.filling)
    slab = ring.slab(windows.filling)
    slab.clear()
  }
  for (let batch = await source.next(); batch !== null; batch = await source.next()) {
    if (!slab.hasRoomFor(batch.end - batch.first)) handOver()
    const shared = windows.shared(batch)
    slab.append(shared, windows.idOf(shared.bytes), source.cuts ?? 0)
    if (slab.isFull) handOver()
  }
  if (slab.count > 0) handOver()
  post({ kind: 'end', state: stateOf(source) })
}

function open(input: ReaderInput): Promise<PacketSource> {
  const batch = describedBatch()
  if ('paths' in input) return openFiles(input.paths, { memory: windows, blocking: true, batch })
  return Promise.resolve(new MemorySource(input.chunks, { batch }))
}

try {
  const source = await open(task.input)
  try {
    await read(source)
  } finally {
    await source.close()
  }
} catch (error) {
  const known = error instanceof CallprobeError ? error : undefined
  post({
    kind: 'failed',
    failure: { code: known?.code, message: errorText(error), hint: known?.hint },
  })
}
