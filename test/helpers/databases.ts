import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InfluxDB } from 'influx'
import { findProgram } from './programs.js'

/** A port of 127.0.0.1 that nobody listens on. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() =>
        typeof address === 'object' && address !== null
          ? resolve(address.port)
          : reject(new Error('no port')),
      )
    })
  })
}

/** A database server of its own, in a folder of its own, on 127.0.0.1. */
export class DatabaseServer {
  private child: ChildProcess | undefined
  private scheme = 'http'

  private constructor(
    readonly port: number,
    readonly folder: string,
    private readonly program: string,
    private readonly args: readonly string[],
    private readonly environment: Record<string, string>,
  ) {}

  /** influxd 1.x. `settings` are more of its configuration's keys, as environment variables. */
  static async influxd(
    settings: Record<string, string> = {},
    scheme: 'http' | 'https' = 'http',
  ): Promise<DatabaseServer> {
    const folder = mkdtempSync(join(tmpdir(), 'callprobe-influxd-'))
    const port = await freePort()
    const server = new DatabaseServer(port, folder, 'influxd', ['-config', '/dev/null'], {
      INFLUXDB_REPORTING_DISABLED: 'true',
      INFLUXDB_BIND_ADDRESS: `127.0.0.1:${await freePort()}`,
      INFLUXDB_HTTP_BIND_ADDRESS: `127.0.0.1:${port}`,
      INFLUXDB_META_DIR: join(folder, 'meta'),
      INFLUXDB_DATA_DIR: join(folder, 'data'),
      INFLUXDB_DATA_WAL_DIR: join(folder, 'wal'),
      INFLUXDB_MONITOR_STORE_ENABLED: 'false',
      INFLUXDB_HTTP_LOG_ENABLED: 'false',
      ...settings,
    })
    server.scheme = scheme
    await server.start()
    return server
  }

  static async victoriaMetrics(): Promise<DatabaseServer> {
    const folder = mkdtempSync(join(tmpdir(), 'callprobe-victoria-'))
    const port = await freePort()
    const server = new DatabaseServer(
      port,
      folder,
      'victoria-metrics',
      [
        `-storageDataPath=${folder}`,
        `-httpListenAddr=127.0.0.1:${port}`,
        '-retentionPeriod=100y',
        // Without it, what is written twice is there twice: docs/influxdb.md.
        '-dedup.minScrapeInterval=1ms',
        '-loggerLevel=ERROR',
      ],
      {},
    )
    await server.start()
    return server
  }

  get url(): string {
    return `${this.scheme}://127.0.0.1:${this.port}`
  }

  get pid(): number {
    return this.child?.pid ?? 0
  }

  /** Starts the program and waits until it answers. */
  async start(): Promise<void> {
    const program = findProgram(this.program)
    if (program === undefined) throw new Error(`${this.program} is not installed`)
    this.child = spawn(program, this.args, {
      stdio: 'ignore',
      env: { PATH: process.env.PATH, HOME: this.folder, ...this.environment },
    })
    for (let attempt = 0; attempt < 600; attempt++) {
      try {
        if (await this.answers()) return
      } catch {
        // not yet
      }
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    throw new Error(`${this.program} does not answer at ${this.url}`)
  }

  private async answers(): Promise<boolean> {
    if (this.scheme === 'http')
      return (await fetch(`${this.url}/ping`, { signal: AbortSignal.timeout(1000) })).status < 500
    // No certificate to trust here: a connection has to do.
    return new Promise((resolve, reject) => {
      const socket = connect(this.port, '127.0.0.1', () => {
        socket.destroy()
        resolve(true)
      })
      socket.once('error', reject)
    })
  }

  /** Ends the program and keeps its data. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const { child } = this
    this.child = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill(signal)
    await ended
  }

  /** Ends the program and removes its data. */
  async remove(): Promise<void> {
    await this.stop('SIGKILL')
    rmSync(this.folder, { recursive: true, force: true })
  }

  /** A client of the official library, for InfluxQL. */
  client(database: string): InfluxDB {
    return new InfluxDB({ host: '127.0.0.1', port: this.port, database })
  }

  /** Points of a measurement that have the field. */
  async count(database: string, measurement: string, field: string): Promise<number> {
    const rows = await this.client(database).query<{ count: number }>(
      `SELECT count("${field}") FROM "${measurement}"`,
    )
    return rows.length === 0 ? 0 : rows[0].count
  }
}
