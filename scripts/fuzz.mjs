// npm run fuzz [-- options] [FILE...]
// Feeds spoiled input to the parsers, the tracker, the meter and the whole pipeline. Inputs that reach new blocks of the
// program are kept and spoiled further. What breaks a promise, throws, takes too long or too much memory is written to
// fuzz-crashes/, and the run ends with exit code 1. docs/fuzzing.md tells more.
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { instrumentModules } from './fuzz/instrument.mjs'
import { coverageByFile, fileLines, progressLine, row, table } from './fuzz/report.mjs'
import { soak } from './fuzz/soak.mjs'
import { TARGETS } from './fuzz/targets.mjs'
import { watch } from './fuzz/watch.mjs'
import { modulesAreStale } from './lib/modules.mjs'
import { ROOT, run } from './lib/run.mjs'

/** On no terminal, a line of progress this often. */
const LOG_EVERY_S = 30

const HELP = `Usage: npm run fuzz -- [options] [FILE...]

Feeds spoiled input to the program. With files: runs these inputs alone, so that what was found can be looked at again.

  --target NAME   only this one (may be repeated; a part of a name will do)
  --runs N        inputs per target (default: each target's own)
  --seconds S     at most so long per target
  --seed N        another run; the same seed, target and number of inputs are the same run (default 1)
  --slow-ms N     an input that takes longer than this twice is a failure (default 2000)
  --no-coverage   spoil the seeds only: faster, and blind
  --unreached     list by file how much was reached
  --soak MB       no fuzzing: so much generated traffic through the probe, while memory is watched
  -h, --help      this text

Targets: ${Object.keys(TARGETS).join(', ')}

Exit codes: 0 done, 1 an input broke a promise, 2 wrong usage.`

function parsed() {
  try {
    return parseArgs({ allowPositionals: true, options: OPTIONS })
  } catch (error) {
    if (!String(error?.code).startsWith('ERR_PARSE_ARGS')) throw error
    // The parser's second sentence is about options that begin with a dash: no help here.
    return usage(`${error.message.split('. ')[0]}\n(run with --help for the options)`)
  }
}

const OPTIONS = {
  target: { type: 'string', multiple: true },
  runs: { type: 'string' },
  seconds: { type: 'string' },
  seed: { type: 'string', default: '1' },
  'slow-ms': { type: 'string', default: '2000' },
  'no-coverage': { type: 'boolean', default: false },
  unreached: { type: 'boolean', default: false },
  soak: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
}

function options() {
  const { values, positionals } = parsed()
  if (values.help) {
    console.log(HELP)
    process.exit(0)
  }
  const number = (name) => {
    const value = Number(values[name])
    if (values[name] !== undefined && !(values[name] !== '' && Number.isFinite(value) && value >= 0)) {
      usage(`--${name}: "${values[name]}" is no number`)
    }
    return values[name] === undefined ? undefined : value
  }
  const names = Object.keys(TARGETS)
  const chosen = (values.target ?? ['']).flatMap((part) => {
    const exact = names.filter((name) => name === part)
    const found = exact.length > 0 ? exact : names.filter((name) => name.includes(part))
    if (found.length === 0) usage(`No target is called "${part}". There are ${names.join(', ')}.`)
    return found
  })
  return {
    names: [...new Set(chosen)],
    files: positionals,
    runs: number('runs'),
    seconds: number('seconds'),
    seed: number('seed'),
    slowMs: number('slow-ms'),
    coverage: !values['no-coverage'],
    unreached: values.unreached,
    soak: number('soak'),
  }
}

function usage(message) {
  console.error(message)
  process.exit(2)
}

/** Writes what failed. @returns {string} where, relative to the project's root */
function keep(name, input) {
  const folder = join(ROOT, 'fuzz-crashes')
  mkdirSync(folder, { recursive: true })
  const path = join(folder, `${name}-${createHash('sha256').update(input).digest('hex').slice(0, 12)}`)
  writeFileSync(path, input)
  return relative(ROOT, path)
}

function tell(name, outcome, seed) {
  const { result, input, smaller, detail, figures } = outcome
  console.log(`\n${name}: ${result} after ${figures.inputs} inputs: ${detail}`)
  const kept = smaller ?? input
  if (kept === undefined) {
    console.log(`To see it again: npm run fuzz -- --target ${name} --seed ${seed} --runs ${figures.inputs}`)
    return
  }
  const path = keep(name, kept)
  console.log(`Input of ${kept.length} bytes kept as ${path}. To see it again:`)
  console.log(`  npm run fuzz -- --target ${name} ${path}`)
}

function progress(name) {
  let due = LOG_EVERY_S
  return (figures) => {
    const line = progressLine(name, figures)
    if (process.stderr.isTTY) {
      process.stderr.write(`\r\x1b[K${line}`)
    } else if (figures.seconds >= due) {
      due = figures.seconds + LOG_EVERY_S
      process.stderr.write(`${line}\n`)
    }
  }
}

async function fuzz(chosen, build) {
  const { files, seed, slowMs } = chosen
  const inputs = files.length > 0 ? files.map((file) => new Uint8Array(readFileSync(file))) : undefined
  const rows = []
  let failed = 0
  for (const name of chosen.names) {
    const target = TARGETS[name]
    const maxLength = Math.max(
      target.maxLength,
      target.stretchTo ?? 0,
      ...(inputs ?? []).map((input) => input.length),
    )
    const job = {
      name,
      seed,
      slowMs,
      maxLength,
      inputs,
      // Given inputs are run once, and no more.
      runs: inputs ? 0 : (chosen.runs ?? target.runs),
      seconds: chosen.seconds ?? Infinity,
      folder: build.folder,
      plainFolder: join(ROOT, '.build'),
      blocks: build.blocks,
    }
    const outcome = await watch(job, progress(name))
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
    const { seen, atLoad } = outcome.figures
    const byFile = seen ? coverageByFile(build.files, seen, atLoad) : []
    console.log(progressLine(name, outcome.figures))
    rows.push(row(name, outcome, byFile))
    if (outcome.result !== 'passed') {
      failed++
      tell(name, outcome, seed)
    }
    if (chosen.unreached) console.log(fileLines(byFile))
  }
  console.log(`\nSeed ${seed}, Node ${process.version}\n\n${table(rows)}`)
  return failed
}

const chosen = options()
if (modulesAreStale() && run('npm', ['run', '--silent', 'build']) !== 0) process.exit(1)
process.exitCode = await main(chosen)

async function main(chosen) {
  const plain = join(ROOT, '.build')
  if (chosen.soak !== undefined) {
    const importModule = (module) => import(pathToFileURL(join(plain, module)).href)
    return (await soak(chosen.soak, importModule, console.log)) ? 0 : 1
  }
  const instrumented = chosen.coverage && chosen.files.length === 0
  const build = instrumented ? instrumentModules() : { folder: plain, files: [], blocks: 0 }
  if (instrumented) removeAtExit(join(build.folder, '..'))
  return (await fuzz(chosen, build)) > 0 ? 1 : 0
}

function removeAtExit(folder) {
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ])
    process.once(signal, () => process.exit(code))
}
