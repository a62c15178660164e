// Makes blocks of the report beside the replay: a thread that `packing.ts` starts.
import { setPriority } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import type { CallBatch } from './call-batch.js'
import type { SipShown } from './report-text.js'

/** What the thread is told at its start. */
export interface PackingTask {
  sip: SipShown
}

/** Where cores are few, the threads that read and measure come first: this one has what they leave. */
const NICE = 10

// Elsewhere than on Linux it would be the whole process's.
if (process.platform === 'linux') {
  try {
    setPriority(NICE)
  } catch {
    // Not allowed here: the work is the same.
  }
}
// Loading it is work as well.
const { CallPacker } = await import('./call-packer.js')

const task = workerData as PackingTask
const packer = new CallPacker(task.sip)
parentPort?.on('message', (batch: CallBatch) => {
  const packed = packer.pack(batch)
  parentPort?.postMessage(packed, packed.block ? [packed.block.buffer as ArrayBuffer] : [])
})
