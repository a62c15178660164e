import { Mutator } from './mutate.mjs'
import { Random, textSeed } from './random.mjs'

/** Inputs kept because they reached something new: at most this many. */
const MOST_INPUTS = 20_000
const MOST_TRIM_RUNS = 64

/**
 * @typedef {object} Target
 * @property {string} name
 * @property {(data: Uint8Array) => unknown} run throws (or rejects) when a promise of the code is broken
 * @property {readonly Uint8Array[]} seeds
 * @property {number} maxLength
 * @property {readonly Uint8Array[]} [dictionary]
 * @property {boolean} [text]
 * @property {number} [step]
 */

/** The failing input of a run. */
export class Crasher extends Error {
  /**
   * @param {Uint8Array} input
   * @param {unknown} cause
   */
  constructor(input, cause) {
    super(cause instanceof Error ? cause.message : String(cause), { cause })
    this.input = Uint8Array.from(input)
  }
}

/**
 * Runs one target on its seeds, then on spoiled copies of the inputs that reached new blocks (without coverage: of the
 * seeds). The same target, seed and number of inputs give the same inputs.
 */
export class Engine {
  inputs = 0
  /** Seeds and what was kept because it reached something new. */
  corpus = []
  corpusBytes = 0
  slowestMs = 0

  /**
   * @param {Target} target
   * @param {number} seed
   * @param {{ coverage?: import('./coverage.mjs').Coverage, onInput?: (data: Uint8Array) => void, slowMs?: number }}
   *   [options] `onInput` sees every input before it runs; an input that takes longer than `slowMs` twice is a failure
   */
  constructor(target, seed, { coverage, onInput = () => undefined, slowMs = 2000 } = {}) {
    this.target = target
    this.coverage = coverage
    this.onInput = onInput
    this.slowMs = slowMs
    this.random = new Random(textSeed(target.name, seed))
    this.mutator = new Mutator(this.random, target)
  }

  /** Runs the seeds, each cut to the longest length. @throws {Crasher} */
  async runSeeds() {
    this.coverage?.clear()
    for (const seed of this.target.seeds) {
      const input = Uint8Array.from(seed.subarray(0, this.target.maxLength))
      await this.try(input)
      if (this.coverage === undefined || this.coverage.take()) this.keep(input)
    }
    if (this.corpus.length === 0) this.keep(new Uint8Array(0))
  }

  /** Runs one spoiled input. @throws {Crasher} */
  async step() {
    const { random, coverage } = this
    const input = this.mutator.mutate(this.choose(), random.pick(this.corpus))
    await this.try(input)
    if (coverage?.take() && this.corpus.length < MOST_INPUTS)
      this.keep(await this.trim(Uint8Array.from(input)))
  }

  /** Leaves out what an input can do without and still run the same blocks: changes in a short one hit more often. */
  async trim(input) {
    const { coverage } = this
    const run = async (bytes) => {
      await this.try(bytes)
      return coverage.signature()
    }
    const wanted = await run(input)
    let best = input
    let runs = 0
    for (let size = best.length >> 1; size >= Math.max(1, best.length >> 5); size >>= 1) {
      for (let at = 0; at < best.length && runs < MOST_TRIM_RUNS; runs++) {
        const shorter = Buffer.concat([best.subarray(0, at), best.subarray(at + size)])
        if ((await run(shorter)) === wanted) best = shorter
        else at += size
      }
    }
    return Uint8Array.from(best)
  }

  /**
   * Half of the time one of the latest: what was just reached has had the fewest tries. Else the shorter of two, as
   * short inputs run fast, and a change in them hits what matters sooner.
   */
  choose() {
    const { corpus, random } = this
    const latest = Math.min(corpus.length, 64)
    if (random.oneIn(2)) return corpus[corpus.length - 1 - random.below(latest)]
    const [a, b] = [random.pick(corpus), random.pick(corpus)]
    return a.length <= b.length ? a : b
  }

  keep(input) {
    this.corpus.push(input)
    this.corpusBytes += input.length
  }

  async try(input) {
    this.inputs++
    this.onInput(input)
    let took = await this.timed(input)
    // Once may be the machine: another program had the processor.
    if (took > this.slowMs) took = Math.min(took, await this.timed(input))
    if (took > this.slowestMs) this.slowestMs = took
    if (took > this.slowMs) throw new Crasher(input, `took ${Math.round(took)} ms`)
  }

  async timed(input) {
    const begin = performance.now()
    try {
      const result = this.target.run(input)
      if (result instanceof Promise) await result
    } catch (error) {
      throw new Crasher(input, error)
    }
    return performance.now() - begin
  }
}

/**
 * Makes a failing input smaller for as long as it fails with the same message: blocks are left out, then bytes become
 * zero. At most `mostTries` runs.
 * @param {Target} target
 * @param {Crasher} crasher
 * @returns {Promise<Uint8Array>}
 */
export async function shrink(target, crasher, mostTries = 4000) {
  let best = crasher.input
  let tries = 0
  const fails = async (input) => {
    tries++
    try {
      await target.run(input)
    } catch (error) {
      return (error instanceof Error ? error.message : String(error)) === crasher.message
    }
    return false
  }
  if (!(await fails(best))) return best
  for (let size = best.length >> 1; size >= 1; size >>= 1) {
    for (let at = 0; at < best.length && tries < mostTries;) {
      const shorter = Buffer.concat([best.subarray(0, at), best.subarray(at + size)])
      if (await fails(shorter)) best = shorter
      else at += size
    }
  }
  for (let at = 0; at < best.length && tries < mostTries; at++) {
    const simpler = Uint8Array.from(best)
    simpler[at] = 0
    if (best[at] !== 0 && (await fails(simpler))) best = simpler
  }
  return Uint8Array.from(best)
}
