/** The reading thread: opens captures, parses their records and describes their frames in shared slabs. */
import { parentPort, workerData } from 'node:worker_threads'
import type { PacketSource } from '../../capture/batch.js'
import { MemorySource } from '../../capture/memory-source.js'
import { openFiles } from '../../capture/open.js'
import { CallprobeError, errorText } from '../../errors.js'
import type { ReaderInput, ReaderMessage, ReaderOrder, ReaderTask, SourceState } from './messages.js'
import { RowSlab } from './row-slab.js'
import { SharedWindows } from './shared-windows.js'

const port = parentPort
if (!port) throw new Error('reader-thread runs as a worker only')
const task: ReaderTask = workerData
const slabs = task.slabs.map((memory) => new RowSlab(memory))
const free = slabs.map((_, index) => index)
const windows = new SharedWindows((bytes) => post({ kind: 'memory', bytes }))
let closing = false
/** Resolves when a slab was given back, or nothing more is wanted. */
let wake: (() => void) | undefined

port.on('message', (order: ReaderOrder) => {
  if (order.kind === 'free') {
    free.push(order.slab)
    windows.measured++
  } else closing = true
  wake?.()
})

function post(message: ReaderMessage): void {
  port?.postMessage(message)
}

async function freeSlab(): Promise<number | undefined> {
  while (!closing) {
    const slab = free.shift()
    if (slab !== undefined) {
      slabs[slab].clear()
      return slab
    }
    await new Promise<void>((resolve) => (wake = resolve))
  }
  return undefined
}

/** Hands out what a source says, warnings once. */
class StateOf {
  private told = 0

  constructor(private readonly source: PacketSource) {}

  now(): SourceState {
    const { files, reportedDrops, warnings } = this.source
    const fresh = warnings.slice(this.told)
    this.told = warnings.length
    return { progress: this.source.progress(), files, reportedDrops, warnings: fresh }
  }
}

async function read(source: PacketSource): Promise<void> {
  const state = new StateOf(source)
  post({ kind: 'open', state: state.now() })
  let index = await freeSlab()
  const handOver = async (): Promise<void> => {
    if (index === undefined || slabs[index].count === 0) return
    post({ kind: 'slab', slab: index, ranges: slabs[index].count, state: state.now() })
    windows.filling++
    index = await freeSlab()
  }
  for (let batch = await source.next(); batch !== null && !closing; batch = await source.next()) {
    if (index !== undefined && !slabs[index].hasRoomFor(batch.end - batch.first)) await handOver()
    if (index === undefined) return
    const shared = windows.shared(batch)
    slabs[index].append(shared, windows.idOf(shared.bytes))
    if (slabs[index].isFull) await handOver()
  }
  await handOver()
  post({ kind: 'end', state: state.now() })
}

function open(input: ReaderInput): Promise<PacketSource> {
  if ('paths' in input) return openFiles(input.paths, { memory: windows })
  return Promise.resolve(new MemorySource(input.chunks))
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
} finally {
  port.close()
}
