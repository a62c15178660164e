import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ProbeHealth } from '../../src/aggregates/probe-health.js'
import type { AlertRecord, CallRecord, IntervalRecord } from '../../src/calls/records.js'
import { main } from '../../src/cli/main.js'
import { DEFAULT_CONFIG } from '../../src/config/config.js'
import { toLine } from '../../src/sinks/influx/line-protocol.js'
import { recordPoints } from '../../src/sinks/influx/record-points.js'
import { DatabaseServer } from '../helpers/databases.js'
import { ROOT } from '../helpers/programs.js'
import { Influx } from './influx.js'

/** What a replay said on its way to the database, for the numbers that panels should show. */
export interface Said {
  calls: CallRecord[]
  intervals: IntervalRecord[]
}

/** A database server and captures replayed into it by the real command. */
export class NocRun {
  private readonly folder = mkdtempSync(join(tmpdir(), 'callprobe-noc-'))

  private constructor(private readonly server: DatabaseServer) {}

  static async start(): Promise<NocRun> {
    return new NocRun(await DatabaseServer.influxd())
  }

  async end(): Promise<void> {
    await this.server.remove()
    rmSync(this.folder, { recursive: true, force: true })
  }

  influx(database: string): Influx {
    return new Influx(this.server.url, database)
  }

  /** Generates the scenario of this folder. @returns path of the capture */
  async generate(): Promise<string> {
    const capture = join(this.folder, 'noc.pcap')
    await done('generate', join(ROOT, 'test/dashboards/noc.yaml'), capture)
    return capture
  }

  /** `callprobe replay --influx`, and what it wrote as NDJSON at the same time. */
  async replay(database: string, files: readonly string[], config?: string): Promise<Said> {
    const settings = join(this.folder, `${database}.yaml`)
    const text = config === undefined ? '' : readFileSync(join(ROOT, 'test/dashboards', config), 'utf8')
    writeFileSync(settings, `${text}\nspool: { directory: ${join(this.folder, 'spool')} }\n`)
    const output = join(this.folder, `${database}.ndjson`)
    await done(
      ...['replay', '--config', settings, '--format', 'ndjson', '--output', output],
      ...['--influx', `${this.server.url}/${database}`, ...files],
    )
    const said: Said = { calls: [], intervals: [] }
    for (const line of readFileSync(output, 'utf8').split('\n')) {
      if (line.startsWith('{"type":"call"')) said.calls.push(JSON.parse(line))
      if (line.startsWith('{"type":"interval"')) said.intervals.push(JSON.parse(line))
    }
    return said
  }

  /** What only a live capture writes: alerts, and a probe that counts drops and waits for its database. */
  async addLive(database: string, alerts: readonly AlertRecord[], startMs: number): Promise<void> {
    const health = new ProbeHealth({ ...DEFAULT_CONFIG, probe: 'tap-2' })
    const totals = {
      packets: 0,
      bytes: 0,
      rtpPackets: 0,
      rtcpPackets: 0,
      sipMessages: 0,
      skipped: 0,
      evictions: 0,
    }
    const points = alerts.flatMap(recordPoints)
    for (let second = 0; second <= 120; second += 10) {
      const n = second / 10
      const point = health.sample(startMs + second * 1000, {
        ...totals,
        packets: 9900 * n,
        captureDrops: 100 * n,
        interfaceDrops: 7 * n,
        spoolLost: 3 * n,
        pointsSent: 500 * n,
        pointsRejected: 2 * n,
        seriesOther: 5 * n,
        streams: 40,
        calls: 20,
        spoolBytes: 1000 * n,
        memoryBytes: 200_000_000,
        cpuMs: 4000 * n,
        clockMs: startMs + second * 1000 + 250,
      })
      if (point) points.push(point)
    }
    await this.write(
      database,
      points.map((point) => toLine(point)),
    )
  }

  async write(database: string, lines: readonly string[]): Promise<void> {
    const body = lines.join('\n')
    const answer = await fetch(`${this.server.url}/write?db=${database}`, { method: 'POST', body })
    if (answer.status !== 204) throw new Error(await answer.text())
  }
}

async function done(...args: string[]): Promise<void> {
  const code = await main(['node', 'callprobe', ...args])
  if (code !== 0) throw new Error(`callprobe ${args.join(' ')}: exit code ${code}`)
}
