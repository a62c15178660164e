import { readFileSync } from 'node:fs'
import type { CallRecord, DirectionRecord } from '../../src/calls/records.js'
import { openFiles } from '../../src/capture/open.js'
import { readPackets } from './capture-bytes.js'
import type { Frame } from './replay.js'

export function identityOf(call: CallRecord): unknown {
  const { state, caller, callee, caller_address, callee_address, sip, validity } = call
  return {
    ...{ state, caller, callee, caller_address, callee_address, status: sip?.status, endedBy: sip?.ended_by },
    seen: validity.directions_seen,
    complete: validity.complete_end,
  }
}

export function countsOf(fields: DirectionRecord | undefined): object | undefined {
  if (!fields) return undefined
  const {
    packets,
    bytes,
    lost,
    duplicates,
    reordered,
    codec,
    payload_type,
    ptime_ms,
    loss_runs,
    dscp,
    ssrcs,
    mos_model,
  } = fields
  return {
    packets,
    bytes,
    lost,
    duplicates,
    reordered,
    codec,
    payload_type,
    ptime_ms,
    loss_runs,
    dscp,
    ssrcs,
    // Names the mode that was seen in the payload.
    mos_model,
  }
}

export function packetsIn(path: string): number {
  const bytes = readFileSync(path)
  let count = 0
  for (let at = 24; at < bytes.length; at += 16 + bytes.readUInt32LE(at + 8)) count++
  return count
}

export async function framesOf(path: string): Promise<Frame[]> {
  const source = await openFiles([path])
  const packets = await readPackets(source)
  return packets.map(({ timeMs, hex }) => ({ timeMs, frame: Uint8Array.from(Buffer.from(hex, 'hex')) }))
}

export function withTags(frame: Uint8Array, ...tags: [protocol: number, id: number][]): Uint8Array {
  const words = tags.flatMap(([protocol, id]) => [protocol >> 8, protocol & 255, id >> 8, id & 255])
  return Uint8Array.from([...frame.subarray(0, 12), ...words, ...frame.subarray(12)])
}

/** UDP over IPv4 whose payload begins as RTP does, behind any VLAN tags. */
export function isRtp(frame: Uint8Array): boolean {
  let at = 12
  while (frame[at] === 0x81 || frame[at] === 0x88) at += 4
  return frame[at + 11] === 17 && frame[at + 2 + 28] === 0x80
}
