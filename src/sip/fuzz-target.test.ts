import { describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { propertyRuns } from '../../test/helpers/property-runs.js'
import { fuzzFramerOne, fuzzSdpOne, fuzzSipOne } from './fuzz-target.js'
import { parseSipMessage } from './parse.js'
import { readCases } from './testdata/cases.js'
import { parseSdp } from './sdp.js'

const messages = ['torture-valid.txt', 'torture-invalid.txt', 'multipart.txt', 'sdp.txt']
  .flatMap((file) => readCases(`./${file}`))
  .map((c) => c.bytes)

/** Pieces that parsers stumble over. */
const PIECES = [
  '\r\n',
  '\n',
  '\r\n\r\n',
  ' ',
  '\t',
  ',',
  ';',
  ':',
  '=',
  '"',
  '\\',
  '<',
  '>',
  '@',
  '%',
  '%00',
  '\0',
  '(',
]
  .concat([
    '[',
    ']',
    '::',
    '/',
    '--',
    '-',
    '--b\r\n',
    '--b--',
    'a=',
    'm=audio 9 RTP/AVP 0\r\n',
    'c=IN IP4 0.0.0.0\r\n',
  ])
  .concat([
    'Content-Length: 5\r\n',
    'l:99999999999999999999\r\n',
    'SIP/2.0 200 OK\r\n',
    'INVITE sip:a SIP/2.0\r\n',
  ])
  .concat([
    '\x81\x05',
    '\x82\x7f\0\0\0\0\xff\xff\xff\xff',
    '\xff\xfe',
    '\xc3\xbc',
    '4294967296',
    '-1',
    '__proto__',
  ])

interface Edit {
  kind: 'cut' | 'insert' | 'flip' | 'copy' | 'drop line' | 'repeat line'
  at: number
  size: number
  piece: string
}

const edit: fc.Arbitrary<Edit> = fc.record({
  kind: fc.constantFrom<Edit['kind'][]>('cut', 'insert', 'flip', 'copy', 'drop line', 'repeat line'),
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  size: fc.nat({ max: 40 }),
  piece: fc.constantFrom(...PIECES),
})

function apply(text: string, { kind, at, size, piece }: Edit): string {
  const position = Math.floor(at * text.length)
  const lineStart = text.lastIndexOf('\n', position) + 1
  const lineEnd = (text.indexOf('\n', position) + 1 || text.length) as number
  const head = text.slice(0, position)
  switch (kind) {
    case 'cut':
      return head + text.slice(position + size)
    case 'insert':
      return head + piece.repeat(1 + (size % 3)) + text.slice(position)
    case 'flip':
      return (
        head +
        String.fromCharCode((text.charCodeAt(position) || 0) ^ (1 << (size % 8))) +
        text.slice(position + 1)
      )
    case 'copy':
      return text + text.slice(position, position + size * 10)
    case 'drop line':
      return text.slice(0, lineStart) + text.slice(lineEnd)
    case 'repeat line':
      return (
        text.slice(0, lineEnd) + text.slice(lineStart, lineEnd).repeat(1 + (size % 5)) + text.slice(lineEnd)
      )
  }
}

/** A message of the case files with some edits. */
const mutated = fc
  .tuple(fc.constantFrom(...messages), fc.array(edit, { minLength: 1, maxLength: 8 }))
  .map(([bytes, edits]) => Buffer.from(edits.reduce(apply, Buffer.from(bytes).toString('latin1')), 'latin1'))

const ARBITRARY = fc.uint8Array({ maxLength: 300 })
const RUNS = propertyRuns(400)

describe('no input makes a parser throw or break its promises', () => {
  it('messages', () => fc.assert(fc.property(fc.oneof(mutated, ARBITRARY), fuzzSipOne), RUNS))
  it('session descriptions', () => fc.assert(fc.property(fc.oneof(mutated, ARBITRARY), fuzzSdpOne), RUNS))
  it('streams', () => {
    const streams = fc
      .array(fc.oneof(mutated, ARBITRARY), { maxLength: 4 })
      .map((parts) => Buffer.concat(parts))
    fc.assert(fc.property(streams, fuzzFramerOne), RUNS)
  })
})

describe('time is linear in the size', () => {
  const head = 'INVITE sip:b@example.org SIP/2.0\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n'
  const tail = 'From: <sip:a@b>;tag=1\r\nTo: <sip:b@c>\r\nContent-Length: 0\r\n\r\n'

  /** Time of the work in ms: the first try under `limit`, else the best of a few, for the machine may be busy. */
  function milliseconds(limit: number, work: () => void): number {
    let best = Infinity
    for (let i = 0; i < 6 && best >= limit; i++) {
      const start = performance.now()
      work()
      best = Math.min(best, performance.now() - start)
    }
    return best
  }

  const fill = (piece: string, size: number): string => piece.repeat(Math.floor(size / piece.length))
  const pieces = [
    ',',
    '"',
    '(',
    '\\',
    '<',
    '>',
    ';',
    '=',
    ' ',
    '\t',
    '@',
    ':',
    '%',
    '%41',
    '[',
    '\r\n ',
    '"\\',
    '<,',
    ';=',
    '";',
    'a,',
    '?',
    '::',
  ]

  it.each(pieces)('64 KB of %j in any header take less than 50 ms', (piece) => {
    for (const name of [
      'Via',
      'Contact',
      'To',
      'From',
      'X-Any',
      'CSeq',
      'Content-Type',
      'Date',
      'Content-Length',
    ]) {
      for (const lead of ['', '<sip:a@b;', 'sip:', '"', '1 ']) {
        const bytes = Buffer.from(`${head}${name}: ${lead}${fill(piece, 65_536)}\r\n${tail}`, 'latin1')
        expect(milliseconds(50, () => fuzzSipOne(bytes))).toBeLessThan(50)
      }
    }
  })

  it.each(['a\r\n', '\r\n', 'x:y\r\n', ' \r\n', ':\r\n', 'l:1\r\n', 'Contact: a\r\n'])(
    '64 KB of header lines %j take less than 50 ms',
    (line) => {
      const bytes = Buffer.from(`${head}${tail.slice(0, -4)}${fill(line, 65_536)}\r\n\r\n`, 'latin1')
      expect(milliseconds(50, () => fuzzSipOne(bytes))).toBeLessThan(50)
    },
  )

  it.each(pieces)('64 KB of %j before and in the start line take less than 50 ms', (piece) => {
    for (const text of [
      fill(piece, 65_536),
      `INVITE ${fill(piece, 16_000)} SIP/2.0\r\n`,
      `SIP/2.0 ${fill(piece, 65_536)}`,
    ]) {
      const bytes = Buffer.from(text + tail, 'latin1')
      fuzzFramerOne(bytes)
      expect(milliseconds(50, () => fuzzSipOne(bytes))).toBeLessThan(50)
    }
  })

  const MIB = 1_048_576
  it.each([
    '--',
    '--b\r\n',
    '--b\r\n\r\n',
    '-',
    '\r\n--b',
    'Content-Type: multipart/mixed;boundary=b\r\n\r\n--b\r\n',
  ])('a 1 MB multipart body of %j takes less than 500 ms', (piece) => {
    const body = `--b\r\n${fill(piece, MIB)}`
    for (const boundary of ['b', '-'.repeat(200)]) {
      const headers = `${head}Content-Type: multipart/mixed;boundary="${boundary}"\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:b@c>`
      const bytes = Buffer.from(`${headers}\r\nContent-Length: ${body.length}\r\n\r\n${body}`, 'latin1')
      expect(milliseconds(500, () => fuzzSipOne(bytes))).toBeLessThan(500)
    }
  })

  it.each([
    'a=rtpmap:96 ',
    'a=sendrecv\r\n',
    'm=audio 4000 RTP/AVP 0\r\n',
    'a=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n',
    'c=',
    ' ',
    '0 ',
  ])('a 1 MB session description of %j takes less than 500 ms', (piece) => {
    const text = `v=0\r\nm=audio 9 RTP/AVP ${fill(piece, MIB)}`
    expect(milliseconds(500, () => parseSdp(text))).toBeLessThan(500)
    expect(milliseconds(500, () => parseSdp(`v=0\r\na=group:BUNDLE ${fill(piece, MIB)}`))).toBeLessThan(500)
  })

  it('a body of 1 MB is kept whole', () => {
    const body = 'x'.repeat(MIB)
    const bytes = Buffer.from(
      `${head}From: <sip:a@b>;tag=1\r\nTo: <sip:b@c>\r\nContent-Type: text/plain\r\nl: ${MIB}\r\n\r\n${body}`,
    )
    const result = parseSipMessage(bytes, 0, bytes.length)
    expect('message' in result && result.message.body.length).toBe(MIB)
  })
})
