// Thread that runs one target. The parent watches it through shared memory, and ends it when an input never returns.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { parentPort, workerData } from 'node:worker_threads'
import { Coverage } from './coverage.mjs'
import { Crasher, Engine, shrink } from './engine.mjs'
import { Material } from './material.mjs'
import { SharedInput } from './shared-input.mjs'
import { loadTarget } from './targets.mjs'

/** Inputs between two reports. */
const REPORT_EVERY = 256
/** How often the heap is looked at after a collection, in a run. */
const HEAP_CHECKS = 10

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc')

/** Imports modules of a compiled program. */
function importFrom(folder) {
  return (module) => import(pathToFileURL(join(folder, module)).href)
}

/** Bytes in use that the corpus does not explain. */
function heapBytes(engine) {
  collectGarbage()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers - engine.corpusBytes
}

async function main() {
  const { name, seed, runs, seconds, slowMs, maxLength, blocks, shared, inputs } = workerData
  const coverage = blocks > 0 ? new Coverage(blocks) : undefined
  globalThis.__callprobeBlocks = coverage?.counts
  const material = inputs ? undefined : await Material.load(importFrom(workerData.plainFolder))
  const target = await loadTarget(name, importFrom(workerData.folder), material)
  if (inputs) Object.assign(target, { seeds: inputs, maxLength })
  coverage?.take()
  const atLoad = coverage?.seen.slice()
  const sharedInput = new SharedInput(shared)
  const onInput = (data) => sharedInput.begin(data)
  const engine = new Engine(target, seed, { coverage, onInput, slowMs })
  const begin = performance.now()
  const heaps = []
  const report = (kind) => {
    sharedInput.idle()
    parentPort.postMessage({
      kind,
      inputs: engine.inputs,
      seconds: (performance.now() - begin) / 1000,
      corpus: engine.corpus.length,
      reached: coverage?.reached ?? 0,
      seen: kind === 'done' && coverage ? coverage.seen : undefined,
      atLoad,
      slowestMs: engine.slowestMs,
      heaps,
    })
  }
  try {
    await engine.runSeeds()
    let nextHeapCheck = 0
    while (engine.inputs < runs) {
      await engine.step()
      if (engine.inputs % REPORT_EVERY !== 0) continue
      const elapsed = (performance.now() - begin) / 1000
      const share = Math.max(engine.inputs / runs, elapsed / seconds)
      if (share >= nextHeapCheck) {
        heaps.push(heapBytes(engine))
        nextHeapCheck += 1 / HEAP_CHECKS
      }
      report('progress')
      if (elapsed >= seconds) break
    }
    heaps.push(heapBytes(engine))
    report('done')
  } catch (error) {
    if (!(error instanceof Crasher)) throw error
    sharedInput.idle()
    report('progress')
    const smaller = await shrink(target, error)
    const { cause } = error
    const detail = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)
    parentPort.postMessage({ kind: 'crash', input: error.input, smaller, detail })
  }
}

await main()
