// A network namespace with a veth pair: traffic goes in at in0, a program captures at tap0. Root and Linux.
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

export class Tap {
  /** Programs that were started and not forgotten. */
  started = []

  /** @param {string} name of what uses it, short: the namespace is called after it */
  constructor(name) {
    this.namespace = `cp${name}${process.pid}`
    this.scratch = mkdtempSync(join(tmpdir(), `callprobe-${name}-`))
  }

  /** Makes the namespace and compiles the generator. */
  open() {
    const source = join(ROOT, 'bench/live/blast.c')
    const flags = ['-O2', '-Wall', '-Wextra']
    execFileSync('cc', [...flags, '-o', this.blast, source], { stdio: 'inherit' })
    execFileSync('ip', ['netns', 'add', this.namespace])
    this.run('sysctl', '-qw', 'net.ipv6.conf.default.disable_ipv6=1')
    this.run('ip', 'link', 'add', 'in0', 'type', 'veth', 'peer', 'name', 'tap0')
    for (const name of ['in0', 'tap0', 'lo']) this.run('ip', 'link', 'set', name, 'up')
  }

  /** The generator's binary. */
  get blast() {
    return join(this.scratch, 'blast')
  }

  run(...command) {
    return execFileSync('ip', ['netns', 'exec', this.namespace, ...command], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  }

  /** Starts a program inside. `said` has its output so far, `ended` its end. */
  start(...command) {
    const child = spawn('ip', ['netns', 'exec', this.namespace, ...command], {
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: ROOT,
    })
    this.started.push(child)
    child.said = ''
    child.ended = new Promise((resolve) => child.once('close', resolve))
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (child.said += chunk))
    return child
  }

  forget(child) {
    this.started.splice(this.started.indexOf(child), 1)
  }

  /** Ends what runs, and leaves nothing behind. */
  close() {
    for (const child of this.started) if (child.exitCode === null) child.kill('SIGKILL')
    try {
      execFileSync('ip', ['netns', 'del', this.namespace], { stdio: 'ignore' })
    } catch {
      // it was never made
    }
    rmSync(this.scratch, { recursive: true, force: true })
  }
}

/** Waits, a minute at most, until a program has said so. */
export async function says(child, what) {
  for (let i = 0; i < 1200 && !what.test(child.said); i++) await sleep(50)
  if (!what.test(child.said)) throw new Error(`not started: ${child.said}`)
}

/** What the generator said of itself at its end. */
export async function sentBy(blast) {
  await blast.ended
  return JSON.parse(blast.said.trim().split('\n').at(-1))
}

/** Resident memory of a living process, bytes. */
export function residentOf(pid) {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]) * 1024
}
