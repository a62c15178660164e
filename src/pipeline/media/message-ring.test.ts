import fc from 'fast-check'
import { expect, it } from 'vitest'
import { propertyRuns } from '../../../test/helpers/property-runs.js'
import { MessageRing } from './message-ring.js'

function send(ring: MessageRing, kind: number, body: readonly number[]): boolean {
  const at = ring.reserve(kind, body.length)
  if (at < 0) return false
  ring.bytes.set(body, at)
  ring.commit()
  return true
}

function receive(ring: MessageRing): { kind: number; body: number[] } | undefined {
  if (!ring.next()) return undefined
  const message = { kind: ring.kind, body: [...ring.bytes.subarray(ring.at, ring.at + ring.length)] }
  ring.release()
  return message
}

it('hands over every message that it took, whole and in order, round and round', () => {
  const bodies = fc.array(fc.array(fc.nat(255), { maxLength: 60 }), { maxLength: 40 })
  fc.assert(
    fc.property(bodies, fc.array(fc.nat(5), { minLength: 1, maxLength: 40 }), (messages, reads) => {
      const memory = MessageRing.memory(256)
      const [writer, reader] = [new MessageRing(memory), new MessageRing(memory)]
      const sent: unknown[] = []
      const got: unknown[] = []
      messages.forEach((body, n) => {
        if (send(writer, n, body)) sent.push({ kind: n, body })
        for (let k = reads[n % reads.length]; k > 0; k--) {
          const message = receive(reader)
          if (message) got.push(message)
        }
      })
      for (let message = receive(reader); message; message = receive(reader)) got.push(message)
      expect(got).toEqual(sent)
      expect(reader.used).toBe(0)
    }),
    propertyRuns(200),
  )
})

it('takes nothing that it has no room for, and goes on when there is room again', () => {
  const memory = MessageRing.memory(64)
  const [writer, reader] = [new MessageRing(memory), new MessageRing(memory)]
  expect(send(writer, 1, Array(40).fill(7))).toBe(true)
  expect(send(writer, 2, Array(16).fill(8))).toBe(false)
  expect(receive(reader)).toEqual({ kind: 1, body: Array(40).fill(7) })
  expect(send(writer, 2, Array(16).fill(8))).toBe(true)
  expect(send(writer, 3, Array(60).fill(8))).toBe(false)
  expect(receive(reader)).toEqual({ kind: 2, body: Array(16).fill(8) })
  expect(receive(reader)).toBeUndefined()
})

it('goes on where its counters of bytes wrap', () => {
  const memory = MessageRing.memory(64)
  new Int32Array(memory, 0, 2).fill(0x7fffffc0)
  const [writer, reader] = [new MessageRing(memory), new MessageRing(memory)]
  for (let n = 0; n < 50; n++) {
    expect(send(writer, n, [n, n])).toBe(true)
    expect(receive(reader)).toEqual({ kind: n, body: [n, n] })
  }
})
