import { deflateRawSync } from 'node:zlib'
import { BatchReader, type CallBatch } from './call-batch.js'
import { detailJson } from './call-details.js'
import { rowOf } from './call-row.js'
import { DetailBlock } from './detail-block.js'
import { LIMITS } from './limits.js'
import type { CallDetail } from './page/data.js'
import { POINT_BYTES } from './page/second-codes.js'
import { sipShower, type SipShown } from './report-text.js'
import { packSeconds } from './packed-seconds.js'
import { readSeenCall, type SeenCall } from './seen-call.js'

/** Takes a third of the time of the default level, and files are a quarter larger. */
const LEVEL = 3

/** What was packed so far: all that the next batch has to know. */
export interface PackedSoFar {
  blocks: number
  /** Details, characters and bytes before compression. */
  size: number
  callsWithoutDetails: number
  goodCallsShortened: number
}

/** What became of a batch. */
export interface PackedBatch {
  /** Details, compressed; undefined: none were kept. */
  block: Uint8Array | undefined
  /** The calls in the table, each as JSON. */
  rows: string[]
  soFar: PackedSoFar
}

export function nothingPacked(): PackedSoFar {
  return { blocks: 0, size: 0, callsWithoutDetails: 0, goodCallsShortened: 0 }
}

/** Makes compressed blocks of the file (`detail-block.ts`): here SIP messages become what may be shown of them. */
export class CallPacker {
  private readonly block = new DetailBlock()
  private readonly show: ((text: string) => string) | undefined
  private seconds = new Uint8Array(64 * 1024)
  private secondsBytes = 0
  private soFar: PackedSoFar

  /** @param soFar what another packer did of the same report */
  constructor(sip: SipShown, soFar: PackedSoFar = nothingPacked()) {
    this.show = sipShower(sip)
    this.soFar = soFar
  }

  pack(batch: CallBatch): PackedBatch {
    this.soFar = { ...this.soFar }
    const { soFar, block } = this
    const reader = new BatchReader(batch)
    const rows: string[] = []
    let place = 0
    block.begin()
    this.seconds.fill(0, 0, this.secondsBytes)
    this.secondsBytes = 0
    for (const record of batch.records) {
      const seen = readSeenCall(reader)
      if (soFar.size >= LIMITS.detailBytes) {
        soFar.callsWithoutDetails++
        rows.push(JSON.stringify(rowOf(record, -1, -1)))
        continue
      }
      const whole = record.quality !== 'good' || soFar.size < LIMITS.detailBytes / 2
      if (!whole) soFar.goodCallsShortened++
      const secondsBefore = this.secondsBytes
      const detail = detailJson(record, seen, whole ? this.addSeconds(seen) : {}, whole)
      const texts = whole ? seen.messages.texts : []
      soFar.size += this.secondsBytes - secondsBefore + detail.length
      for (const text of texts) soFar.size += text?.length ?? 0
      block.addDetail(detail, JSON.stringify(texts.map((text) => this.shown(text))))
      rows.push(JSON.stringify(rowOf(record, soFar.blocks, place++)))
    }
    if (place === 0) return { block: undefined, rows, soFar }
    soFar.blocks++
    const bytes = block.end(this.seconds.subarray(0, this.secondsBytes))
    // A copy of its own: it goes to another thread.
    return { block: new Uint8Array(deflateRawSync(bytes, { level: LEVEL, chunkSize: 1 << 18 })), rows, soFar }
  }

  private shown(text: string | null): string | null {
    return text === null || !this.show ? null : this.show(text)
  }

  private addSeconds(seen: SeenCall): CallDetail['seconds'] {
    const places: CallDetail['seconds'] = {}
    for (const direction of ['from_caller', 'from_callee'] as const) {
      const { seconds } = seen[direction]
      if (seconds.count === 0) continue
      const at = this.secondsBytes
      this.secondsBytes += seconds.count * POINT_BYTES
      if (this.secondsBytes > this.seconds.length) {
        const larger = new Uint8Array(Math.max(this.secondsBytes, this.seconds.length * 2))
        larger.set(this.seconds)
        this.seconds = larger
      }
      places[direction] = packSeconds(seconds, this.seconds, at)
    }
    return places
  }
}
