import { describe, expect, it } from 'vitest'
import { ANSWERED, at, followLadder, LADDER_START_MS, ladderPackets } from './tracker-ladder.js'
import { callTimings } from './tracker-timings.js'

describe('a call from INVITE to BYE', () => {
  const { call, events } = followLadder(`${ANSWERED}
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

describe('no answer', () => {
  it('an INVITE without any response times out 32 s after it was first sent (RFC 3261 Timer B)', () => {
    const { call, events, wait } = followLadder(`
      0    alice>bob  INVITE      1 a>   z1
      500  alice>bob  INVITE      1 a>   z1
      1500 alice>bob  INVITE      1 a>   z1`)
    wait(30_400)
    expect(events).toEqual(['start'])
    wait(200)
    expect(events.at(-1)).toBe('end timeout')
    expect(call).toMatchObject({ retransmissions: 2, endMs: at(32_000) })
  })

  it('a ringing call times out 3 minutes after the last provisional response', () => {
    const { call, wait } = followLadder(`
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
    const { log, tracker, wait } = followLadder('0 alice>bob INVITE 1 a> z1')
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
    const { call, events, finish, tracker } = followLadder(ANSWERED)
    finish()
    expect(call.state).toBe('in_progress')
    expect(events.at(-1)).not.toMatch(/^end/)
    expect(tracker.openCalls()).toEqual([call])
  })
})

describe('what else a call tells', () => {
  it('keeps user agents, Session-ID and defects', () => {
    const { call } = followLadder(`
      0    alice>bob  INVITE      1 a>   z1 User-Agent:Phone_1.0 Session-ID:ab30317f1a784dc48ff824d0d3715d86;remote=0
      10   bob>alice  100 INVITE  1 a>   z1 Server:Proxy
      20   bob>alice  180 INVITE  1 a>b  z1 Server:PBX_2`)
    expect(call.userAgents).toEqual({ caller: 'Phone 1.0', callee: 'PBX 2' })
    expect(call.sessionId).toBe('ab30317f1a784dc48ff824d0d3715d86')
  })

  it('links calls both ways by Replaces, and by the Replaces of a Refer-To, whichever comes first', () => {
    const { calls } = followLadder(`
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
    const { calls, tracker } = followLadder(`
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
    const { log, tracker, call } = followLadder(ANSWERED, { maxCalls: 100 })
    const [flood] = ladderPackets('3000 dave>bob INVITE 1 d> q1 call=flood')
    for (let number = 0; number < 2_000; number++) {
      tracker.onMessage({
        ...flood,
        message: Object.assign(Object.create(flood.message), { callId: `f${number}` }),
      })
    }
    expect(tracker.size).toBe(100)
    expect(tracker.counters.evictedCalls).toBe(1_901)
    expect(tracker.openCalls()).toContain(call)
    expect(log.events.filter((event) => event === 'end in_progress')).toHaveLength(1_901)
  })

  it('expire forgets a call that its media show to be over, also when its Call-ID was used again', () => {
    const { log, tracker, call } = followLadder(`${ANSWERED}
      90000 alice>bob  INVITE      1 a>   z9 sdp=10.0.0.1:4000`)
    expect(tracker.size).toBe(2)
    tracker.touch(call, at(91_000))
    expect(call.lastMs).toBe(at(91_000))
    tracker.expire(call)
    expect(tracker.size).toBe(1)
    expect(tracker.openCalls()).toEqual([log.calls[1]])
  })

  it('a capture clock that steps back does not time out what comes after', () => {
    const { tracker, wait, log } = followLadder('0 alice>bob INVITE 1 a> z1')
    tracker.onTime(LADDER_START_MS + 86_400_000)
    tracker.onTime(LADDER_START_MS)
    tracker.onMessage({ ...ladderPackets('0 alice>bob INVITE 1 a> z1 call=later')[0] })
    wait(31_000)
    expect(log.calls[1].state).toBe('in_progress')
    wait(2_000)
    expect(log.calls[1].state).toBe('timeout')
  })
})
