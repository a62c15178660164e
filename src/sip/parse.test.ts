import { describe, expect, it } from 'vitest'
import type { SipMessage } from './message.js'
import { MAX_BODY_BYTES, MAX_HEADER_BYTES, parseSipMessage } from './parse.js'
import { MAX_HEADER_LINES } from './parse-header-index.js'
import { SIP_DEFECTS } from './parse-defects.js'
import { SDP_DEFECTS } from './parse-sdp-media.js'
import { parseSdp } from './sdp.js'
import { readCases } from './testdata/cases.js'

const HEAD =
  'OPTIONS sip:b@example.org SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n' +
  'From: <sip:a@example.org>;tag=1\r\nTo: <sip:b@example.org>\r\n'

function parsed(text: string): SipMessage {
  const bytes = Buffer.from(text, 'latin1')
  const result = parseSipMessage(bytes, 0, bytes.length)
  if ('error' in result) throw new Error(result.error)
  return result.message
}

describe('bounds of a message', () => {
  it('header lines beyond the bound are not read', () => {
    const message = parsed(`${HEAD}${'X: y\r\n'.repeat(MAX_HEADER_LINES)}Late: z\r\n\r\n`)
    expect(message.header('late')).toBeUndefined()
    expect(message.defects).toEqual(['too_many_headers'])
  })

  it('headers beyond the bound are an error', () => {
    const bytes = Buffer.from(`${HEAD}X: ${'y'.repeat(MAX_HEADER_BYTES)}\r\n\r\n`)
    expect(parseSipMessage(bytes, 0, bytes.length)).toEqual({ error: 'headers too large' })
  })

  it('a body beyond the bound is cut', () => {
    const body = 'x'.repeat(MAX_BODY_BYTES + 1)
    const message = parsed(`${HEAD}Content-Type: text/plain\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
    expect(message.body.length).toBe(MAX_BODY_BYTES)
    expect(message.defects).toEqual(['body_cut'])
  })

  it('session descriptions have a bounded number of media, formats and lines', () => {
    const media = parseSdp(`v=0\r\n${'m=audio 4000 RTP/AVP 0\r\n'.repeat(100)}`)
    expect([media.media.length, media.defects]).toEqual([64, ['sdp_too_long', 'sdp_no_connection']])
    const formats = parseSdp(`v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP${' 0'.repeat(200)}\r\n`)
    expect(formats.defects).toEqual(['sdp_too_long'])
    expect(parseSdp(`v=0\r\n${'a=x\r\n'.repeat(9000)}m=audio 4000 RTP/AVP 0\r\n`).media).toEqual([])
  })

  it('the text of a message is what was sent, without what surrounds it', () => {
    const text = `${HEAD}Content-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi`
    const message = parsed(`\r\n\r\n${text}\r\n\0`)
    expect(message.raw).toBe(text)
    expect(message.length).toBe(text.length)
    expect(message.defects).toEqual([])
  })
})

it('each defect is shown by a case of the text files or above', () => {
  const shown = ['torture-valid.txt', 'torture-invalid.txt', 'multipart.txt', 'sdp.txt']
    .flatMap((file) => readCases(`./${file}`))
    .flatMap((c) => c.expected.filter(([field]) => field.endsWith('defects')))
    .flatMap(([, value]) => value.split(', '))
  shown.push('too_many_headers', 'body_cut', 'sdp_too_long', 'none')
  const known = [...Object.keys(SIP_DEFECTS), ...Object.keys(SDP_DEFECTS), 'none']
  expect([...new Set(shown)].sort()).toEqual(known.sort())
})
