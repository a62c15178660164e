import fc from 'fast-check'
import { describe, it } from 'vitest'
import { propertyRuns } from '../../test/helpers/property-runs.js'
import { fuzzTrackerOne } from './tracker-fuzz.js'

describe('random rows of SIP messages', () => {
  it('never throw, never break a bound, and tell each call in order: start, media, answer, end', () => {
    const rows = fc.uint8Array({ minLength: 8, maxLength: 8 * 60, size: 'max' })
    fc.assert(fc.property(rows, fuzzTrackerOne), { ...propertyRuns(300), endOnFailure: true })
  })
})
