import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, type TestContext } from 'vitest'
import { findBinding } from '../../src/capture/ring/native.js'
import type { CallRecord, ProbeRecord, StreamRecord, SummaryRecord } from '../../src/calls/records.js'
import { validateRecord } from '../../src/calls/validate.js'
import { noteSkip, requirePrograms, requireRoot, ROOT } from './programs.js'

/** Whether live capture can be tested here: Linux, root, network namespaces, the binding built. */
export function requireLive(...programs: string[]): boolean {
  if (process.platform !== 'linux') {
    noteSkip('live capture needs Linux')
    return false
  }
  if (!requireRoot() || !requirePrograms('ip', ...programs)) return false
  if (
    !['dist', '.build'].every((folder) => existsSync(join(ROOT, folder, 'cli/main.js'))) ||
    !('binding' in findBinding())
  ) {
    noteSkip('callprobe or its capture binding is not built (npm run build)')
    return false
  }
  try {
    const name = `cptry${process.pid}`
    execFileSync('ip', ['netns', 'add', name], { stdio: 'ignore' })
    execFileSync('ip', ['netns', 'del', name], { stdio: 'ignore' })
    return true
  } catch {
    noteSkip('network namespaces cannot be made here')
    return false
  }
}

let counter = 0

/** Network namespaces of one test, with everything that runs in them. */
export class Namespaces {
  private readonly names: string[] = []
  private readonly children: ChildProcess[] = []
  private closed = false

  /** A namespace of its own, loopback up, without IPv6's own chatter. */
  add(): string {
    this.check()
    const name = `cp${process.pid}n${counter++}`
    execFileSync('ip', ['netns', 'add', name])
    this.names.push(name)
    this.run(name, 'ip', 'link', 'set', 'lo', 'up')
    this.run(
      name,
      'sysctl',
      '-qw',
      'net.ipv6.conf.all.disable_ipv6=1',
      'net.ipv6.conf.default.disable_ipv6=1',
    )
    return name
  }

  /** A wire within one namespace: what goes into `in0` comes out of `tap0`. */
  wire(): string {
    const name = this.add()
    this.run(name, 'ip', 'link', 'add', 'in0', 'type', 'veth', 'peer', 'name', 'tap0')
    this.run(name, 'ip', 'link', 'set', 'in0', 'up')
    this.run(name, 'ip', 'link', 'set', 'tap0', 'up')
    return name
  }

  run(namespace: string, ...command: string[]): string {
    return execFileSync('ip', ['netns', 'exec', namespace, ...command], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  }

  start(namespace: string, command: readonly string[], env: Record<string, string> = {}): ChildProcess {
    this.check()
    // Not through a shell: `ip netns exec` becomes the program itself, which can then be signalled.
    const child = spawn('ip', ['netns', 'exec', namespace, ...command], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    })
    this.children.push(child)
    return child
  }

  /** Puts a capture on a wire with its own timing; resolves when the last packet is out. */
  async replay(namespace: string, file: string, ...options: string[]): Promise<void> {
    await ended(this.start(namespace, ['tcpreplay', '-q', '-i', 'in0', ...options, file]))
  }

  /** Ends what was started, by pid, and removes the namespaces. Nothing can be started any more. */
  close(): void {
    this.closed = true
    for (const child of this.children.splice(0))
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    for (const name of this.names.splice(0)) execFileSync('ip', ['netns', 'del', name], { stdio: 'ignore' })
  }

  /** The body of a test that timed out runs on: it is to start nothing more. */
  private check(): void {
    if (this.closed) throw new Error('the test is over')
  }
}

/** A test with namespaces of its own, so that tests can run side by side. */
export function inNamespaces(
  test: (namespaces: Namespaces, context: TestContext) => Promise<void>,
): (context: TestContext) => Promise<void> {
  return async (context) => {
    const namespaces = new Namespaces()
    // Also after a failure or a timeout, when the test's own body may wait for ever.
    context.onTestFinished(() => namespaces.close())
    await test(namespaces, context)
  }
}

export function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null) return Promise.resolve(child.exitCode)
  return new Promise((resolve) => child.once('close', (code) => resolve(code)))
}

/** `callprobe capture` as a process in a namespace, writing NDJSON. */
export class LiveProbe {
  log = ''
  private readonly child: ChildProcess

  private constructor(
    namespaces: Namespaces,
    namespace: string,
    readonly output: string,
    args: readonly string[],
    prefix: readonly string[],
  ) {
    const command = [...prefix, process.execPath, join(ROOT, 'bin/callprobe'), 'capture']
    this.child = namespaces.start(namespace, [
      ...command,
      ...['--format', 'ndjson', '--output', output, '--log-format', 'text'],
      ...args,
    ])
    this.child.stderr?.on('data', (chunk) => (this.log += String(chunk)))
    this.child.stdout?.resume()
  }

  /** Resolves when it captures. */
  static async start(
    namespaces: Namespaces,
    namespace: string,
    output: string,
    args: readonly string[],
    prefix: readonly string[] = [],
  ): Promise<LiveProbe> {
    const probe = new LiveProbe(namespaces, namespace, output, args, prefix)
    await probe.says(/capturing on/)
    return probe
  }

  /** Runs to its end, for captures that do not start. */
  static async fail(
    namespaces: Namespaces,
    namespace: string,
    args: readonly string[],
    prefix: readonly string[] = [],
  ): Promise<{ code: number | null; log: string }> {
    const probe = new LiveProbe(namespaces, namespace, '/dev/null', args, prefix)
    return { code: await ended(probe.child), log: probe.log }
  }

  get pid(): number {
    return this.child.pid ?? NaN
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal)
  }

  async says(what: RegExp, withinMs = 60_000): Promise<void> {
    await until(() => what.test(this.log) || this.child.exitCode !== null, withinMs)
    if (!what.test(this.log)) throw new Error(`callprobe did not say ${what}: ${this.log}`)
  }

  /** Ends it and returns its exit code. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.signal(signal)
    return ended(this.child)
  }

  /** Waits until it ends by itself and returns its exit code. */
  end(): Promise<number | null> {
    return ended(this.child)
  }

  /** What it has written so far; every line is held to its published schema. */
  records(): ProbeRecord[] {
    return recordsOf(this.output)
  }

  calls(): CallRecord[] {
    return this.records().filter((record) => record.type === 'call')
  }

  streams(): StreamRecord[] {
    return this.records().filter((record) => record.type === 'stream')
  }

  summary(): SummaryRecord {
    const summary = this.records().find((record) => record.type === 'summary')
    if (summary === undefined) throw new Error(`no summary: ${this.log}`)
    return summary
  }
}

/** @param validated every line is held to its published schema */
export function recordsOf(path: string, validated = true): ProbeRecord[] {
  if (!existsSync(path)) return []
  const lines = readFileSync(path, 'utf8').split('\n')
  lines.pop()
  return lines.map((line) => {
    const record: ProbeRecord = JSON.parse(line)
    if (validated) expect(validateRecord(record), line).toEqual([])
    return record
  })
}

/** Waits until something is true, at most so long (generous: the machine may stand still for a while). */
export async function until(isTrue: () => boolean, withinMs = 60_000): Promise<void> {
  for (const end = Date.now() + withinMs; !isTrue() && Date.now() < end;) await sleep(50)
}
