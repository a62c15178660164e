import { MediaTotals } from '../../src/calls/media-totals.js'
import { DecodeState } from '../../src/decode/state.js'
import type { DecodedPacket } from '../../src/decode/packet.js'
import { RtpMeter, type MeterOptions } from '../../src/rtp/meter.js'
import type { IntervalRow, StreamListener } from '../../src/rtp/row.js'
import type { PayloadFormat } from '../../src/sip/sdp-types.js'
import type { ReferencePacket } from '../reference/reference.js'

const SOURCE = 0x0a000001
const DESTINATION = 0x0a000002
const SOURCE_PORT = 20_000
const DESTINATION_PORT = 30_000

/** What a test keeps of a row. */
export interface KeptRow {
  start: number
  end: number
  packets: number
  lost: number
  lostBefore: number
  duplicates: number
  first: boolean
  last: boolean
  firstPacket: number
  lastPacket: number
  pdvMax: number
  burstSeconds: number
  types: { payloadType: number; packets: number }[]
}

/** Sums the rows of each stream, and keeps them. */
export class Collector implements StreamListener {
  /** In order of appearance; a slot that is used again makes a new entry. */
  readonly streams: { slot: number; totals: MediaTotals; rows: KeptRow[]; ended: boolean }[] = []
  meter?: RtpMeter
  private readonly bySlot: number[] = []

  constructor(private readonly formats?: readonly PayloadFormat[]) {}

  onStreamStart(slot: number): void {
    this.bySlot[slot] = this.streams.push({ slot, totals: new MediaTotals(), rows: [], ended: false }) - 1
    if (this.formats) this.meter?.setPayloadFormats(slot, this.formats)
  }

  onRow(row: IntervalRow): void {
    const stream = this.streams[this.bySlot[row.slot]]
    stream.totals.add(row, row.lostBefore)
    stream.rows.push({
      start: row.intervalStart,
      end: row.intervalEnd,
      packets: row.packets,
      lost: row.lost,
      lostBefore: row.lostBefore,
      duplicates: row.duplicates,
      first: row.first,
      last: row.last,
      firstPacket: row.firstPacket,
      lastPacket: row.lastPacket,
      pdvMax: row.pdvMax,
      burstSeconds: row.burstSeconds,
      types: row.typeCounts.slice(0, row.payloadTypes).map((count) => ({ ...count })),
    })
  }

  onStreamEnd(slot: number): void {
    this.streams[this.bySlot[slot]].ended = true
  }
}

/** A meter with a collector behind it, fed with packets that have the reference's shape. */
export class Feed {
  readonly meter: RtpMeter
  readonly collector: Collector
  readonly packet = new DecodeState()
  private readonly bytes = new Uint8Array(64)

  constructor(options: MeterOptions = {}, formats?: readonly PayloadFormat[]) {
    this.collector = new Collector(formats)
    this.meter = new RtpMeter(this.collector, { maxStreams: 64, ...options })
    this.collector.meter = this.meter
    Object.assign(this.packet, {
      bytes: this.bytes,
      view: new DataView(this.bytes.buffer),
      payloadOffset: 0,
      source0: SOURCE,
      destination0: DESTINATION,
      sourcePort: SOURCE_PORT,
      destinationPort: DESTINATION_PORT,
    })
  }

  /** Signalling announces where the packets go to: the stream counts from its first packet. */
  announce(): this {
    this.meter.announced.add(DESTINATION, 0, 0, 0, DESTINATION_PORT)
    return this
  }

  send(packet: ReferencePacket): number {
    const { view } = this.packet
    view.setUint16(0, 0x8000 | (packet.marker ? 0x80 : 0) | packet.pt)
    view.setUint16(2, packet.seq)
    view.setUint32(4, packet.ts)
    view.setUint32(8, packet.ssrc)
    const p = this.packet
    p.timeMs = packet.timeMs
    p.payloadLength = packet.payloadLength
    p.payloadCaptured = Math.min(packet.payloadLength, 64)
    // Content that differs from packet to packet, and does not for a repeat.
    p.udpChecksum = ((Math.imul(packet.seq + 1, 0x9e37) ^ (packet.ts * 31)) & 0xffff) | 1
    return this.meter.onPacket(p)
  }

  /** A UDP payload as it stands, with other packet fields where the test says so. */
  sendPayload(payload: Uint8Array, timeMs: number, fields: Partial<DecodedPacket> = {}): number {
    this.bytes.set(payload.subarray(0, this.bytes.length))
    Object.assign(this.packet, {
      timeMs,
      payloadLength: payload.length,
      payloadCaptured: Math.min(payload.length, this.bytes.length),
      udpChecksum: 0,
      ...fields,
    })
    return this.meter.onPacket(this.packet)
  }

  sendAll(packets: readonly ReferencePacket[]): this {
    for (const packet of packets) this.send(packet)
    return this
  }

  /** Totals of the stream that was there alone. */
  finish(): MediaTotals {
    this.end()
    const { streams } = this.collector
    if (streams.length !== 1) throw new Error(`expected one stream, got ${streams.length}`)
    return streams[0].totals
  }

  end(): void {
    const pauses: unknown = this.meter.finish()
    if (isIterable(pauses)) for (const _ of pauses) continue
  }
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value
}
