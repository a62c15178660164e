import { describe, expect, it } from 'vitest'
import { ANSWERED, at, EventLog, followLadder, ladderPackets } from './tracker-ladder.js'
import { SignallingTracker } from './tracker.js'

describe('retransmissions and copies', () => {
  it('counts requests and responses sent again, 2xx too, but not the ACKs that answer them', () => {
    const { call, tracker } = followLadder(`
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
    const { call, calls, tracker } = followLadder(`
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
    const { calls, call, events } = followLadder(`
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
    const { call } = followLadder(`
      0    alice>proxy INVITE      1 a>   z1 sdp=10.0.0.1:4000
      5    proxy>bob   INVITE      1 a>   y1 sdp=10.0.0.1:4000
      6    proxy>carol INVITE      1 a>   y2 sdp=10.0.0.1:4000
      90   bob>proxy   486 INVITE  1 a>b  y1
      91   proxy>bob   ACK         1 a>b  y1
      900  carol>proxy 200 INVITE  1 a>c  y2 sdp=10.0.0.3:6000
      905  proxy>alice 200 INVITE  1 a>c  z1 sdp=10.0.0.3:6000`)
    expect(call).toMatchObject({ state: 'in_progress', finalStatus: 200, toTag: 'c' })
  })

  it('tells hops apart within one host by their ports', () => {
    const packets = ladderPackets(`
      0    alice>alice INVITE      1 a>   z1 sdp=10.0.0.1:4000
      5    alice>alice INVITE      1 a>   y1 sdp=10.0.0.1:7000
      6    alice>alice INVITE      1 a>   y2 sdp=10.0.0.1:7002
      90   alice>alice 486 INVITE  1 a>b  y1
      900  alice>alice 200 INVITE  1 a>c  y2 sdp=10.0.0.1:6000
      905  alice>alice 200 INVITE  1 a>c  z1 sdp=10.0.0.1:6002`)
    const sockets = [
      [5061, 5060],
      [5060, 5062],
      [5060, 5063],
      [5062, 5060],
      [5063, 5060],
      [5060, 5061],
    ]
    const log = new EventLog()
    const tracker = new SignallingTracker(log)
    packets.forEach((packet, index) => {
      const [sourcePort, destinationPort] = sockets[index]
      tracker.onMessage({ ...packet, sourcePort, destinationPort })
    })
    expect(log.events).toEqual([
      'start',
      'media caller 10.0.0.1:4000',
      'answer',
      'media callee 10.0.0.1:6002',
    ])
  })

  it('a CANCEL from the proxy to one branch does not cancel the call', () => {
    const { call } = followLadder(`
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

describe('the same Call-ID again', () => {
  it('is another call when the first one ended, with a key of its own', () => {
    const { calls } = followLadder(`${ANSWERED}
      2500 bob>alice  BYE         1 b>a  y1
      2510 alice>bob  200 BYE     1 b>a  y1
      3000 carol>bob  INVITE      1 a>   z1 sdp=10.0.0.3:4000`)
    expect(calls.map(({ key, state }) => [key, state])).toEqual([
      ['call-1', 'completed'],
      ['call-1#2', 'in_progress'],
    ])
  })

  it('with another From-tag is another call, and each BYE ends its own', () => {
    const { calls } = followLadder(`${ANSWERED}
      3000 proxy>carol INVITE      1 p>   x1 sdp=10.0.0.9:4000
      3100 carol>proxy 200 INVITE  1 p>c  x1 sdp=10.0.0.3:4000
      3110 proxy>carol ACK         1 p>c  x2
      9000 carol>proxy BYE         1 c>p  x3`)
    expect(calls.map(({ fromTag, state }) => [fromTag, state])).toEqual([
      ['a', 'in_progress'],
      ['p', 'completed'],
    ])
  })

  it('a BYE minutes after the end of its call is not another call; an INVITE is', () => {
    const { calls } = followLadder(`${ANSWERED}
      9000   alice>bob  BYE         2 a>b  z3
      200000 bob>alice  BYE         1 b>a  y3
      200010 alice>bob  481 BYE     1 b>a  y3
      300000 alice>bob  INVITE      1 a>   z9`)
    expect(calls.map(({ key }) => key)).toEqual(['call-1', 'call-1#2'])
  })

  it('a late retransmission of BYE is absorbed, not a new call', () => {
    const { calls, call, tracker, wait } = followLadder(`${ANSWERED}
      9000  alice>bob  BYE         2 a>b  z3
      9010  bob>alice  200 BYE     2 a>b  z3
      40000 alice>bob  BYE         2 a>b  z3`)
    expect(calls).toHaveLength(1)
    expect(call.retransmissions).toBe(1)
    wait(2_000)
    expect(tracker.size).toBe(0)
  })
})
