import { expect } from 'vitest'
import { AlertEngine, type AlertEngineOptions, type EngineState } from '../../src/alerts/engine.js'
import { CallEntry } from '../../src/calls/call-entry.js'
import { placesOf, type PlaceContext } from '../../src/calls/places.js'
import { resolveCodec } from '../../src/calls/media-codecs.js'
import {
  RECORD_SCHEMA,
  type AlertRecord,
  type CallRecord,
  type Direction,
  type Finding,
} from '../../src/calls/records.js'
import { MediaSecond } from '../../src/calls/second-watch.js'
import { StreamEntry } from '../../src/calls/stream-entry.js'
import { validateRecord } from '../../src/calls/validate.js'
import { parseConfig } from '../../src/config/load.js'
import { NameMap } from '../../src/config/networks.js'
import { jitterBucketOf, bucketOf } from '../../src/rtp/histogram.js'
import type { SipCall } from '../../src/sip/call.js'

export const START_MS = Date.parse('2026-03-02T08:00:00Z')

/** What a second of a stream had beside 50 packets in good order. */
export interface SecondSpec {
  lost?: number
  late?: number
  /** Packets with this delay variation. */
  burstMs?: number
  burstPackets?: number
  /** Payload of GSM half rate: 3.5 at best. Else PCMU. */
  gsmHalfRate?: boolean
}

const G711 = resolveCodec(0, [], true)
const GSM_HR = resolveCodec(
  97,
  [{ payloadType: 97, encoding: 'GSM-HR-08', clockRateHz: 8000, channels: 1 }],
  true,
)

/** A call as the correlator would show it. */
export class FedCall {
  readonly entry: CallEntry
  readonly sip: SipCall
  private readonly streams: Record<Direction, StreamEntry>

  constructor(
    readonly id: string,
    readonly caller: string,
    readonly callee: string,
    callerAddress: string,
    calleeAddress: string,
    readonly startMs: number,
    n: number,
  ) {
    this.sip = {
      callId: id,
      key: id,
      state: 'in_progress',
      caller,
      callee,
      callerUri: `sip:${caller}@example.org`,
      calleeUri: `sip:${callee}@example.org`,
      fromTag: 'a',
      toTag: 'b',
      callerSignalling: { address: callerAddress, port: 5060 },
      calleeSignalling: { address: calleeAddress, port: 5060 },
      transport: 'udp',
      vlan: -1,
      sawInvite: true,
      inviteMs: startMs,
      authChallenges: 0,
      redirects: 0,
      retransmissions: 0,
      userAgents: {},
      mediaHistory: [],
      holds: [],
      relatedCallIds: [],
      reinvites: 0,
      prack: false,
      referred: false,
      lastMs: startMs,
      defects: [],
    } as unknown as SipCall
    this.entry = new CallEntry(id, this.sip)
    this.streams = {
      from_caller: streamOf(callerAddress, calleeAddress, n),
      from_callee: streamOf(calleeAddress, callerAddress, n),
    }
  }

  stream(direction: Direction): StreamEntry {
    return this.streams[direction]
  }
}

function words(address: string): [number, number, number, number] {
  const [a, b, c, d] = address.split('.').map(Number)
  return [(a << 24) | (b << 16) | (c << 8) | d, 0, 0, 0]
}

function streamOf(from: string, to: string, n: number): StreamEntry {
  return new StreamEntry(n, {
    ipVersion: 4,
    source: words(from),
    destination: words(to),
    sourcePort: 10_000,
    destinationPort: 20_000,
    ssrc: n,
    vlan: -1,
    firstArrival: START_MS,
    firstSequence: 0,
  })
}

/** Feeds an engine with what the correlator would tell it, without packets. `config` is YAML. */
export class AlertFeed {
  readonly alerts: AlertRecord[] = []
  readonly engine: AlertEngine
  nowMs = START_MS
  private readonly second = new MediaSecond()
  private readonly places: PlaceContext
  private made = 0
  /** What was open right after the start. */
  readonly restored: readonly AlertRecord[] = []

  constructor(config = '', options: Partial<AlertEngineOptions> & { state?: EngineState } = {}) {
    const parsed = parseConfig(config, 'test.yaml')
    this.places = { config: parsed, names: new NameMap(parsed) }
    this.engine = new AlertEngine(parsed, {
      ...options,
      emit: (record) => {
        const written: AlertRecord = JSON.parse(JSON.stringify(record))
        expect(validateRecord(written), JSON.stringify(written)).toEqual([])
        this.alerts.push(written)
      },
    })
    if (options.state) {
      this.engine.restore(options.state)
      this.restored = this.engine.open()
    }
    this.engine.onTime(this.nowMs)
  }

  /** Time goes on, as packets bring it. */
  advance(ms: number, stepMs = 1000): void {
    const end = this.nowMs + ms
    while (this.nowMs < end) {
      this.nowMs = Math.min(end, this.nowMs + stepMs)
      this.engine.onTime(this.nowMs)
    }
  }

  call(spec: { caller?: string; callee?: string; from?: string; to?: string } = {}): FedCall {
    const n = this.made++
    const { caller = `c${n}`, callee = `d${n}`, from = '10.1.0.5', to = '10.2.0.5' } = spec
    const call = new FedCall(`call-${n}`, caller, callee, from, to, this.nowMs, n)
    this.engine.onCallStart(call.entry)
    return call
  }

  /** The second before now is over. */
  media(call: FedCall, direction: Direction, spec: SecondSpec = {}): void {
    const { lost = 0, late = 0, burstMs = 0, burstPackets = burstMs > 0 ? 5 : 0 } = spec
    const { second } = this
    const packets = 50 - lost
    Object.assign(second, {
      startMs: Math.floor(this.nowMs / 1000) * 1000 - 1000,
      packets,
      lost,
      late,
      measured: packets,
      jitterUpdates: packets,
      // About the sum of |D|: a burst goes up and down again.
      jitterSum: 20 + 2 * burstMs,
      pdvMax: Math.max(5, burstMs),
      payloadType: 0,
      ptimeMs: 20,
      depthMs: 40,
    })
    second.pdv.fill(0)
    second.jitter.fill(0)
    second.pdv[bucketOf(5)] = packets - burstPackets
    if (burstMs > 0) second.pdv[bucketOf(burstMs)] += burstPackets
    second.jitter[jitterBucketOf(burstMs > 0 ? burstMs / 8 : 0.5)] = packets
    this.engine.onSecond(
      call.entry,
      direction,
      call.stream(direction),
      second,
      spec.gsmHalfRate ? GSM_HR : G711,
    )
    if (burstMs > 60 && burstPackets >= 3) this.engine.onBurstSecond(call.entry, direction, second.startMs)
  }

  /** The call's record is written. */
  close(call: FedCall, change: Partial<CallRecord> = {}): void {
    call.entry.closed = true
    this.engine.onCallClosed(call.entry, {
      type: 'call',
      schema: RECORD_SCHEMA,
      call_id: call.id,
      probe: 'callprobe',
      start: new Date(call.startMs).toISOString(),
      end: new Date(this.nowMs).toISOString(),
      state: 'completed',
      quality: 'good',
      caller: call.caller,
      callee: call.callee,
      caller_address: call.sip.callerSignalling.address,
      callee_address: call.sip.calleeSignalling.address,
      ...placesOf(call.entry, this.places),
      media: {},
      mos_cq_min: 4.3,
      findings: [],
      validity: {},
      ...change,
    })
  }

  get said(): string[] {
    return this.alerts.map(({ rule, state }) => `${rule} ${state}`)
  }
}

export function finding(code: Finding['code'], confidence: Finding['confidence'] = 'high'): Finding {
  return { code, severity: 'critical', confidence, evidence: {}, message: 'as found' }
}
