/** The reading thread: opens captures, parses their records, copies frames into shared slabs, looks them over. */
import { parentPort, workerData } from 'node:worker_threads'
import type { PacketSource } from '../../capture/batch.js'
import { openFiles } from '../../capture/open.js'
import { scanPlainFrames } from '../../decode/plain-frames.js'
import { CallprobeError, errorText } from '../../errors.js'
import type { ReaderMessage, ReaderOrder, ReaderTask, SourceState } from './messages.js'
import { Slab } from './slab.js'

const port = parentPort
if (!port) throw new Error('reader-thread runs as a worker only')
const task: ReaderTask = workerData
const slabs = task.slabs.map((memory) => new Slab(memory))
const free = slabs.map((_, index) => index)
let closing = false
/** Resolves when a slab was given back, or nothing more is wanted. */
let wake: (() => void) | undefined

port.on('message', (order: ReaderOrder) => {
  if (order.kind === 'free') free.push(order.slab)
  else closing = true
  wake?.()
})

function post(message: ReaderMessage): void {
  port?.postMessage(message)
}

async function freeSlab(): Promise<number | undefined> {
  while (!closing) {
    const slab = free.shift()
    if (slab !== undefined) return slab
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
  if (index === undefined) return
  slabs[index].clear()
  for (let batch = await source.next(); batch !== null && !closing; batch = await source.next()) {
    while (batch.first < batch.end) {
      const slab: Slab = slabs[index]
      const before = slab.end
      batch.first = slab.append(batch)
      scanPlainFrames(slab, before, slab.end, slab.ipAt.subarray(before, slab.end))
      if (batch.first === batch.end) break
      post({ kind: 'slab', slab: index, packets: slab.end, state: state.now() })
      index = await freeSlab()
      if (index === undefined) return
      slabs[index].clear()
    }
  }
  if (slabs[index].end > 0) post({ kind: 'slab', slab: index, packets: slabs[index].end, state: state.now() })
  post({ kind: 'end', state: state.now() })
}

try {
  const source = await openFiles(task.paths)
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
