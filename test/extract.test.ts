import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { CallRecord, StreamRecord } from '../src/calls/records.js'
import { DEFAULT_CONFIG } from '../src/config/config.js'
import { CallprobeError } from '../src/errors.js'
import { extractCalls, type Extracted, type ExtractOptions } from '../src/extract/extract.js'
import { parseEndpoint } from '../src/generate/addresses.js'
import {
  ethernetFrame,
  ipPackets,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  TCP_ACK,
  tcpSegment,
  udpDatagram,
} from '../src/generate/frames.js'
import { generateScenario } from '../src/generate/generate.js'
import type { CodecName, Scenario } from '../src/generate/scenario.js'
import { MemorySource } from '../src/capture/memory-source.js'
import { KeyedHash } from '../src/privacy/keyed-hash.js'
import { Pseudonyms } from '../src/privacy/pseudonyms.js'
import { datagram } from './cases/hand-made.js'
import { overTcp, overUdp } from './helpers/capture-agent.js'
import { readPackets } from './helpers/capture-bytes.js'
import { requirePrograms, ROOT, sharedPath } from './helpers/programs.js'
import { only, pcapOf, replayBytes, type Frame } from './helpers/replay.js'

const scratch = mkdtempSync(join(tmpdir(), 'callprobe-extract-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

let files = 0
function fileOf(bytes: Uint8Array, extension = 'pcap'): string {
  const path = join(scratch, `${files++}.${extension}`)
  writeFileSync(path, bytes)
  return path
}

async function extract(
  inputs: string[],
  callIds: string[],
  options: Partial<ExtractOptions> = {},
): Promise<Extracted & { path: string; bytes: Uint8Array }> {
  const path = join(scratch, `${files++}.pcap`)
  const extracted = await extractCalls(inputs, {
    config: DEFAULT_CONFIG,
    callIds,
    related: false,
    payload: false,
    keepSecrets: false,
    output: path,
    ...options,
  })
  return { ...extracted, path, bytes: readFileSync(options.output ?? path) }
}

interface Media {
  call: CallRecord
  streams: StreamRecord[]
}

function mediaOf(
  { calls, streams }: { calls: CallRecord[]; streams: StreamRecord[] },
  callId: string,
): Media {
  const own = streams.filter((stream) => stream.call_id === callId)
  const order = (a: StreamRecord, b: StreamRecord): number => a.ssrc.localeCompare(b.ssrc)
  return { call: only(calls.filter((call) => call.call_id === callId)), streams: own.sort(order) }
}

function tshark(path: string, filter: string, ...fields: string[]): string[] {
  const argv = ['-n', '-r', path, '-Y', filter, '-T', 'fields', ...fields.flatMap((field) => ['-e', field])]
  const text = execFileSync('tshark', argv, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  return text.split('\n').filter((line) => line !== '')
}

const fixtures = readdirSync(join(ROOT, 'fixtures'))
  .filter((name) => name.endsWith('.pcap'))
  .map((name) => join(ROOT, 'fixtures', name))

describe('a call taken out of bundled captures', () => {
  it.each(fixtures)('gives the same record of each call and its streams as the whole of %s', async (path) => {
    const whole = await replayBytes(readFileSync(path))
    for (const [k, { call_id }] of whole.calls.entries()) {
      const { bytes } = await extract([...new Set([fixtures[0], path])], [call_id], { payload: k === 1 })
      const part = await replayBytes(bytes)
      expect(part.calls.map((call) => call.call_id)).toEqual([call_id])
      expect(mediaOf(part, call_id)).toEqual(mediaOf(whole, call_id))
    }
  })

  it.skipIf(!requirePrograms('tshark'))('has exactly the packets that tshark finds of it', async () => {
    const path = join(ROOT, 'fixtures/baresip-pcmu-bursts.pcap')
    const callId = only((await replayBytes(readFileSync(path))).calls).call_id
    const extracted = await extract([fixtures[0], path], [callId])
    // The capture holds this call alone, and the user agents' other traffic.
    const filter = `sip.Call-ID == "${callId}" || rtp || rtcp`
    const fields = ['frame.time_epoch', 'frame.len', 'ip.id', 'udp.srcport', 'udp.dstport'] as const
    expect(tshark(extracted.path, 'frame', ...fields)).toEqual(tshark(path, filter, ...fields))
    expect(extracted.counts.packets).toBe(tshark(path, filter, 'frame.number').length)
  })

  it('holds no payload, and says how long frames were', async () => {
    const path = join(ROOT, 'fixtures/baresip-pcmu-bursts.pcap')
    const callId = only((await replayBytes(readFileSync(path))).calls).call_id
    const cut = await extract([path], [callId])
    const whole = await extract([path], [callId], { payload: true })
    expect(cut.counts).toEqual(whole.counts)
    // 1180 packets of 160 bytes of audio.
    expect(whole.bytes.length - cut.bytes.length).toBe(1180 * 160)
  })

  it('is readable for its owner only', async () => {
    const path = fixtures[0]
    const callId = (await replayBytes(readFileSync(path))).calls[0].call_id
    expect(statSync((await extract([path], [callId])).path).mode & 0o777).toBe(0o600)
  })
})

const BUSY: Scenario['calls'] = [
  {
    at_s: 0,
    duration_s: 8,
    call_id: 'wanted-call@192.0.2.10',
    srtp: true,
    auth: 407,
    caller: { user: '+4930100001', address: '192.0.2.10' },
    callee: { user: '+4930200002', address: '198.51.100.20' },
    sip: { proxy: '203.0.113.5' },
    hold: [{ at_s: 2, duration_s: 2, by: 'callee', mode: 'sendonly' }],
    media: { both: { codec: 'PCMA', loss: { random_percent: 3 } } },
  },
  { at_s: 1, duration_s: 5, repeat: { count: 4, spacing_s: 1 }, media: { both: { codec: 'PCMU' } } },
]

describe.each([
  ['two VLAN tags and IP fragments', { vlan: [300, 301], mtu: 576 }, {}],
  ['VXLAN', { encapsulation: 'vxlan' }, {}],
  ['ERSPAN', { encapsulation: 'erspan' }, {}],
  ['TCP in small segments', {}, { transport: 'tcp', tcp_segment_bytes: 100, tcp_handshake: true }],
  ['TCP begun before the capture', {}, { transport: 'tcp', tcp_handshake: false }],
  ['compact headers', {}, { compact_headers: true }],
] as const)('from a busy capture with %s', (kind, link, sip) => {
  const calls = BUSY?.map((call) => ({ ...call, sip: { ...call.sip, ...sip } }))
  const scenario: Scenario = {
    seed: 3,
    link: { ...link, vlan: 'vlan' in link ? [...link.vlan] : undefined },
    calls,
  }
  const { packets } = generateScenario(JSON.parse(JSON.stringify(scenario)))
  const bytes = pcapOf(packets)
  const path = fileOf(bytes)

  it('a call gives the same record, and frames as they were', async () => {
    const whole = await replayBytes(bytes)
    expect(whole.calls).toHaveLength(5)
    const extracted = await extract([path], ['wanted-call@192.0.2.10'], { payload: true, keepSecrets: true })
    const part = await replayBytes(extracted.bytes)
    expect(part.calls).toHaveLength(1)
    expect(mediaOf(part, 'wanted-call@192.0.2.10')).toEqual(mediaOf(whole, 'wanted-call@192.0.2.10'))
    const originals = new Set(packets.map(({ frame }) => Buffer.from(frame).toString('latin1')))
    const kept = framesIn(extracted.bytes)
    expect(kept.length).toBe(extracted.counts.packets)
    expect(kept.filter((frame) => !originals.has(frame.toString('latin1')))).toEqual([])
  })

  it('shows no key and no credentials, and checksums do not tell them', async () => {
    const open = await extract([path], ['wanted-call@192.0.2.10'], { keepSecrets: true })
    const closed = await extract([path], ['wanted-call@192.0.2.10'])
    const keys = /inline:[A-Za-z0-9+/]{40}|response="[0-9a-f]{32}"/g
    const text = (bytes: Uint8Array): string => {
      const payloads = framesIn(bytes).map((frame) => frame.toString('latin1'))
      return payloads.join('')
    }
    if (!('mtu' in link) && !('tcp_segment_bytes' in sip))
      expect(text(open.bytes).match(keys)?.length).toBeGreaterThan(2)
    expect(text(closed.bytes)).not.toMatch(keys)
    expect(closed.redacted).toBeGreaterThan(2)
    expect(closed.cut).toBe(0)
    expect(closed.bytes.length).toBe(open.bytes.length)
    const part = await replayBytes(closed.bytes)
    expect(mediaOf(part, 'wanted-call@192.0.2.10')).toEqual(
      mediaOf(await replayBytes(open.bytes), 'wanted-call@192.0.2.10'),
    )
  })

  // One of each kind is enough: a process of tshark takes its time.
  const isOther = /^(?:ERSPAN|TCP begun|compact)/.test(kind)
  it.skipIf(isOther || !requirePrograms('tshark'))(
    'Wireshark finds its checksums right and its messages whole',
    async () => {
      const { path: written } = await extract([path], ['wanted-call@192.0.2.10'])
      const bad =
        'udp.checksum.status == "Bad" || tcp.checksum.status == "Bad" || ip.checksum.status == "Bad"'
      const argv = ['-n', '-r', written, '-o', 'udp.check_checksum:TRUE', '-o', 'tcp.check_checksum:TRUE']
      const found = execFileSync('tshark', [...argv, '-o', 'ip.check_checksum:TRUE', '-Y', bad], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      })
      expect(found).toBe('')
      const ids = (file: string): string[] =>
        tshark(file, 'sip.Call-ID == "wanted-call@192.0.2.10"', 'frame.time_epoch', 'sip.CSeq')
      expect(ids(written)).toEqual(ids(path))
      expect(new Set(tshark(written, 'sip', 'sip.Call-ID')).size).toBe(1)
    },
  )
})

/** Frames of a classic little-endian pcap, read by hand. */
function framesIn(bytes: Uint8Array): Buffer[] {
  const file = Buffer.from(bytes)
  const frames: Buffer[] = []
  for (let at = 24; at < file.length;) {
    const length = file.readUInt32LE(at + 8)
    frames.push(file.subarray(at + 16, at + 16 + length))
    at += 16 + length
  }
  return frames
}

const A = parseEndpoint('192.0.2.10:5060', 'a')
const B = parseEndpoint('198.51.100.20:5060', 'b')
const START_MS = Date.UTC(2026, 0, 1)
const FIELDS = { dscp: 0, ttl: 64, identification: 7 }

function sipText(callId: string, extra: string[], body = ''): Buffer {
  return Buffer.from(
    [
      'INVITE sip:bob@198.51.100.20 SIP/2.0',
      'Via: SIP/2.0/TCP 192.0.2.10;branch=z9hG4bK1',
      'From: <sip:alice@192.0.2.10>;tag=1',
      'To: <sip:bob@198.51.100.20>',
      `Call-ID: ${callId}`,
      'CSeq: 1 INVITE',
      ...extra,
      `Content-Length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n'),
  )
}

function tcpFrame(timeMs: number, sequence: number, payload: Uint8Array): Frame {
  const segment = tcpSegment(A, B, sequence, 1, TCP_ACK, payload)
  const [packet] = ipPackets(A.address, B.address, PROTOCOL_TCP, segment, FIELDS, 65_535)
  return { timeMs, frame: ethernetFrame(A.address, B.address, [], packet) }
}

function udpFrame(timeMs: number, payload: Uint8Array, from = A, to = B): Frame {
  const [packet] = ipPackets(
    from.address,
    to.address,
    PROTOCOL_UDP,
    udpDatagram(from, to, payload),
    FIELDS,
    65_535,
  )
  return { timeMs, frame: ethernetFrame(from.address, to.address, [], packet) }
}

describe('SIP over a shared TCP connection', () => {
  const mine = sipText('mine', ['Authorization: Digest response="0123456789abcdef0123456789abcdef"'])
  const other = sipText('other', [])
  // other | mine | mine, whose last bytes share a segment with other | other
  const stream = Buffer.concat([other, mine, mine, other, other])
  const cuts = [
    0,
    other.length,
    other.length + 200,
    other.length + mine.length,
    other.length + mine.length * 2 + 50,
  ]
  const frames = cuts.map((from, i) =>
    tcpFrame(START_MS + i * 10, 0xfffffff0 + from, stream.subarray(from, cuts[i + 1] ?? stream.length)),
  )

  it('is cut out by segments: those with a byte of the call, across a wrap of sequence numbers', async () => {
    const { bytes, counts } = await extract([fileOf(pcapOf(frames))], ['mine'], { keepSecrets: true })
    expect(counts.sip).toBe(3)
    expect(framesIn(bytes).map((f) => f.toString('latin1'))).toEqual(
      frames.slice(1, 4).map(({ frame }) => Buffer.from(frame).toString('latin1')),
    )
  })

  it('has the retransmissions of such segments, also their secrets written over', async () => {
    const again = [
      ...frames,
      tcpFrame(START_MS + 25, 0xfffffff0 + cuts[1], stream.subarray(cuts[1], cuts[3])),
    ]
    const { bytes, counts } = await extract([fileOf(pcapOf(again))], ['mine'])
    expect(counts.sip).toBe(4)
    const written = Buffer.from(bytes).toString('latin1')
    expect(written).not.toContain('0123456789abcdef0123')
    expect(written.match(/response="x{32}"/g)?.length).toBeGreaterThan(0)
  })
})

describe('SIP over WebSocket', () => {
  const handshake = Buffer.from(
    'GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Protocol: sip\r\n\r\n',
  )
  const message = sipText('mine', ['Authorization: Digest response="0123456789abcdef0123456789abcdef"'])
  /** RFC 6455 5.2: a masked text frame. */
  function webSocketFrame(payload: Buffer, first = 0x81): Buffer {
    const mask = [0x37, 0xfa, 0x21, 0x3d]
    const head =
      payload.length < 126
        ? [first, 0x80 | payload.length]
        : [first, 0xfe, payload.length >> 8, payload.length & 255]
    return Buffer.concat([Buffer.from([...head, ...mask]), payload.map((byte, i) => byte ^ mask[i & 3])])
  }
  const masked = (frames: Buffer[]): Frame[] => {
    let sequence = 1000
    return [handshake, ...frames].map((bytes, i) => {
      const frame = tcpFrame(START_MS + i * 10, sequence, bytes)
      sequence += bytes.length
      return frame
    })
  }
  /** The SIP of a capture as its receiver unmasks it. */
  function unmasked(bytes: Uint8Array): string {
    const payloads = framesIn(bytes).map((frame) => frame.subarray(14 + 20 + 20))
    const texts = payloads.map((payload) => {
      const at = payload[1] === 0xfe ? 4 : 2
      return Buffer.from(payload.subarray(at + 4).map((byte, i) => byte ^ payload[at + (i & 3)])).toString(
        'latin1',
      )
    })
    return texts.join('')
  }

  it('has its secrets written over behind the mask', async () => {
    const frames = masked([
      webSocketFrame(Buffer.from('ping'), 0x89),
      webSocketFrame(message),
      webSocketFrame(sipText('other', [])),
    ])
    const path = fileOf(pcapOf(frames))
    const open = await extract([path], ['mine'], { keepSecrets: true })
    expect(unmasked(open.bytes)).toContain(message.toString())
    const closed = await extract([path], ['mine'])
    expect(closed.redacted).toBe(1)
    expect(unmasked(closed.bytes)).toContain(message.toString().replace(/[0-9a-f]{32}/, 'x'.repeat(32)))
    expect(unmasked(closed.bytes)).not.toContain('other')
  })

  it('in frames that go on in others is cut rather than shown', async () => {
    const half = message.length >> 1
    const frames = masked([
      webSocketFrame(message.subarray(0, half), 0x01),
      webSocketFrame(message.subarray(half), 0x80),
    ])
    const closed = await extract([fileOf(pcapOf(frames))], ['mine'])
    expect(closed).toMatchObject({ redacted: 0, cut: 1 })
    expect(framesIn(closed.bytes).every((frame) => frame.length <= 54)).toBe(true)
  })
})

describe('digits and written words', () => {
  it('of INFO and MESSAGE are written over in the file', async () => {
    const info = (body: string, type: string): Buffer =>
      Buffer.from(
        sipText('mine', [`Content-Type: ${type}`], body)
          .toString()
          .replaceAll('INVITE', 'INFO'),
      )
    const frames = [
      udpFrame(START_MS, sipText('mine', [])),
      udpFrame(START_MS + 1, info('Signal=5\r\nDuration=160\r\n', 'application/dtmf-relay')),
      udpFrame(START_MS + 2, info('7', 'application/dtmf')),
    ]
    const { bytes } = await extract([fileOf(pcapOf(frames))], ['mine'])
    const written = Buffer.from(bytes).toString('latin1')
    expect(written).toContain('Signal=x\r\nDuration=160')
    expect(written).toMatch(/Content-Length: 1\r\n\r\nx/)
  })
})

describe('what else belongs to a call', () => {
  const { packets } = generateScenario({
    seed: 5,
    calls: [{ duration_s: 4, call_id: 'mine' }],
    streams: [{ from: '192.0.2.90:6000', to: '192.0.2.1:7000', codec: 'PCMU', duration_s: 4 }],
  })

  it('without signalling is its media, under the id of its record', async () => {
    const bytes = pcapOf(packets)
    const whole = await replayBytes(bytes)
    const media = only(whole.calls.filter((call) => call.state === 'media_only'))
    const { bytes: written, counts } = await extract([fileOf(bytes)], [media.call_id])
    expect(counts).toEqual({ packets: 200, sip: 0, rtp: 200, rtcp: 0, icmp: 0 })
    expect(mediaOf(await replayBytes(written), media.call_id)).toEqual(mediaOf(whole, media.call_id))
  })

  it('is a quality report about it in a dialog of its own (RFC 6035)', async () => {
    const body = 'VQSessionReport: CallTerm\r\nCallID: mine\r\nLocalID: <sip:a@b>\r\n'
    const text = sipText('report', ['Content-Type: application/vq-rtcpxr', 'Event: vq-rtcpxr'], body)
    const report = udpFrame(START_MS, Buffer.from(text.toString().replaceAll('INVITE', 'PUBLISH')))
    const { counts: without } = await extract([fileOf(pcapOf(packets))], ['mine'])
    const { counts } = await extract([fileOf(pcapOf([...packets, report]))], ['mine'])
    expect(counts.sip).toBe(without.sip + 1)
  })

  it('is the ICMP error about its media, to the quoted RTP header', async () => {
    const rtp = packets.find(({ frame }) => frame[42] >> 6 === 2 && frame.length === 214 && frame[29] !== 90)
    if (!rtp) throw new Error('no RTP')
    const quoted = rtp.frame.slice(14)
    const icmp = Buffer.concat([Buffer.from([3, 3, 0, 0, 0, 0, 0, 0]), quoted])
    const from = { version: 4 as const, bytes: quoted.slice(16, 20), text: '' }
    const to = { version: 4 as const, bytes: quoted.slice(12, 16), text: '' }
    const [packet] = ipPackets(from, to, 1, icmp, FIELDS, 65_535)
    const frame = ethernetFrame(from, to, [], packet)
    const all = [...packets, { timeMs: rtp.timeMs + 1, frame }]
    const { bytes, counts } = await extract([fileOf(pcapOf(all))], ['mine'])
    expect(counts.icmp).toBe(1)
    // Ethernet, IP, ICMP; then IP, UDP and RTP as quoted.
    expect(framesIn(bytes).some((f) => f.length === 14 + 20 + 8 + 20 + 8 + 12 && f[23] === 1)).toBe(true)
  })

  it('may be a call that it replaced (RFC 3891)', async () => {
    const frames = [
      udpFrame(START_MS, sipText('first', [])),
      udpFrame(START_MS + 1000, sipText('second', ['Replaces: first;from-tag=1;to-tag=2'])),
      udpFrame(START_MS + 2000, sipText('third', [])),
    ]
    const path = fileOf(pcapOf(frames))
    expect((await extract([path], ['first'])).counts.sip).toBe(1)
    const related = await extract([path], ['first'], { related: true })
    expect(related.counts.sip).toBe(2)
    expect(related.callIds.sort()).toEqual(['first', 'second'])
  })
})

describe('a call in several files', () => {
  const { packets } = generateScenario({ seed: 6, calls: [{ duration_s: 10, call_id: 'mine' }] })

  it('comes out in order of time, whatever their order', async () => {
    const middle = packets.length >> 1
    const late = fileOf(pcapOf(packets.slice(middle)))
    const early = fileOf(pcapOf(packets.slice(0, middle)))
    const one = await extract([fileOf(pcapOf(packets))], ['mine'])
    const two = await extract([late, early], ['mine'])
    expect(Buffer.compare(Buffer.from(one.bytes), Buffer.from(two.bytes))).toBe(0)
  })

  it('of different link types becomes a pcapng file with an interface for each', async () => {
    const middle = packets.length >> 1
    const raw = packets.slice(middle).map(({ timeMs, frame }) => ({ timeMs, frame: frame.slice(14) }))
    const inputs = [fileOf(pcapOf(packets.slice(0, middle))), fileOf(pcapOf(raw, { linkType: 101 }))]
    const { bytes } = await extract(inputs, ['mine'])
    expect(Buffer.from(bytes).readUInt32LE(0)).toBe(0x0a0d0d0a)
    const whole = await replayBytes(pcapOf(packets))
    expect(mediaOf(await replayBytes(bytes), 'mine')).toEqual(mediaOf(whole, 'mine'))
  })

  it('is found by its pseudonym, with the key', async () => {
    const names = new Pseudonyms('hash', new KeyedHash(Buffer.from('0123456789abcdef')))
    const path = fileOf(pcapOf(packets))
    const { counts } = await extract([path], [names.callId('mine')], {
      pseudonymOf: (id) => names.callId(id),
    })
    expect(counts.packets).toBe((await extract([path], ['mine'])).counts.packets)
  })

  it('that is not there is an error that names what is near, and writes nothing', async () => {
    const output = join(scratch, 'nothing.pcap')
    const failed = extract([fileOf(pcapOf(packets))], ['min'], { output })
    await expect(failed).rejects.toBeInstanceOf(CallprobeError)
    await expect(failed).rejects.toMatchObject({ code: 'CALL_NOT_FOUND', hint: 'did you mean mine?' })
    expect(() => statSync(output)).toThrow()
  })
})

describe('codecs that tell their mode in the payload', () => {
  it.each<[CodecName, string]>([
    ['AMR-WB', '23.85 kbit/s'],
    ['EVS', 'SWB 24.4 kbit/s'],
  ])('%s still does so in a call that was taken out', async (codec, mode) => {
    const { packets } = generateScenario({
      seed: 8,
      calls: [{ call_id: 'mine', duration_s: 5, media: { from_caller: { codec } } }],
    })
    const whole = pcapOf(packets)
    const taken = await extract([fileOf(whole)], ['mine'])
    expect(taken.bytes.length).toBeLessThan(whole.length)
    const media = mediaOf(await replayBytes(taken.bytes), 'mine')
    expect(media).toEqual(mediaOf(await replayBytes(whole), 'mine'))
    expect(media.call.media.from_caller?.mos_model).toContain(mode)
  })
})

describe('dialled digits', () => {
  it.each<CodecName>(['AMR-WB', 'EVS', 'opus'])('between %s are cut away whole', async (codec) => {
    const dtmf = [...'0123456789'].map((digit, k) => ({ at_s: 1 + 0.3 * k, digit }))
    const { packets, truth } = generateScenario({
      seed: 8,
      calls: [{ call_id: 'mine', duration_s: 5, media: { both: { codec, dtmf } } }],
    })
    expect(truth.calls[0].media.from_caller?.dtmf_events).toBe(10)
    const taken = await extract([fileOf(pcapOf(packets))], ['mine'])
    const media = mediaOf(await replayBytes(taken.bytes), 'mine')
    expect(media).toEqual(mediaOf(await replayBytes(pcapOf(packets)), 'mine'))
    expect(media.call.media.from_caller?.dtmf_events).toBe(10)
    const kept = await readPackets(new MemorySource(taken.bytes))
    const frames = kept.map(({ hex }) => Buffer.from(hex, 'hex'))
    const events = frames.filter((frame) => frame[42] === 0x80 && (frame[43] & 127) === 101)
    expect(events.length).toBeGreaterThan(40)
    for (const frame of events) expect(frame).toHaveLength(54)
  })
})

describe('EVS with a mode request and three frames in a packet (TS 26.445 A.2.2)', () => {
  it('keeps what tells the bandwidth of the first frame behind them, and no audio', async () => {
    const { packets } = generateScenario({
      seed: 8,
      calls: [{ call_id: 'mine', duration_s: 5, media: { from_caller: { codec: 'EVS' } } }],
    })
    // H 1; H 0, F 1, rate 6 twice, F 0; frames of 61 bytes that begin with 10: super-wideband.
    const payload = Buffer.alloc(4 + 3 * 61, 0x80)
    payload.set([0xb6, 0x46, 0x46, 0x06])
    const ends = ['192.0.2.10:10000', '198.51.100.20:20000'] as const
    const frames = packets.map((packet) => {
      const { timeMs, frame } = packet
      if (frame.length !== 42 + 12 + 61) return packet
      const [from, to] = frame[29] === 10 ? ends : [ends[1], ends[0]]
      return datagram(timeMs, from, to, Buffer.concat([frame.subarray(42, 54), payload]))
    })
    const whole = await replayBytes(pcapOf(frames))
    const { call } = mediaOf(whole, 'mine')
    expect(call.media.from_caller?.mos_model).toContain('EVS SWB 24.4 kbit/s')
    const taken = await extract([fileOf(pcapOf(frames))], ['mine'])
    expect(mediaOf(await replayBytes(taken.bytes), 'mine')).toEqual(mediaOf(whole, 'mine'))
    expect(Buffer.from(taken.bytes).includes(Buffer.from([0x06, 0x80]))).toBe(true)
    expect(Buffer.from(taken.bytes).includes(Buffer.from([0x06, 0x80, 0x80]))).toBe(false)
  })
})

/** Captures by other people; of each, calls whose record must come out the same. */
const REAL = [
  ['sipnab__sip-rtp-g729a.pcap', 1],
  ['sipnab__sip-over-tcp.pcap', 1],
  ['pcapApplication__yate.pcap', 3],
  ['t38faxcap__sample.pcap', 1],
  ['sipnab__invite-opus-bye.pcap', 1],
  ['pl7m__sip.pcap', 1],
  ['ISA__sip.pcap', 1],
  ['libosmo-netif__rtp-nanobts-2-phones-amr.pcap', 2],
] as const

describe.each(REAL)('%s', (name, least) => {
  const path = sharedPath(`pcaps/${name}`)
  it.skipIf(path === undefined)('gives each call as from the whole', async () => {
    if (path === undefined) return
    const whole = await replayBytes(readFileSync(path))
    expect(whole.calls.length).toBeGreaterThanOrEqual(least)
    for (const { call_id } of whole.calls.slice(0, 5)) {
      const part = await replayBytes((await extract([path], [call_id])).bytes)
      expect(mediaOf(part, call_id)).toEqual(mediaOf(whole, call_id))
    }
  })

  it.skipIf(path === undefined || !requirePrograms('tshark'))(
    'has the SIP frames that tshark tells of each call',
    async () => {
      if (path === undefined) return
      for (const { call_id, state } of (await replayBytes(readFileSync(path))).calls.slice(0, 2)) {
        if (state === 'media_only') continue
        const extracted = await extract([path], [call_id])
        const found = tshark(path, `sip.Call-ID == "${call_id}"`, 'frame.time_epoch')
        expect(tshark(extracted.path, 'sip', 'frame.time_epoch')).toEqual(found)
      }
    },
  )
})

describe('a call that a capture agent sent (HEP version 3)', () => {
  const { packets, truth } = generateScenario({
    calls: [
      { duration_s: 8, media: { both: { loss: { packets: [100, 101] } } } },
      { duration_s: 8, at_s: 0.5 },
    ],
  })
  const [wanted, other] = truth.calls.map((call) => call.call_id)

  it.each<[string, Frame[]]>([
    ['over UDP', overUdp(packets)],
    ['over TCP, many messages in a segment', overTcp(packets, 1400)],
    ['over TCP, many segments for a message', overTcp(packets, 61)],
  ])('%s gives the same record, and nothing of the other call', async (_, frames) => {
    const whole = await replayBytes(pcapOf(frames))
    for (const payload of [true, false]) {
      const { bytes } = await extract([fileOf(pcapOf(frames))], [wanted], { payload })
      const part = await replayBytes(bytes)
      expect(part.calls.map((call) => call.call_id)).toEqual([wanted])
      expect(mediaOf(part, wanted)).toEqual(mediaOf(whole, wanted))
      expect(Buffer.from(bytes).includes(other)).toBe(false)
    }
  })

  it('over TCP holds no audio', async () => {
    // Of the RTP that the agent sent: 80 bytes from within each payload.
    const audio = packets
      .filter(({ frame }) => frame.length === 214 && frame[42] === 0x80)
      .map(({ frame }) => Buffer.from(frame.subarray(80, 160)))
    expect(audio.length).toBeGreaterThan(1000)
    const path = fileOf(pcapOf(overTcp(packets, 1400)))
    const cut = Buffer.from((await extract([path], [wanted])).bytes)
    const whole = Buffer.from((await extract([path], [wanted], { payload: true })).bytes)
    expect(audio.some((sample) => whole.includes(sample))).toBe(true)
    expect(audio.some((sample) => cut.includes(sample))).toBe(false)
  })
})
