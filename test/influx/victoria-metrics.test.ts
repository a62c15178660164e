import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { MetricPoint } from '../../src/aggregates/point.js'
import { DatabaseServer } from '../helpers/databases.js'
import { requirePrograms } from '../helpers/programs.js'
import { call, openSink } from './helpers.js'

const here = requirePrograms('victoria-metrics')
let server: DatabaseServer

beforeAll(async () => {
  if (here) server = await DatabaseServer.victoriaMetrics()
})

afterAll(async () => {
  if (here) await server.remove()
})

const began = Date.parse('2026-03-02T09:15:00.000Z')

function traffic(minute: number, trunk: string): MetricPoint {
  return {
    measurement: 'voip_traffic_1m',
    tags: { probe: 'hq', trunk, codec: 'PCMA' },
    fields: { packets: 1000 + minute, mos_cq: 4.1 + minute / 100, worst_call: 'text', complete: true },
    timeMs: began + minute * 60_000,
    key: '',
  }
}

interface Exported {
  metric: Record<string, string>
  values: number[]
  timestamps: number[]
}

async function series(selector: string): Promise<Exported[]> {
  await fetch(`${server.url}/internal/force_flush`)
  const answer = await fetch(
    `${server.url}/api/v1/export?${new URLSearchParams({ 'match[]': selector }).toString()}`,
  )
  const text = (await answer.text()).trim()
  return text === '' ? [] : text.split('\n').map((line) => JSON.parse(line) as Exported)
}

describe.skipIf(!here)('VictoriaMetrics', () => {
  it('takes and gives back the aggregates: numbers at milliseconds, no calls and no texts', async () => {
    const { sink, notices } = await openSink({ url: `${server.url}/voip` })
    expect(sink.serverKind).toBe('victoriametrics')
    for (let minute = 0; minute < 10; minute++) sink.add([traffic(minute, 'a'), traffic(minute, 'b')])
    sink.addRecord(call(1))
    expect(await sink.drain(10_000)).toBeUndefined()
    expect(notices).toEqual([])
    expect(sink.counters()).toMatchObject({ sent: 20, points: 20, rejected: 0 })

    const packets = await series('voip_traffic_1m_packets')
    expect(packets.map(({ metric }) => metric.trunk).sort()).toEqual(['a', 'b'])
    for (const { metric, values, timestamps } of packets) {
      expect(metric).toMatchObject({ probe: 'hq', codec: 'PCMA', db: 'voip' })
      expect(values).toEqual(Array.from({ length: 10 }, (_, minute) => 1000 + minute))
      expect(timestamps).toEqual(Array.from({ length: 10 }, (_, minute) => began + minute * 60_000))
    }
    const names = new Set((await series('{db="voip"}')).map(({ metric }) => metric.__name__))
    expect(names).toEqual(
      new Set(['voip_traffic_1m_packets', 'voip_traffic_1m_mos_cq', 'voip_traffic_1m_complete']),
    )
  })

  it('holds the same after the same was written twice, when it is told to deduplicate', async () => {
    for (let run = 0; run < 2; run++) {
      const { sink } = await openSink({ url: `${server.url}/twice` })
      for (let minute = 0; minute < 5; minute++) sink.add([traffic(minute, 'a')])
      expect(await sink.drain(10_000)).toBeUndefined()
    }
    const query = new URLSearchParams({
      query: 'sum_over_time(voip_traffic_1m_packets{db="twice"}[5m])',
      time: String(began / 1000 + 240),
      nocache: '1',
    })
    await series('voip_traffic_1m_packets{db="twice"}')
    const answer = (await (await fetch(`${server.url}/api/v1/query?${query.toString()}`)).json()) as {
      data: { result: { value: [number, string] }[] }
    }
    expect(answer.data.result.map(({ value }) => value[1])).toEqual([
      String(1000 + 1001 + 1002 + 1003 + 1004),
    ])
  })
})
