import { describe, expect, it } from 'vitest'
import { definitionsIn, readDefinitions } from './definitions.js'
import { jsonSafe } from './page-html.js'

describe('data in the page', () => {
  it('cannot end its script, open a comment or break a line, and reads as it was', () => {
    const hostile = { a: '</script><!--<script>', b: '\u2028\u2029 & "\\', c: ['\ud800'] }
    const text = jsonSafe(JSON.stringify(hostile))
    expect(text).not.toMatch(/[<>&\u2028\u2029]/)
    expect(JSON.parse(text)).toEqual(hostile)
  })
})

describe('definitions', () => {
  it('are the rows of docs/metrics.md, without its markup', () => {
    const rows = [
      '| field | definition | absent when |',
      '| `jitter_p95_ms`, `jitter_p99_ms` | 95th and 99th *percentile* of J; see [Calls](#calls). | clock rate unknown |',
      '| `broken` media | no field alone | |',
    ].join('\n')
    const words = '95th and 99th percentile of J; see Calls.'
    expect(definitionsIn(rows)).toEqual({ jitter_p95_ms: words, jitter_p99_ms: words })
  })

  it('are there for what a call shows', () => {
    const definitions = readDefinitions()
    for (const field of [
      'mos_cq',
      'mos_cq_min',
      'loss_percent',
      'late_percent',
      'jitter_mean_ms',
      'pdv_p95_ms',
      'delay_p50_ms',
      'burst_seconds',
      'skew_ppm',
      'dscp',
    ])
      expect(definitions[field]?.length, field).toBeGreaterThan(15)
  })
})
