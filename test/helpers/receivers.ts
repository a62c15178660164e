import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import http, { type IncomingHttpHeaders } from 'node:http'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Outside } from '../../src/alerts/notifiers/receiver.js'
import type { AlertRecord } from '../../src/calls/records.js'
import { freePort } from './databases.js'
import { findProgram } from './programs.js'

/** What a web server of a test was sent, and how it answers. */
export class WebReceiver {
  readonly bodies: unknown[] = []
  readonly headers: IncomingHttpHeaders[] = []
  /** Answers in turn: a status, or `hang` for none; the last one goes on. */
  answers: (number | 'hang')[] = [200]
  answerHeaders: Record<string, string> = {}
  /** Requests that came, answered or not. */
  requests = 0
  private readonly server = http.createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const answer = this.answers[Math.min(this.requests, this.answers.length - 1)]
      this.requests++
      if (answer === 'hang') return
      if (answer < 300) {
        this.bodies.push(JSON.parse(Buffer.concat(chunks).toString('utf8')))
        this.headers.push(request.headers)
      }
      response.writeHead(answer, this.answerHeaders).end('answer of the test')
    })
  })

  async listen(port = 0): Promise<number> {
    await new Promise<void>((resolve) => this.server.listen(port, '127.0.0.1', resolve))
    const address = this.server.address()
    return typeof address === 'object' && address ? address.port : 0
  }

  async close(): Promise<void> {
    this.server.closeAllConnections()
    await new Promise<void>((resolve) => this.server.close(() => resolve()))
  }
}

/** Everything that was sent to a TCP port, a string per connection. */
export class TcpReceiver {
  readonly received: string[] = []
  private readonly server = net.createServer((socket) => {
    const chunks: Buffer[] = []
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('end', () => this.received.push(Buffer.concat(chunks).toString('utf8')))
    socket.on('error', () => {})
  })

  async listen(port = 0): Promise<number> {
    await new Promise<void>((resolve) => this.server.listen(port, '127.0.0.1', resolve))
    const address = this.server.address()
    return typeof address === 'object' && address ? address.port : 0
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.server.close(() => resolve()))
  }
}

/** A real Alertmanager in a folder of its own; what it notifies goes to `webhook`. */
export class Alertmanager {
  private constructor(
    readonly url: string,
    private readonly child: ChildProcess,
    private readonly folder: string,
  ) {}

  static async start(webhook: string): Promise<Alertmanager> {
    const program = findProgram('prometheus-alertmanager')
    if (program === undefined) throw new Error('prometheus-alertmanager is not here')
    const folder = mkdtempSync(join(tmpdir(), 'callprobe-alertmanager-'))
    const file = join(folder, 'alertmanager.yml')
    writeFileSync(
      file,
      `route: {receiver: test, group_by: [alertname], group_wait: 300ms, group_interval: 500ms, repeat_interval: 1h}
receivers: [{name: test, webhook_configs: [{url: "${webhook}", send_resolved: true}]}]\n`,
    )
    const port = await freePort()
    const child = spawn(
      program,
      [
        `--config.file=${file}`,
        `--storage.path=${join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--cluster.listen-address=',
        '--log.level=error',
      ],
      { stdio: 'ignore' },
    )
    const manager = new Alertmanager(`http://127.0.0.1:${port}`, child, folder)
    await until(async () => (await fetch(`${manager.url}/-/ready`).catch(() => undefined))?.ok === true)
    return manager
  }

  async alerts(): Promise<
    { labels: Record<string, string>; annotations: Record<string, string>; status: { state: string } }[]
  > {
    return (await (await fetch(`${this.url}/api/v2/alerts`)).json()) as never
  }

  async groups(): Promise<{ labels: Record<string, string>; alerts: unknown[] }[]> {
    return (await (await fetch(`${this.url}/api/v2/alerts/groups`)).json()) as never
  }

  async stop(): Promise<void> {
    const gone = new Promise((resolve) => this.child.once('exit', resolve))
    this.child.kill('SIGKILL')
    await gone
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** Waits for something that will be true soon. */
export async function until(isTrue: () => boolean | Promise<boolean>, mostMs = 20_000): Promise<void> {
  const startMs = performance.now()
  while (!(await isTrue())) {
    if (performance.now() - startMs > mostMs)
      throw new Error(`not true within ${mostMs} ms: ${isTrue.toString()}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** The world outside with a clock that tests move: timers run when time is moved over them. */
export class TestOutside implements Outside {
  now = Date.parse('2026-03-02T10:00:00Z')
  readonly hostname = 'probe.example.org'
  readonly messages: string[] = []
  /** How long each wait was asked to be, ms. */
  readonly waits: number[] = []
  private timers: { dueMs: number; run: () => void }[] = []

  constructor(readonly environment: Readonly<Record<string, string | undefined>> = {}) {}

  nowMs = (): number => this.now
  random = (): number => 1
  log = (level: string, message: string): void => {
    this.messages.push(`${level} ${message}`)
  }
  after = (ms: number, run: () => void): (() => void) => {
    const timer = { dueMs: this.now + ms, run }
    this.waits.push(ms)
    this.timers.push(timer)
    return () => (this.timers = this.timers.filter((other) => other !== timer))
  }

  advance(ms: number): void {
    this.now += ms
    const due = this.timers.filter(({ dueMs }) => dueMs <= this.now)
    this.timers = this.timers.filter(({ dueMs }) => dueMs > this.now)
    for (const { run } of due) run()
  }
}

/** An alert as the probe makes it. */
export function alertRecord(change: Partial<AlertRecord> = {}): AlertRecord {
  return {
    type: 'alert',
    schema: 1,
    probe: 'hq-1',
    alert_id: 'burst_jitter-0011223344556677',
    rule: 'burst_jitter',
    state: 'firing',
    severity: 'critical',
    time: '2026-03-02T09:59:50.100Z',
    start: '2026-03-02T09:59:20.000Z',
    caller_site: 'berlin',
    trunk: 'carrier-a',
    metric: 'share of burst in percent',
    value: 80,
    threshold: 20,
    window_s: 60,
    path: 'berlin → carrier-a',
    calls_affected: 12,
    streams_affected: 12,
    streams_active: 15,
    shared: [
      {
        dimension: 'trunk',
        value: 'carrier-a',
        calls: 14,
        of_calls: 54,
        calls_elsewhere: 1,
        of_calls_elsewhere: 81,
        since: '2026-03-02T09:59:20.000Z',
      },
    ],
    call_ids: ['a84b4c76e66710@pc33.example.org'],
    pdv_max_ms: 142,
    mos_cq: 3.41,
    mos_driver: 'late',
    cause: 'a queue that fills and drains',
    confidence: 'high',
    message: 'Bursts of jitter (berlin → carrier-a): 12 of 15 streams; "quoted" <b>&</b> ]end',
    ...change,
  }
}

export function resolvedRecord(change: Partial<AlertRecord> = {}): AlertRecord {
  return alertRecord({
    state: 'resolved',
    time: '2026-03-02T09:59:58.000Z',
    end: '2026-03-02T09:59:57.000Z',
    ...change,
  })
}
