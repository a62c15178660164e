// npm run bench:sink [-- --calls N] [--seconds N] [--write]
// What the way into the database costs, at many concurrent calls: generated traffic, paced by its own times, is replayed
// into an influxd, and once more without a database; then as fast as it goes. Prints a table; --write puts it into
// docs/influxdb.md.
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { startInfluxd } from '../../scripts/lib/influxd.mjs'
import { findProgram } from '../../scripts/lib/programs.mjs'
import { BENCH, CACHE, machine, ROOT } from '../measure.mjs'
import { intoDocument, page } from './page.mjs'
import { configuration, scenario } from './traffic.mjs'
import { ask, unsentBytes, cpuOf, pointsTaken } from './watch.mjs'

const { values: options } = parseArgs({
  options: {
    calls: { type: 'string', default: '20000' },
    seconds: { type: 'string', default: '90' },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (options.help) {
  console.log('npm run bench:sink [-- --calls N] [--seconds N] [--write]')
  process.exit(0)
}
const calls = Number(options.calls)
const totalS = Number(options.seconds)
/** All calls are up. */
const RAMP_S = 20
/** From here on every direction has handed in an interval in each ten seconds. */
const STEADY_S = RAMP_S + 15
const DATABASE = 'bench'
const CALLPROBE = join(ROOT, 'bin/callprobe')

if (!findProgram('influxd')) {
  console.error('influxd is missing: node scripts/system-packages.mjs --install --for bench')
  process.exit(1)
}

function ended(child) {
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`ended with ${code}`))))
  })
}

/** The capture, made once. */
async function capture() {
  const file = join(CACHE, `sink-${calls}-${totalS}.pcap`)
  if (existsSync(file)) return file
  mkdirSync(CACHE, { recursive: true })
  console.error(`Writing ${file}: some minutes for 20,000 calls`)
  const spec = join(CACHE, `sink-${calls}-${totalS}.json`)
  writeFileSync(spec, JSON.stringify(scenario({ calls, rampS: RAMP_S, totalS })))
  await ended(spawn(process.execPath, [CALLPROBE, 'generate', spec, `${file}.part`], { stdio: 'inherit' }))
  renameSync(`${file}.part`, file)
  return file
}

/** A replay of the capture at the pace of its packets; what it cost between STEADY_S and the end. */
async function paced(file, config, spool, database) {
  const target = database === undefined ? [] : ['--influx', `${database.url}/${DATABASE}`]
  const pace = spawn(process.execPath, [join(BENCH, 'sink/pace.mjs'), file, String(totalS)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const replay = spawn(process.execPath, [CALLPROBE, 'replay', '-', '--config', config, ...target], {
    stdio: [pace.stdout, 'ignore', 'inherit'],
  })
  // The replay has the pipe; with another reader here it would never end.
  pace.stdout.destroy()
  let behind = ''
  pace.stderr.on('data', (chunk) => (behind += chunk))
  const done = Promise.all([ended(replay), ended(pace)])
  const look = async () => ({
    atMs: performance.now(),
    cpu: cpuOf(replay.pid),
    ...(database && { points: await pointsTaken(database.url), influxd: cpuOf(database.child.pid).all }),
  })
  await sleep(STEADY_S * 1000)
  const first = await look()
  const spoolBytes = []
  while (performance.now() - first.atMs < (totalS - STEADY_S - 2) * 1000) {
    spoolBytes.push(unsentBytes(spool))
    await sleep(1000)
  }
  const last = await look()
  await done
  const seconds = (last.atMs - first.atMs) / 1000
  const share = (pick) => (pick(last) - pick(first)) / seconds
  return {
    seconds,
    cpu: share(({ cpu }) => cpu.all),
    javascript: share(({ cpu }) => cpu.javascript),
    ...(database && { pointsPerS: share(({ points }) => points), influxd: share(({ influxd }) => influxd) }),
    spoolBytes,
    behindMs: JSON.parse(behind).latest_ms,
  }
}

/** As fast as it goes, into a database of its own, until the server has everything. */
async function unpaced(file, config, database) {
  const before = await pointsTaken(database.url)
  const beganMs = performance.now()
  const args = ['replay', file, '--workers', '1', '--config', config, '--influx', `${database.url}/fast`]
  await ended(spawn(process.execPath, [CALLPROBE, ...args], { stdio: ['ignore', 'ignore', 'inherit'] }))
  const seconds = (performance.now() - beganMs) / 1000
  const points = (await pointsTaken(database.url)) - before
  return { seconds, points, pointsPerS: points / seconds }
}

async function seriesOf(url) {
  const [{ values: names }] = await ask(url, DATABASE, 'SHOW MEASUREMENTS')
  const series = {}
  for (const [name] of names) {
    const [found] = await ask(url, DATABASE, `SHOW SERIES EXACT CARDINALITY FROM "${name}"`)
    series[name] = found?.values[0][0] ?? 0
  }
  return series
}

const file = await capture()
const folder = mkdtempSync(join(tmpdir(), 'callprobe-bench-sink-'))
let database
try {
  const spool = join(folder, 'spool')
  const config = join(folder, 'config.json')
  writeFileSync(config, JSON.stringify(configuration(spool)))
  database = await startInfluxd(folder)
  console.error(`Paced, into the database: ${totalS} s`)
  const withSink = await paced(file, config, spool, database)
  const series = await seriesOf(database.url)
  console.error(`Paced, without: ${totalS} s`)
  const without = await paced(file, config, spool, undefined)
  console.error('As fast as it goes')
  const fast = await unpaced(file, config, database)
  const date = new Date().toISOString().slice(0, 10)
  const text = page({ machine: machine(), date, calls, withSink, without, fast, series })
  process.stdout.write(text)
  if (options.write) {
    const document = join(ROOT, 'docs/influxdb.md')
    writeFileSync(document, intoDocument(readFileSync(document, 'utf8'), text))
  }
} finally {
  database?.child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
}
