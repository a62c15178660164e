import { type Address, type Endpoint, parseAddress, uriHost } from './addresses.js'
import { CODECS } from './codecs.js'
import { ScenarioError } from './errors.js'
import type { SipNode } from './dialogue.js'
import type { CallSpec, CodecName, DirectionSpec, PartySpec, Side } from './scenario.js'
import type { Format } from './sender.js'

export type DirectionName = 'from_caller' | 'from_callee'

/** One party of one call, with everything filled in. */
export interface Party {
  side: Side
  user: string
  domain: string
  displayName: string
  node: SipNode
  /** Where its media comes from at the tap. */
  media: Endpoint
  sdpAddress: string
  sdpPort: number
  userAgent: string
}

const DEFAULTS = {
  caller: { user: 'alice', address: '192.0.2.10', port: 10000, agent: 'Example Phone 1.2' },
  callee: { user: 'bob', address: '198.51.100.20', port: 20000, agent: 'Example Gateway 3.4' },
}

/** Calls that share an address need ports of their own to be told apart. Even stays even, under 65000. */
function portOf(port: number, steps: number): number {
  return steps === 0 ? port : 1024 + ((port - 1024 + 4 * steps) % 63976)
}

/** Default ports of the calls of a scenario are this many steps apart, which leaves room for repetitions. */
const STEPS_PER_CALL = 250

/**
 * @param callIndex place of the call in the scenario
 * @param repetition 0 for the first call of a `repeat`
 */
export function makeParty(
  side: Side,
  spec: PartySpec,
  callIndex: number,
  repetition: number,
  place: string,
): Party {
  const defaults = DEFAULTS[side]
  const address = parseAddress(spec.address ?? defaults.address, `${place}.address`)
  const sipPort = spec.sip_port ?? 5060
  const contactAddress = spec.nat_private_address ?? address.text
  parseAddress(contactAddress, `${place}.nat_private_address`)
  const mediaAddress = spec.media_address
    ? parseAddress(spec.media_address, `${place}.media_address`)
    : address
  const mediaPort =
    spec.media_port === undefined
      ? portOf(defaults.port, STEPS_PER_CALL * callIndex + repetition)
      : portOf(spec.media_port, repetition)
  const sdpAddress = spec.sdp_address ?? spec.nat_private_address ?? mediaAddress.text
  parseAddress(sdpAddress, `${place}.sdp_address`)
  const user = (spec.user ?? defaults.user).replaceAll('{n}', String(repetition))
  return {
    side,
    user,
    domain: spec.domain ?? 'example.com',
    displayName: spec.display_name ?? '',
    node: {
      endpoint: { address, port: sipPort },
      sentBy: `${uriHost(contactAddress)}:${sipPort}`,
      user,
    },
    media: { address: mediaAddress, port: mediaPort },
    sdpAddress,
    sdpPort: spec.sdp_port === undefined ? mediaPort : portOf(spec.sdp_port, repetition),
    userAgent: spec.user_agent ?? defaults.agent,
  }
}

export function requireOneFamily(a: Address, b: Address, place: string): void {
  if (a.version !== b.version)
    throw new ScenarioError(`${place}: ${a.text} and ${b.text} are not of one IP version`)
}

/** @throws ScenarioError when the packet time does not fit the codec. */
export function makeFormat(name: CodecName, payloadType?: number, ptimeMs?: number): Format {
  const codec = CODECS[name]
  const ptime = ptimeMs ?? codec.ptimeMs
  const iLbcFits = name !== 'iLBC' || ptime % 20 === 0 || ptime % 30 === 0
  if (ptime % codec.frameMs !== 0 || !iLbcFits)
    throw new ScenarioError(`ptime_ms: ${ptime} is no multiple of the ${codec.frameMs}-ms frames of ${name}`)
  return { codec, payloadType: payloadType ?? codec.payloadType, ptimeMs: ptime }
}

export function directionFormat(spec: DirectionSpec): Format {
  return makeFormat(spec.codec ?? 'PCMU', spec.payload_type, spec.ptime_ms)
}

/** `both` under the direction's own keys. */
export function directionSpec(call: CallSpec, name: DirectionName): DirectionSpec {
  return { ...call.media?.both, ...call.media?.[name] }
}
