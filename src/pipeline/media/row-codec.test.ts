import { expect, it } from 'vitest'
import { IntervalRow } from '../../rtp/row.js'
import { ROW_BYTES, RowCodec } from './row-codec.js'

/** A row in which every number, flag and bucket is another. */
function fullRow(): IntervalRow {
  const row = new IntervalRow()
  let n = 1
  for (const [key, value] of Object.entries(row)) {
    if (typeof value === 'number') Object.assign(row, { [key]: n++ + 0.5 })
    else if (typeof value === 'boolean') Object.assign(row, { [key]: true })
    else if (value instanceof Int32Array || value instanceof Uint16Array)
      value.forEach((_, k) => (value[k] = n++))
    else for (const count of row.typeCounts) Object.assign(count, { payloadType: n++, packets: n++ })
  }
  return row
}

it('a row comes out of a message as it went in, whatever fields rows have', () => {
  const bytes = new Uint8Array(new SharedArrayBuffer(64 + ROW_BYTES), 0)
  const sent = fullRow()
  const got = new IntervalRow()
  const codec = new RowCodec(bytes)
  codec.write(sent, 64)
  codec.read(got, 64)
  expect(got).toEqual(sent)
  expect(got).not.toEqual(new IntervalRow())
})

it('what is not known stays so', () => {
  const bytes = new Uint8Array(ROW_BYTES)
  const codec = new RowCodec(bytes)
  const got = fullRow()
  codec.write(new IntervalRow(), 0)
  codec.read(got, 0)
  expect(got.skewPpm).toBeNaN()
  expect(got).toEqual(new IntervalRow())
})
