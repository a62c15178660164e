import { canonicalAddress, isPrivateAddress } from '../decode/address.js'
import type { Party } from './call.js'
import type { SipPacket } from './message.js'

/**
 * What a device on the way leaves behind when it rewrites addresses in some places of a message and not in others, as
 * "SIP helpers" of routers do (RFC 6314 names the practice; RFC 3261 gives no element but the sender the right to it).
 *
 * - `content_length`: an SDP body that is longer or shorter than Content-Length says.
 * - `contact_not_sdp`: one of Contact and the SDP's connection address is private, the other public.
 * - `via_not_contact`: the same of Via and Contact.
 * - `origin_not_connection`: the same of the SDP's o= and c= lines.
 */
export type RewriteKind = 'content_length' | 'contact_not_sdp' | 'via_not_contact' | 'origin_not_connection'

export interface RewriteClue {
  kind: RewriteKind
  /** Who sent the message. */
  party: Party
  sourceAddress: string
  viaAddress?: string
  contactAddress?: string
  sdpAddress?: string
  originAddress?: string
  /** Content-Length, and what there is; of `content_length` only. */
  statedBytes?: number
  presentBytes?: number
}

/** Two bytes are a line end that a sloppy sender counted, or forgot to. */
const LINE_END_BYTES = 2

const NONE: readonly RewriteClue[] = []

/** Clues in one message; only those with SDP are looked at, as that is what the rewriting is for. */
export function rewriteClues(packet: SipPacket, party: Party): readonly RewriteClue[] {
  const { message } = packet
  if (message.sdp === undefined) return NONE
  const length = contentLengthClue(packet, party)
  const addresses = addressClues(packet, party)
  if (!length) return addresses
  return [length, ...addresses]
}

/** Over UDP only: over TCP the length frames the message, and one that is wrong spoils the whole connection. */
function contentLengthClue(packet: SipPacket, party: Party): RewriteClue | undefined {
  const { message, cut, sourceAddress } = packet
  if (cut || packet.transport !== 'udp') return undefined
  const tooLarge = message.defects.includes('content_length_too_large')
  if (!tooLarge && !message.defects.includes('content_length_too_small')) return undefined
  const statedBytes = Number(message.header('content-length'))
  const presentBytes = message.presentBodyBytes
  if (presentBytes === undefined || !Number.isFinite(statedBytes)) return undefined
  if (Math.abs(statedBytes - presentBytes) <= LINE_END_BYTES) return undefined
  return { kind: 'content_length', party, sourceAddress, statedBytes, presentBytes }
}

/**
 * Addresses that one program wrote, in a request straight from it (one Via). Behind a proxy, or with ICE, there are good
 * reasons for different ones.
 */
function addressClues(packet: SipPacket, party: Party): readonly RewriteClue[] {
  const { message, sourceAddress } = packet
  if (message.kind !== 'request' || isPrivateAddress(sourceAddress)) return NONE
  const vias = message.headers('via')
  const audio = message.sdp?.media.find((media) => media.kind === 'audio')
  if (vias.length !== 1 || !audio || audio.candidates.length > 0) return NONE
  const clue = {
    party,
    sourceAddress,
    viaAddress: viaAddress(vias[0]),
    contactAddress: message.contact && canonicalAddress(message.contact.uri.host),
    sdpAddress: canonicalAddress(audio.address),
    originAddress: message.sdp?.origin && canonicalAddress(message.sdp.origin.address),
  }
  const clues: RewriteClue[] = []
  const compare = (kind: RewriteKind, left: string | undefined, right: string | undefined): void => {
    if (left === undefined || right === undefined || isUnspecified(left) || isUnspecified(right)) return
    if (isPrivateAddress(left) !== isPrivateAddress(right)) clues.push({ kind, ...clue })
  }
  compare('contact_not_sdp', clue.contactAddress, clue.sdpAddress)
  compare('via_not_contact', clue.viaAddress, clue.contactAddress)
  compare('origin_not_connection', clue.originAddress, clue.sdpAddress)
  return clues
}

function isUnspecified(address: string): boolean {
  return address === '0.0.0.0' || address === '::'
}

/** The sent-by host of a Via when it is an address (RFC 3261 20.42). */
function viaAddress(via: string): string | undefined {
  const sentBy = /^\s*SIP\s*\/\s*2\.0\s*\/\s*\S+\s+(\[[^\]]*\]|[^\s;:,]+)/i.exec(via)
  return sentBy ? canonicalAddress(sentBy[1]) : undefined
}
