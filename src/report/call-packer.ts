import { deflateRawSync } from 'node:zlib'
import { jsonLine } from '../sinks/json-line.js'
import { rowOf } from './call-row.js'
import type { CallBatch, ClosedCall, HeldMessage, PackedBatch } from './closed-call.js'
import { LIMITS } from './limits.js'
import type { CallDetail, MessageView, SecondsPlace } from './page/data.js'
import { POINT_BYTES } from './page/second-codes.js'
import { sipShower, type SipShown } from './report-text.js'
import { verdictOf } from './verdict.js'

/** Twice as fast as the default, and files are hardly larger. */
const LEVEL = 4

export interface PackerState {
  /** Blocks made before. */
  blocks: number
  /** Bytes of them before compression. */
  rawBytes: number
}

/**
 * Makes blocks of the file. A block, once inflated: length of its JSON (4 bytes, little-endian), the JSON (an array of
 * details), then the bytes of all seconds. Batches come one after the other: what they may hold depends on those before.
 */
export class CallPacker {
  private readonly showSip: ((text: string) => string) | undefined
  private blocks: number
  private rawBytes: number

  constructor(sip: SipShown, { blocks, rawBytes }: PackerState) {
    this.showSip = sipShower(sip)
    this.blocks = blocks
    this.rawBytes = rawBytes
  }

  pack({ calls, seconds }: CallBatch): PackedBatch {
    if (this.rawBytes >= LIMITS.detailBytes) {
      const rows = calls.map(({ record }) => rowJson(rowOf(record, -1, -1)))
      return { rows: rows.join(), rawBytes: 0, goodCallsShortened: 0, callsWithoutDetails: calls.length }
    }
    const tight = this.rawBytes >= LIMITS.detailBytes / 2
    const binary = new KeptSeconds(seconds)
    const rows: string[] = []
    const details: string[] = []
    let goodCallsShortened = 0
    for (const [place, call] of calls.entries()) {
      const whole = !tight || call.record.quality !== 'good'
      if (!whole) goodCallsShortened++
      details.push(this.detailJson(call, whole, tight ? binary : undefined))
      rows.push(rowJson(rowOf(call.record, this.blocks, place)))
    }
    const block = blockOf(details, tight ? binary.bytes() : seconds)
    this.blocks++
    this.rawBytes += block.length
    return {
      block: deflateRawSync(block, { level: LEVEL }),
      rows: rows.join(),
      rawBytes: block.length,
      goodCallsShortened,
      callsWithoutDetails: 0,
    }
  }

  /** @param kept absent: all seconds of the batch are kept, where they are */
  private detailJson({ record, log, seconds }: ClosedCall, whole: boolean, kept?: KeptSeconds): string {
    const { events, streams, intervals, reports, roundTrips, messages } = log
    const detail: Omit<CallDetail, 'record'> = {
      verdict: verdictOf(record),
      intervals,
      seconds: whole ? (kept?.keep(seconds) ?? seconds) : {},
      events,
      streams,
      reports,
      roundTrips,
      messages: whole ? messages.map((message) => this.view(message)) : [],
      cut: cutTexts(log, whole),
    }
    // The record as NDJSON has it: rounded, nothing unknown.
    return `{"record":${jsonLine(record)},${JSON.stringify(detail).slice(1)}`
  }

  private view({ timeMs, source, destination, transport, title, cseq, ...rest }: HeldMessage): MessageView {
    const text = rest.text === undefined ? undefined : this.showSip?.(rest.text)
    return {
      timeMs: Math.round(timeMs * 100) / 100,
      source,
      destination,
      transport,
      title,
      cseq,
      repeats: rest.repeats,
      copy: rest.copy || undefined,
      text,
      cut: rest.cut > 0 && text !== undefined ? rest.cut : undefined,
    }
  }
}

/** Seconds of those calls that keep theirs, moved together. */
class KeptSeconds {
  private readonly pieces: Uint8Array[] = []
  private length = 0

  constructor(private readonly all: Uint8Array) {}

  keep(places: ClosedCall['seconds']): ClosedCall['seconds'] {
    const moved = (place: SecondsPlace | undefined): SecondsPlace | undefined => {
      if (!place) return undefined
      const at = this.length
      const bytes = place.count * POINT_BYTES
      this.pieces.push(this.all.subarray(place.at, place.at + bytes))
      this.length += bytes
      return { ...place, at }
    }
    return { from_caller: moved(places.from_caller), from_callee: moved(places.from_callee) }
  }

  bytes(): Uint8Array {
    return Buffer.concat(this.pieces, this.length)
  }
}

function blockOf(details: readonly string[], seconds: Uint8Array): Buffer {
  const json = Buffer.from(`[${details.join()}]`)
  const block = Buffer.allocUnsafe(4 + json.length + seconds.length)
  block.writeUInt32LE(json.length)
  json.copy(block, 4)
  block.set(seconds, 4 + json.length)
  return block
}

function rowJson(row: readonly unknown[]): string {
  return JSON.stringify(row)
}

function cutTexts({ messagesLeftOut, leftOut }: ClosedCall['log'], whole: boolean): string[] {
  const cut: string[] = []
  if (!whole)
    cut.push(
      'The report was over half of its size when this call ended: of good calls it keeps no SIP messages and no seconds.',
    )
  if (messagesLeftOut > 0)
    cut.push(`${messagesLeftOut} SIP messages beyond the first ${LIMITS.messages} of this call are not shown.`)
  if (leftOut > 0) cut.push(`${leftOut} more events, RTCP reports or streams of this call are not shown.`)
  return cut
}
