import type { RtpPacket } from './packets.js'
import { reason, type Reason } from './reasons.js'

/** A stream that no signalling announced counts from this many packets in order (docs/metrics.md). */
const PROBATION_PACKETS = 5
/** What the second packet may be away from the first. */
const FIRST_STEP = 16
const FIRST_WINDOW_MS = 2000

/** Why a stream that tshark lists is none to us; undefined when it should have been one. */
export function whyNoStream(packets: readonly RtpPacket[]): Reason | undefined {
  const frames = packets.map(({ frame }) => frame)
  if (packets.every(({ transport }) => transport === 'tcp'))
    return reason('over_tcp', 'RTP inside TCP, which is not measured: delay and loss there are TCP’s', frames)
  if (packets.every(({ payloadType }) => payloadType >= 72 && payloadType <= 76)) {
    return reason(
      'payload_type_reads_as_rtcp',
      `payload type ${packets[0].payloadType}, which RFC 3551 keeps free because it reads as RTCP`,
      frames,
    )
  }
  const longest = longestProbation(packets)
  if (longest >= PROBATION_PACKETS) return undefined
  return reason(
    'on_probation',
    `never ${PROBATION_PACKETS} packets in order (${longest} at most): taken for other traffic, as nothing announced it`,
    frames,
  )
}

/** Most packets in a row that look like the beginning of one stream. */
function longestProbation(packets: readonly RtpPacket[]): number {
  let longest = 0
  let inOrder = 0
  let first: RtpPacket | undefined
  let highest = 0
  for (const packet of packets) {
    const step = first === undefined ? 0 : ((packet.sequence - highest) << 16) >> 16
    const fits =
      first !== undefined &&
      Math.abs(step) <= FIRST_STEP &&
      (inOrder > 1 ||
        (packet.payloadType === first.payloadType && packet.timeMs - first.timeMs <= FIRST_WINDOW_MS))
    if (!fits) {
      first = packet
      inOrder = 1
      highest = packet.sequence
    } else if (step > 0) {
      inOrder++
      highest = packet.sequence
    }
    longest = Math.max(longest, inOrder)
  }
  return longest
}
