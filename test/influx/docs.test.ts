import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { EXAMPLE_ALERT, EXAMPLE_CALL, EXAMPLE_INTERVAL } from '../../src/calls/record-examples.js'
import { recordPoints } from '../../src/sinks/influx/record-points.js'
import { ROOT } from '../helpers/programs.js'

describe('docs/influxdb.md', () => {
  const page = readFileSync(join(ROOT, 'docs/influxdb.md'), 'utf8')

  it('lists the tags that points have', () => {
    for (const record of [EXAMPLE_CALL, EXAMPLE_INTERVAL, EXAMPLE_ALERT])
      for (const { measurement, tags } of recordPoints(record)) {
        if (measurement === 'voip_finding') continue
        const row = page.split('\n').find((line) => line.startsWith(`| \`${measurement}\``))
        const listed = row?.split('|').at(-2)?.trim().split(', ').sort()
        expect([measurement, listed]).toEqual([measurement, Object.keys(tags).sort()])
      }
  })
})
