import { describe, expect, it } from 'vitest'
import { LimitWatch } from './limit-watch.js'
import { createLog } from './log.js'

describe('the watch on the bounds of the probe', () => {
  it('tells of a flood as soon as it costs something, then once a minute what is new', () => {
    const lines: string[] = []
    const watch = new LimitWatch(createLog({ write: (line) => lines.push(line) }, 'text', 'info'))
    watch.look({}, 0)
    watch.look({ calls: 20 }, 1000)
    expect(lines).toEqual([
      'callprobe: warning: a limit was reached: calls closed early to make room for others: 20 (limits.calls)\n',
    ])
    for (let s = 2; s < 61; s++) watch.look({ calls: 20 * s }, s * 1000)
    expect(lines).toHaveLength(1)
    watch.look({ calls: 2000, payload_maps: 3 }, 61_000)
    expect(lines.slice(1)).toEqual([
      'callprobe: warning: a limit was reached: calls closed early to make room for others: 1980 (limits.calls)\n',
      'callprobe: warning: a limit was reached: bound on payload_maps, times: 3\n',
    ])
    watch.look({ calls: 2000, payload_maps: 3 }, 200_000)
    expect(lines).toHaveLength(3)
  })
})
