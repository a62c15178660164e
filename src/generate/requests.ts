import { parseAddress, parseEndpoint, uriHost } from './addresses.js'
import { Dialogue, type SipNode } from './dialogue.js'
import type { FrameSource } from './frame-source.js'
import { ListSource } from './frame-source.js'
import type { Link } from './link.js'
import { requireOneFamily } from './parties.js'
import type { Random } from './random.js'
import type { OptionsSpec, RegistrationSpec } from './scenario.js'
import { digestChallenge, digestCredentials, type HeaderLines } from './sip-message.js'
import { sipFrames } from './sip-wire.js'
import { type RequestTruth, timeText } from './truth.js'

const WIRE = { transport: 'udp', tcpHandshake: false, tcpSegmentBytes: 1400 } as const

function nodeOf(address: string, port: number, user: string, place: string): SipNode {
  return {
    endpoint: { address: parseAddress(address, place), port },
    sentBy: `${uriHost(address)}:${port}`,
    user,
  }
}

interface RequestContext<Spec> {
  spec: Spec
  startMs: number
  repetition: number
  link: Link
  random: Random
}

function dialogueOf(
  context: RequestContext<unknown>,
  address: string,
  target: string,
  nodes: SipNode[],
): Dialogue {
  const { random } = context
  return new Dialogue(
    {
      callId: `${random.hex(24)}@${nodes[0].endpoint.address.text}`,
      caller: `<sip:${address}>`,
      callee: `<sip:${address}>`,
      callerTag: random.hex(10),
      calleeUri: target,
      transport: 'udp',
      compact: false,
      sessionId: '',
      userAgents: { caller: 'Example Phone 1.2', callee: 'Example Registrar 2.0' },
    },
    nodes,
    random.derive('dialogue'),
  )
}

/** REGISTER, with a challenge unless told otherwise. */
export function makeRegistration(context: RequestContext<RegistrationSpec>): {
  source: FrameSource
  truth: RequestTruth
} {
  const { spec, startMs, repetition, random } = context
  const user = (spec.user ?? 'alice').replaceAll('{n}', String(repetition))
  const domain = spec.domain ?? 'example.com'
  const nodes = [
    nodeOf(spec.address ?? '192.0.2.10', 5060, user, 'registrations.address'),
    nodeOf(spec.registrar ?? '198.51.100.1', 5060, 'registrar', 'registrations.registrar'),
  ]
  requireOneFamily(nodes[0].endpoint.address, nodes[1].endpoint.address, 'registrations')
  const dialogue = dialogueOf(context, `${user}@${domain}`, `sip:${domain}`, nodes)
  const delayMs = spec.response_delay_ms ?? 10
  const toTag = random.hex(10)
  const expires: HeaderLines = [
    ['Contact', dialogue.contact(nodes[0])],
    ['Expires', String(spec.expires_s ?? 3600)],
  ]
  let timeMs = startMs
  let sequence = 1
  let register = dialogue.request('REGISTER', 'caller', timeMs, { sequence, headers: expires })
  if (spec.auth !== false) {
    const nonce = random.hex(32)
    timeMs += delayMs
    const challenge: HeaderLines = [['WWW-Authenticate', digestChallenge(domain, nonce)]]
    dialogue.respond(register, 401, timeMs, { toTag, headers: challenge })
    timeMs += delayMs
    const fields = { user, realm: domain, nonce, method: 'REGISTER', uri: `sip:${domain}` }
    const headers: HeaderLines = [...expires, ['Authorization', digestCredentials(fields)]]
    register = dialogue.request('REGISTER', 'caller', timeMs, { sequence: ++sequence, headers })
  }
  const status = spec.status ?? 200
  if (status > 0)
    dialogue.respond(register, status, timeMs + delayMs, { toTag, headers: status === 200 ? expires : [] })
  return {
    source: new ListSource(sipFrames(dialogue.packets, context.link, WIRE, random)),
    truth: {
      method: 'REGISTER',
      call_id: dialogue.callId,
      time: timeText(startMs),
      status: status > 0 ? status : undefined,
      auth_challenges: spec.auth === false ? 0 : 1,
    },
  }
}

/** OPTIONS, the keepalive between trunks. */
export function makeOptions(context: RequestContext<OptionsSpec>): {
  source: FrameSource
  truth: RequestTruth
} {
  const { spec, startMs, random } = context
  const from = parseEndpoint(spec.from ?? '192.0.2.10:5060', 'options.from')
  const to = parseEndpoint(spec.to ?? '198.51.100.1:5060', 'options.to')
  requireOneFamily(from.address, to.address, 'options')
  const nodes = [
    nodeOf(from.address.text, from.port, 'ping', 'options.from'),
    nodeOf(to.address.text, to.port, 'pong', 'options.to'),
  ]
  const dialogue = dialogueOf(context, `ping@${nodes[1].sentBy}`, `sip:${nodes[1].sentBy}`, nodes)
  const options = dialogue.request('OPTIONS', 'caller', startMs, { sequence: 1 })
  const status = spec.status ?? 200
  if (status > 0)
    dialogue.respond(options, status, startMs + (spec.response_delay_ms ?? 10), { toTag: random.hex(10) })
  return {
    source: new ListSource(sipFrames(dialogue.packets, context.link, WIRE, random)),
    truth: {
      method: 'OPTIONS',
      call_id: dialogue.callId,
      time: timeText(startMs),
      status: status > 0 ? status : undefined,
      auth_challenges: 0,
    },
  }
}
