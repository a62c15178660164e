import type { DecodedPacket } from '../../decode/packet.js'

/**
 * Which of `workers` media workers a flow belongs to: what `fanoutProgram` computes in the kernel, so that a flow comes
 * to the same one whether the kernel sent it there or it was unwrapped first.
 */
export function ownerOf(p: DecodedPacket, workers: number): number {
  const addresses = p.ipVersion === 4 ? p.source0 ^ p.destination0 : p.source3 ^ p.destination3
  const ports = (((p.sourcePort << 16) | p.destinationPort) & 0xfffe_fffe) >>> 1
  const mixed = (addresses ^ ports) >>> 0
  return ((mixed ^ (mixed >>> 16)) & 0xffff) % workers
}
