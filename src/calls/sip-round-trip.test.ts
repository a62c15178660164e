import { describe, expect, it } from 'vitest'
import type { MediaDescription } from '../sip/sdp-types.js'
import { sipRoundTripMs, type SipTimes } from './sip-round-trip.js'

const audio = (address: string): MediaDescription => ({
  kind: 'audio',
  port: 4000,
  protocol: 'RTP/AVP',
  formats: [],
  direction: 'sendrecv',
  address,
  rtcpPort: 4001,
  rtcpMux: false,
  candidates: [],
  ssrcs: [],
  encrypted: false,
})

/** Tap to callee and back 40 ms by 100, to caller and back 20 ms by ACK. */
const CALL: SipTimes = {
  sawInvite: true,
  inviteMs: 1000,
  tryingMs: 1040,
  answerMs: 5000,
  ackMs: 5020,
  calleeSignalling: { address: '198.51.100.1', port: 5060 },
  calleeMedia: {
    party: 'callee',
    media: [audio('198.51.100.1')],
    timeMs: 5000,
    signallingAddress: '198.51.100.1',
    vlan: -1,
    branchTag: 'b',
    role: 'answer',
  },
}
const bye = (by: 'caller' | 'callee', ms: number): Partial<SipTimes> => ({
  byeMs: 9000,
  byeAnswerMs: 9000 + ms,
  endedBy: by,
})
const proxied: Partial<SipTimes> = { calleeSignalling: { address: '203.0.113.5', port: 5060 } }

describe('the round trip that SIP shows', () => {
  it.each<[string, Partial<SipTimes>, number | undefined]>([
    ['is INVITE to 100 and 2xx to ACK, one leg each', {}, 60],
    ['takes the smaller of INVITE to 100 and BYE to 200: programs take their time', bye('caller', 30), 50],
    ['and keeps to INVITE to 100 when the BYE took longer', bye('caller', 90), 60],
    ['the same for the leg of the caller', bye('callee', 5), 45],
    [
      'does not take the 100 of a proxy for the callee when the BYE shows its leg',
      { ...proxied, ...bye('caller', 90) },
      110,
    ],
    ['has nothing else than the 100 of a proxy without a BYE', proxied, 60],
    ['does without a 100 when the BYE was answered', { tryingMs: undefined, ...bye('caller', 30) }, 50],
    ['is not known with one leg only', { tryingMs: undefined, ...bye('callee', 30) }, undefined],
    ['is not known when the INVITE was not seen', { sawInvite: false }, undefined],
    ['passes over an answer that waited for something else', { tryingMs: 4000, ...bye('caller', 30) }, 50],
    ['passes over an answer from before its question', { ackMs: 4000 }, undefined],
    ['passes over a BYE that had to be repeated', bye('caller', 4000), 60],
  ])('%s', (_, change, expected) => {
    expect(sipRoundTripMs({ ...CALL, ...change })).toBe(expected)
  })
})
