import { describe, expect, it } from 'vitest'
import { CallEntry } from '../calls/call-entry.js'
import type { CodecUse } from '../calls/media-codecs.js'
import { resolveCodec } from '../calls/media-codecs.js'
import { RtcpWatch } from '../calls/rtcp-watch.js'
import { MediaSecond } from '../calls/second-watch.js'
import { StreamEntry } from '../calls/stream-entry.js'
import type { RtcpCompound } from '../rtcp/packets.js'
import { bucketOf } from '../rtp/histogram.js'
import { BatchReader, BatchWriter } from './call-batch.js'
import type { CallLog } from './call-log.js'
import { ReportCollector } from './collector.js'
import { packSeconds } from './packed-seconds.js'
import { POINT_BYTES, unpackSeconds, type Seconds } from './page/second-codes.js'
import { PLAIN_TEXT } from './report-text.js'
import { readSeenCall, type SeenCall, type SeenDirection } from './seen-call.js'

const START_MS = 1_700_000_000_000
const NO_REPORTS: RtcpCompound = {
  packets: [],
  defects: [],
  encrypted: false,
  authenticated: false,
  reducedSize: false,
  truncated: false,
}
const PCMA = resolveCodec(8, [], true)
const PCMU = resolveCodec(0, [], true)

function stream(ssrc: number): StreamEntry {
  const ends = { ipVersion: 4, sourcePort: 4000, destinationPort: 5000, vlan: -1, firstSequence: 0 }
  const addresses = { source: [0x0a000001, 0, 0, 0], destination: [0x0a000002, 0, 0, 0] } as const
  return new StreamEntry(ssrc, {
    ...ends,
    source: [...addresses.source],
    destination: [...addresses.destination],
    ssrc,
    firstArrival: START_MS,
  })
}

/** A second of 50 packets. */
function second(at: number, part: Partial<MediaSecond> = {}): MediaSecond {
  const made = new MediaSecond()
  const startMs = START_MS + at * 1000
  Object.assign(made, { startMs, lastPacketMs: startMs + 980, packets: 50, ptimeMs: 20, depthMs: 40 }, part)
  made.measured = made.packets
  made.pdv[bucketOf(1)] = made.packets
  return made
}

function collector(): { collector: ReportCollector; close: (call: CallEntry) => SeenCall } {
  const logs: CallLog[] = []
  const made = new ReportCollector({ fixedBufferMs: undefined, networkDelayMs: 25 }, PLAIN_TEXT, (log) =>
    logs.push(log),
  )
  const close = (call: CallEntry): SeenCall => {
    made.onCallClosed(call)
    const writer = new BatchWriter()
    const log = logs.pop()
    log?.write(writer, PLAIN_TEXT)
    log?.release()
    return readSeenCall(new BatchReader(writer.take()))
  }
  return { collector: made, close }
}

function secondsOf({ seconds }: SeenDirection): Seconds {
  const bytes = new Uint8Array(seconds.count * POINT_BYTES)
  return unpackSeconds(bytes, packSeconds(seconds, bytes, 0))
}

const textsOf = (seen: SeenCall) => seen.events.map(({ kind, text }) => `${kind}: ${text}`)

describe('what the report keeps of streams', () => {
  it('each stream of a direction has its codecs, also those that the one before had', () => {
    const { collector: report, close } = collector()
    const call = new CallEntry('a')
    const [first, next] = [stream(0xa), stream(0xb)]
    report.onSecond(call, 'from_caller', first, second(0), PCMA)
    report.onSecond(call, 'from_caller', first, second(1), PCMA)
    report.onSecond(call, 'from_caller', next, second(2), PCMA)
    report.onSecond(call, 'from_caller', next, second(3, { payloadType: 0 }), PCMU)
    report.onSecond(call, 'from_caller', next, second(4), PCMA)
    const seen = close(call)
    expect(seen.streams.map(({ ssrc, codec, packets }) => [ssrc, codec, packets])).toEqual([
      ['0x0000000a', 'PCMA', 100],
      ['0x0000000b', 'PCMA, PCMU', 150],
    ])
    expect(textsOf(seen)).toEqual([
      'codec: PCMA',
      'ssrc: SSRC → 0x0000000b',
      'codec: PCMA → PCMU',
      'codec: PCMU → PCMA',
    ])
  })

  it('two at once in a direction are told apart every second', () => {
    const { collector: report, close } = collector()
    const call = new CallEntry('a')
    const [first, next] = [stream(0xa), stream(0xb)]
    for (let at = 0; at < 2; at++) {
      report.onSecond(call, 'from_caller', first, second(at), PCMA)
      report.onSecond(call, 'from_caller', next, second(at), PCMA)
    }
    const seen = close(call)
    expect(seen.streams.map(({ packets }) => packets)).toEqual([100, 100])
    expect(textsOf(seen)).toEqual([
      'codec: PCMA',
      'ssrc: SSRC → 0x0000000b',
      'ssrc: SSRC → 0x0000000a',
      'ssrc: SSRC → 0x0000000b',
    ])
    expect(secondsOf(seen.from_caller).counts.packets).toEqual([100, 100])
  })

  it('DSCP, gaps, keys and timestamp jumps are noted when they come', () => {
    const { collector: report, close } = collector()
    const call = new CallEntry('a')
    const only = stream(0xa)
    for (const [at, part] of [
      [0, { dscp: 46 }],
      [1, { dscp: 46 }],
      [5, { dscp: 46 }],
      [6, { dscp: 0 }],
      [7, { dscp: 0, dtmfEvents: 2 }],
      [8, { dscp: 0, timestampJumps: 1 }],
      [9, { dscp: 0 }],
    ] as const)
      report.onSecond(call, 'from_callee', only, second(at, part), PCMA)
    expect(textsOf(close(call))).toEqual([
      'codec: PCMA',
      'gap: no packets',
      'dscp: DSCP 46 → 0',
      'dtmf: 2 keys were pressed',
      'jump: timestamp jump',
    ])
  })

  it('a stream that another call takes over counts there', () => {
    const { collector: report, close } = collector()
    const [before, after] = [new CallEntry('a'), new CallEntry('b')]
    const only = stream(0xa)
    report.onSecond(before, 'from_caller', only, second(0), PCMA)
    report.onSecond(after, 'from_callee', only, second(1), PCMA)
    report.onSecond(after, 'from_callee', only, second(2), PCMA)
    const [a, b] = [close(before), close(after)]
    expect([a.streams[0].packets, b.streams[0].packets]).toEqual([50, 100])
    expect([a.streams[0].direction, b.streams[0].direction]).toEqual(['from_caller', 'from_callee'])
    expect(b.from_caller.seconds.count).toBe(0)
    expect(secondsOf(b.from_callee).counts.packets).toEqual([50, 50])
  })

  it('a second after the call was closed does not reach what others have by then', () => {
    const { collector: report, close } = collector()
    const [over, next] = [new CallEntry('a'), new CallEntry('b')]
    const late = stream(0xa)
    report.onSecond(over, 'from_caller', late, second(0), PCMA)
    close(over)
    report.onSecond(next, 'from_caller', stream(0xb), second(1), PCMA)
    report.onSecond(over, 'from_caller', late, second(2), PCMA)
    const seen = close(next)
    expect(secondsOf(seen.from_caller).counts.packets).toEqual([50])
  })
})

describe('the score of a second', () => {
  /** Mouth to ear, ms: packet time + buffer + half the round trip, G.711 having no look-ahead. */
  const delays = (seen: SeenCall) => secondsOf(seen.from_caller).times.delay

  it('goes by the round trip that was seen last', () => {
    const { collector: report, close } = collector()
    const call = new CallEntry('a')
    const only = stream(0xa)
    report.onSecond(call, 'from_caller', only, second(0), PCMA)
    call.rtcp = new RtcpWatch()
    call.rtcp.endToEnd.add(400, START_MS + 1000)
    report.onRtcp(call, 'callee', NO_REPORTS, START_MS)
    report.onSecond(call, 'from_caller', only, second(1), PCMA)
    const seen = close(call)
    const [assumed, known] = delays(seen)
    expect(Math.abs((assumed ?? 0) - 85)).toBeLessThan(85 * 0.03)
    expect(Math.abs((known ?? 0) - 260)).toBeLessThan(260 * 0.03)
    const [before, after] = secondsOf(seen.from_caller).mos
    expect(after).toBeLessThan(before ?? 0)
  })

  it('is that of its own codec, when streams with different ones take turns', () => {
    const { collector: report, close } = collector()
    const call = new CallEntry('a')
    const [known, unknown] = [stream(0xa), stream(0xb)]
    const nothing: CodecUse = { payloadType: 120, clockRateHz: 0, packets: 0, mediaMs: 0 }
    report.onSecond(call, 'from_caller', known, second(0), PCMA)
    report.onSecond(call, 'from_caller', unknown, second(1, { payloadType: 120 }), nothing)
    report.onSecond(call, 'from_caller', known, second(2), PCMA)
    const [first, none, last] = secondsOf(close(call).from_caller).mos
    expect(first).toBeGreaterThan(4)
    expect(none).toBeNull()
    expect(last).toBe(first)
  })
})
