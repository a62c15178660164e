import { isPrivateAddress } from '../../decode/address.js'
import type { Party, PartyMedia, SipCall } from '../../sip/call.js'
import type { RewriteClue } from '../../sip/rewrite-clues.js'
import type { MediaDescription } from '../../sip/sdp-types.js'
import { DIRECTIONS, type Confidence, type Direction, type Finding } from '../records.js'
import { otherDirection, type CallEvidence, type MediaEvidence, type StreamNote } from './evidence.js'
import { countText, finding } from './finding.js'

/** ICMP for one packet at the start only says that the socket was not open yet. */
const LEAST_ICMP = 2
const LEAST_ICMP_MS = 1000
const LEAST_PACKETS = 10

/** Where media goes and comes from, against what was announced. */
export function addressingFindings(call: CallEvidence): Finding[] {
  const { sip } = call
  const found: (Finding | undefined)[] = DIRECTIONS.map((direction) => unreachable(call, direction))
  if (sip) {
    found.push(...DIRECTIONS.map((direction) => otherAddress(sip, call.media[direction])))
    found.push(privateAddress(call, sip, 'caller'), privateAddress(call, sip, 'callee'))
    found.push(rewritten(sip))
  }
  return found.filter((f) => f !== undefined)
}

function unreachable(call: CallEvidence, direction: Direction): Finding | undefined {
  const media = call.media[direction]
  const note = media.unreachable
  if (!note) return undefined
  const lastedMs = note.lastMs - note.firstMs
  if (note.count < LEAST_ICMP && media.packets > LEAST_PACKETS) return undefined
  const lasting = lastedMs >= LEAST_ICMP_MS
  // Without signalling, who has stopped sending as well may simply have hung up.
  const back = call.media[otherDirection(direction)]
  if (!call.sip && (!lasting || (back.packets > 0 && back.lastMs < note.firstMs + LEAST_ICMP_MS)))
    return undefined
  const what = note.portUnreachable
    ? `nobody listens on ${endpointText(note.address, note.port)}`
    : `${note.address} cannot be reached (ICMP type ${note.type} code ${note.code})`
  return finding({
    code: 'port_unreachable',
    severity: lasting ? 'critical' : 'warning',
    confidence: lasting ? 'high' : 'medium',
    direction: media.direction,
    evidence: {
      icmp_errors: note.count,
      icmp_type: note.type,
      icmp_code: note.code,
      lasted_s: lastedMs / 1000,
      reporter_address: note.reporterAddress,
      destination_address: note.address,
      destination_port: note.port,
    },
    message: `Media from the ${media.sender} is refused: ${note.reporterAddress} says ${countText(note.count, 'time')} that ${what}.`,
  })
}

function endpointText(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

/** Every place that a party announced for media in this call, on any leg and branch. */
function announcedBy(sip: SipCall, party: Party): Set<string> {
  const places = new Set<string>()
  const described = [...sip.mediaHistory, sip.callerMedia, sip.calleeMedia]
  for (const description of described) {
    if (description?.party !== party) continue
    for (const media of description.media) {
      places.add(endpointText(media.address, media.port))
      for (const { address, port } of media.candidates) places.add(endpointText(address, port))
    }
  }
  return places
}

function otherAddress(sip: SipCall, media: MediaEvidence): Finding | undefined {
  const main = mainStream(media)
  if (!main) return undefined
  const receiver = announcedBy(sip, media.receiver)
  const sender = announcedBy(sip, media.sender)
  const source = endpointText(main.sourceAddress, main.sourcePort)
  const destination = endpointText(main.destinationAddress, main.destinationPort)
  // A host name, or a description that was not seen, is nothing to compare with.
  const destinationDiffers = !receiver.has(destination) && hasAddresses(sip, media.receiver)
  const sourceDiffers = !sender.has(source) && hasAddresses(sip, media.sender)
  if (!destinationDiffers && !sourceDiffers) return undefined
  const announced = mediaOf(sip, destinationDiffers ? media.receiver : media.sender)
  const evidence = {
    source_address: main.sourceAddress,
    source_port: main.sourcePort,
    destination_address: main.destinationAddress,
    destination_port: main.destinationPort,
    announced_address: announced?.address,
    announced_port: announced?.port,
    source_differs: sourceDiffers,
    destination_differs: destinationDiffers,
    packets: main.packets,
  }
  const { direction } = media
  const place = announced ? endpointText(announced.address, announced.port) : 'another place'
  if (destinationDiffers)
    return finding({
      code: 'media_not_at_sdp_address',
      severity: 'warning',
      confidence: 'high',
      direction,
      evidence,
      message: `The ${media.sender} sends to ${destination}, while the ${media.receiver} announced ${place}: it follows where media comes from (NAT, SBC), or another device rewrote the SDP.`,
    })
  return finding({
    code: 'media_not_at_sdp_address',
    severity: 'info',
    confidence: 'high',
    direction,
    evidence,
    message: `The ${media.sender} sends from ${source}, having announced ${place}: only a peer that answers to where media comes from (symmetric RTP) reaches it.`,
  })
}

function mainStream({ streams }: MediaEvidence): StreamNote | undefined {
  let main: StreamNote | undefined
  for (const stream of streams)
    if (stream.audio && stream.packets >= LEAST_PACKETS && stream.packets > (main?.packets ?? 0))
      main = stream
  return main
}

function mediaOf(sip: SipCall, party: Party): MediaDescription | undefined {
  const described = party === 'caller' ? sip.callerMedia : sip.calleeMedia
  return described?.media.find((media) => media.kind === 'audio')
}

function hasAddresses(sip: SipCall, party: Party): boolean {
  const audio = mediaOf(sip, party)
  return audio !== undefined && /^[\d.]+$|:/.test(audio.address) && audio.address !== '0.0.0.0'
}

/** A private address in an SDP that went to a public peer, which cannot send there. */
function privateAddress(call: CallEvidence, sip: SipCall, party: Party): Finding | undefined {
  const described = sip.mediaHistory.find((known) => known.party === party && isUnroutable(known))
  if (!described) return undefined
  const audio = described.media.find((media) => isPrivateAddress(media.address))
  if (!audio || audio.candidates.some(({ address }) => !isPrivateAddress(address))) return undefined
  const towards = call.media[party === 'caller' ? 'from_callee' : 'from_caller']
  const back = call.media[otherDirection(towards.direction)]
  const answered = call.establishedMs !== undefined
  const silent = answered && call.mediaOnTap && towards.expected === true && towards.packets === 0
  // Media that comes nevertheless: the peer sends to where the party's own media comes from.
  const arrives = towards.packets > 0
  const latched = arrives && !towards.streams.some((s) => s.destinationAddress === audio.address)
  let confidence: Confidence = isPrivateAddress(described.signallingAddress) ? 'medium' : 'high'
  if (silent) confidence = 'high'
  const result = silent
    ? `no media reached the ${party}`
    : latched
      ? `media works only as the peer answers to where it comes from`
      : arrives
        ? 'its media arrives there all the same, by a device behind this tap that repairs it or by a route of its own'
        : 'the peer cannot send there unless a device on the way repairs it'
  return finding({
    code: 'private_address_in_sdp',
    severity: silent ? 'critical' : arrives ? 'info' : 'warning',
    confidence,
    direction: towards.direction,
    evidence: {
      sdp_address: audio.address,
      sdp_port: audio.port,
      signalling_address: described.signallingAddress,
      peer_address: described.peerAddress,
      packets_towards: towards.packets,
      packets_from: back.packets,
    },
    message: `The ${party} asked a public peer (${described.peerAddress}) to send media to the private address ${audio.address}: ${result}.`,
  })
}

function isUnroutable({ media, peerAddress }: PartyMedia): boolean {
  if (peerAddress === undefined || isPrivateAddress(peerAddress)) return false
  return media.some(({ kind, port, address }) => kind === 'audio' && port !== 0 && isPrivateAddress(address))
}

/** How much each trace says by itself; two points make a suspicion. */
const CLUE_WEIGHT = { content_length: 2, contact_not_sdp: 1, via_not_contact: 1, origin_not_connection: 1 }
/** A few IPv4 addresses replaced by longer or shorter ones do not change a body by more bytes than this. */
const MOST_REWRITTEN_BYTES = 40

function rewritten(sip: SipCall): Finding | undefined {
  for (const party of ['caller', 'callee'] as const) {
    const clues = (sip.rewriteClues ?? []).filter((clue) => clue.party === party && isPlausible(clue))
    const weight = clues.reduce((sum, { kind }) => sum + CLUE_WEIGHT[kind], 0)
    if (weight < 2) continue
    const length = clues.find(({ kind }) => kind === 'content_length')
    const addresses = clues.find(({ kind }) => kind !== 'content_length')
    const confidence: Confidence = length && addresses ? 'high' : 'low'
    const traces = [
      length && `Content-Length says ${length.statedBytes} bytes and the body has ${length.presentBytes}`,
      addresses && `Via, Contact and SDP disagree on the ${party}'s address`,
    ].filter((text) => text !== undefined)
    return finding({
      code: 'sip_alg_suspected',
      severity: 'warning',
      confidence,
      evidence: {
        party,
        clues: clues.map(({ kind }) => kind).join(' '),
        source_address: clues[0].sourceAddress,
        via_address: addresses?.viaAddress,
        contact_address: addresses?.contactAddress,
        sdp_address: addresses?.sdpAddress,
        origin_address: addresses?.originAddress,
        content_length: length?.statedBytes,
        body_bytes: length?.presentBytes,
      },
      message: `A device on the way rewrites the ${party}'s SIP messages in part: ${traces.join('; ')}. Turn off the SIP ALG of the router there.`,
    })
  }
  return undefined
}

/** Address translation is of IPv4; other wrong lengths are the sender's own fault. */
function isPlausible({ kind, statedBytes = 0, presentBytes = 0, sourceAddress }: RewriteClue): boolean {
  if (kind !== 'content_length') return true
  return !sourceAddress.includes(':') && Math.abs(statedBytes - presentBytes) <= MOST_REWRITTEN_BYTES
}
