// npm run bench [-- --quick] [--long] [--runs N] [--packets N] [--streams N,N,...] [--output FILE|-]
// Measures callprobe against the C floor and writes docs/benchmarks.md (bench/page.mjs says what the columns mean).
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { bundle, THREADS } from '../scripts/lib/bundle.mjs'
import { findProgram } from '../scripts/lib/programs.mjs'
import { besideTshark, timedReplay } from './beside-tshark.mjs'
import { BENCH, capture, compile, machine, median, ROOT, timed } from './measure.mjs'
import { page } from './page.mjs'

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    long: { type: 'boolean', default: false },
    runs: { type: 'string' },
    packets: { type: 'string' },
    streams: { type: 'string' },
    output: { type: 'string' },
  },
})
const runs = Number(options.runs ?? (options.quick ? 2 : 5))
const packets = Number(options.packets ?? (options.quick ? 200_000 : 5_000_000))
const streamCounts = (options.streams ?? (options.quick ? '2000' : '2000,20000,200000'))
  .split(',')
  .map(Number)
const output = options.output ?? (options.quick ? '-' : join(ROOT, 'docs/benchmarks.md'))

/** The hot path in one process: bench/in-process.ts, bundled as the program is. undefined while there is none. */
async function buildInProcess() {
  const source = join(BENCH, 'in-process.ts')
  if (!existsSync(source)) return undefined
  const build = join(BENCH, '.build')
  mkdirSync(build, { recursive: true })
  // A configuration of its own, since tsc takes files or a configuration, not both.
  const config = {
    extends: '../../tsconfig.json',
    compilerOptions: { rootDir: '../..', outDir: 'modules', declaration: false },
    include: ['../in-process.ts', ...THREADS.map((name) => `../../src/${name}.ts`)],
  }
  writeFileSync(join(build, 'tsconfig.json'), JSON.stringify(config))
  await timed(process.execPath, [
    join(ROOT, 'node_modules/typescript/bin/tsc'),
    '-p',
    join(build, 'tsconfig.json'),
  ])
  const modules = join(build, 'modules')
  const entries = THREADS.map((name) => [name, join(modules, 'src', `${name}.js`)])
  entries.push(['in-process', join(modules, 'bench/in-process.js')])
  await bundle(join(modules, 'src'), Object.fromEntries(entries), join(build, 'bundle'))
  return join(build, 'bundle/in-process.js')
}

/** One turn of every program over one file. */
async function turn(file, warmUpFile, programs) {
  const floor = JSON.parse((await timed(programs.floor, [file])).stdout)
  const hotPath = async (threads) =>
    programs.inProcess &&
    JSON.parse(
      (await timed(process.execPath, [programs.inProcess, file, warmUpFile, String(threads)])).stdout
        .trim()
        .split('\n')
        .at(-1),
    )
  const inProcess = await hotPath(1)
  const inProcessTwo = await hotPath(2)
  const replay = await timedReplay(file, 1)
  const twoThreads = await timedReplay(file, 2)
  // A program that skips packets is fast for the wrong reason.
  for (const [name, seen] of Object.entries({ floor, inProcess, inProcessTwo })) {
    if (seen && seen.packets !== packets) throw new Error(`${name} saw ${seen.packets} of ${packets} packets`)
  }
  return { floor, inProcess, inProcessTwo, replay, twoThreads }
}

function summarize(streams, turns) {
  const speeds = (pick) => turns.map((one) => packets / pick(one).seconds)
  const ratios = (pick) => turns.map((one) => one.floor.seconds / pick(one).seconds)
  const cpu = turns.map((one) => one.replay.cpuSeconds).filter((value) => value !== undefined)
  const peaks = turns.map((one) => one.replay.peakBytes).filter((value) => value !== undefined)
  return {
    streams,
    floor: { perSecond: median(speeds((one) => one.floor)) },
    inProcess: turns[0].inProcess && {
      perSecond: median(speeds((one) => one.inProcess)),
      ratio: median(ratios((one) => one.inProcess)),
    },
    inProcessTwo: turns[0].inProcessTwo && {
      perSecond: median(speeds((one) => one.inProcessTwo)),
      gain: median(turns.map((one) => one.inProcess.seconds / one.inProcessTwo.seconds)),
    },
    replay: {
      perSecond: median(speeds((one) => one.replay)),
      ratio: median(ratios((one) => one.replay)),
      cpuPerMillion: cpu.length > 0 ? median(cpu) / (packets / 1e6) : undefined,
      peakBytes: peaks.length > 0 ? Math.max(...peaks) : undefined,
    },
    twoThreads: {
      perSecond: median(speeds((one) => one.twoThreads)),
      gain: median(turns.map((one) => one.replay.seconds / one.twoThreads.seconds)),
    },
  }
}

/** One file nine times as long, of the same streams: what a replay holds is not to grow with the file. */
async function measureLong(gen, streams) {
  const longer = 9 * packets
  const file = capture(gen, longer, streams)
  try {
    console.error(`replay of ${longer} packets ...`)
    const { seconds, peakBytes } = await timedReplay(file, 1)
    return { packets: longer, bytes: statSync(file).size, perSecond: longer / seconds, peakBytes }
  } finally {
    rmSync(file)
  }
}

for (const program of ['cc']) {
  if (!findProgram(program)) {
    console.error(`${program} is missing: node scripts/system-packages.mjs --install --for bench`)
    process.exit(1)
  }
}
if (!existsSync(join(ROOT, 'dist/cli/main.js'))) {
  console.error('dist is missing: npm run build')
  process.exit(1)
}

const gen = compile('gen', ['-O2', '-Wall', '-Wextra'])
const programs = {
  floor: compile('floor', ['-O3', '-march=native', '-Wall', '-Wextra']),
  inProcess: await buildInProcess(),
}
const sizes = []
for (const streams of streamCounts) {
  const file = capture(gen, packets, streams)
  const warmUpFile = capture(gen, packets, streamCounts[0])
  const turns = []
  for (let i = 0; i < runs; i++) {
    turns.push(await turn(file, warmUpFile, programs))
    console.error(
      `${streams} streams, turn ${i + 1} of ${runs}: replay ${turns[i].replay.seconds.toFixed(2)} s`,
    )
  }
  sizes.push(summarize(streams, turns))
}
const { quick } = options
const tshark = await besideTshark({
  ...{ gen, packets, streams: streamCounts[0], turns: runs, long: options.long, quick },
})
// Last: it pushes the other files out of the page cache.
const long = options.long ? await measureLong(gen, streamCounts[0]) : undefined
const date = new Date().toISOString().slice(0, 10)
const text = page({ machine: machine(), date, runs, packets, sizes, tshark, long })
if (output === '-') process.stdout.write(text)
else {
  mkdirSync(dirname(output), { recursive: true })
  const before = existsSync(output) ? readFileSync(output, 'utf8') : ''
  if (before !== text) writeFileSync(output, text)
  console.error(`Written: ${output}`)
}
