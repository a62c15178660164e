import type { SipCall } from '../../sip/call.js'
import { DIRECTIONS, type Confidence, type Finding } from '../records.js'
import type { CallEvidence, CodecShare, LegMedia, LegNote, MediaEvidence } from './evidence.js'
import { countText, finding } from './finding.js'

/** Fewer packets of a payload type than this may be a stray. */
const LEAST_PACKETS = 10
/** DSCP and codecs of less media than this are not compared. */
const LEAST_MEDIA = 50
/** Beside speech: these come and go within a codec. */
const ACCESSORY = new Set(['CN', 'TELEPHONE-EVENT', 'RED', 'ULPFEC', 'FLEXFEC-03', 'RTX', 'TONE'])
/** RFC 3389: comfort noise has static types, which many send unasked. */
const COMFORT_NOISE = new Set([13, 19])

/** What is in the packets, against what was agreed on and what other legs carry. */
export function codecFindings(call: CallEvidence): Finding[] {
  return DIRECTIONS.flatMap((direction) => {
    const media = call.media[direction]
    if (media.packets === 0) return []
    return [
      call.sip && payloadMismatch(call.sip, media),
      codecChanged(call, media),
      ptimeChanged(media),
      ...legFindings(call, media),
      unmarked(media),
    ].filter((f) => f !== undefined)
  })
}

/** Payload types and encodings that a party said it takes, at any time of the call. */
function takenBy(
  sip: SipCall,
  media: MediaEvidence,
): { types: Set<number>; encodings: Set<string> } | undefined {
  const types = new Set<number>()
  const encodings = new Set<string>()
  for (const described of [...sip.mediaHistory, sip.callerMedia, sip.calleeMedia]) {
    if (described?.party !== media.receiver) continue
    // Audio and video may share one port (RFC 9143).
    for (const { formats } of described.media)
      for (const { payloadType, encoding } of formats) {
        types.add(payloadType)
        if (encoding !== '') encodings.add(encoding)
      }
  }
  return types.size > 0 ? { types, encodings } : undefined
}

function payloadMismatch(sip: SipCall, media: MediaEvidence): Finding | undefined {
  const taken = takenBy(sip, media)
  if (!taken) return undefined
  const strange = media.codecs.filter(
    ({ payloadType, encoding, packets }) =>
      packets >= LEAST_PACKETS &&
      !taken.types.has(payloadType) &&
      !COMFORT_NOISE.has(payloadType) &&
      // Numbered as in the sender's own description: wrong by RFC 3264 5.1, and mostly understood.
      !(encoding !== undefined && taken.encodings.has(encoding)),
  )
  if (strange.length === 0) return undefined
  const main = strange.reduce((most, share) => (share.packets > most.packets ? share : most))
  const packets = strange.reduce((sum, share) => sum + share.packets, 0)
  const mostly = packets > media.packets / 2
  return finding({
    code: 'payload_type_mismatch',
    severity: mostly ? 'critical' : 'warning',
    confidence: sip.sawInvite ? 'high' : 'low',
    direction: media.direction,
    evidence: {
      payload_type: main.payloadType,
      codec: main.encoding,
      packets,
      packets_percent: (100 * packets) / Math.max(1, media.packets),
      negotiated_payload_types: [...taken.types].join(' '),
    },
    message: `The ${media.sender} sends payload type ${main.payloadType}${
      main.encoding === undefined ? '' : ` (${main.encoding})`
    } in ${countText(packets, 'packet')}, which the ${media.receiver} never agreed to take.`,
  })
}

function speech(codecs: readonly CodecShare[]): CodecShare[] {
  return codecs.filter(
    ({ encoding, packets }) => encoding !== undefined && packets >= LEAST_PACKETS && !ACCESSORY.has(encoding),
  )
}

function codecChanged(call: CallEvidence, media: MediaEvidence): Finding | undefined {
  const taken = call.sip && takenBy(call.sip, media)
  const used = speech(media.codecs).filter(
    ({ payloadType, encoding }) =>
      !taken || taken.types.has(payloadType) || taken.encodings.has(encoding ?? ''),
  )
  const names = [...new Set(used.map(({ encoding }) => encoding))]
  if (names.length < 2) return undefined
  const byUse = used.toSorted((a, b) => b.packets - a.packets)
  return finding({
    code: 'codec_changed',
    severity: 'info',
    confidence: 'high',
    direction: media.direction,
    evidence: {
      codecs: byUse.map(({ encoding }) => encoding).join(' '),
      most_used: byUse[0].encoding,
      most_used_packets: byUse[0].packets,
      other_packets: byUse.slice(1).reduce((sum, { packets }) => sum + packets, 0),
      reinvites: call.sip?.reinvites,
    },
    message: `The ${media.sender} changed its codec during the call (${names.join(', ')}); all of them were negotiated.`,
  })
}

function ptimeChanged(media: MediaEvidence): Finding | undefined {
  const ptime = media.timing?.ptime
  if (!ptime) return undefined
  return finding({
    code: 'ptime_changed',
    severity: 'info',
    confidence: 'medium',
    direction: media.direction,
    evidence: {
      ptime_ms: ptime.fromMs,
      changed_ptime_ms: ptime.toMs,
      changed_after_s: (ptime.changedMs - media.firstMs) / 1000,
    },
    message: `The ${media.sender} went from ${ptime.fromMs} ms to ${ptime.toMs} ms of media per packet during the call.`,
  })
}

/** Legs within this call (hops past a media relay, two sides of a router), and of other dialogs that belong to it. */
function legFindings(call: CallEvidence, media: MediaEvidence): Finding[] {
  const own: LegMedia = {
    codec: media.record?.codec,
    dscp: media.record?.dscp,
    packets: media.packets,
  }
  const found: Finding[] = []
  const legs = [...innerLegs(call, media), ...call.path.otherLegs]
  const transcoded = legs.find(
    (leg) => differ(own, leg.media[media.direction], 'codec') && leg.kind !== 'copy',
  )
  if (transcoded) found.push(transcoding(media, own, transcoded))
  const remarked = legs.find((leg) => differ(own, leg.media[media.direction], 'dscp'))
  if (remarked) found.push(rewrittenDscp(media, own, remarked))
  return found
}

/** The same direction as it passed the tap once more. */
function innerLegs(call: CallEvidence, media: MediaEvidence): LegNote[] {
  const main = media.streams.find((stream) => stream.audio && stream.packets >= LEAST_MEDIA)
  if (!main) return []
  return media.streams
    .filter((stream) => !stream.audio && stream.packets >= LEAST_MEDIA && stream.codec !== undefined)
    .filter((stream) => stream.firstMs < main.lastMs && stream.lastMs > main.firstMs)
    .filter((stream) => stream.leg !== main.leg || stream.ssrc === main.ssrc)
    .map((stream): LegNote => {
      const seen: LegMedia = { codec: stream.codec, dscp: stream.dscp, packets: stream.packets }
      return {
        callId: call.record.call_id,
        media: { [media.direction]: seen },
        kind: stream.ssrc === main.ssrc ? 'copy' : 'hop',
        confidence: 'high',
      }
    })
}

function differ(own: LegMedia, other: LegMedia | undefined, what: 'codec' | 'dscp'): boolean {
  if (!other || own.packets < LEAST_MEDIA || other.packets < LEAST_MEDIA) return false
  return own[what] !== undefined && other[what] !== undefined && own[what] !== other[what]
}

function transcoding(media: MediaEvidence, own: LegMedia, leg: LegNote): Finding {
  const other = leg.media[media.direction]
  return finding({
    code: 'transcoding_suspected',
    severity: 'info',
    confidence: leg.confidence,
    direction: media.direction,
    evidence: {
      codec: own.codec,
      other_leg_codec: other?.codec,
      other_leg_call_id: leg.kind === 'dialog' ? leg.callId : undefined,
    },
    message: `The ${media.sender}'s media is ${own.codec} on this leg and ${other?.codec} on the other one: a device in between transcodes, which costs quality and delay.`,
  })
}

function rewrittenDscp(media: MediaEvidence, own: LegMedia, leg: LegNote): Finding {
  const other = leg.media[media.direction]
  const confidence: Confidence = leg.kind === 'copy' ? 'high' : leg.confidence
  return finding({
    code: 'dscp_rewritten',
    severity: own.dscp === 0 || other?.dscp === 0 ? 'warning' : 'info',
    confidence,
    direction: media.direction,
    evidence: {
      dscp: own.dscp,
      other_leg_dscp: other?.dscp,
      other_leg_call_id: leg.kind === 'dialog' ? leg.callId : undefined,
    },
    message: `The ${media.sender}'s media is marked DSCP ${own.dscp} on this leg and DSCP ${other?.dscp} on the other one: a device in between changes its priority.`,
  })
}

function unmarked(media: MediaEvidence): Finding | undefined {
  // Without a known codec it may not even be voice.
  if (media.record?.dscp !== 0 || media.record.codec === undefined || media.packets < LEAST_MEDIA)
    return undefined
  return finding({
    code: 'dscp_unmarked',
    severity: 'info',
    confidence: 'medium',
    direction: media.direction,
    evidence: { dscp: 0, packets: media.packets },
    message: `Media from the ${media.sender} passes here without a priority (DSCP 0; voice is usually marked 46): it queues with everything else.`,
  })
}
