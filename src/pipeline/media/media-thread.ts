/** A media worker: reads its rings, measures the streams of its flows, and sends what they did to the calls' thread. */
import { workerData } from 'node:worker_threads'
import { loadBinding } from '../../capture/ring/native.js'
import { RingSource } from '../../capture/ring/ring-source.js'
import { MediaMeasurer } from './measurer.js'
import * as M from './messages.js'

/** Counters of the rings are published this often. */
const LOOK_MS = 100
const COUNTS_MS = 1000

const task: M.MediaTask = workerData
const control = new Int32Array(task.control)
const figures = new Float64Array(task.figures)
const source = new RingSource(loadBinding(), task.sockets, { nowMs: Date.now })
const measurer = new MediaMeasurer(task)

let lookedMs = -Infinity
let countedMs = -Infinity

function publish(nowMs: number): void {
  if (nowMs - lookedMs < LOOK_MS) return
  lookedMs = nowMs
  const { kernelDrops, freezes } = source.losses()
  figures[M.KERNEL_DROPS] = kernelDrops
  figures[M.FREEZES] = freezes
  figures[M.RECEIVED] = source.received
  if (nowMs - countedMs < COUNTS_MS) return
  countedMs = nowMs
  measurer.sendCounts()
}

let drained = false
Atomics.store(control, M.RUNNING, 1)
while (!measurer.finished) {
  // Read before the orders are: what is sent later wakes the wait below.
  const wake = Atomics.load(control, M.WAKE)
  const beganMs = performance.now()
  measurer.takeOrders()
  publish(beganMs)
  if (measurer.stopped) source.stop()
  const batch = drained ? undefined : source.take()
  if (batch === undefined) {
    Atomics.wait(control, M.WAKE, wake, drained ? LOOK_MS : source.pauseMs())
    continue
  }
  if (batch === null) {
    drained = true
    lookedMs = -Infinity
    publish(beganMs)
    measurer.sendDrained()
  } else if (batch.end > batch.first) measurer.onBatch(batch)
  else if (Number.isFinite(source.quietUntilMs)) measurer.onQuiet(source.quietUntilMs)
  figures[M.BUSY_MS] += performance.now() - beganMs
}
await source.close()
