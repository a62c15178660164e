import type { SipCall } from '../../sip/call.js'
import { heldMs } from '../../sip/holds.js'
import { DIRECTIONS, type Confidence, type Finding } from '../records.js'
import { otherDirection, type CallEvidence, type MediaEvidence } from './evidence.js'
import { atMost, countText, finding, timeText } from './finding.js'
import { isSeenOnMediaPath, type CaptureFaults } from './mirror.js'
import { STOPPED_MS } from './thresholds.js'

/** In a shorter call media may only have been late; */
const SHORT_MS = 5000
/** and in one that is shorter than this there is nothing to say. */
const LEAST_TALK_MS = 2000
/** Other calls that show what is usual on the path. */
const ENOUGH_CALLS = 3
/** Both directions that end within this of each other ended together. */
const TOGETHER_MS = 2000
/** Media that stops alike on this many other calls stops for a reason that counts seconds. */
const ALIKE_CALLS = 2

/** Media that was to flow and did not, or that ended before the call. */
export function presenceFindings(call: CallEvidence, faults: CaptureFaults): Finding[] {
  if (faults.hidden !== undefined || !seesMedia(call)) return []
  if (call.talkMs < LEAST_TALK_MS) return []
  const withoutRoom = call.record.validity.directions_without_room ?? []
  const silent = DIRECTIONS.map((direction) => call.media[direction]).filter(
    ({ direction, expected, packets }) =>
      expected === true && packets === 0 && !withoutRoom.includes(direction),
  )
  const { from_caller, from_callee } = call.media
  if (from_caller.packets === 0 && from_callee.packets === 0) {
    return silent.length > 0 && withoutRoom.length === 0 ? [noMedia(call, silent.length)] : []
  }
  if (silent.length === 1) return [oneWay(call, silent[0])]
  return stopped(call)
}

/** Whether media of this call would pass the tap: some does, or what accompanies it. */
function seesMedia({ mediaOnTap, media }: CallEvidence): boolean {
  const { from_caller, from_callee } = media
  const rtcp = from_caller.rtcpFromSender + from_callee.rtcpFromSender
  return (
    mediaOnTap || rtcp > 0 || from_caller.unreachable !== undefined || from_callee.unreachable !== undefined
  )
}

function noMedia(call: CallEvidence, expected: number): Finding {
  const { from_caller, from_callee } = call.media
  const { path, talkMs } = call
  const icmp = (from_caller.unreachable?.count ?? 0) + (from_callee.unreachable?.count ?? 0)
  const rtcp = from_caller.rtcpFromSender + from_callee.rtcpFromSender
  // Media may take another way than signalling: then its absence says something about the tap, not about the call.
  const usual = path.callsBothWays >= ENOUGH_CALLS
  let confidence: Confidence =
    icmp > 0 || rtcp > 0 || usual ? 'high' : path.callsBothWays > 0 ? 'medium' : 'low'
  if (talkMs < SHORT_MS) confidence = 'low'
  return finding({
    code: 'no_media',
    severity: 'critical',
    confidence: knownStart(call, confidence),
    evidence: {
      established_s: talkMs / 1000,
      directions_expected: expected,
      rtcp_packets: rtcp,
      icmp_errors: icmp || undefined,
      other_calls_both_ways: path.callsBothWays,
    },
    message: `The call was up for ${timeText(talkMs)} and not one media packet of either side was seen${
      confidence === 'low' ? ', unless media takes another way than this tap' : ''
    }.`,
  })
}

function oneWay(call: CallEvidence, silent: MediaEvidence): Finding {
  const heard = call.media[otherDirection(silent.direction)]
  const { path, talkMs } = call
  const usual = path.callsBothWays >= ENOUGH_CALLS
  const sent = silent.unseen?.packetsSent
  const proof =
    silent.rtcpFromSender > 0 || silent.unreachable !== undefined || usual || isSeenOnMediaPath(call, silent)
  let confidence: Confidence = proof ? 'high' : 'medium'
  // A stray packet or two are no conversation that the other side could be missing from.
  if (talkMs < SHORT_MS || heard.packets < 50 || runsBothWays(heard)) confidence = 'low'
  const why = reasonOf(silent)
  return finding({
    code: 'one_way_audio',
    severity: 'critical',
    confidence: knownStart(call, confidence),
    direction: silent.direction,
    evidence: {
      established_s: talkMs / 1000,
      packets_seen: 0,
      other_direction_packets: heard.packets,
      rtcp_from_sender: silent.rtcpFromSender,
      packets_sent: sent !== undefined && sent > 0 ? sent : undefined,
      icmp_errors: silent.unreachable?.count,
      other_calls_both_ways: path.callsBothWays,
      other_calls_one_way: path.callsOneWay,
    },
    message: `The ${silent.sender} is not heard: no media packet from the ${silent.sender} in ${timeText(talkMs)}, while the ${heard.sender} sent ${heard.packets.toLocaleString('en-US')}${why}.`,
  })
}

/** Streams between the same two hosts in both directions, which the descriptions make one: they may have it wrong. */
function runsBothWays({ streams }: MediaEvidence): boolean {
  return streams.some((stream) =>
    streams.some(
      (other) =>
        other.sourceAddress === stream.destinationAddress &&
        other.destinationAddress === stream.sourceAddress &&
        stream.sourceAddress !== stream.destinationAddress,
    ),
  )
}

function reasonOf({ unseen, rtcpFromSender, sender }: MediaEvidence): string {
  if (unseen && unseen.packetsSent > 0)
    return `; the ${sender} reports ${countText(unseen.packetsSent, 'packet')} sent, so they are lost on the way here`
  if (rtcpFromSender > 0)
    return `; the ${sender}'s RTCP arrives, so it is alive and its media is not sent or is blocked`
  return ''
}

/** Without the beginning of the call its descriptions may be incomplete. */
function knownStart({ record }: CallEvidence, confidence: Confidence): Confidence {
  return record.validity.complete_start === false ? atMost(confidence, 'low') : confidence
}

interface Stop {
  media: MediaEvidence
  silentMs: number
}

/** Media that ended 5 s or more before the call did. */
function stopped(call: CallEvidence): Finding[] {
  if (!call.sip || (call.record.state !== 'completed' && call.record.state !== 'in_progress')) return []
  const withoutRoom = call.record.validity.directions_without_room ?? []
  const stops = DIRECTIONS.filter((direction) => !withoutRoom.includes(direction))
    .map((direction) => stopOf(call, call.media[direction]))
    .filter((s) => s !== undefined)
  const running = DIRECTIONS.filter((direction) => call.media[direction].packets > 0)
  if (stops.length === 0) return []
  // At the end of the capture both may only have ended with it.
  if (call.record.state === 'in_progress' && stops.length === running.length) return []
  const together =
    stops.length === 2 && Math.abs(stops[0].media.lastMs - stops[1].media.lastMs) <= TOGETHER_MS
  if (together) return [stopFinding(call, stops[0], true)]
  return stops.map((stop) => stopFinding(call, stop, false))
}

function stopOf({ sip, endMs }: CallEvidence, media: MediaEvidence): Stop | undefined {
  if (!sip || media.packets === 0 || media.expected === false) return undefined
  const silentMs = endMs - media.lastMs - heldMs(sip.holds, media.lastMs, endMs)
  if (silentMs < STOPPED_MS) return undefined
  if (endedByAgreement(sip, media.lastMs)) return undefined
  // Who pauses that long in between (silence suppression) may as well have paused at the end.
  const pause = media.record?.longest_gap_ms ?? 0
  if (pause >= STOPPED_MS && silentMs < 2 * pause && media.record?.lost === 0) return undefined
  return { media, silentMs }
}

/** Audio was taken out of the session (a switch to fax, say) about when it stopped, or later. */
function endedByAgreement(sip: SipCall, stopMs: number): boolean {
  return sip.mediaHistory.some(
    ({ timeMs, media }) =>
      timeMs >= stopMs - STOPPED_MS && !media.some(({ kind, port }) => kind === 'audio' && port !== 0),
  )
}

function stopFinding(call: CallEvidence, { media, silentMs }: Stop, both: boolean): Finding {
  const afterMs = media.lastMs - (call.establishedMs ?? media.firstMs)
  const { stoppedAlike } = call.path
  const alike = stoppedAlike >= ALIKE_CALLS
  const suppresses = media.noisePackets > 0
  // Who is muted sends nothing either.
  const idle = media.senderProof?.idle === true && !both
  let confidence: Confidence = alike || both ? 'high' : 'medium'
  if ((suppresses || idle) && !alike) confidence = 'low'
  if (media.packets < 50) confidence = 'low'
  const who = both ? 'Media of both sides' : `Media from the ${media.sender}`
  const pattern = alike
    ? `, as on ${countText(stoppedAlike, 'other call')}: a session timer or a UDP mapping expires then`
    : idle
      ? `; by its own count the ${media.sender} sends no more: muted, silence suppression, or its own fault`
      : ''
  return finding({
    code: 'media_stopped',
    severity: 'critical',
    confidence,
    direction: both ? undefined : media.direction,
    evidence: {
      stopped_after_s: afterMs / 1000,
      silent_s: silentMs / 1000,
      packets: media.packets,
      other_calls_stopped_alike: stoppedAlike,
      rtcp_from_sender: media.rtcpFromSender,
      comfort_noise_packets: media.noisePackets || undefined,
      sender_idle: idle || undefined,
    },
    message: `${who} stopped ${timeText(afterMs)} after the answer and stayed away for the last ${timeText(silentMs)} of the call${pattern}.`,
  })
}
