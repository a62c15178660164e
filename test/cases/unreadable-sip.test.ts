import { Duplex } from 'node:stream'
import { connect } from 'node:tls'
import { describe, expect, it } from 'vitest'
import { replay, type Frame } from '../helpers/replay.js'
import { ALICE_AUDIO, BOB_AUDIO, datagram, media, NOON, segment } from './hand-made.js'

const PHONE = '192.0.2.10:33333'
const SERVER = '198.51.100.20'

/** What a TLS client says first. */
async function clientHello(): Promise<Uint8Array> {
  return new Promise((resolve) => {
    const wire = new Duplex({
      read() {},
      write: (chunk: Uint8Array) => resolve(chunk),
    })
    connect({ socket: wire, servername: 'pbx.example.com' })
  })
}

/** Segments of both sides, each from where the one before it ended. */
function connection(
  port: number,
  sent: readonly (readonly [from: 'phone' | 'server', bytes: Uint8Array | string])[],
): Frame[] {
  const server = `${SERVER}:${port}`
  const next = { phone: 1000, server: 5000 }
  return sent.map(([from, bytes], k) => {
    const frame =
      from === 'phone'
        ? segment(NOON + 10 * k, PHONE, server, next.phone, bytes)
        : segment(NOON + 10 * k, server, PHONE, next.server, bytes)
    next[from] += Buffer.byteLength(bytes)
    return frame
  })
}

describe('SIP that cannot be read is told in the summary', () => {
  it('inside TLS: once for the connection, however much of it passes', async () => {
    const hello = await clientHello()
    expect(hello[0]).toBe(22)
    const frames = [
      ...connection(5061, [
        ['phone', hello],
        ['server', hello],
        ['phone', Uint8Array.of(23, 3, 3, 0, 3, 1, 2, 3)],
      ]),
      // The media is in clear.
      ...media({ startMs: NOON + 100, packets: 200, from: ALICE_AUDIO, to: BOB_AUDIO }),
      ...media({ startMs: NOON + 100, packets: 200, from: BOB_AUDIO, to: ALICE_AUDIO, ssrc: 2 }),
    ]
    const { summary, calls } = await replay(frames)
    expect(summary.sip_unreadable).toEqual({ tls_connections: 1 })
    expect(calls.map(({ state }) => state)).toEqual(['media_only'])
  })

  it('inside DTLS, and packed by SigComp', async () => {
    const server = `${SERVER}:5060`
    const { summary } = await replay([
      // RFC 6347 4.2.2: a handshake record of DTLS 1.2, epoch 0.
      datagram(NOON, PHONE, server, Uint8Array.of(22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0)),
      // RFC 3320 7: five ones, no feedback, a partial state identifier of 6 bytes.
      datagram(NOON + 10, PHONE, server, Uint8Array.of(0xf9, 1, 2, 3, 4, 5, 6, 7, 8)),
      datagram(NOON + 20, PHONE, server, Uint8Array.of(0xf9, 1, 2, 3, 4, 5, 6, 9, 9)),
      // Keepalives, and what has nothing to do with SIP.
      datagram(NOON + 30, PHONE, server, '\r\n\r\n'),
      datagram(NOON + 40, PHONE, `${SERVER}:9999`, Uint8Array.of(0xf9, 1, 2, 3, 4, 5, 6, 7, 8)),
    ])
    expect(summary.sip_unreadable).toEqual({ dtls_datagrams: 1, sigcomp_datagrams: 2 })
  })

  it('packed by an extension of WebSocket', async () => {
    const upgrade = [
      'GET / HTTP/1.1\r\nHost: pbx.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n',
      'Sec-WebSocket-Protocol: sip\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n',
    ].join('')
    // RFC 7692 7.2.3.1: a text message, deflated, in one frame.
    const packed = Uint8Array.of(0xc1, 0x07, 0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00)
    const { summary } = await replay(
      connection(5060, [
        ['phone', upgrade],
        ['server', packed],
        ['server', packed],
      ]),
    )
    expect(summary.sip_unreadable).toEqual({ compressed_websocket_messages: 2 })
  })

  it('and is not mentioned where all can be read', async () => {
    const { summary } = await replay(connection(5060, [['phone', '\r\n\r\n']]))
    expect(summary.sip_unreadable).toBeUndefined()
  })
})
