// npm run fuzz [-- --seconds 60] [--seed N] [--target REGEXP] [FILE...]
// Feeds spoiled input to every fuzz target of src/ (exported functions named fuzz...One, which throw when a promise is
// broken). What breaks one, or takes longer than a second, is kept in out/fuzz/ and ends the run with exit code 1.
// With files: runs the targets on these alone, so that what was found can be looked at again.
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { randomNumbers, seeds, spoil } from './lib/fuzz-input.mjs'
import { distIsStale } from './lib/modules.mjs'
import { ROOT, run } from './lib/run.mjs'

const SLOW_MS = 1000

function filesBelow(folder) {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name))
}

async function targets(pattern) {
  const found = []
  for (const file of filesBelow(join(ROOT, 'dist')).filter((name) => /fuzz[^/\\]*\.js$/.test(name))) {
    for (const [name, target] of Object.entries(await import(pathToFileURL(file).href))) {
      if (/^fuzz\w*One$/.test(name) && typeof target === 'function' && pattern.test(name))
        found.push({ name, target })
    }
  }
  return found
}

/** Runs one input. Returns what is wrong, or undefined. */
async function tryOne(target, input) {
  const begin = performance.now()
  try {
    await target(input)
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error)
  }
  const took = performance.now() - begin
  return took > SLOW_MS ? `took ${Math.round(took)} ms` : undefined
}

function keep(name, input) {
  const folder = join(ROOT, 'out/fuzz')
  mkdirSync(folder, { recursive: true })
  const path = join(folder, `${name}-${createHash('sha256').update(input).digest('hex').slice(0, 12)}`)
  writeFileSync(path, input)
  return path
}

async function fuzz(found, seconds, seed) {
  const random = randomNumbers(seed)
  const starts = seeds()
  const runs = new Map(found.map(({ name }) => [name, 0]))
  const broken = new Set()
  const end = performance.now() + seconds * 1000
  while (performance.now() < end && broken.size < found.length) {
    const input = spoil(starts[Math.floor(random() * starts.length)], starts, random)
    for (const { name, target } of found) {
      if (broken.has(name)) continue
      const wrong = await tryOne(target, input)
      runs.set(name, runs.get(name) + 1)
      if (wrong === undefined) continue
      broken.add(name)
      console.error(`${name}: ${wrong}\n  kept as ${keep(name, input)}`)
    }
  }
  for (const [name, count] of runs)
    console.log(`${name}: ${count} inputs${broken.has(name) ? ', BROKEN' : ''}`)
  return broken.size
}

async function replayFiles(found, files) {
  let broken = 0
  for (const file of files) {
    const input = new Uint8Array(readFileSync(file))
    for (const { name, target } of found) {
      const wrong = await tryOne(target, input)
      if (wrong !== undefined) broken++
      console.log(`${file}: ${name}: ${wrong ?? 'holds'}`)
    }
  }
  return broken
}

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 32) },
    target: { type: 'string', default: '' },
  },
})
if (distIsStale() && run('npm', ['run', '--silent', 'build']) !== 0) process.exit(1)
const found = await targets(new RegExp(options.target, 'i'))
if (found.length === 0) {
  console.error('No fuzz target has that name.')
  process.exit(2)
}
console.log(`${found.map(({ name }) => name).join(', ')}; seed ${options.seed}`)
const broken =
  positionals.length > 0
    ? await replayFiles(found, positionals)
    : await fuzz(found, Number(options.seconds), Number(options.seed))
process.exitCode = broken > 0 ? 1 : 0
