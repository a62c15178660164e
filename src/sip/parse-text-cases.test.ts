import { describe, expect, it } from 'vitest'
import { parseSipMessage } from './parse.js'
import { fieldOf, readCases } from './testdata/cases.js'

/** `{0xfeff}` in an expected value stands for that character, `{3*ab}` for ababab. */
const expectedText = (value: string): string =>
  value
    .replace(/\{0x([0-9a-f]{2,4})\}/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    .replace(/\{(\d+)\*([^}]*)\}/g, (_, count: string, piece: string) => piece.repeat(Number(count)))

for (const file of ['torture-valid.txt', 'torture-invalid.txt', 'multipart.txt', 'sdp.txt']) {
  describe(file, () => {
    it.each(readCases(`./${file}`).map((c) => [c.name, c] as const))('%s', (_, { bytes, expected }) => {
      // Bytes around the message must not matter: it lies in the middle of a capture buffer.
      const buffer = new Uint8Array(bytes.length + 64).fill(0x41)
      buffer.set(bytes, 32)
      const result = parseSipMessage(buffer, 32, bytes.length)
      buffer.fill(0)
      const found = expected.map(([field]) => [field, fieldOf(result, field)])
      expect(found).toEqual(expected.map(([field, value]) => [field, expectedText(value)]))
      expect(expected.some(([field]) => field === 'defects' || field === 'error')).toBe(true)
    })
  })
}
