// Makes blocks of the report beside the replay: a thread that `packing.ts` starts.
import { parentPort, workerData } from 'node:worker_threads'
import type { CallBatch } from './call-batch.js'
import { CallPacker } from './call-packer.js'
import type { SipShown } from './report-text.js'

/** What the thread is told at its start. */
export interface PackingTask {
  sip: SipShown
}

const task = workerData as PackingTask
const packer = new CallPacker(task.sip)
parentPort?.on('message', (batch: CallBatch) => {
  const packed = packer.pack(batch)
  parentPort?.postMessage(packed, packed.block ? [packed.block.buffer as ArrayBuffer] : [])
})
