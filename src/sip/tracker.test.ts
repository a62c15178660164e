import { describe, expect, it } from 'vitest'
import { EventLog, LADDER_START_MS, ladderPackets } from './tracker-ladder.js'
import { callTimings } from './tracker-timings.js'
import { SignallingTracker, type TrackerOptions } from './tracker.js'

function follow(ladder: string, options?: TrackerOptions) {
  const log = new EventLog()
  const tracker = new SignallingTracker(log, options)
  let lastMs = LADDER_START_MS
  for (const packet of ladderPackets(ladder)) {
    tracker.onTime(packet.timeMs)
    tracker.onMessage(packet)
    lastMs = packet.timeMs
  }
  const wait = (ms: number) => tracker.onTime((lastMs += ms))
  const finish = () => tracker.finish(lastMs)
  return { ...log, log, tracker, call: log.calls[0], wait, finish }
}

const at = (ms: number) => LADDER_START_MS + ms

const ANSWERED = `
  0    alice>bob  INVITE      1 a>   z1 sdp=10.0.0.1:4000
  20   bob>alice  100 INVITE  1 a>   z1
  100  bob>alice  180 INVITE  1 a>b  z1
  2000 bob>alice  200 INVITE  1 a>b  z1 sdp=10.0.0.2:5000
  2010 alice>bob  ACK         1 a>b  z2`

describe('a call from INVITE to BYE', () => {
  const { call, events } = follow(`${ANSWERED}
    9000 bob>alice  BYE         1 b>a  y1 Reason:Q.850;cause=16
    9010 alice>bob  200 BYE     1 b>a  y1`)

  it('tells its start, the media of both parties, the answer and the end, in this order', () => {
    expect(events).toEqual([
      'start',
      'media caller 10.0.0.1:4000',
      'answer',
      'media callee 10.0.0.2:5000',
      'end completed 200',
    ])
  })

  it('has the parties of the INVITE and the time of every step', () => {
    expect(call).toMatchObject({
      callId: 'call-1',
      caller: 'alice',
      callee: 'bob',
      fromTag: 'a',
      toTag: 'b',
      state: 'completed',
      endedBy: 'callee',
      callerSignalling: { address: '10.0.0.1', port: 5060 },
      calleeSignalling: { address: '10.0.0.2', port: 5060 },
      inviteMs: at(0),
      tryingMs: at(20),
      progressMs: at(100),
      ringingMs: at(100),
      answerMs: at(2000),
      ackMs: at(2010),
      byeMs: at(9000),
      endMs: at(9000),
      lastMs: at(9010),
      retransmissions: 0,
      reasonHeader: 'Q.850;cause=16',
    })
  })

  it('has post-dial delay, set-up time and ringing time', () => {
    expect(callTimings(call)).toEqual({ pddMs: 100, setupMs: 2000, ringMs: 1900 })
  })
})

describe('case 18: forking, 3xx, CANCEL, 401/407 are one attempt each', () => {
  it('an INVITE repeated with credentials after 407 and 401 is one attempt, timed from the first INVITE', () => {
    const { calls, call } = follow(`
      0   alice>proxy INVITE      1 a>   z1 sdp=10.0.0.1:4000
      10  proxy>alice 407 INVITE  1 a>p  z1
      12  alice>proxy ACK         1 a>p  z1
      30  alice>proxy INVITE      2 a>   z2 sdp=10.0.0.1:4000
      40  proxy>alice 401 INVITE  2 a>q  z2
      42  alice>proxy ACK         2 a>q  z2
      60  alice>proxy INVITE      3 a>   z3 sdp=10.0.0.1:4000
      90  proxy>alice 180 INVITE  3 a>b  z3
      200 proxy>alice 200 INVITE  3 a>b  z3 sdp=10.0.0.2:5000
      210 alice>proxy ACK         3 a>b  z4
      900 alice>proxy BYE         4 a>b  z5`)
    expect(calls).toHaveLength(1)
    expect(call).toMatchObject({
      state: 'completed',
      authChallenges: 2,
      finalStatus: 200,
      retransmissions: 0,
    })
    expect(callTimings(call)).toEqual({ pddMs: 90, setupMs: 200, ringMs: 110 })
  })

  it('a challenge that nobody answers is a failure, told after the wait for credentials', () => {
    const { call, events, wait } = follow(`
      0   alice>proxy INVITE      1 a>   z1
      10  proxy>alice 401 INVITE  1 a>p  z1`)
    wait(63_000)
    expect(events).not.toContain('end failed 401')
    wait(2_000)
    expect(events).toContain('end failed 401')
    expect(call.endMs).toBe(at(10))
  })

  it('a challenge that waits at the end of the capture is a failure, not in progress', () => {
    const { call, finish } = follow(`
      0   alice>proxy INVITE      1 a>   z1
      10  proxy>alice 407 INVITE  1 a>p  z1`)
    finish()
    expect(call.state).toBe('failed')
  })

  it('a 302 followed by an INVITE of the same Call-ID counts as a redirection', () => {
    const { calls, call } = follow(`
      0   alice>bob   INVITE      1 a>   z1 sdp=10.0.0.1:4000
      10  bob>alice   302 INVITE  1 a>b  z1
      12  alice>bob   ACK         1 a>b  z1
      30  alice>carol INVITE      2 a>   z2 sdp=10.0.0.1:4002
      90  carol>alice 200 INVITE  2 a>c  z2 sdp=10.0.0.3:5000
      95  alice>carol ACK         2 a>c  z3`)
    expect(calls).toHaveLength(1)
    expect(call).toMatchObject({
      redirects: 1,
      toTag: 'c',
      state: 'in_progress',
      calleeSignalling: { address: '10.0.0.3' },
      callerMedia: { media: [{ port: 4002 }] },
      calleeMedia: { media: [{ port: 5000 }] },
    })
  })

  it('a 302 that nobody follows is a failure', () => {
    const { events, wait } = follow(`
      0   alice>bob   INVITE      1 a>   z1
      10  bob>alice   302 INVITE  1 a>b  z1`)
    wait(65_000)
    expect(events.at(-1)).toBe('end failed 302')
  })

  it('a 488 answered by an INVITE with other codecs is one attempt', () => {
    const { calls, call } = follow(`
      0   alice>bob  INVITE      1 a>   z1 sdp=10.0.0.1:4000
      10  bob>alice  488 INVITE  1 a>b  z1
      12  alice>bob  ACK         1 a>b  z1
      500 alice>bob  INVITE      2 a>   z2 sdp=10.0.0.1:4000
      900 bob>alice  200 INVITE  2 a>b  z2 sdp=10.0.0.2:5000`)
    expect(calls).toHaveLength(1)
    expect(call).toMatchObject({ state: 'in_progress', finalStatus: 200, authChallenges: 0 })
  })

  it.each([
    [486, 'failed'],
    [600, 'failed'],
    [603, 'failed'],
    [480, 'failed'],
    [408, 'failed'],
    [404, 'failed'],
    [503, 'failed'],
    [606, 'failed'],
    [487, 'cancelled'],
  ])('final status %i ends the attempt as %s', (status, state) => {
    const { call, events, wait } = follow(`
      0   alice>bob  INVITE            1 a>   z1
      50  bob>alice  180 INVITE        1 a>b  z1
      70  bob>alice  ${status} INVITE  1 a>b  z1
      72  alice>bob  ACK               1 a>b  z1`)
    wait(2_100)
    expect(call).toMatchObject({ state, finalStatus: status, endMs: at(70) })
    expect(events.filter((event) => event.startsWith('end'))).toHaveLength(1)
  })

  it('CANCEL and its 487 make a cancelled call', () => {
    const { call } = follow(`
      0    alice>bob  INVITE      1 a>   z1
      50   bob>alice  180 INVITE  1 a>b  z1
      3000 alice>bob  CANCEL      1 a>   z1
      3010 bob>alice  200 CANCEL  1 a>b  z1
      3012 bob>alice  487 INVITE  1 a>b  z1
      3020 alice>bob  ACK         1 a>b  z1`)
    expect(call).toMatchObject({ state: 'cancelled', endedBy: 'caller', cancelMs: at(3000), endMs: at(3012) })
    expect(callTimings(call)).toEqual({ pddMs: 50 })
  })

  it('a 200 OK that crosses the CANCEL is an answered call', () => {
    const { call, events } = follow(`
      0    alice>bob  INVITE      1 a>   z1 sdp=10.0.0.1:4000
      50   bob>alice  180 INVITE  1 a>b  z1
      3000 alice>bob  CANCEL      1 a>   z1
      3001 bob>alice  200 INVITE  1 a>b  z1 sdp=10.0.0.2:5000
      3010 bob>alice  200 CANCEL  1 a>b  z1
      3020 alice>bob  ACK         1 a>b  z2
      3030 alice>bob  BYE         2 a>b  z3`)
    expect(call).toMatchObject({ state: 'completed', answerMs: at(3001), endMs: at(3030) })
    expect(events).toContain('answer')
  })

  it('a CANCEL whose 487 was not seen is cancelled after the timeout', () => {
    const { call, events, wait } = follow(`
      0    alice>bob  INVITE      1 a>   z1
      3000 alice>bob  CANCEL      1 a>   z1`)
    wait(31_000)
    expect(events).toEqual(['start'])
    wait(1_000)
    expect(call).toMatchObject({ state: 'cancelled', endMs: at(3000) })
  })

  it('a CANCEL whose 487 was not seen is cancelled at the end of the capture', () => {
    const { call, finish } = follow(`
      0    alice>bob  INVITE      1 a>   z1
      3000 alice>bob  CANCEL      1 a>   z1`)
    finish()
    expect(call.state).toBe('cancelled')
  })

  it('the to-tag of the first 2xx is the call; a losing branch that is hung up does not end it', () => {
    const { call, events } = follow(`
      0    alice>proxy INVITE      1 a>   z1 sdp=10.0.0.1:4000
      50   proxy>alice 183 INVITE  1 a>b  z1 sdp=10.0.0.2:5000
      60   proxy>alice 183 INVITE  1 a>c  z1 sdp=10.0.0.3:6000
      2000 proxy>alice 200 INVITE  1 a>b  z1 sdp=10.0.0.2:5000
      2001 proxy>alice 200 INVITE  1 a>c  z1 sdp=10.0.0.3:6000
      2010 alice>proxy ACK         1 a>b  z2
      2011 alice>proxy ACK         1 a>c  z3
      2012 alice>proxy BYE         2 a>c  z4
      2020 proxy>alice 200 BYE     2 a>c  z4`)
    expect(call).toMatchObject({ state: 'in_progress', toTag: 'b', answerMs: at(2000) })
    expect(call.calleeMedia?.media[0]).toMatchObject({ address: '10.0.0.2', port: 5000 })
    expect(events).toEqual([
      'start',
      'media caller 10.0.0.1:4000',
      'media callee 10.0.0.2:5000',
      'media callee 10.0.0.3:6000',
      'answer',
      'media callee 10.0.0.2:5000',
    ])
    expect(call.mediaHistory.map((known) => known.branchTag)).toEqual(['', 'b', 'c'])
  })

  it('the winning branch keeps the answer of its 183 when its 200 has none', () => {
    const { call } = follow(`
      0    alice>proxy INVITE      1 a>   z1 sdp=10.0.0.1:4000
      50   proxy>alice 183 INVITE  1 a>b  z1 sdp=10.0.0.2:5000
      60   proxy>alice 183 INVITE  1 a>c  z1 sdp=10.0.0.3:6000
      2000 proxy>alice 200 INVITE  1 a>b  z1`)
    expect(call.calleeMedia).toMatchObject({ branchTag: 'b', media: [{ port: 5000 }] })
  })

  it('INVITEs sent over several interfaces at once are one call: that whose 2xx came first', () => {
    const { calls, call } = follow(`
      0    alice>bob  INVITE      1 a>   z1 sdp=10.0.0.1:4000
      60   alice>bob  INVITE      2 a>   z2 sdp=10.0.0.1:4002
      90   bob>alice  200 INVITE  1 a>b  z1 sdp=10.0.0.2:5000
      130  alice>bob  CANCEL      2 a>   z2
      148  alice>bob  ACK         1 a>b  z4
      150  bob>alice  200 INVITE  2 a>b  z2 sdp=10.0.0.2:5002
      193  alice>bob  ACK         2 a>b  z5`)
    expect(calls).toHaveLength(1)
    expect(call).toMatchObject({
      state: 'in_progress',
      callerMedia: { media: [{ port: 4000 }] },
      calleeMedia: { media: [{ port: 5000 }] },
    })
  })
})

describe('no answer', () => {
  it('an INVITE without any response times out 32 s after its last transmission', () => {
    const { call, events, wait } = follow(`
      0    alice>bob  INVITE      1 a>   z1
      500  alice>bob  INVITE      1 a>   z1
      1500 alice>bob  INVITE      1 a>   z1`)
    wait(31_900)
    expect(events).toEqual(['start'])
    wait(200)
    expect(events.at(-1)).toBe('end timeout')
    expect(call).toMatchObject({ retransmissions: 2, endMs: at(33_500) })
  })

  it('a ringing call times out 3 minutes after the last provisional response', () => {
    const { call, wait } = follow(`
      0     alice>bob  INVITE      1 a>   z1
      100   bob>alice  180 INVITE  1 a>b  z1
      60100 bob>alice  180 INVITE  1 a>b  z1`)
    wait(179_000)
    expect(call.state).toBe('in_progress')
    wait(1_100)
    expect(call.state).toBe('timeout')
    expect(call.retransmissions).toBe(0)
  })

  it('an answer after the timeout is a call of its own, with a key of its own', () => {
    const { log, tracker, wait } = follow('0 alice>bob INVITE 1 a> z1')
    wait(33_000)
    for (const packet of ladderPackets('40000 bob>alice 200 INVITE 1 a>b z1 sdp=10.0.0.2:5000')) {
      tracker.onMessage(packet)
    }
    expect(log.calls.map(({ key, state, sawInvite }) => [key, state, sawInvite])).toEqual([
      ['call-1', 'timeout', true],
      ['call-1#2', 'in_progress', false],
    ])
  })

  it('open calls stay in progress at the end of the capture', () => {
    const { call, events, finish, tracker } = follow(ANSWERED)
    finish()
    expect(call.state).toBe('in_progress')
    expect(events.at(-1)).not.toMatch(/^end/)
    expect([...tracker.openCalls()]).toEqual([call])
  })
})

describe('retransmissions and copies', () => {
  it('counts requests and responses sent again, 2xx too, but not the ACKs that answer them', () => {
    const { call, tracker } = follow(`
      0    alice>bob  INVITE      1 a>   z1
      500  alice>bob  INVITE      1 a>   z1
      600  bob>alice  180 INVITE  1 a>b  z1
      1100 bob>alice  180 INVITE  1 a>b  z1
      2000 bob>alice  200 INVITE  1 a>b  z1 sdp=10.0.0.2:5000
      2500 bob>alice  200 INVITE  1 a>b  z1 sdp=10.0.0.2:5000
      2510 alice>bob  ACK         1 a>b  z2
      3500 bob>alice  200 INVITE  1 a>b  z1 sdp=10.0.0.2:5000
      3510 alice>bob  ACK         1 a>b  z2
      9000 alice>bob  BYE         2 a>b  z3
      9500 alice>bob  BYE         2 a>b  z3
      9510 bob>alice  200 BYE     2 a>b  z3`)
    expect(call.retransmissions).toBe(5)
    expect(tracker.counters.retransmissions).toBe(5)
    expect(call.answerMs).toBe(at(2000))
  })

  it('copies that a mirror makes of both VLANs within 50 ms are not retransmissions', () => {
    const { call, calls, tracker } = follow(`
      0    alice>bob  INVITE      1 a>   z1 vlan=10
      1    alice>bob  INVITE      1 a>   z1 vlan=20
      100  bob>alice  180 INVITE  1 a>b  z1 vlan=20
      130  bob>alice  180 INVITE  1 a>b  z1 vlan=10`)
    expect(calls).toHaveLength(1)
    expect(call.retransmissions).toBe(0)
    expect(tracker.counters.duplicates).toBe(2)
    expect(call.vlan).toBe(10)
  })

  it('a call seen before and behind a proxy is one call without retransmissions; the first leg counts', () => {
    const { calls, call, events } = follow(`
      0    alice>proxy INVITE      1 a>   z1 sdp=10.0.0.1:4000
      5    proxy>bob   INVITE      1 a>   y1 sdp=10.0.0.9:7000
      10   proxy>alice 100 INVITE  1 a>   z1
      100  bob>proxy   180 INVITE  1 a>b  y1
      105  proxy>alice 180 INVITE  1 a>b  z1
      2000 bob>proxy   200 INVITE  1 a>b  y1 sdp=10.0.0.2:5000
      2005 proxy>alice 200 INVITE  1 a>b  z1 sdp=10.0.0.9:7002
      2010 alice>proxy ACK         1 a>b  z2
      2015 proxy>bob   ACK         1 a>b  y2
      9000 bob>proxy   BYE         7 b>a  x1
      9005 proxy>alice BYE         7 b>a  x2
      9010 alice>proxy 200 BYE     7 b>a  x2
      9015 proxy>bob   200 BYE     7 b>a  x1`)
    expect(calls).toHaveLength(1)
    expect(call).toMatchObject({
      retransmissions: 0,
      callerSignalling: { address: '10.0.0.1' },
      calleeSignalling: { address: '10.0.0.9' },
      endedBy: 'callee',
    })
    expect(events).toEqual([
      'start',
      'media caller 10.0.0.1:4000',
      'answer',
      'media callee 10.0.0.9:7002',
      'end completed 200',
    ])
    expect(call.mediaHistory.map((known) => [known.party, known.hop, known.media[0].port])).toEqual([
      ['caller', undefined, 4000],
      ['caller', 1, 7000],
      ['callee', 1, 5000],
      ['callee', undefined, 7002],
    ])
  })

  it('a busy branch behind a forking proxy is not the end of the call', () => {
    const { call } = follow(`
      0    alice>proxy INVITE      1 a>   z1 sdp=10.0.0.1:4000
      5    proxy>bob   INVITE      1 a>   y1 sdp=10.0.0.1:4000
      6    proxy>carol INVITE      1 a>   y2 sdp=10.0.0.1:4000
      90   bob>proxy   486 INVITE  1 a>b  y1
      91   proxy>bob   ACK         1 a>b  y1
      900  carol>proxy 200 INVITE  1 a>c  y2 sdp=10.0.0.3:6000
      905  proxy>alice 200 INVITE  1 a>c  z1 sdp=10.0.0.3:6000`)
    expect(call).toMatchObject({ state: 'in_progress', finalStatus: 200, toTag: 'c' })
  })

  it('a CANCEL from the proxy to one branch does not cancel the call', () => {
    const { call } = follow(`
      0    alice>proxy INVITE      1 a>   z1
      5    proxy>bob   INVITE      1 a>   y1
      900  proxy>bob   CANCEL      1 a>   y1
      910  bob>proxy   487 INVITE  1 a>b  y1
      950  proxy>carol INVITE      1 a>   y2
      990  proxy>alice 180 INVITE  1 a>c  z1`)
    expect(call.cancelMs).toBeUndefined()
    expect(call.state).toBe('in_progress')
  })
})

describe('case 20: response before INVITE, BYE before INVITE', () => {
  it('takes a response captured just before its INVITE', () => {
    const { calls, call, events } = follow(`
      0    bob>alice  180 INVITE  1 a>b  z1
      3    alice>bob  INVITE      1 a>   z1 sdp=10.0.0.1:4000
      900  bob>alice  200 INVITE  1 a>b  z1 sdp=10.0.0.2:5000
      910  alice>bob  ACK         1 a>b  z2`)
    expect(calls).toHaveLength(1)
    expect(call).toMatchObject({ sawInvite: true, caller: 'alice', inviteMs: at(0), ringingMs: at(0) })
    expect(events).toEqual(['start', 'media caller 10.0.0.1:4000', 'answer', 'media callee 10.0.0.2:5000'])
  })

  it('takes a 200 captured before its INVITE', () => {
    const { calls, call } = follow(`
      0    bob>alice  200 INVITE  1 a>b  z1 sdp=10.0.0.2:5000
      3    alice>bob  INVITE      1 a>   z1 sdp=10.0.0.1:4000
      10   alice>bob  ACK         1 a>b  z2`)
    expect(calls).toHaveLength(1)
    expect(call).toMatchObject({
      sawInvite: true,
      answerMs: at(0),
      callerMedia: { media: [{ port: 4000 }], role: 'offer' },
      calleeMedia: { media: [{ port: 5000 }] },
    })
  })

  it('takes the INVITE, 200 and ACK of a call whose BYE was captured first', () => {
    const { calls, call, events, wait } = follow(`
      0    bob>alice  BYE         1 b>a  y1
      2    alice>bob  INVITE      1 a>   z1 sdp=10.0.0.1:4000
      3    bob>alice  200 INVITE  1 a>b  z1 sdp=10.0.0.2:5000
      4    alice>bob  ACK         1 a>b  z2`)
    wait(1_100)
    expect(calls).toHaveLength(1)
    expect(call).toMatchObject({
      state: 'completed',
      caller: 'alice',
      callee: 'bob',
      fromTag: 'a',
      toTag: 'b',
      endedBy: 'callee',
      answerMs: at(3),
      endMs: at(0),
    })
    expect(events.at(-1)).toBe('end completed 200')
  })

  it('the next INVITE captured before the 407 that it answers is the same attempt', () => {
    const { calls, call } = follow(`
      0   alice>proxy INVITE      1 a>   z1
      30  alice>proxy INVITE      2 a>   z2
      31  proxy>alice 407 INVITE  1 a>p  z1
      60  proxy>alice 180 INVITE  2 a>b  z2`)
    expect(calls).toHaveLength(1)
    expect(call).toMatchObject({ state: 'in_progress', authChallenges: 1 })
  })

  it('a capture that starts with a BYE shows a completed call; CSeq 1 makes its sender the callee', () => {
    const { call, wait } = follow('0 bob>alice BYE 1 b>a y1')
    wait(1_100)
    expect(call).toMatchObject({
      sawInvite: false,
      state: 'completed',
      caller: 'alice',
      callee: 'bob',
      endedBy: 'callee',
      callerSignalling: { address: '10.0.0.1' },
    })
    expect(call.answerMs).toBeUndefined()
    expect(callTimings(call)).toEqual({})
  })

  it('a capture that starts with a BYE of higher CSeq takes its sender for the caller', () => {
    const { call } = follow('0 alice>bob BYE 2 a>b y1')
    expect(call).toMatchObject({ caller: 'alice', endedBy: 'caller' })
  })

  it('a capture that starts with 200 and ACK knows both parties and their media', () => {
    const { call, wait } = follow(`
      0    bob>alice  200 INVITE  7 a>b  z1 sdp=10.0.0.2:5000
      10   alice>bob  ACK         7 a>b  z2 sdp=10.0.0.1:4000`)
    wait(600_000)
    expect(call).toMatchObject({
      sawInvite: false,
      state: 'in_progress',
      caller: 'alice',
      callerMedia: { media: [{ port: 4000 }] },
      calleeMedia: { media: [{ port: 5000 }] },
    })
  })

  it('a capture that starts with a re-INVITE of the callee is an answered call with the media it agrees on', () => {
    const { call, wait } = follow(`
      0    bob>alice  INVITE      1 b>a  y1 sdp=10.0.0.2:5000:sendonly
      20   alice>bob  200 INVITE  1 b>a  y1 sdp=10.0.0.1:4000:recvonly
      30   bob>alice  ACK         1 b>a  y2`)
    wait(600_000)
    expect(call).toMatchObject({
      sawInvite: false,
      state: 'in_progress',
      caller: 'alice',
      callee: 'bob',
      toTag: 'b',
      callerMedia: { media: [{ port: 4000 }] },
      calleeMedia: { media: [{ port: 5000 }] },
      holds: [{ startMs: at(20), by: 'callee' }],
    })
  })

  it('an ACK alone is not a call: it may acknowledge a failure', () => {
    expect(follow('0 alice>bob ACK 1 a>b z1').calls).toHaveLength(0)
  })

  it('an ACK with its own branch proves the 2xx that a one-way mirror did not show', () => {
    const { call } = follow(`
      0    alice>bob  INVITE 1 a>   z1 sdp=10.0.0.1:4000
      2010 alice>bob  ACK    1 a>b  z2
      9000 alice>bob  BYE    2 a>b  z3`)
    expect(call).toMatchObject({ state: 'completed', ackMs: at(2010), toTag: 'b', endMs: at(9000) })
    expect(call.answerMs).toBeUndefined()
  })

  it('a BYE without seen 2xx completes the call', () => {
    const { call, wait } = follow(`
      0    alice>bob  INVITE      1 a>   z1
      50   bob>alice  180 INVITE  1 a>b  z1
      9000 bob>alice  BYE         1 b>a  y1`)
    wait(1_100)
    expect(call).toMatchObject({ state: 'completed', endedBy: 'callee', toTag: 'b' })
  })

  it('a BYE on an early dialog, followed by 487, is a cancelled call (RFC 3261 15.1.2)', () => {
    const { call, wait } = follow(`
      0    alice>bob  INVITE      1 a>   z1
      50   bob>alice  180 INVITE  1 a>b  z1
      900  alice>bob  BYE         2 a>b  z2
      910  bob>alice  200 BYE     2 a>b  z2
      912  bob>alice  487 INVITE  1 a>b  z1`)
    wait(1_100)
    expect(call).toMatchObject({ state: 'cancelled', finalStatus: 487 })
  })
})

describe('the same Call-ID again', () => {
  it('is another call when the first one ended, with a key of its own', () => {
    const { calls } = follow(`${ANSWERED}
      2500 bob>alice  BYE         1 b>a  y1
      2510 alice>bob  200 BYE     1 b>a  y1
      3000 carol>bob  INVITE      1 a>   z1 sdp=10.0.0.3:4000`)
    expect(calls.map(({ key, state }) => [key, state])).toEqual([
      ['call-1', 'completed'],
      ['call-1#2', 'in_progress'],
    ])
  })

  it('with another From-tag is another call, and each BYE ends its own', () => {
    const { calls } = follow(`${ANSWERED}
      3000 proxy>carol INVITE      1 p>   x1 sdp=10.0.0.9:4000
      3100 carol>proxy 200 INVITE  1 p>c  x1 sdp=10.0.0.3:4000
      3110 proxy>carol ACK         1 p>c  x2
      9000 carol>proxy BYE         1 c>p  x3`)
    expect(calls.map(({ fromTag, state }) => [fromTag, state])).toEqual([
      ['a', 'in_progress'],
      ['p', 'completed'],
    ])
  })

  it('a late retransmission of BYE is absorbed, not a new call', () => {
    const { calls, call, tracker, wait } = follow(`${ANSWERED}
      9000  alice>bob  BYE         2 a>b  z3
      9010  bob>alice  200 BYE     2 a>b  z3
      40000 alice>bob  BYE         2 a>b  z3`)
    expect(calls).toHaveLength(1)
    expect(call.retransmissions).toBe(1)
    wait(2_000)
    expect(tracker.size).toBe(0)
  })
})

describe('what else a call tells', () => {
  it('keeps user agents, Session-ID and defects', () => {
    const { call } = follow(`
      0    alice>bob  INVITE      1 a>   z1 User-Agent:Phone_1.0 Session-ID:ab30317f1a784dc48ff824d0d3715d86;remote=0
      10   bob>alice  100 INVITE  1 a>   z1 Server:Proxy
      20   bob>alice  180 INVITE  1 a>b  z1 Server:PBX_2`)
    expect(call.userAgents).toEqual({ caller: 'Phone 1.0', callee: 'PBX 2' })
    expect(call.sessionId).toBe('ab30317f1a784dc48ff824d0d3715d86')
  })

  it('links calls both ways by Replaces, and by the Replaces of a Refer-To, whichever comes first', () => {
    const { calls } = follow(`
      0    alice>bob   INVITE     1 a>   z1 call=first
      10   bob>alice   200 INVITE 1 a>b  z1 call=first
      50   bob>carol   INVITE     1 b>   y1 call=second Replaces:first;to-tag=b;from-tag=a
      90   alice>bob   REFER      2 a>b  z3 call=first Refer-To:<sip:d@x?Replaces=third%40x%3Bto-tag%3D1>
      99   dave>alice  INVITE     1 d>   x1 call=third@x`)
    expect(calls.map(({ callId, relatedCallIds, referred }) => [callId, relatedCallIds, referred])).toEqual([
      ['first', ['second', 'third@x'], true],
      ['second', ['first'], false],
      ['third@x', ['first'], false],
    ])
  })

  it('counts everything else without making calls of it', () => {
    const { calls, tracker } = follow(`
      0    alice>bob   MESSAGE       1 a>   z1
      10   bob>alice   200 MESSAGE   1 a>b  z1
      20   alice>bob   SUBSCRIBE     1 a>   z2 call=2
      30   bob>alice   NOTIFY        1 b>a  z3 call=2
      40   alice>bob   FROBNICATE    1 a>   z4 call=3`)
    expect(calls).toHaveLength(0)
    expect(tracker.counters).toMatchObject({
      messages: 5,
      requests: { MESSAGE: 1, SUBSCRIBE: 1, NOTIFY: 1, OTHER: 1 },
      responses: { '200': 1 },
    })
  })
})

describe('bounds', () => {
  it('a flood of spoofed INVITEs stays within maxCalls and spares answered calls', () => {
    const { log, tracker, call } = follow(ANSWERED, { maxCalls: 100 })
    const [flood] = ladderPackets('3000 dave>bob INVITE 1 d> q1 call=flood')
    for (let number = 0; number < 2_000; number++) {
      tracker.onMessage({
        ...flood,
        message: Object.assign(Object.create(flood.message), { callId: `f${number}` }),
      })
    }
    expect(tracker.size).toBe(100)
    expect(tracker.counters.evictedCalls).toBe(1_901)
    expect([...tracker.openCalls()]).toContain(call)
    expect(log.events.filter((event) => event === 'end in_progress')).toHaveLength(1_901)
  })

  it('expire forgets a call that its media show to be over, also when its Call-ID was used again', () => {
    const { log, tracker, call } = follow(`${ANSWERED}
      90000 alice>bob  INVITE      1 a>   z9 sdp=10.0.0.1:4000`)
    expect(tracker.size).toBe(2)
    tracker.touch(call, at(91_000))
    expect(call.lastMs).toBe(at(91_000))
    tracker.expire(call)
    expect(tracker.size).toBe(1)
    expect([...tracker.openCalls()]).toEqual([log.calls[1]])
  })

  it('a capture clock that steps back does not time out what comes after', () => {
    const { tracker, wait, log } = follow('0 alice>bob INVITE 1 a> z1')
    tracker.onTime(LADDER_START_MS + 86_400_000)
    tracker.onTime(LADDER_START_MS)
    tracker.onMessage({ ...ladderPackets('0 alice>bob INVITE 1 a> z1 call=later')[0] })
    wait(31_000)
    expect(log.calls[1].state).toBe('in_progress')
    wait(2_000)
    expect(log.calls[1].state).toBe('timeout')
  })
})
