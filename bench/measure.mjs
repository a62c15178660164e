// Running programs and knowing what they cost.
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, renameSync, statSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const BENCH = dirname(fileURLToPath(import.meta.url))
export const ROOT = dirname(BENCH)
/** Captures are large (1.2 GB each): $CALLPROBE_BENCH_DIR moves them off the checkout's disk. */
export const CACHE = process.env.CALLPROBE_BENCH_DIR ?? join(BENCH, '.cache')

function isOlder(path, than) {
  return !existsSync(path) || statSync(path).mtimeMs < statSync(than).mtimeMs
}

/** Compiles bench/NAME.c when its binary is missing or older. Returns the binary's path. */
export function compile(name, flags) {
  mkdirSync(CACHE, { recursive: true })
  const source = join(BENCH, `${name}.c`)
  const binary = join(CACHE, name)
  if (isOlder(binary, source)) execFileSync('cc', [...flags, '-o', binary, source], { stdio: 'inherit' })
  return binary
}

/** A capture by gen, made once: PACKETS packets of STREAMS streams. Half a file is never left under the final name. */
export function capture(gen, packets, streams) {
  const path = join(CACHE, `g711-${packets}-${streams}.pcap`)
  if (isOlder(path, join(BENCH, 'gen.c'))) {
    console.error(`Writing ${path}`)
    execFileSync(gen, [String(packets), String(streams), `${path}.part`], { stdio: 'inherit' })
    renameSync(`${path}.part`, path)
  }
  return path
}

const CLOCK_TICKS_PER_S = 100 // USER_HZ, fixed for user space on all Linux ports that Node runs on

/** Peak memory (bytes) and CPU time (seconds) of a living process, from /proc; undefined elsewhere or when it is gone. */
export function costOf(pid) {
  try {
    const peak = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    if (!peak) return undefined
    return {
      peakBytes: Number(peak[1]) * 1024,
      cpuSeconds: (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_S,
    }
  } catch {
    return undefined
  }
}

/**
 * Runs a program to its end.
 * @returns {Promise<{seconds: number, stdout: string, peakBytes?: number, cpuSeconds?: number}>} wall time; the costs
 *   are those of its last 10 ms tick, since the kernel forgets them with the process
 */
export function timed(program, args) {
  return new Promise((resolve, reject) => {
    const begin = process.hrtime.bigint()
    const child = spawn(program, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] })
    let stdout = ''
    let stderr = ''
    let cost
    child.stdout.on('data', (chunk) => (stdout += chunk))
    child.stderr.on('data', (chunk) => (stderr += chunk))
    const poll = setInterval(() => (cost = costOf(child.pid) ?? cost), 10)
    child.on('error', reject)
    child.on('close', (code) => {
      clearInterval(poll)
      const seconds = Number(process.hrtime.bigint() - begin) / 1e9
      if (code === 0) resolve({ seconds, stdout, ...cost })
      else reject(new Error(`${program} ${args.join(' ')} ended with ${code}: ${stderr.slice(-2000)}`))
    })
  })
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** What the figures were taken on. */
export function machine() {
  const version = (program, args) => {
    try {
      return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split(
        '\n',
      )[0]
    } catch {
      return undefined
    }
  }
  const { length, [0]: first } = cpus()
  return {
    cpu: `${first?.model ?? 'unknown'}, ${length} logical`,
    memory: `${(totalmem() / 2 ** 30).toFixed(1)} GiB`,
    system: version('uname', ['-srm']) ?? process.platform,
    node: process.version,
    cc: version('cc', ['--version']),
    tshark: version('tshark', ['--version']),
    commit: version('git', ['-C', ROOT, 'describe', '--always', '--dirty']),
  }
}
