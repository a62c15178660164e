import { describe, expect, it } from 'vitest'
import { captureWarnings } from './capture-warnings.js'

const NOTHING = {
  noticed: [],
  clock: { steps: 0, largestMs: 0 },
  ...{ downMs: 0, droppedRecords: 0, workerRestarts: 0 },
}

describe('the warnings of a capture', () => {
  it('are none when nothing happened', () => {
    expect(captureWarnings(NOTHING)).toEqual([])
  })

  it('name what spoilt numbers, and what is missing', () => {
    const warnings = captureWarnings({
      noticed: [{ source: 'eth1', kind: 'note', message: 'GRO is on' }],
      clock: { steps: 2, largestMs: -3000.2 },
      ...{ downMs: 1540, droppedRecords: 7, workerRestarts: 1 },
    })
    expect(warnings).toEqual([
      'eth1: GRO is on',
      'the clock was set 2 times, by up to 3000 ms: jitter and delay variation of the calls that ran then are spoilt',
      'an interface was away for 1.5 s: what passed meanwhile was not seen (validity.capture_down_ms)',
      'a media worker ended unasked and was replaced',
      '7 records were dropped: their reader was too slow, or their file could not be written',
    ])
  })

  it('know one from many', () => {
    const warnings = captureWarnings({
      noticed: [],
      clock: { steps: 1, largestMs: 250 },
      ...{ downMs: 0, droppedRecords: 1, workerRestarts: 2 },
    })
    expect(warnings).toEqual([
      'the clock was set once, by 250 ms: jitter and delay variation of the calls that ran then are spoilt',
      '2 media workers ended unasked and were replaced',
      'a record was dropped: its reader was too slow, or its file could not be written',
    ])
  })
})
