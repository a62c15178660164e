import { describe, expect, it } from 'vitest'
import { at, followLadder } from './tracker-ladder.js'
import { callTimings } from './tracker-timings.js'

describe('case 20: response before INVITE, BYE before INVITE', () => {
  it('takes a response captured just before its INVITE', () => {
    const { calls, call, events } = followLadder(`
      0    bob>alice  180 INVITE  1 a>b  z1
      3    alice>bob  INVITE      1 a>   z1 sdp=10.0.0.1:4000
      900  bob>alice  200 INVITE  1 a>b  z1 sdp=10.0.0.2:5000
      910  alice>bob  ACK         1 a>b  z2`)
    expect(calls).toHaveLength(1)
    expect(call).toMatchObject({ sawInvite: true, caller: 'alice', inviteMs: at(0), ringingMs: at(0) })
    expect(events).toEqual(['start', 'media caller 10.0.0.1:4000', 'answer', 'media callee 10.0.0.2:5000'])
  })

  it('takes a 200 captured before its INVITE', () => {
    const { calls, call } = followLadder(`
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
    const { calls, call, events, wait } = followLadder(`
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
    const { calls, call } = followLadder(`
      0   alice>proxy INVITE      1 a>   z1
      30  alice>proxy INVITE      2 a>   z2
      31  proxy>alice 407 INVITE  1 a>p  z1
      60  proxy>alice 180 INVITE  2 a>b  z2`)
    expect(calls).toHaveLength(1)
    expect(call).toMatchObject({ state: 'in_progress', authChallenges: 1 })
  })

  it('a capture that starts with a BYE shows a completed call; CSeq 1 makes its sender the callee', () => {
    const { call, wait } = followLadder('0 bob>alice BYE 1 b>a y1')
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
    const { call } = followLadder('0 alice>bob BYE 2 a>b y1')
    expect(call).toMatchObject({ caller: 'alice', endedBy: 'caller' })
  })

  it('a capture that starts with 200 and ACK knows both parties and their media', () => {
    const { call, wait } = followLadder(`
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
    const { call, wait } = followLadder(`
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
    expect(followLadder('0 alice>bob ACK 1 a>b z1').calls).toHaveLength(0)
  })

  it('an ACK with its own branch proves the 2xx that a one-way mirror did not show', () => {
    const { call } = followLadder(`
      0    alice>bob  INVITE 1 a>   z1 sdp=10.0.0.1:4000
      2010 alice>bob  ACK    1 a>b  z2
      9000 alice>bob  BYE    2 a>b  z3`)
    expect(call).toMatchObject({ state: 'completed', ackMs: at(2010), toTag: 'b', endMs: at(9000) })
    expect(call.answerMs).toBeUndefined()
  })

  it('a BYE without seen 2xx completes the call', () => {
    const { call, wait } = followLadder(`
      0    alice>bob  INVITE      1 a>   z1
      50   bob>alice  180 INVITE  1 a>b  z1
      9000 bob>alice  BYE         1 b>a  y1`)
    wait(1_100)
    expect(call).toMatchObject({ state: 'completed', endedBy: 'callee', toTag: 'b' })
  })

  it('a BYE on an early dialog, followed by 487, is a cancelled call (RFC 3261 15.1.2)', () => {
    const { call, wait } = followLadder(`
      0    alice>bob  INVITE      1 a>   z1
      50   bob>alice  180 INVITE  1 a>b  z1
      900  alice>bob  BYE         2 a>b  z2
      910  bob>alice  200 BYE     2 a>b  z2
      912  bob>alice  487 INVITE  1 a>b  z1`)
    wait(1_100)
    expect(call).toMatchObject({ state: 'cancelled', finalStatus: 487 })
  })
})
