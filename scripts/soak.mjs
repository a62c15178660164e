// npm run soak [-- --seconds N] [--rate N] [--growth MIB]
// Live capture for ten minutes at 20,000 packets a second in a network namespace of its own, streams and calls that come and
// go, while memory, drops and the delay of records are watched. Root and Linux. Ends with 1 when something grew or was lost.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { residentOf, says, sentBy, Tap } from '../bench/live/tap.mjs'
import { findProgram } from './lib/programs.mjs'
import { ROOT } from './lib/run.mjs'

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '600' },
    rate: { type: 'string', default: '20000' },
    growth: { type: 'string', default: '24' },
    help: { type: 'boolean', default: false },
  },
})
const seconds = Number(options.seconds)
const rate = Number(options.rate)
/** Streams of one turn live so long; then others come. */
const TURN_S = Math.min(20, seconds / 3)
const SAMPLE_MS = Math.min(5000, (seconds * 1000) / 20)
/** Memory may grow by this much in the second half of the run, and by this share. */
const MOST_GROWTH_BYTES = Number(options.growth) * 2 ** 20
const MOST_GROWTH_SHARE = 0.08
const METRICS_PORT = 9598

if (options.help) {
  console.log('npm run soak [-- --seconds N] [--rate PACKETS_PER_S] [--growth MIB]')
  process.exit(0)
}
if (!(seconds >= 20 && rate >= 100)) {
  console.error('--seconds has to be 20 or more, --rate 100 or more')
  process.exit(2)
}

const tap = new Tap('soak')

/** The probe's own counters. */
async function metrics() {
  const script = `fetch('http://127.0.0.1:${METRICS_PORT}/metrics').then((r) => r.text()).then((t) => process.stdout.write(t))`
  const child = tap.start(process.execPath, '-e', script)
  await child.ended
  tap.forget(child)
  const values = {}
  for (const [, name, value] of child.said.matchAll(/^callprobe_(\w+) (\S+)$/gm)) values[name] = Number(value)
  return values
}

/** Least squares: change per second. */
function slope(points) {
  const n = points.length
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / n
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / n
  let top = 0
  let bottom = 0
  for (const [x, y] of points) {
    top += (x - meanX) * (y - meanY)
    bottom += (x - meanX) ** 2
  }
  return bottom === 0 ? 0 : top / bottom
}

/** RTP in turns of other streams, and the calls of a fixture again and again, until the time is over. */
async function traffic(endMs, counts) {
  const calls = (async () => {
    while (Date.now() < endMs - 15_000) {
      const replay = tap.start('tcpreplay', '-q', '-i', 'in0', join(ROOT, 'fixtures/sipp-g711.pcap'))
      await replay.ended
      counts.sent += Number(/Successful packets:\s+(\d+)/.exec(replay.said)?.[1] ?? 0)
    }
  })()
  for (let turn = 0; Date.now() < endMs - 1000; turn++) {
    const left = Math.max(1, Math.min(TURN_S, (endMs - Date.now()) / 1000))
    const streams = Math.max(2, Math.round(rate / 50))
    const blast = tap.start(tap.blast, ...['in0', rate, left, streams, turn].map(String))
    const { sent } = await sentBy(blast) // before the sum is read: replays add to it meanwhile
    counts.sent += sent
  }
  await calls
}

async function main() {
  if (process.platform !== 'linux' || process.getuid() !== 0) throw new Error('the soak needs root on Linux')
  for (const program of ['cc', 'ip', 'tcpreplay'])
    if (!findProgram(program))
      throw new Error(`${program} is missing: node scripts/system-packages.mjs --install`)
  tap.open()
  const output = join(tap.scratch, 'soak.ndjson')
  const probe = tap.start(
    ...[
      process.execPath,
      join(ROOT, 'bin/callprobe'),
      'capture',
      '-i',
      'tap0',
      '--metrics',
      String(METRICS_PORT),
    ],
    ...['--format', 'ndjson', '--output', output, '--rotate-size', '64M', '--rotate-keep', '1'],
    ...['--log-format', 'text'],
  )
  await says(probe, /capturing on/)

  const beganMs = Date.now()
  const counts = { sent: 0 }
  let running = true
  const sending = traffic(beganMs + seconds * 1000, counts).finally(() => (running = false))
  const samples = []
  while (running) {
    await Promise.race([sleep(SAMPLE_MS), sending])
    const now = await metrics()
    samples.push({ at: (Date.now() - beganMs) / 1000, resident: residentOf(probe.pid), ...now })
    const { at, resident, open_streams: streams, kernel_drops_total: drops } = samples.at(-1)
    console.error(
      `${at.toFixed(0).padStart(4)} s  RSS ${(resident / 2 ** 20).toFixed(0)} MiB  heap ${((now.heap_bytes ?? 0) / 2 ** 20).toFixed(0)} MiB  ` +
        `${now.packets_total} packets  ${streams} streams  ${drops} dropped`,
    )
  }
  await sending
  await sleep(1000)
  probe.kill('SIGTERM')
  await probe.ended
  const summary = JSON.parse(readFileSync(output, 'utf8').trim().split('\n').at(-1))
  return verdict(samples, counts, summary)
}

function verdict(samples, { sent }, summary) {
  const half = samples.filter(({ at }) => at >= seconds / 2)
  const resident = half.map(({ at, resident: bytes }) => [at, bytes])
  const heap = half.map(({ at, heap_bytes: bytes }) => [at, bytes])
  const grown = slope(resident) * (seconds / 2)
  const heapGrown = slope(heap) * (seconds / 2)
  const level = resident.reduce((sum, [, bytes]) => sum + bytes, 0) / resident.length
  const missing = sent - summary.packets - (summary.capture_drops ?? 0)
  const lines = [
    ['packets sent', sent],
    ['measured', summary.packets],
    ['dropped by the ring', summary.capture_drops],
    ['neither', missing],
    ['calls, streams', `${summary.calls}, ${summary.streams}`],
    [
      'RSS, second half',
      `${(level / 2 ** 20).toFixed(0)} MiB, ${((grown / 2 ** 20) * (120 / seconds)).toFixed(2)} MiB a minute`,
    ],
    ['heap, second half', `${((heapGrown / 2 ** 20) * (120 / seconds)).toFixed(2)} MiB a minute`],
  ]
  for (const [name, value] of lines) console.log(`${name}: ${value}`)
  const problems = []
  if (grown > Math.max(MOST_GROWTH_BYTES, level * MOST_GROWTH_SHARE)) problems.push('memory grew')
  if (missing !== 0) problems.push(`${missing} packets are in no account`)
  if (summary.skipped && Object.keys(summary.skipped).length > 0)
    problems.push(`skipped: ${JSON.stringify(summary.skipped)}`)
  console.log(problems.length === 0 ? 'soak: ok' : `soak: ${problems.join('; ')}`)
  return problems.length === 0
}

try {
  if (!(await main())) process.exitCode = 1
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
} finally {
  tap.close()
}
