import { describe, expect, it } from 'vitest'
import { at, followLadder } from './tracker-ladder.js'
import { callTimings } from './tracker-timings.js'

describe('case 18: forking, 3xx, CANCEL, 401/407 are one attempt each', () => {
  it('an INVITE repeated with credentials after 407 and 401 is one attempt, timed from the first INVITE', () => {
    const { calls, call } = followLadder(`
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
    const { call, events, wait } = followLadder(`
      0   alice>proxy INVITE      1 a>   z1
      10  proxy>alice 401 INVITE  1 a>p  z1`)
    wait(63_000)
    expect(events).not.toContain('end failed 401')
    wait(2_000)
    expect(events).toContain('end failed 401')
    expect(call.endMs).toBe(at(10))
  })

  it('a challenge that waits at the end of the capture is a failure, not in progress', () => {
    const { call, finish } = followLadder(`
      0   alice>proxy INVITE      1 a>   z1
      10  proxy>alice 407 INVITE  1 a>p  z1`)
    finish()
    expect(call.state).toBe('failed')
  })

  it('a 302 followed by an INVITE of the same Call-ID counts as a redirection', () => {
    const { calls, call } = followLadder(`
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
    const { events, wait } = followLadder(`
      0   alice>bob   INVITE      1 a>   z1
      10  bob>alice   302 INVITE  1 a>b  z1`)
    wait(65_000)
    expect(events.at(-1)).toBe('end failed 302')
  })

  it('a 488 answered by an INVITE with other codecs is one attempt', () => {
    const { calls, call } = followLadder(`
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
    const { call, events, wait } = followLadder(`
      0   alice>bob  INVITE            1 a>   z1
      50  bob>alice  180 INVITE        1 a>b  z1
      70  bob>alice  ${status} INVITE  1 a>b  z1
      72  alice>bob  ACK               1 a>b  z1`)
    wait(2_100)
    expect(call).toMatchObject({ state, finalStatus: status, endMs: at(70) })
    expect(events.filter((event) => event.startsWith('end'))).toHaveLength(1)
  })

  it('CANCEL and its 487 make a cancelled call', () => {
    const { call } = followLadder(`
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
    const { call, events } = followLadder(`
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
    const { call, events, wait } = followLadder(`
      0    alice>bob  INVITE      1 a>   z1
      3000 alice>bob  CANCEL      1 a>   z1`)
    wait(31_000)
    expect(events).toEqual(['start'])
    wait(1_000)
    expect(call).toMatchObject({ state: 'cancelled', endMs: at(3000) })
  })

  it('a CANCEL whose 487 was not seen is cancelled at the end of the capture', () => {
    const { call, finish } = followLadder(`
      0    alice>bob  INVITE      1 a>   z1
      3000 alice>bob  CANCEL      1 a>   z1`)
    finish()
    expect(call.state).toBe('cancelled')
  })

  it('the to-tag of the first 2xx is the call; a losing branch that is hung up does not end it', () => {
    const { call, events } = followLadder(`
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
    const { call } = followLadder(`
      0    alice>proxy INVITE      1 a>   z1 sdp=10.0.0.1:4000
      50   proxy>alice 183 INVITE  1 a>b  z1 sdp=10.0.0.2:5000
      60   proxy>alice 183 INVITE  1 a>c  z1 sdp=10.0.0.3:6000
      2000 proxy>alice 200 INVITE  1 a>b  z1`)
    expect(call.calleeMedia).toMatchObject({ branchTag: 'b', media: [{ port: 5000 }] })
  })

  it('INVITEs sent over several interfaces at once are one call: that whose 2xx came first', () => {
    const { calls, call } = followLadder(`
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
