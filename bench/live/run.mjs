// npm run bench:live [-- --quick] [--seconds N] [--rates N,N,0] [--output FILE|-]
// Live capture against a generator that outruns tcpreplay, on a veth pair in a namespace of its own: CPU time per million
// packets, and what was dropped where, beside tcpdump to /dev/null. Root and Linux. Writes docs/live-benchmarks.md.
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { findProgram } from '../../scripts/lib/programs.mjs'
import { machine, ROOT } from '../measure.mjs'
import { page } from './page.mjs'

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    seconds: { type: 'string' },
    rates: { type: 'string' },
    output: { type: 'string' },
  },
})
const seconds = Number(options.seconds ?? (options.quick ? 3 : 20))
/** Packets a second; 0: as fast as the generator can. */
const rates = (options.rates ?? '100000,300000,0').split(',').map(Number)
const output = options.output ?? (options.quick ? '-' : join(ROOT, 'docs/live-benchmarks.md'))
/** Streams send a packet every 20 ms where the rate allows it; the fastest run uses 2,000. */
const streamsAt = (rate) => (rate === 0 ? 2000 : Math.max(2, Math.round(rate / 50)))
const CLOCK_TICKS_PER_S = 100
const RING_MIB = 128

const namespace = `cpbench${process.pid}`
const scratch = mkdtempSync(join(tmpdir(), 'callprobe-bench-live-'))
const inNamespace = (...command) =>
  execFileSync('ip', ['netns', 'exec', namespace, ...command], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
const started = []

function start(...command) {
  const child = spawn('ip', ['netns', 'exec', namespace, ...command], {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: ROOT,
  })
  started.push(child)
  child.said = ''
  child.ended = new Promise((resolve) => child.once('close', resolve))
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (child.said += chunk))
  return child
}

/** CPU seconds of a living process, its kernel time included. */
function cpuOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) /s, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_S
}

function residentOf(pid) {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]) * 1024
}

async function says(child, what) {
  for (let i = 0; i < 1200 && !what.test(child.said); i++) await sleep(50)
  if (!what.test(child.said)) throw new Error(`not started: ${child.said}`)
}

async function generate(rate) {
  const child = start(join(scratch, 'blast'), 'in0', String(rate), String(seconds), String(streamsAt(rate)))
  await child.ended
  return JSON.parse(child.said.trim().split('\n').at(-1))
}

async function measureCallprobe(rate) {
  const file = join(scratch, `${rate}.ndjson`)
  const probe = start(
    ...[process.execPath, join(ROOT, 'bin/callprobe'), 'capture', '-i', 'tap0', '--ring', String(RING_MIB)],
    ...['--format', 'ndjson', '--output', file, '--log-format', 'text'],
  )
  await says(probe, /capturing on/)
  await sleep(300)
  const before = cpuOf(probe.pid)
  const sent = await generate(rate)
  await sleep(700)
  const cpu = cpuOf(probe.pid) - before
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
    resident,
  }
}

async function measureTcpdump(rate) {
  if (!findProgram('tcpdump')) return undefined
  const dump = start('tcpdump', '-ni', 'tap0', '-w', '/dev/null', '-B', String(RING_MIB * 1024), '-s', '0')
  await says(dump, /listening on/)
  await sleep(300)
  const before = cpuOf(dump.pid)
  const sent = await generate(rate)
  await sleep(700)
  const cpu = cpuOf(dump.pid) - before
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
  const source = join(ROOT, 'bench/live/blast.c')
  execFileSync('cc', ['-O2', '-Wall', '-Wextra', '-o', join(scratch, 'blast'), source], { stdio: 'inherit' })
  execFileSync('ip', ['netns', 'add', namespace])
  inNamespace('sysctl', '-qw', 'net.ipv6.conf.default.disable_ipv6=1')
  inNamespace('ip', 'link', 'add', 'in0', 'type', 'veth', 'peer', 'name', 'tap0')
  for (const name of ['in0', 'tap0', 'lo']) inNamespace('ip', 'link', 'set', name, 'up')
  const rows = []
  for (const rate of rates) {
    const callprobe = await measureCallprobe(rate)
    const tcpdump = await measureTcpdump(rate)
    rows.push({ rate, callprobe, tcpdump })
    console.error(`${rate || 'fastest'}: ${JSON.stringify(callprobe)} ${JSON.stringify(tcpdump)}`)
  }
  const text = page({
    machine: machine(),
    date: new Date().toISOString().slice(0, 10),
    seconds,
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
  for (const child of started) if (child.exitCode === null) child.kill('SIGKILL')
  try {
    execFileSync('ip', ['netns', 'del', namespace], { stdio: 'ignore' })
  } catch {
    // it was never made
  }
  rmSync(scratch, { recursive: true, force: true })
}
