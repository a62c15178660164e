import { describe, expect, it } from 'vitest'
import type { Finding, FindingCode } from '../src/calls/records.js'
import type { CallSpec, Scenario } from '../src/generate/scenario.js'
import { callByHand, Dialog, media, NOON, sdp } from './cases/hand-made.js'
import { icmpUnreachable } from './findings-hand.js'
import { only, replay, replayScenario, type Frame } from './helpers/replay.js'

async function findingsOf(call: CallSpec, scenario: Scenario = {}): Promise<Finding[]> {
  return only((await replayScenario({ seed: 1, ...scenario, calls: [call] })).calls).findings
}

function codes(findings: readonly Finding[]): FindingCode[] {
  return findings.map(({ code }) => code)
}

const PHONE = '192.0.2.10'
const PEER = '198.51.100.20'
const ANSWER_MS = NOON + 500

/** Media of both sides over a call by hand of 10 s, ports 10000 and 20000. */
function talk(seconds = 10): Frame[] {
  const packets = seconds * 50 - 10
  return [
    ...media({ from: `${PHONE}:10000`, to: `${PEER}:20000`, startMs: ANSWER_MS + 40, packets, ssrc: 1 }),
    ...media({ from: `${PEER}:20000`, to: `${PHONE}:10000`, startMs: ANSWER_MS + 40, packets, ssrc: 2 }),
  ]
}

async function byHand(frames: readonly Frame[]): Promise<Finding[]> {
  return only((await replay(frames)).calls).findings
}

describe('port_unreachable', () => {
  const call = callByHand()
  const refused = (timeMs: number): Frame => icmpUnreachable(timeMs, PEER, `${PHONE}:10000`, `${PEER}:20000`)

  it('ICMP for the media port during the call names who refuses what', async () => {
    const icmp = [1, 2, 3, 4].map((s) => refused(ANSWER_MS + s * 1000))
    const findings = await byHand([...call.frames, ...talk(), ...icmp])
    expect(only(findings)).toMatchObject({
      code: 'port_unreachable',
      severity: 'critical',
      confidence: 'high',
      direction: 'from_caller',
      evidence: { icmp_errors: 4, reporter_address: PEER, destination_port: 20000 },
    })
  })

  it.each<[string, Frame[]]>([
    ['after BYE, for packets on their way', [1, 2, 3].map((n) => refused(ANSWER_MS + 10_050 + n * 20))],
    ['one at the very start, before the socket was open', [refused(ANSWER_MS + 60)]],
    ['a single one in mid-call', [refused(ANSWER_MS + 5000)]],
    [
      'for the RTCP port, which many phones leave closed',
      [1, 2, 3].map((s) => icmpUnreachable(ANSWER_MS + s * 1000, PEER, `${PHONE}:10001`, `${PEER}:20001`)),
    ],
    [
      'for something else between the two',
      [1, 2, 3].map((s) => icmpUnreachable(ANSWER_MS + s * 1000, PEER, `${PHONE}:5353`, `${PEER}:53`)),
    ],
  ])('not %s', async (_name, icmp) => {
    expect(codes(await byHand([...call.frames, ...talk(), ...icmp]))).toEqual([])
  })

  it('a silent party whose port is refused is one-way audio with its cause', async () => {
    const oneWay = media({
      from: `${PHONE}:10000`,
      to: `${PEER}:20000`,
      startMs: ANSWER_MS + 40,
      packets: 490,
    })
    const icmp = [1, 2, 3].map((s) => refused(ANSWER_MS + s * 1000))
    const findings = await byHand([...call.frames, ...oneWay, ...icmp])
    expect(codes(findings)).toEqual(['one_way_audio', 'port_unreachable'])
  })
})

describe('addresses that are not where media is', () => {
  it('media goes to another address than announced: a warning', async () => {
    const findings = await findingsOf({
      duration_s: 20,
      callee: { address: '198.51.100.20', sdp_address: '198.51.100.99' },
    })
    expect(
      findings.find(
        ({ code, direction }) => code === 'media_not_at_sdp_address' && direction === 'from_caller',
      ),
    ).toMatchObject({
      severity: 'warning',
      evidence: { announced_address: '198.51.100.99', destination_differs: true },
    })
  })

  it('media only comes from another port (symmetric RTP): a remark', async () => {
    const call = callByHand()
    const other = [
      ...media({
        from: `${PHONE}:45678`,
        to: `${PEER}:20000`,
        startMs: ANSWER_MS + 40,
        packets: 490,
        ssrc: 1,
      }),
      ...media({
        from: `${PEER}:20000`,
        to: `${PHONE}:10000`,
        startMs: ANSWER_MS + 40,
        packets: 490,
        ssrc: 2,
      }),
    ]
    expect(only(await byHand([...call.frames, ...other]))).toMatchObject({
      code: 'media_not_at_sdp_address',
      severity: 'info',
      direction: 'from_caller',
      evidence: { source_differs: true, destination_differs: false, source_port: 45678 },
    })
  })

  it.each<[string, CallSpec]>([
    [
      'a re-INVITE announced the new place',
      { duration_s: 30, reinvite: [{ at_s: 8, media_port: 41_000, media_address: '192.0.2.77' }] },
    ],
    ['a proxy stands in between', { duration_s: 20, sip: { proxy: '203.0.113.9' } }],
    [
      'addresses are private on both sides',
      { duration_s: 20, caller: { address: '10.1.1.10' }, callee: { address: '10.2.2.20' } },
    ],
    ['IPv6', { duration_s: 20, caller: { address: '2001:db8::10' }, callee: { address: '2001:db8::20' } }],
  ])('nothing to say when %s', async (_name, call) => {
    expect(codes(await findingsOf(call))).toEqual([])
  })

  it('a private address offered to a public peer that can answer to where media comes from', async () => {
    const findings = await findingsOf({
      duration_s: 20,
      caller: { address: '203.0.113.5', nat_private_address: '192.168.1.5' },
      callee: { address: '198.51.100.20' },
    })
    const found = findings.find(({ code }) => code === 'private_address_in_sdp')
    expect(found).toMatchObject({
      severity: 'info',
      confidence: 'high',
      direction: 'from_callee',
      evidence: {
        sdp_address: '192.168.1.5',
        signalling_address: '203.0.113.5',
        peer_address: '198.51.100.20',
      },
    })
  })

  it('a private address at which the peer’s media arrives all the same (a tap behind NAT, a route of its own) is a remark', async () => {
    const findings = await findingsOf({
      duration_s: 20,
      caller: { address: '10.1.0.10' },
      callee: { address: '198.51.100.20' },
    })
    expect(only(findings)).toMatchObject({
      code: 'private_address_in_sdp',
      severity: 'info',
      evidence: { packets_towards: expect.any(Number) },
    })
    expect(only(findings).message).toContain('arrives')
  })

  it('a private address of a call that failed is a warning: nothing shows that it works', async () => {
    const found = (
      await findingsOf({
        status: 503,
        caller: { address: '10.1.0.10' },
        callee: { address: '198.51.100.20' },
      })
    ).find(({ code }) => code === 'private_address_in_sdp')
    expect(found?.severity).toBe('warning')
  })

  it('a private address that nobody sends to is what silences the call', async () => {
    const findings = await findingsOf({
      duration_s: 20,
      caller: { address: '203.0.113.5', nat_private_address: '192.168.1.5' },
      callee: { address: '198.51.100.20' },
      media: { from_callee: { no_media: true } },
    })
    expect(codes(findings).slice(0, 2)).toEqual(['one_way_audio', 'private_address_in_sdp'])
    expect(findings[1].severity).toBe('critical')
  })

  it('ICE with a public candidate makes the private address harmless', async () => {
    const call = callByHand()
    const candidate = 'candidate:1 1 UDP 1694498815 203.0.113.5 40000 typ srflx raddr 192.168.1.5 rport 10000'
    const dialog = new Dialog({ callId: 'ice', caller: '203.0.113.5:5060', callee: `${PEER}:5060` })
    const offer = sdp({ audio: '192.168.1.5:10000', attributes: [candidate] })
    const frames = [
      ...dialog.setUp(NOON, offer, sdp({ audio: `${PEER}:20000` })),
      ...dialog.hangUp(ANSWER_MS + 10_000),
      ...media({
        from: '203.0.113.5:40000',
        to: `${PEER}:20000`,
        startMs: ANSWER_MS + 40,
        packets: 490,
        ssrc: 1,
      }),
      ...media({
        from: `${PEER}:20000`,
        to: '203.0.113.5:40000',
        startMs: ANSWER_MS + 40,
        packets: 490,
        ssrc: 2,
      }),
    ]
    expect(call.frames.length).toBeGreaterThan(0)
    expect(codes(await byHand(frames))).toEqual([])
  })
})

describe('sip_alg_suspected', () => {
  const PUBLIC = '203.0.113.5'

  /** A call whose INVITE is changed on its way. */
  async function rewritten(change: (invite: string) => string): Promise<Finding[]> {
    const dialog = new Dialog({ callId: 'alg', caller: `${PUBLIC}:5060`, callee: `${PEER}:5060` })
    const invite = dialog.inviteText(sdp({ audio: `${PUBLIC}:10000` }))
    const frames = [
      dialog.fromCaller(NOON, change(invite)),
      dialog.fromCallee(NOON + 500, dialog.responseText(200, 'OK', sdp({ audio: `${PEER}:20000` }))),
      dialog.fromCaller(NOON + 520, dialog.ackText()),
      ...dialog.hangUp(ANSWER_MS + 10_000),
      ...media({
        from: `${PUBLIC}:10000`,
        to: `${PEER}:20000`,
        startMs: ANSWER_MS + 40,
        packets: 490,
        ssrc: 1,
      }),
      ...media({
        from: `${PEER}:20000`,
        to: `${PUBLIC}:10000`,
        startMs: ANSWER_MS + 40,
        packets: 490,
        ssrc: 2,
      }),
    ]
    return byHand(frames)
  }

  it('a body that was rewritten without its Content-Length, and a Contact that was left private', async () => {
    const findings = await rewritten((invite) =>
      invite
        .replace(/Contact: <sip:alice@[^>]*>/, 'Contact: <sip:alice@192.168.100.200:5060>')
        // As the phone wrote it: two addresses of 15 characters where 11 stand now.
        .replace(/Content-Length: (\d+)/, (_, length: string) => `Content-Length: ${Number(length) + 8}`),
    )
    expect(only(findings)).toMatchObject({
      code: 'sip_alg_suspected',
      confidence: 'high',
      evidence: { party: 'caller', contact_address: '192.168.100.200', sdp_address: PUBLIC },
    })
  })

  it('a wrong Content-Length alone is a weak hint', async () => {
    const findings = await rewritten((invite) =>
      invite.replace(/Content-Length: (\d+)/, (_, length: string) => `Content-Length: ${Number(length) - 8}`),
    )
    expect(only(findings)).toMatchObject({ code: 'sip_alg_suspected', confidence: 'low' })
  })

  it('Via and Contact private, SDP public: two places that disagree', async () => {
    const findings = await rewritten((invite) =>
      invite
        .replace(/^Via: SIP\/2.0\/UDP [^;]*/m, 'Via: SIP/2.0/UDP 192.168.1.5:5060')
        .replace(/^o=.*$/m, 'o=- 1 1 IN IP4 192.168.1.5\r'),
    )
    expect(only(findings)).toMatchObject({ code: 'sip_alg_suspected', confidence: 'low' })
  })

  it.each<[string, (invite: string) => string]>([
    ['an untouched INVITE', (invite) => invite],
    [
      'a Contact learnt from STUN',
      (invite) => invite.replace(/^Via: SIP\/2.0\/UDP [^;]*/m, 'Via: SIP/2.0/UDP 192.168.1.5:5060'),
    ],
    ['a body with another line end than counted', (invite) => `${invite}\r\n`],
    [
      'a length that is wrong by half the body',
      (invite) => invite.replace(/Content-Length: \d+/, 'Content-Length: 40'),
    ],
    [
      'a private Contact behind a proxy',
      (invite) =>
        invite
          .replace(/^Via: /m, 'Via: SIP/2.0/UDP 203.0.113.5:5060;branch=z9hG4bKproxy\r\nVia: ')
          .replace(/Contact: <sip:alice@[^>]*>/, 'Contact: <sip:alice@192.168.100.200:5060>'),
    ],
  ])('not for %s', async (_name, change) => {
    expect(codes(await rewritten(change))).not.toContain('sip_alg_suspected')
  })
})
