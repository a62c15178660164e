import {
  REPORT_FORMAT,
  ROW_FIELDS,
  type CallDetail,
  type DirectionName,
  type ListedCall,
  type Overview,
  type StoredDetail,
} from './data.js'
import { unpackSeconds, type Seconds } from './second-codes.js'

/** A call's page. */
export interface OpenedCall {
  detail: CallDetail
  seconds: Partial<Record<DirectionName, Seconds>>
}

export function readOverview(): Overview {
  const text = document.getElementById('overview')?.textContent ?? ''
  const overview: Overview = JSON.parse(text)
  if (overview.format !== REPORT_FORMAT) throw new Error(`report format ${overview.format} is not known`)
  return overview
}

export function listCalls(rows: readonly unknown[][]): ListedCall[] {
  return rows.map((row, index) => {
    // Written by the same version of the program, in this order.
    const fields = Object.fromEntries(ROW_FIELDS.map((field, place) => [field, row[place]]))
    const call = { ...fields, index, searched: '' } as ListedCall
    call.searched = [
      call.callId,
      call.caller,
      call.callee,
      call.callerAddress,
      call.calleeAddress,
      call.callerSite,
      call.calleeSite,
      call.trunk,
      call.codec,
      call.state,
      call.quality,
      call.status === null ? '' : `${call.status} ${call.reason}`,
      call.findings.join(' '),
      call.findings.join(' ').replaceAll('_', ' '),
    ]
      .join('\n')
      .toLowerCase()
    return call
  })
}

const MOST_OPEN_BLOCKS = 4
const inflated = new Map<number, Promise<{ details: StoredDetail[]; binary: Uint8Array }>>()

/** Reads a call's details from the file. undefined when the report did not keep them. */
export async function openCall(call: ListedCall): Promise<OpenedCall | undefined> {
  if (call.block < 0) return undefined
  let block = inflated.get(call.block)
  if (!block) {
    block = inflate(call.block)
    inflated.set(call.block, block)
    if (inflated.size > MOST_OPEN_BLOCKS) {
      for (const oldest of inflated.keys()) {
        inflated.delete(oldest)
        break
      }
    }
  }
  const { details, binary } = await block
  const detail = details[call.place]
  for (const [place, message] of detail.messages.entries()) message.text = detail.texts[place] ?? undefined
  const seconds: OpenedCall['seconds'] = {}
  for (const direction of ['from_caller', 'from_callee'] as const) {
    const place = detail.seconds[direction]
    if (place) seconds[direction] = unpackSeconds(binary, place)
  }
  return { detail, seconds }
}

async function inflate(index: number): Promise<{ details: StoredDetail[]; binary: Uint8Array }> {
  const text = document.getElementById(`block-${index}`)?.textContent ?? ''
  const packed = Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('deflate-raw'))
  const whole = new Uint8Array(await new Response(stream).arrayBuffer())
  const length = new DataView(whole.buffer).getUint32(0, true)
  const details: StoredDetail[] = JSON.parse(new TextDecoder().decode(whole.subarray(4, 4 + length)))
  return { details, binary: whole.subarray(4 + length) }
}
