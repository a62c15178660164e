import { Worker } from 'node:worker_threads'
import { SharedInput } from './shared-input.mjs'

const LOOK_EVERY_MS = 250
const HEAP_LIMIT_MB = 768
const RSS_LIMIT_BYTES = 1.5 * 2 ** 30
/** The heap may grow by this much over a run, beside the kept inputs. */
const HEAP_GROWTH_BYTES = 64 * 2 ** 20
/** Inputs that take long twice are failures; this much longer without an end is a hang. */
const HANG_FACTOR = 5

/**
 * @typedef {object} Outcome
 * @property {'passed' | 'crash' | 'hang' | 'memory'} result
 * @property {object} figures the worker's last report
 * @property {Uint8Array} [input] what failed
 * @property {Uint8Array} [smaller] the same, made smaller
 * @property {string} [detail]
 */

/**
 * Runs a target in a thread, and watches over its time and memory.
 * @param {object} job what worker.mjs takes, but for the shared memory; and `heapLimitMb`
 * @param {(figures: object) => void} onProgress
 * @returns {Promise<Outcome>}
 */
export function watch(job, onProgress) {
  const shared = new SharedArrayBuffer(SharedInput.bytesFor(job.maxLength))
  const sharedInput = new SharedInput(shared)
  sharedInput.idle()
  const worker = new Worker(new URL('worker.mjs', import.meta.url), {
    workerData: { ...job, shared },
    resourceLimits: { maxOldGenerationSizeMb: job.heapLimitMb ?? HEAP_LIMIT_MB },
  })
  return new Promise((resolve) => {
    let figures = { inputs: 0, seconds: 0, corpus: 0, reached: 0, slowestMs: 0, heaps: [] }
    let count = -1
    let sinceMs = performance.now()
    const end = (outcome) => {
      clearInterval(timer)
      resolve({ figures, ...outcome })
      void worker.terminate()
    }
    const timer = setInterval(() => {
      if (sharedInput.count !== count || sharedInput.current === undefined) {
        count = sharedInput.count
        sinceMs = performance.now()
      } else if (performance.now() - sinceMs > job.slowMs * HANG_FACTOR) {
        const detail = `no end after ${Math.round(performance.now() - sinceMs)} ms`
        end({ result: 'hang', input: sharedInput.current, detail })
        return
      }
      const { rss } = process.memoryUsage()
      if (rss > RSS_LIMIT_BYTES)
        end({
          result: 'memory',
          input: sharedInput.current,
          detail: `${Math.round(rss / 2 ** 20)} MB resident`,
        })
    }, LOOK_EVERY_MS)
    worker.on('message', (message) => {
      if (message.kind === 'crash') {
        end({ result: 'crash', input: message.input, smaller: message.smaller, detail: message.detail })
        return
      }
      figures = message
      if (message.kind === 'progress') onProgress(figures)
      else end(heapOutcome(figures.heaps))
    })
    worker.on('error', (error) => {
      const result = error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'memory' : 'crash'
      end({ result, input: sharedInput.current, detail: error.stack ?? String(error) })
    })
  })
}

/** The heap after collections must not go on growing: the first tenth of a run fills caches and compiles code. */
function heapOutcome(heaps) {
  const growth = heaps.length < 3 ? 0 : heaps[heaps.length - 1] - heaps[1]
  if (growth <= HEAP_GROWTH_BYTES) return { result: 'passed' }
  return { result: 'memory', detail: `the heap grew by ${Math.round(growth / 2 ** 20)} MB over the run` }
}
