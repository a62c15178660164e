import { describe, expect, it } from 'vitest'
import type { PartyMedia } from './call.js'
import { heldMs } from './holds.js'
import { at, EventLog, followLadder, ladderPackets } from './tracker-ladder.js'
import { parseSdp } from './sdp.js'
import type { SipPacket } from './message.js'
import { MAX_MEDIA_HISTORY } from './tracker-media.js'
import { SignallingTracker } from './tracker.js'

function follow(ladder: string) {
  const { call, events } = followLadder(ladder)
  return { call, media: events.filter((event) => event.startsWith('media')) }
}

const ports = (media: PartyMedia | undefined) => media?.media.map((section) => section.port)

const ANSWERED = `
  0    alice>bob  INVITE      1 a>   z1 sdp=10.0.0.1:4000
  100  bob>alice  200 INVITE  1 a>b  z1 sdp=10.0.0.2:5000
  110  alice>bob  ACK         1 a>b  z2`

describe('offer and answer (RFC 3264)', () => {
  it('an answer in a 183 is early media; the 200 that repeats it changes nothing', () => {
    const { call, media } = follow(`
      0    alice>bob  INVITE      1 a>   z1 sdp=10.0.0.1:4000
      50   bob>alice  183 INVITE  1 a>b  z1 sdp=10.0.0.2:5000
      100  bob>alice  200 INVITE  1 a>b  z1 sdp=10.0.0.2:5000`)
    expect(media).toEqual(['media caller 10.0.0.1:4000', 'media callee 10.0.0.2:5000'])
    expect(call.calleeMedia).toMatchObject({ timeMs: at(50), role: 'answer', branchTag: 'b' })
    expect(call.mediaHistory).toHaveLength(2)
  })

  it('an INVITE without offer gets it in the 200, and the answer in the ACK', () => {
    const { call, media } = follow(`
      0    alice>bob  INVITE      1 a>   z1
      100  bob>alice  200 INVITE  1 a>b  z1 sdp=10.0.0.2:5000
      110  alice>bob  ACK         1 a>b  z2 sdp=10.0.0.1:4000`)
    expect(media).toEqual(['media callee 10.0.0.2:5000', 'media caller 10.0.0.1:4000'])
    expect(call.calleeMedia?.role).toBe('offer')
    expect(call.callerMedia?.role).toBe('answer')
  })

  it('an offer in a reliable 183 is answered in the PRACK (RFC 3262 5)', () => {
    const { call } = follow(`
      0    alice>bob  INVITE      1 a>   z1
      50   bob>alice  183 INVITE  1 a>b  z1 sdp=10.0.0.2:5000 RSeq:1
      60   alice>bob  PRACK       2 a>b  z2 sdp=10.0.0.1:4000
      70   bob>alice  200 PRACK   2 a>b  z2
      100  bob>alice  200 INVITE  1 a>b  z1
      110  alice>bob  ACK         1 a>b  z3`)
    expect(call.prack).toBe(true)
    expect(ports(call.callerMedia)).toEqual([4000])
    expect(ports(call.calleeMedia)).toEqual([5000])
  })

  it('an UPDATE changes media only when its 200 answers it (RFC 3311 5.1)', () => {
    const { media } = follow(`${ANSWERED}
      200  alice>bob  UPDATE      2 a>b  z3 sdp=10.0.0.1:4100
      205  bob>alice  491 UPDATE  2 a>b  z3
      300  alice>bob  UPDATE      3 a>b  z4 sdp=10.0.0.1:4200
      310  bob>alice  200 UPDATE  3 a>b  z4 sdp=10.0.0.2:5000`)
    expect(media).toEqual([
      'media caller 10.0.0.1:4000',
      'media callee 10.0.0.2:5000',
      'media caller 10.0.0.1:4200',
    ])
  })

  it('a re-INVITE of the callee moves the media of both, from its 200 on', () => {
    const { call, media } = follow(`${ANSWERED}
      500  bob>alice  INVITE      1 b>a  y1 sdp=10.0.0.2:5100
      520  alice>bob  200 INVITE  1 b>a  y1 sdp=10.0.0.1:4100
      530  bob>alice  ACK         1 b>a  y2`)
    expect(media.slice(2)).toEqual(['media callee 10.0.0.2:5100', 'media caller 10.0.0.1:4100'])
    expect(call.reinvites).toBe(1)
    expect(call.callerMedia).toMatchObject({ role: 'answer', branchTag: '' })
    expect(call.calleeMedia).toMatchObject({ role: 'offer', branchTag: 'b' })
  })

  it('a re-INVITE sent again with credentials counts once', () => {
    const { call } = follow(`${ANSWERED}
      500  alice>bob  INVITE      2 a>b  z3 sdp=10.0.0.1:4100
      510  bob>alice  407 INVITE  2 a>b  z3
      520  alice>bob  INVITE      3 a>b  z4 sdp=10.0.0.1:4100
      530  bob>alice  200 INVITE  3 a>b  z4 sdp=10.0.0.2:5000`)
    expect(call).toMatchObject({ reinvites: 1, authChallenges: 0 })
    expect(ports(call.callerMedia)).toEqual([4100])
  })

  it('a re-INVITE without offer takes effect with the answer in its ACK', () => {
    const { media } = follow(`${ANSWERED}
      500  alice>bob  INVITE      2 a>b  z3
      520  bob>alice  200 INVITE  2 a>b  z3 sdp=10.0.0.2:5100
      530  alice>bob  ACK         2 a>b  z4 sdp=10.0.0.1:4100`)
    expect(media.slice(2)).toEqual(['media callee 10.0.0.2:5100', 'media caller 10.0.0.1:4100'])
  })

  it('the 200 of a re-INVITE captured before it completes the exchange when the re-INVITE comes', () => {
    const { call } = follow(`${ANSWERED}
      500  alice>bob  200 INVITE  1 b>a  y1 sdp=10.0.0.1:4100
      502  bob>alice  INVITE      1 b>a  y1 sdp=10.0.0.2:5100`)
    expect(ports(call.callerMedia)).toEqual([4100])
    expect(ports(call.calleeMedia)).toEqual([5100])
  })

  it('bodies belong to who sent them, by tags: also when both come from one address', () => {
    const { call } = follow(`
      0    proxy>proxy2 INVITE      1 a>   z1 sdp=10.0.0.1:4000
      100  proxy2>proxy 200 INVITE  1 a>b  z1 sdp=10.0.0.2:5000
      200  proxy>proxy2 INVITE      1 b>a  y1 sdp=10.0.0.2:5100
      210  proxy2>proxy 200 INVITE  1 b>a  y1 sdp=10.0.0.1:4100`)
    expect(ports(call.callerMedia)).toEqual([4100])
    expect(ports(call.calleeMedia)).toEqual([5100])
  })

  it('the session refreshes of a day do not fill the history', () => {
    const refreshes = Array.from({ length: 100 }, (_, number) => {
      const ms = 1000 * (number + 1)
      return `
      ${ms}      alice>bob INVITE     ${number + 2} a>b r${number} sdp=10.0.0.1:4000
      ${ms + 10} bob>alice 200 INVITE ${number + 2} a>b r${number} sdp=10.0.0.2:5000`
    })
    const { call, media } = follow(ANSWERED + refreshes.join(''))
    expect(call.reinvites).toBe(100)
    expect(call.mediaHistory).toHaveLength(2)
    expect(media).toHaveLength(2)
  })

  it('keeps the first offer and answer and the latest descriptions when there are too many', () => {
    const moves = Array.from({ length: 50 }, (_, number) => {
      const ms = 1000 * (number + 1)
      return `
      ${ms}      alice>bob INVITE     ${number + 2} a>b r${number} sdp=10.0.0.1:${6000 + number}
      ${ms + 10} bob>alice 200 INVITE ${number + 2} a>b r${number} sdp=10.0.0.2:5000`
    })
    const { call } = follow(ANSWERED + moves.join(''))
    expect(call.mediaHistory).toHaveLength(MAX_MEDIA_HISTORY)
    expect(call.mediaHistory.slice(0, 2).map(ports)).toEqual([[4000], [5000]])
    expect(ports(call.mediaHistory.at(-1))).toEqual([6049])
    expect(ports(call.callerMedia)).toEqual([6049])
  })
})

describe('case 14: dynamic payload types from either SDP, re-used in a re-INVITE', () => {
  const body = (port: number, rtpmap: string) => {
    const media = `m=audio ${port} RTP/AVP 96\r\na=rtpmap:96 ${rtpmap}\r\n`
    return `v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n${media}`
  }

  function withBody(packet: SipPacket, text: string): SipPacket {
    if (text !== '') packet.message.sdp = parseSdp(text)
    return packet
  }

  it('each party has the mapping of its own description, and the re-INVITE replaces both', () => {
    const packets = ladderPackets(`${ANSWERED}
      500  alice>bob  INVITE      2 a>b  z3 sdp=10.0.0.1:4000
      520  bob>alice  200 INVITE  2 a>b  z3 sdp=10.0.0.2:5000`)
    const texts = [
      body(4000, 'AMR/8000'),
      body(5000, 'AMR/8000'),
      '',
      body(4000, 'opus/48000/2'),
      body(5000, 'opus/48000/2'),
    ]
    const log = new EventLog()
    const tracker = new SignallingTracker(log)
    const encodings: (string | undefined)[][] = []
    packets.forEach((packet, index) => {
      tracker.onMessage(withBody(packet, texts[index]))
      const { callerMedia, calleeMedia } = log.calls[0]
      encodings.push([callerMedia, calleeMedia].map((known) => known?.media[0].formats[0].encoding))
    })
    expect(encodings).toEqual([
      ['AMR', undefined],
      ['AMR', 'AMR'],
      ['AMR', 'AMR'],
      ['AMR', 'AMR'],
      ['OPUS', 'OPUS'],
    ])
  })
})

describe('case 15: a refused T.38 re-INVITE', () => {
  it('a 488 leaves the audio in force that was agreed on before', () => {
    const { call, media } = follow(`${ANSWERED}
      500  bob>alice  INVITE      1 b>a  y1 sdp=10.0.0.2:5200:sendrecv:image
      520  alice>bob  488 INVITE  1 b>a  y1
      530  bob>alice  ACK         1 b>a  y1`)
    expect(media).toEqual(['media caller 10.0.0.1:4000', 'media callee 10.0.0.2:5000'])
    expect(call.calleeMedia?.media[0]).toMatchObject({ kind: 'audio', port: 5000 })
    expect(call.state).toBe('in_progress')
    expect(call.finalStatus).toBe(200)
    expect(call.mediaHistory.at(-1)?.media[0].kind).toBe('image')
  })

  it('an accepted one replaces the audio, and the way back restores it', () => {
    const { media } = follow(`${ANSWERED}
      500  bob>alice  INVITE      1 b>a  y1 sdp=10.0.0.2:5200:sendrecv:image
      520  alice>bob  200 INVITE  1 b>a  y1 sdp=10.0.0.1:4200:sendrecv:image
      530  bob>alice  ACK         1 b>a  y2
      900  bob>alice  INVITE      2 b>a  y3 sdp=10.0.0.2:5000
      920  alice>bob  200 INVITE  2 b>a  y3 sdp=10.0.0.1:4000`)
    expect(media.slice(2)).toEqual([
      'media callee image 10.0.0.2:5200',
      'media caller image 10.0.0.1:4200',
      'media callee 10.0.0.2:5000',
      'media caller 10.0.0.1:4000',
    ])
  })
})

describe('case 6: hold by re-INVITE', () => {
  it('lasts from the answer to sendonly until the answer to sendrecv, by who offered it', () => {
    const { call } = follow(`${ANSWERED}
      1000 bob>alice  INVITE      1 b>a  y1 sdp=10.0.0.2:5000:sendonly
      1020 alice>bob  200 INVITE  1 b>a  y1 sdp=10.0.0.1:4000:recvonly
      1030 bob>alice  ACK         1 b>a  y2
      6000 bob>alice  INVITE      2 b>a  y3 sdp=10.0.0.2:5000
      6020 alice>bob  200 INVITE  2 b>a  y3 sdp=10.0.0.1:4000`)
    expect(call.holds).toEqual([{ startMs: at(1020), endMs: at(6020), by: 'callee' }])
    expect(heldMs(call.holds, at(0), at(9000))).toBe(5000)
  })

  it('a refused or unanswered re-INVITE holds nobody', () => {
    const { call } = follow(`${ANSWERED}
      1000 bob>alice  INVITE      1 b>a  y1 sdp=10.0.0.2:5000:sendonly
      1020 alice>bob  491 INVITE  1 b>a  y1`)
    expect(call.holds).toEqual([])
  })

  it('works by UPDATE, by inactive and by the address 0.0.0.0', () => {
    for (const sdp of ['10.0.0.1:4000:inactive', '0.0.0.0:4000', '10.0.0.1:4000:sendonly']) {
      const { call } = follow(`${ANSWERED}
        1000 alice>bob  UPDATE      2 a>b  z3 sdp=${sdp}
        1020 bob>alice  200 UPDATE  2 a>b  z3 sdp=10.0.0.2:5000:recvonly`)
      expect(call.holds).toEqual([{ startMs: at(1020), by: 'caller' }])
    }
  })

  it('a 0.0.0.0 with port 9 is a placeholder of ICE, not a hold', () => {
    const { call } = follow(`${ANSWERED}
      1000 alice>bob  INVITE      2 a>b  z3 sdp=0.0.0.0:9
      1020 bob>alice  200 INVITE  2 a>b  z3 sdp=10.0.0.2:5000`)
    expect(call.holds).toEqual([])
  })

  it('each party can hold the other; resuming one leaves the other', () => {
    const { call } = follow(`${ANSWERED}
      1000 alice>bob  INVITE      2 a>b  z3 sdp=10.0.0.1:4000:sendonly
      1020 bob>alice  200 INVITE  2 a>b  z3 sdp=10.0.0.2:5000:recvonly
      2000 bob>alice  INVITE      1 b>a  y1 sdp=10.0.0.2:5000:inactive
      2020 alice>bob  200 INVITE  1 b>a  y1 sdp=10.0.0.1:4000:inactive
      3000 bob>alice  INVITE      2 b>a  y3 sdp=10.0.0.2:5000
      3020 alice>bob  200 INVITE  2 b>a  y3 sdp=10.0.0.1:4000:sendonly
      4000 alice>bob  INVITE      3 a>b  z5 sdp=10.0.0.1:4000
      4020 bob>alice  200 INVITE  3 a>b  z5 sdp=10.0.0.2:5000`)
    expect(call.holds).toEqual([
      { startMs: at(1020), endMs: at(4020), by: 'caller' },
      { startMs: at(2020), endMs: at(3020), by: 'callee' },
    ])
    expect(heldMs(call.holds, at(0), at(9000))).toBe(3000)
  })

  it('ends with the call', () => {
    const { call } = follow(`${ANSWERED}
      1000 alice>bob  INVITE      2 a>b  z3 sdp=10.0.0.1:4000:sendonly
      1020 bob>alice  200 INVITE  2 a>b  z3 sdp=10.0.0.2:5000:recvonly
      2000 bob>alice  BYE         1 b>a  y1`)
    expect(call.holds).toEqual([{ startMs: at(1020), endMs: at(2000), by: 'caller' }])
  })

  it('a call that is one-way from the start is not on hold, and its refreshes do not make it so', () => {
    const { call } = follow(`
      0    alice>bob  INVITE      1 a>   z1 sdp=10.0.0.1:4000:sendonly
      100  bob>alice  200 INVITE  1 a>b  z1 sdp=10.0.0.2:5000:recvonly
      110  alice>bob  ACK         1 a>b  z2
      900  alice>bob  INVITE      2 a>b  z3 sdp=10.0.0.1:4000:sendonly
      920  bob>alice  200 INVITE  2 a>b  z3 sdp=10.0.0.2:5000:recvonly`)
    expect(call.holds).toEqual([])
  })

  it('preconditions that open with inactive and an UPDATE are no hold (RFC 3312), a later hold is', () => {
    const { call } = follow(`
      0    alice>bob  INVITE      1 a>   z1 sdp=10.0.0.1:4000:inactive
      50   bob>alice  183 INVITE  1 a>b  z1 sdp=10.0.0.2:5000:inactive
      60   alice>bob  UPDATE      2 a>b  z2 sdp=10.0.0.1:4000
      70   bob>alice  200 UPDATE  2 a>b  z2 sdp=10.0.0.2:5000
      100  bob>alice  200 INVITE  1 a>b  z1
      110  alice>bob  ACK         1 a>b  z3
      900  alice>bob  INVITE      3 a>b  z4 sdp=10.0.0.1:4000:inactive
      920  bob>alice  200 INVITE  3 a>b  z4 sdp=10.0.0.2:5000:inactive`)
    expect(call.holds).toEqual([{ startMs: at(920), by: 'caller' }])
  })
})
