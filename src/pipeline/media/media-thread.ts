/** A media worker: reads its rings, measures the streams of its flows, and sends what they did to the calls' thread. */
import { workerData } from 'node:worker_threads'
import type { PacketBatch } from '../../capture/batch.js'
import { loadBinding } from '../../capture/ring/native.js'
import { RETIRE_SLACK_MS, RingSource } from '../../capture/ring/ring-source.js'
import { MediaMeasurer } from './measurer.js'
import * as M from './messages.js'

/** Counters of the rings are published this often. */
const LOOK_MS = 100
const COUNTS_MS = 1000
/** Frames wait for packets of their time that another thread unwraps, if there were any lately, but not longer than this. */
const HOLD_MS = 100
const HOLD_WAIT_MS = 5
const LATELY_MS = 5000
/** Frames that have waited so long in the ring are of a standstill of the process, or too many. */
const LATE_MS = 1000
/** After a standstill the thread that follows calls is to have read what it has, up to so long before. */
const AHEAD_MS = 250
/** How long that is waited for, until the rings are empty again. */
const MOST_AHEAD_MS = 1000

const task: M.MediaTask = workerData
const control = new Int32Array(task.control)
const figures = new Float64Array(task.figures)
/** The kernel has handed out what came so long ago. */
const settledMs = Math.max(...task.sockets.map(({ retireMs }) => retireMs)) + RETIRE_SLACK_MS
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

/** The batch in hand has to wait: fragments of its streams may still be on their way. */
function isEarly(batch: PacketBatch): boolean {
  const lastMs = batch.timeMs[batch.end - 1]
  return (
    lastMs - measurer.unwrappedMs < LATELY_MS &&
    lastMs > figures[M.UNWRAPPED_UNTIL_MS] &&
    Date.now() + source.clockOffsetMs - lastMs < HOLD_MS &&
    // The clock may have been set back.
    !(performance.now() - heldAtMs >= HOLD_MS) &&
    !measurer.isAsked
  )
}

/** The batch in hand has to wait: the calls of its time may not have been announced yet. */
function isAhead(batch: PacketBatch): boolean {
  const firstMs = batch.timeMs[batch.first]
  return (
    aheadMs < MOST_AHEAD_MS &&
    Date.now() + source.clockOffsetMs - firstMs > LATE_MS &&
    firstMs > figures[M.UNWRAPPED_UNTIL_MS] + AHEAD_MS &&
    !measurer.isAsked
  )
}

/** Unwrapped packets wait likewise, for frames of their time that were not taken out of the ring yet. */
function unwrappedUntil(): number {
  if (drained || measurer.isAsked || measurer.isCrowded) return Infinity
  if (held) return held.timeMs[held.first]
  if (isBehind) return figures[M.MEASURED_MS]
  // Without frames there is nothing to wait for, nor is their clock known.
  return figures[M.PACKETS] === 0 ? Infinity : figures[M.CAUGHT_UP_MS] + source.clockOffsetMs
}

/** Takes what is in the rings, and notes how far that goes. */
function take(): PacketBatch | null | undefined {
  // Read before the rings are looked at: what is not in them then came after it.
  const nowMs = Date.now()
  const batch = source.take()
  isBehind = !!batch && batch.end > batch.first
  if (!isBehind) {
    figures[M.CAUGHT_UP_MS] = nowMs - settledMs
    aheadMs = 0
  }
  return batch
}

let drained = false
/** Frames that were taken and not measured yet. */
let held: PacketBatch | undefined
let heldAtMs = NaN
/** Time spent waiting for the thread that follows calls. */
let aheadMs = 0
/** There may be more in the rings than was taken. */
let isBehind = true
Atomics.store(control, M.RUNNING, 1)
while (!measurer.finished) {
  // Read before the orders are: what is sent later wakes the wait below.
  const wake = Atomics.load(control, M.WAKE)
  const beganMs = performance.now()
  measurer.takeOrders(unwrappedUntil())
  publish(beganMs)
  if (measurer.stopped) source.stop()
  const batch = held ?? (drained || measurer.isHeldUp ? undefined : take())
  const ahead = batch && batch.end > batch.first && isAhead(batch)
  if (ahead || (batch && batch.end > batch.first && isEarly(batch))) {
    if (!held) heldAtMs = beganMs
    held = batch
    figures[M.MEASURED_MS] = batch.timeMs[batch.first]
    Atomics.wait(control, M.WAKE, wake, HOLD_WAIT_MS)
    if (ahead) aheadMs += performance.now() - beganMs
    continue
  }
  held = undefined
  heldAtMs = NaN
  if (batch === undefined) {
    measurer.takeOrders(unwrappedUntil())
    if (measurer.finished) break
    Atomics.wait(control, M.WAKE, wake, drained ? LOOK_MS : source.pauseMs())
    continue
  }
  if (batch === null) {
    drained = true
    lookedMs = -Infinity
    publish(beganMs)
    measurer.sendDrained()
  } else if (batch.end > batch.first) {
    measurer.onMergedBatch(batch)
    figures[M.MEASURED_MS] = batch.timeMs[batch.end - 1]
  } else if (Number.isFinite(source.quietUntilMs)) measurer.onQuiet(source.quietUntilMs)
  figures[M.BUSY_MS] += performance.now() - beganMs
}
await source.close()
