import { describe, expect, it } from 'vitest'
import { generateScenario } from './generate.js'
import { readDatagram, rtpPackets, sipTexts } from './read-back.js'
import type { CallSpec } from './scenario.js'

/** One call's SIP messages, as start line + CSeq, in order. */
function play(call: CallSpec) {
  const { packets, truth } = generateScenario({ calls: [{ duration_s: 2, ...call }] })
  const messages = sipTexts(packets)
  const lines = messages.map(({ text }) => {
    const start = text
      .split('\r\n')[0]
      .replace(/^SIP\/2.0 (\d+).*/, '$1')
      .replace(/ .*/, '')
    return `${start} ${header(text, 'CSeq')}`
  })
  return { packets, messages, lines, texts: messages.map(({ text }) => text), truth: truth.calls[0] }
}

function header(text: string, name: string): string {
  return new RegExp(`^${name}: (.*)\r$`, 'm').exec(text)?.[1] ?? ''
}

function branch(text: string): string {
  return /branch=([^;\r]+)/.exec(text)?.[1] ?? ''
}

describe('an answered call', () => {
  it('runs INVITE, 100, 180, 200, ACK, BYE, 200 under one Call-ID', () => {
    const { lines, texts, truth } = play({ call_id: 'a-call' })
    expect(lines).toEqual([
      'INVITE 1 INVITE',
      '100 1 INVITE',
      '180 1 INVITE',
      '200 1 INVITE',
      'ACK 1 ACK',
      'BYE 2 BYE',
      '200 2 BYE',
    ])
    expect(new Set(texts.map((text) => header(text, 'Call-ID')))).toEqual(new Set(['a-call']))
    expect(truth).toMatchObject({ state: 'completed', status: 200, duration_s: 2, ended_by: 'caller' })
    expect(truth).toMatchObject({ pdd_ms: 200, setup_ms: 2000, ring_ms: 1800 })
  })

  it('has a Content-Length that is its body, and a To tag from the 180 on', () => {
    const { texts } = play({})
    for (const text of texts) {
      const body = text.slice(text.indexOf('\r\n\r\n') + 4)
      expect(Number(header(text, 'Content-Length'))).toBe(Buffer.byteLength(body))
    }
    const tags = texts.map((text) => /tag=(\w+)/.exec(header(text, 'To'))?.[1])
    expect(tags.slice(0, 2)).toEqual([undefined, undefined])
    expect(new Set(tags.slice(2)).size).toBe(1)
    expect(tags[2]).toMatch(/\w{8}/)
  })

  it('acknowledges a 2xx in a transaction of its own, a failure in the INVITE transaction (RFC 3261 17.1.1.3)', () => {
    const answered = play({}).texts
    const refused = play({ status: 486 }).texts
    const of = (texts: string[], method: string): string =>
      texts.find((text) => text.startsWith(method)) ?? ''
    expect(branch(of(answered, 'ACK'))).not.toBe(branch(of(answered, 'INVITE')))
    expect(branch(of(refused, 'ACK'))).toBe(branch(of(refused, 'INVITE')))
    expect(branch(of(answered, 'ACK'))).toMatch(/^z9hG4bK/)
  })

  it('that the callee ends has a BYE with the tags the other way round', () => {
    const { texts, truth } = play({ ended_by: 'callee' })
    const bye = texts.find((text) => text.startsWith('BYE')) ?? ''
    expect(header(texts[0], 'From')).toBe(header(bye, 'To'))
    expect(header(bye, 'CSeq')).toBe('1 BYE')
    expect(truth.ended_by).toBe('callee')
  })

  it('that outlives the capture is in progress', () => {
    const { lines, truth } = play({ ended_by: 'none' })
    expect(lines.at(-1)).toBe('ACK 1 ACK')
    expect(truth).toMatchObject({ state: 'in_progress', status: 200 })
    expect(truth.duration_s).toBeUndefined()
  })
})

describe('setup', () => {
  it.each([401, 407] as const)('%d and the repeated INVITE are one attempt', (auth) => {
    const { lines, texts, truth } = play({ auth })
    expect(lines.slice(0, 5)).toEqual([
      'INVITE 1 INVITE',
      `${auth} 1 INVITE`,
      'ACK 1 ACK',
      'INVITE 2 INVITE',
      '100 2 INVITE',
    ])
    expect(header(texts[3], auth === 401 ? 'Authorization' : 'Proxy-Authorization')).toMatch(
      /^Digest username="alice"/,
    )
    expect(truth).toMatchObject({ state: 'completed', auth_challenges: 1 })
  })

  it('that the caller gives up is CANCEL, its 200, and 487 for the INVITE', () => {
    const { lines, truth } = play({ cancel_after_ms: 1000 })
    expect(lines.slice(3)).toEqual(['CANCEL 1 CANCEL', '200 1 CANCEL', '487 1 INVITE', 'ACK 1 ACK'])
    expect(truth).toMatchObject({ state: 'cancelled', status: 487, media: {} })
  })

  it.each([
    [486, 'Busy Here'],
    [404, 'Not Found'],
    [503, 'Service Unavailable'],
  ])('that ends in %d has no media', (status, reason) => {
    const { packets, truth } = play({ status })
    expect(truth).toMatchObject({ state: 'failed', status, reason })
    expect(rtpPackets(packets)).toEqual([])
  })

  it('that nobody answers repeats the INVITE after 0.5, 1, 2, 4, 8, 16 s and times out after 32', () => {
    const { messages, truth } = play({ status: 0 })
    expect(messages.map(({ timeMs }) => timeMs - messages[0].timeMs)).toEqual([
      0, 500, 1500, 3500, 7500, 15500, 31500,
    ])
    expect(truth).toMatchObject({ state: 'timeout', retransmissions: 6 })
    expect(Date.parse(truth.end) - Date.parse(truth.start)).toBe(32000)
  })

  it('that forks has a To tag per branch, and the call is the branch of the 200', () => {
    const { texts } = play({ fork: [{}, {}] })
    const provisional = texts.filter((text) => text.startsWith('SIP/2.0 180'))
    expect(new Set(provisional.map((text) => header(text, 'To'))).size).toBe(3)
    const answer = texts.find((text) => text.startsWith('SIP/2.0 200')) ?? ''
    expect(provisional.map((text) => header(text, 'To'))).toContain(header(answer, 'To'))
  })

  it('through a proxy shows each message on both hops, with one more Via and one Max-Forwards less', () => {
    const { texts } = play({ sip: { proxy: '203.0.113.10' } })
    const invites = texts.filter((text) => text.startsWith('INVITE'))
    expect(invites.map((text) => text.match(/^Via:/gm)?.length)).toEqual([1, 2])
    expect(invites.map((text) => header(text, 'Max-Forwards'))).toEqual(['70', '69'])
    expect(header(invites[1], 'Record-Route')).toBe('<sip:203.0.113.10:5060;lr>')
  })
})

describe('session description', () => {
  const sdpOf = (call: CallSpec): string[] =>
    play(call).texts.filter((text) => /^(INVITE|SIP\/2.0 200)/.test(text) && text.includes('m=audio'))

  it('lists in the offer what the callee will send, and in the answer what the caller will send', () => {
    const [offer, answer] = sdpOf({
      media: {
        from_caller: { codec: 'opus', payload_type: 96 },
        from_callee: { codec: 'opus', payload_type: 111 },
      },
    })
    expect(offer).toContain('a=rtpmap:111 opus/48000/2')
    expect(answer).toContain('a=rtpmap:96 opus/48000/2')
  })

  it('behind NAT carries the private address while packets come from the public one', () => {
    const { texts, packets, truth } = play({
      caller: {
        address: '203.0.113.5',
        nat_private_address: '192.168.1.10',
        sdp_port: 11000,
        media_port: 40000,
      },
    })
    expect(texts[0]).toContain('c=IN IP4 192.168.1.10\r\n')
    expect(texts[0]).toContain('m=audio 11000 ')
    expect(header(texts[0], 'Contact')).toBe('<sip:alice@192.168.1.10:5060>')
    expect(header(texts[1], 'Via')).toMatch(/^SIP\/2.0\/UDP 192.168.1.10:5060.*received=203.0.113.5$/)
    expect(rtpPackets(packets).some((p) => p.source === '203.0.113.5' && p.sourcePort === 40000)).toBe(true)
    expect(truth.media.from_caller).toMatchObject({ source_address: '203.0.113.5', source_port: 40000 })
  })

  it('of a hold is sendonly, answered recvonly, and the media of both pauses without loss', () => {
    const { texts, truth } = play({ duration_s: 10, hold: [{ at_s: 2, duration_s: 3 }] })
    const ways = texts.flatMap((text) => /a=(sendrecv|sendonly|recvonly|inactive)/.exec(text)?.[1] ?? [])
    expect(ways).toEqual(['sendrecv', 'sendrecv', 'sendonly', 'recvonly', 'sendrecv', 'sendrecv'])
    expect(truth).toMatchObject({ hold_ms: 3000, state: 'completed' })
    expect(truth.media.from_caller).toMatchObject({ lost: 0, longest_gap_ms: 3020 })
    expect(truth.media.from_callee?.sent).toBe(349)
  })

  it('of a re-INVITE moves media to a new port and codec', () => {
    const { packets, truth } = play({
      duration_s: 4,
      reinvite: [{ at_s: 2, by: 'callee', codec: 'PCMA', media_port: 24000 }],
    })
    const fromCallee = rtpPackets(packets).filter((packet) => packet.source === '198.51.100.20')
    expect(new Set(fromCallee.map((p) => `${p.sourcePort} ${p.payloadType}`))).toEqual(
      new Set(['20000 0', '24000 8']),
    )
    const toCallee = packets.map(readDatagram).filter((d) => d.destinationPort === 24000)
    expect(toCallee.length).toBeGreaterThan(90)
    expect(truth.media.from_caller?.codecs).toEqual(['PCMU', 'PCMA'])
  })

  it('a refused T.38 re-INVITE changes nothing', () => {
    const { lines, truth } = play({ duration_s: 4, reinvite: [{ at_s: 2, t38: true }] })
    expect(lines.slice(5, 8)).toEqual(['INVITE 2 INVITE', '488 2 INVITE', 'ACK 2 ACK'])
    expect(truth.media.from_caller?.codecs).toEqual(['PCMU'])
  })
})

describe('media', () => {
  it('begins before the answer with 183 and early media', () => {
    const { packets, truth } = play({ early_media: true })
    const first = rtpPackets(packets)[0]
    expect(first.timeMs).toBe(Date.parse(truth.start) + 220)
    expect(truth).toMatchObject({ pdd_ms: 200 })
    expect(truth.ring_ms).toBeUndefined()
  })

  it('more than 2 s after BYE is not the call’s', () => {
    const { truth } = play({ media: { from_callee: { media_after_bye_ms: 3000 } } })
    const direction = truth.media.from_callee
    expect(direction).toMatchObject({ sent: 249, after_call: 49, packets: 200 })
  })

  it('of repeated calls has ports, users and Call-IDs of its own', () => {
    const { packets, truth } = generateScenario({
      calls: [{ duration_s: 1, repeat: { count: 3, spacing_s: 10 }, caller: { user: '10{n}' } }],
    })
    expect(truth.calls.map((call) => call.caller)).toEqual(['100', '101', '102'])
    expect(new Set(truth.calls.map((call) => call.call_id)).size).toBe(3)
    expect(new Set(rtpPackets(packets).map((packet) => packet.sourcePort)).size).toBe(6)
  })
})

describe('registrations and OPTIONS', () => {
  it('are challenged and answered', () => {
    const { packets, truth } = generateScenario({ registrations: [{}], options: [{ at_s: 1, status: 0 }] })
    const starts = sipTexts(packets).map(({ text }) => text.split(' ').slice(0, 2).join(' '))
    expect(starts).toEqual([
      'REGISTER sip:example.com',
      'SIP/2.0 401',
      'REGISTER sip:example.com',
      'SIP/2.0 200',
      'OPTIONS sip:198.51.100.1:5060',
    ])
    expect(truth.requests.map((request) => request.status)).toEqual([200, undefined])
  })
})
