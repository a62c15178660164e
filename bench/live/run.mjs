// npm run bench:live [-- --quick] [--seconds N] [--rates N,N,0] [--workers N] [--output FILE|-]
// Live capture against a generator that outruns tcpreplay, on a veth pair in a namespace of its own: CPU time per million
// packets, and what was dropped where, beside tcpdump to /dev/null. Root and Linux. Writes docs/live-benchmarks.md.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { findProgram } from '../../scripts/lib/programs.mjs'
import { costOf, machine, ROOT } from '../measure.mjs'
import { page } from './page.mjs'
import { residentOf, says, sentBy, Tap } from './tap.mjs'

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    seconds: { type: 'string' },
    rates: { type: 'string' },
    workers: { type: 'string', default: '1' },
    output: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})
if (options.help) {
  console.log(
    'npm run bench:live [-- --quick] [--seconds N] [--rates PACKETS_PER_S[xSTREAMS],...,0] [--workers N] [--output FILE|-]',
  )
  console.log('A rate of 0 is as fast as the generator can; --quick prints the page instead of writing it.')
  process.exit(0)
}
const { workers } = options
const seconds = Number(options.seconds ?? (options.quick ? 3 : 30))
/** What the engine compiles and allocates at first is over by then; what remains goes on for days. */
const STEADY_SHARE = 2 / 3
const TCPDUMP_SECONDS = Math.min(seconds, 10)
/**
 * Packets a second (0: as fast as the generator can) and streams; by default each stream sends one every 20 ms. Some 2,000 of
 * them make 300,000 packets a second when they send one every 7 ms.
 */
const runs = (options.rates ?? '100000,300000x2100,300000,0').split(',').map((text) => {
  const [rate, streams] = text.split('x').map(Number)
  return { rate, streams: streams ?? (rate === 0 ? 2000 : Math.max(2, Math.round(rate / 50))) }
})
const output = options.output ?? (options.quick ? '-' : join(ROOT, 'docs/live-benchmarks.md'))
const RING_MIB = 128

const tap = new Tap('bench-live')

function generate({ rate, streams }, forSeconds) {
  return sentBy(tap.start(tap.blast, ...['in0', rate, forSeconds, streams].map(String)))
}

async function measureCallprobe(run) {
  const file = join(tap.scratch, `${run.rate}.ndjson`)
  const probe = tap.start(
    ...[process.execPath, join(ROOT, 'bin/callprobe'), 'capture', '-i', 'tap0', '--ring', String(RING_MIB)],
    ...['--workers', workers, '--format', 'ndjson', '--output', file, '--log-format', 'text'],
  )
  await says(probe, /capturing on/)
  await sleep(300)
  const before = costOf(probe.pid).cpuSeconds
  const sending = generate(run, seconds)
  await sleep(seconds * STEADY_SHARE * 1000)
  const halfway = { atMs: performance.now(), cpu: costOf(probe.pid).cpuSeconds }
  const sent = await sending
  const end = { atMs: performance.now(), cpu: costOf(probe.pid).cpuSeconds }
  await sleep(700)
  const cpu = costOf(probe.pid).cpuSeconds - before
  const resident = residentOf(probe.pid)
  probe.kill('SIGTERM')
  await probe.ended
  const lines = readFileSync(file, 'utf8').trim().split('\n')
  const summary = JSON.parse(lines.at(-1))
  let lost = 0
  for (const line of lines) if (line.startsWith('{"type":"stream"')) lost += JSON.parse(line).lost ?? 0
  rmSync(file)
  return {
    sent,
    packets: summary.packets,
    drops: summary.capture_drops,
    streams: summary.streams,
    lost,
    cpu,
    /** Per million packets, of the last third. */
    steady:
      (end.cpu - halfway.cpu) / ((((end.atMs - halfway.atMs) / 1000) * (sent.sent / sent.seconds)) / 1e6),
    resident,
  }
}

async function measureTcpdump(run) {
  if (!findProgram('tcpdump')) return undefined
  const dump = tap.start(
    'tcpdump',
    '-ni',
    'tap0',
    '-w',
    '/dev/null',
    '-B',
    String(RING_MIB * 1024),
    '-s',
    '0',
  )
  await says(dump, /listening on/)
  await sleep(300)
  const before = costOf(dump.pid).cpuSeconds
  const sent = await generate(run, TCPDUMP_SECONDS)
  await sleep(700)
  const cpu = costOf(dump.pid).cpuSeconds - before
  dump.kill('SIGTERM')
  await dump.ended
  const count = (what) => Number(new RegExp(`(\\d+) packets? ${what}`).exec(dump.said)?.[1])
  return { sent, packets: count('captured'), drops: count('dropped by kernel'), cpu }
}

async function main() {
  if (process.platform !== 'linux' || process.getuid() !== 0)
    throw new Error('bench:live needs root on Linux')
  for (const program of ['cc', 'ip'])
    if (!findProgram(program))
      throw new Error(`${program} is missing: node scripts/system-packages.mjs --install --for bench`)
  if (!existsSync(join(ROOT, 'dist/cli/main.js'))) throw new Error('dist is missing: npm run build')
  tap.open()
  const rows = []
  for (const run of runs) {
    const callprobe = await measureCallprobe(run)
    const tcpdump = await measureTcpdump(run)
    rows.push({ ...run, workers, callprobe, tcpdump })
    console.error(`${run.rate || 'fastest'}: ${JSON.stringify(callprobe)} ${JSON.stringify(tcpdump)}`)
  }
  const text = page({
    machine: machine(),
    date: new Date().toISOString().slice(0, 10),
    seconds,
    tcpdumpSeconds: TCPDUMP_SECONDS,
    ringMib: RING_MIB,
    rows,
  })
  if (output === '-') process.stdout.write(text)
  else {
    mkdirSync(dirname(output), { recursive: true })
    writeFileSync(output, text)
    console.error(`Written: ${output}`)
  }
}

try {
  await main()
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
} finally {
  tap.close()
}
