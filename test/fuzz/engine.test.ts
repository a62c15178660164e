import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runInNewContext } from 'node:vm'
import { afterAll, describe, expect, it } from 'vitest'
import { Coverage } from '../../scripts/fuzz/coverage.mjs'
import { Crasher, Engine, shrink, type Target } from '../../scripts/fuzz/engine.mjs'
import { instrument } from '../../scripts/fuzz/instrument.mjs'
import { watch } from '../../scripts/fuzz/watch.mjs'

/** Fails on three bytes in a row: one in 2^24 inputs of chance, but each byte that fits leads into a new block. */
const LOCK = `function open(data) {
  if (data[0] === 0x43)
    if (data[1] === 0x50)
      if (data[2] === 0x52) throw new Error('open')
  return data.length > 8 ? 'long' : 'short'
}
open`

function evaluate(source: string, coverage?: Coverage): unknown {
  return runInNewContext(source, { __callprobeBlocks: coverage?.counts })
}

function target(
  run: (data: Uint8Array) => unknown,
  seeds: readonly number[][] = [[0, 0, 0, 0, 0, 0]],
): Target {
  return { name: 'test', run, seeds: seeds.map((seed) => Uint8Array.from(seed)), maxLength: 256 }
}

function isCall(value: unknown): value is (data: Uint8Array) => unknown {
  return typeof value === 'function'
}

async function crash(engine: Engine, mostInputs: number): Promise<Crasher | undefined> {
  try {
    await engine.runSeeds()
    while (engine.inputs < mostInputs) await engine.step()
  } catch (error) {
    if (error instanceof Crasher) return error
    throw error
  }
  return undefined
}

describe('guided by coverage', () => {
  it('what takes three right bytes in a row is found; blindly it is not', async () => {
    const coverage = new Coverage(64)
    const { text, next } = instrument(LOCK, 'lock.js', 0)
    expect(next).toBeLessThan(64)
    const open = evaluate(text, coverage)
    if (!isCall(open)) throw new Error('the instrumented code is no function')
    const found = await crash(new Engine(target(open), 1, { coverage }), 400_000)
    expect([...(found?.input.subarray(0, 3) ?? [])]).toEqual([0x43, 0x50, 0x52])
    expect(found?.message).toContain('open')
    expect(await crash(new Engine(target(open), 1), 400_000)).toBeUndefined()
  })

  it('counting blocks changes nothing else', () => {
    const source = `
      const log = []
      class A { #x = 1; get x() { return this.#x } static make = () => new A() }
      function* gen(n) { for (let i = 0; i < n; i++) if (i % 2) yield i; else continue }
      const f = (a, b = a ?? 'none') => a && b || (a ? 'yes' : 'no')
      label: for (const k of [1, 2, 3]) { switch (k) { case 1: log.push('one'); break; case 2: { continue label } default: log.push('d') } }
      try { null.x } catch { log.push('caught') } finally { log.push('finally') }
      let n = 0; do n++; while (n < 3)
      if (n === 3) log.push(n); else log.push('never')
      if (n > 5) log.push('never'); else if (n > 2) log.push(\`n \${n > 2 ? 'big' : 'small'}\`)
      ;[log.join(), [...gen(6)].join(), f(), f(0, 1), f(1, 0), A.make().x, ((x) => ({ x }))(4).x].join(' ')`
    const coverage = new Coverage(128)
    const { text, next } = instrument(source, 'all.js', 3)
    expect(evaluate(text, coverage)).toBe(evaluate(source))
    expect(text.split('\n')).toHaveLength(source.split('\n').length)
    coverage.take()
    // Reached: all but the two pushes of 'never', the else of the last if, the counter of 'small' and f's 'yes'.
    expect(next - 3 - coverage.reached).toBeLessThan(8)
    expect(coverage.counts.every((count) => count === 0)).toBe(true)
  })

  it('inputs that reach nothing new are not kept', async () => {
    const coverage = new Coverage(64)
    const run = evaluate(instrument('(data) => data.length', 'flat.js', 0).text, coverage)
    if (!isCall(run)) throw new Error('the instrumented code is no function')
    const engine = new Engine(target(run), 1, { coverage })
    await crash(engine, 1000)
    expect([engine.inputs, engine.corpus.length]).toEqual([1000, 1])
  })
})

describe('a run can be had again', () => {
  async function inputsOf(seed: number): Promise<string[]> {
    const inputs: string[] = []
    const words = { dictionary: [Buffer.from('CSeq: ')], text: true, step: 8 }
    const engine = new Engine(
      { ...target((data) => inputs.push(Buffer.from(data).toString('hex'))), ...words },
      seed,
    )
    await crash(engine, 2000)
    return inputs
  }

  it('with the same seed come the same inputs, with another others', async () => {
    const first = await inputsOf(7)
    expect(await inputsOf(7)).toEqual(first)
    expect(await inputsOf(8)).not.toEqual(first)
    expect(new Set(first).size).toBeGreaterThan(800)
  })

  it('no input is longer than the target takes', async () => {
    expect(Math.max(...(await inputsOf(9)).map((hex) => hex.length / 2))).toBe(256)
  })

  it('what fails is made smaller and still fails', async () => {
    const failing = target((data) => {
      if (data.indexOf(0x2a) >= 0 && data.lastIndexOf(0x2b) > data.indexOf(0x2a)) throw new Error('42 43')
    })
    const crasher = new Crasher(
      Uint8Array.from({ length: 200 }, (_, i) => i),
      new Error('42 43'),
    )
    expect([...(await shrink(failing, crasher))]).toEqual([0x2a, 0x2b])
  })
})

describe('watched over', () => {
  const folder = mkdtempSync(join(tmpdir(), 'callprobe-fuzz-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  /** Runs three inputs of an SDP parser that goes wrong on the one of length 2. */
  async function outcome(name: string, wrong: string, limits = {}) {
    const module = join(folder, name, 'sip')
    mkdirSync(module, { recursive: true })
    writeFileSync(join(folder, name, 'package.json'), '{ "type": "module" }')
    const source = `const kept = []; export function fuzzSdpOne(data) { if (data.length === 2) { ${wrong} } }`
    writeFileSync(join(module, 'fuzz-target.js'), source)
    const inputs = [[1], [1, 2], [1, 2, 3]].map((bytes) => Uint8Array.from(bytes))
    const job = { name: 'sdp', seed: 1, slowMs: 200, maxLength: 16, inputs, runs: 0, seconds: 10 }
    const folders = { folder: join(folder, name), plainFolder: folder, blocks: 0 }
    return watch({ ...job, ...folders, ...limits }, () => undefined)
  }

  it('an input that never comes to an end is named', async () => {
    const { result, input } = await outcome('hang', 'for (;;);')
    expect([result, ...(input ?? [])]).toEqual(['hang', 1, 2])
  })

  it('an input that takes too long twice is named', async () => {
    const { result, input } = await outcome(
      'slow',
      'const t = performance.now(); while (performance.now() - t < 400);',
    )
    expect([result, ...(input ?? [])]).toEqual(['crash', 1, 2])
  })

  it('an input that throws is named, with where it was thrown', async () => {
    const { result, input, detail } = await outcome('throw', 'throw new Error("broken")')
    expect([result, ...(input ?? [])]).toEqual(['crash', 1, 2])
    expect(detail).toContain('fuzz-target.js')
  })

  it('an input that takes all memory is named', async () => {
    const { result, input } = await outcome('memory', 'for (;;) kept.push(new Array(1e5).fill({}))', {
      heapLimitMb: 64,
      slowMs: 60_000,
    })
    expect([result, ...(input ?? [])]).toEqual(['memory', 1, 2])
  })

  it('what holds passes', async () => {
    const { result, figures } = await outcome('passes', '')
    expect([result, figures.inputs]).toEqual(['passed', 3])
  })
})
