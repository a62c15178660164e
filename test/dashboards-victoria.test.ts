import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { main } from '../src/cli/main.js'
import { dataPanels, victoriaDashboard, type Panel } from './dashboards/grafana.js'
import { DatabaseServer } from './helpers/databases.js'
import { requirePrograms, ROOT } from './helpers/programs.js'

const START_S = Date.UTC(2024, 0, 1) / 1000
const dashboard = victoriaDashboard()

interface Series {
  metric: Record<string, string>
  values: [number, string][]
}

/** The scenario is that of dashboards-data.test.ts; the numbers are those that InfluxDB shows there. */
const EXPECTED: Record<string, (value: (legend: string) => number[]) => void> = {
  'Calls at once': (value) => expect(Math.max(...value('alpha'))).toBe(2),
  'Failure rate and answer ratio': (value) => {
    expect(value('failed')[0]).toBeCloseTo(100 / 3, 6)
    expect(value('ASR').slice(0, 2)).toEqual([60, 100])
    // The third minute has no attempts: nothing, not 0 or infinity.
    expect(value('NER')).toHaveLength(2)
  },
  'MOS distribution': (value) => {
    const first = ['under 3.1', '3.1 to 3.6', '3.6 to 4.0', '4.0 and over'].map((name) => value(name)[0])
    expect(first.reduce((sum, share) => sum + share, 0)).toBeCloseTo(100, 6)
    expect(first[0]).toBeGreaterThan(2)
  },
  'Mean MOS by trunk': (value) => {
    expect(value('alpha')[0]).toBeGreaterThan(3.8)
    expect(value('alpha')[0]).toBeLessThan(4.1)
    expect(value('unknown')[0]).toBeGreaterThan(4.3)
  },
  'Loss and late packets': (value) => expect(value('lost')[0]).toBeGreaterThan(0.5),
  'Delay variation: packets over 20 to 200 ms': (value) => {
    expect(value('over 60 ms')[0]).toBeGreaterThan(0.1)
    expect(value('over 200 ms')[0]).toBe(0)
  },
  'Jitter percentile, worst path': (value) => expect(Math.max(...value('beta'))).toBeGreaterThan(5),
  'Burst seconds': (value) => {
    expect(value('beta').reduce((sum, seconds) => sum + seconds, 0)).toBe(11)
    expect(value('alpha').reduce((sum, seconds) => sum + seconds, 0)).toBe(0)
  },
  // A replay does not count drops: no series rather than 0.
  'Packets dropped at the probes': (value) => expect(value('tap-1')).toEqual([]),
  'Packets seen': (value) => expect(Math.max(...value('tap-1'))).toBeGreaterThan(100),
}

describe.skipIf(!requirePrograms('victoria-metrics'))('the overview on VictoriaMetrics', () => {
  const folder = mkdtempSync(join(tmpdir(), 'callprobe-victoria-overview-'))
  let server: DatabaseServer

  beforeAll(async () => {
    server = await DatabaseServer.victoriaMetrics()
    const capture = join(folder, 'noc.pcap')
    const config = join(folder, 'config.json')
    writeFileSync(
      config,
      JSON.stringify({
        probe: 'tap-1',
        trunks: [
          { name: 'alpha', addresses: ['203.0.113.10'] },
          { name: 'beta', addresses: ['203.0.113.20'] },
        ],
        spool: { directory: join(folder, 'spool') },
      }),
    )
    const run = (...args: string[]) => main(['node', 'callprobe', ...args])
    expect(await run('generate', join(ROOT, 'test/dashboards/noc.yaml'), capture)).toBe(0)
    const replay = [
      'replay',
      '--config',
      config,
      '--format',
      'ndjson',
      '--output',
      join(folder, 'out.ndjson'),
    ]
    expect(await run(...replay, '--influx', `${server.url}/voip`, capture)).toBe(0)
    // What was taken shows in queries after a moment, unless it is told to hurry.
    await fetch(`${server.url}/internal/force_flush`)
  }, 120_000)

  afterAll(async () => {
    await server?.remove()
    rmSync(folder, { recursive: true, force: true })
  })

  /** A panel's series by legend, one value per minute, as Grafana asks: `$__interval` is the step. */
  async function series(panel: Panel): Promise<Map<string, number[]>> {
    const found = new Map<string, number[]>()
    for (const { expr = '', legendFormat = '' } of panel.targets ?? []) {
      const query = expr.replaceAll('$__interval', '1m').replace(/\$(probe|trunk)/g, '.*')
      expect(query).not.toContain('$')
      const body = new URLSearchParams({
        query,
        start: String(START_S + 59.999),
        end: String(START_S + 240),
        step: '1m',
        nocache: '1',
      })
      const answer = await fetch(`${server.url}/api/v1/query_range`, { method: 'POST', body })
      const parsed: { status: string; data?: { result: Series[] } } = JSON.parse(await answer.text())
      expect(parsed.status, query).toBe('success')
      for (const { metric, values } of parsed.data?.result ?? [])
        found.set(
          legendFormat.replace(/\{\{(\w+)\}\}/g, (_, label: string) => metric[label] ?? ''),
          values.map(([, value]) => Number(value)),
        )
    }
    return found
  }

  for (const panel of dataPanels(dashboard))
    it(panel.title, async () => {
      const expectation = EXPECTED[panel.title]
      expect(expectation, 'no expected value in this test').toBeDefined()
      const found = await series(panel)
      expectation((legend) => found.get(legend) ?? [])
    })
})
