import { parseAddress } from './addresses.js'
import { nodesOf, playCall } from './call-flow.js'
import { describeCall } from './call-truth.js'
import type { Branch, CallFlow, CallSetup } from './call-types.js'
import { ScenarioError } from './errors.js'
import { type FrameSource, type GeneratedPacket, ListSource, MergedSource } from './frame-source.js'
import { PROTOCOL_UDP, udpDatagram } from './frames.js'
import { impair } from './impairments.js'
import { buildFrames, capture, DEFAULT_DSCP, DEFAULT_TTL, type Link } from './link.js'
import { measureDirection } from './measure.js'
import { type Destinations, MediaSource } from './media-source.js'
import {
  directionFormat,
  type DirectionName,
  directionSpec,
  makeFormat,
  makeParty,
  type Party,
  requireOneFamily,
} from './parties.js'
import type { Random } from './random.js'
import { asSrtcp } from './rtcp-packet.js'
import { exchangeReports, type RtcpEnd, type RttSample } from './rtcp-exchange.js'
import type { CallSpec, DirectionSpec, MirrorSpec, RtcpSpec, Side, XrSpec } from './scenario.js'
import { sendDirection, type Sender, type SendingTimes } from './sender.js'
import { sipFrames } from './sip-wire.js'
import type { CallTruth, DirectionTruth } from './truth.js'

/** Media later than this after BYE is not the call's. */
const AFTER_BYE_MS = 2000
const START_DELAY_MS = 20

export interface CallContext {
  spec: CallSpec
  startMs: number
  /** Place of the call in the scenario. */
  index: number
  repetition: number
  link: Link
  mirror: MirrorSpec
  random: Random
  place: string
}

interface Direction {
  name: DirectionName
  spec: DirectionSpec
  sender: Sender
  times: SendingTimes
  destinations: Destinations
  from: Party
  to: Party
}

function legs(value: number | number[] | undefined): number[] {
  if (value === undefined) return [20]
  return typeof value === 'number' ? [value] : value
}

function setUp(context: CallContext): CallSetup {
  const { spec, startMs, index, repetition, random, place } = context
  const caller = makeParty('caller', spec.caller ?? {}, index, repetition, `${place}.caller`)
  const callee = makeParty('callee', spec.callee ?? {}, index, repetition, `${place}.callee`)
  requireOneFamily(caller.media.address, callee.media.address, `${place}: media`)
  const nodes = nodesOf(caller.node, callee.node, spec.sip?.proxy)
  for (let i = 1; i < nodes.length; i++)
    requireOneFamily(nodes[i - 1].endpoint.address, nodes[i].endpoint.address, `${place}: signalling`)
  const rtcp: RtcpSpec = typeof spec.rtcp === 'object' ? spec.rtcp : {}
  const callId =
    spec.call_id === undefined
      ? `${random.derive('call-id').hex(24)}@${caller.node.endpoint.address.text}`
      : spec.call_id + (repetition > 0 ? `-${repetition}` : '')
  return {
    spec,
    startMs,
    repetition,
    callId,
    caller,
    callee,
    formats: {
      from_caller: directionFormat(directionSpec(spec, 'from_caller')),
      from_callee: directionFormat(directionSpec(spec, 'from_callee')),
    },
    legMs: {
      caller: legs(spec.network?.caller_leg_rtt_ms)[0],
      callee: legs(spec.network?.callee_leg_rtt_ms)[0],
    },
    rtcpMux: rtcp.mux ?? false,
    random: random.derive('sip'),
  }
}

/** Plays the signalling alone. @throws ScenarioError when addresses, formats or times make no sense together */
export function checkCall(context: CallContext): void {
  playCall(setUp(context))
}

/** When one direction sends: from the answer (callee: or its early media) to the BYE, or its own stop. */
function sendingTimes(flow: CallFlow, name: DirectionName, spec: DirectionSpec): SendingTimes {
  const zeroMs = flow.answerMs ?? flow.earlyMediaMs ?? flow.inviteMs
  const firstMs = name === 'from_caller' ? flow.ackMs : (flow.earlyMediaMs ?? flow.answerMs)
  const stopMs = spec.media_stop_s === undefined ? Infinity : zeroMs + spec.media_stop_s * 1000
  return {
    zeroMs,
    startMs: (firstMs ?? flow.endMs) + (spec.start_delay_ms ?? START_DELAY_MS),
    endMs: Math.min(stopMs, flow.endMs + (spec.media_after_bye_ms ?? 0)),
    pauses: flow.pauses[name],
    changes: flow.changes[name],
  }
}

/** Peers send to where the party's media is: re-INVITEs move it, and symmetric RTP follows a rebinding. */
function destinationsOf(party: Party, flow: CallFlow, spec: DirectionSpec, zeroMs: number): Destinations {
  const list: Destinations = [{ timeMs: -Infinity, endpoint: party.media }]
  const moves: { timeMs: number; address?: string; port?: number }[] = [
    ...flow.changes[`from_${party.side}`].map(({ timeMs, source }) => ({
      timeMs,
      address: source?.address.text,
      port: source?.port,
    })),
    ...(spec.address_change ?? []).map((change) => ({ ...change, timeMs: zeroMs + change.at_s * 1000 })),
  ]
  for (const { timeMs, address, port } of moves.sort((a, b) => a.timeMs - b.timeMs)) {
    const last = list[list.length - 1].endpoint
    const next = address === undefined ? last.address : parseAddress(address, 'address_change')
    list.push({ timeMs, endpoint: { address: next, port: port ?? last.port } })
  }
  return list
}

function makeDirections(context: CallContext, setup: CallSetup, flow: CallFlow): Direction[] {
  const early: Side[] = flow.earlyMediaMs === undefined ? [] : ['callee']
  const sides: Side[] = flow.answerMs === undefined ? early : ['caller', 'callee']
  return sides.map((side) => {
    const name: DirectionName = `from_${side}`
    const [from, to] = side === 'caller' ? [setup.caller, setup.callee] : [setup.callee, setup.caller]
    const spec = directionSpec(context.spec, name)
    const times = sendingTimes(flow, name, spec)
    const random = context.random.derive(name)
    const sender = sendDirection(spec, times, setup.formats[name], from.media, random.derive('sender'))
    impair(sender.packets, spec, context.mirror, times.zeroMs, random)
    const peerSpec = directionSpec(context.spec, `from_${to.side}`)
    return {
      name,
      spec,
      sender,
      times,
      destinations: destinationsOf(to, flow, peerSpec, times.zeroMs),
      from,
      to,
    }
  })
}

function isVisible(mirror: MirrorSpec, name: DirectionName): boolean {
  return mirror.one_direction === undefined || mirror.one_direction === name
}

function rtcpFrames(
  context: CallContext,
  directions: Direction[],
  flow: CallFlow,
): { frames: GeneratedPacket[]; rtts: RttSample[]; scored: Map<Side, XrSpec> } {
  const { spec, link, mirror } = context
  /** Receivers whose scores the capture shows. */
  const scored = new Map<Side, XrSpec>()
  if (spec.rtcp === false || directions.length < 2) return { frames: [], rtts: [], scored }
  const rtcp: RtcpSpec = typeof spec.rtcp === 'object' ? spec.rtcp : {}
  const ends = directions.map((direction): RtcpEnd => {
    const { side } = direction.from
    return {
      side,
      sender: direction.sender,
      spec: direction.spec,
      cname: `${direction.from.user}@${direction.from.media.address.text}`,
      legRttMs: legs(side === 'caller' ? spec.network?.caller_leg_rtt_ms : spec.network?.callee_leg_rtt_ms),
      startMs: direction.times.startMs,
      endMs: flow.endMs,
    }
  })
  const { messages, rtts } = exchangeReports([ends[0], ends[1]], rtcp)
  const frames: GeneratedPacket[] = []
  messages.forEach((message, i) => {
    const direction = directions.find(({ from }) => from.side === message.from)
    if (!direction || !isVisible(mirror, direction.name)) return
    if (typeof message.xr === 'object' && !spec.srtp) scored.set(message.from, message.xr)
    const apart = rtcp.mux ? 0 : 1
    const source = direction.from.media
    const target = direction.to.media
    const from = { address: source.address, port: source.port + apart }
    const to = { address: target.address, port: target.port + apart }
    const datagram = udpDatagram(from, to, spec.srtp ? asSrtcp(message.bytes, i) : message.bytes)
    const fields = {
      dscp: direction.spec.dscp ?? DEFAULT_DSCP,
      ttl: direction.spec.ttl ?? DEFAULT_TTL,
      identification: i & 0xffff,
    }
    for (const frame of buildFrames(link, from.address, to.address, PROTOCOL_UDP, datagram, fields))
      frames.push(capture(link, message.timeMs, frame))
  })
  const measurable = !spec.srtp && mirror.one_direction === undefined
  return { frames, rtts: measurable ? rtts : [], scored }
}

/** Early media of a losing branch towards the caller. */
function branchMedia(
  context: CallContext,
  branch: Branch,
  caller: Party,
  endMs: number,
): { source: FrameSource; truth: DirectionTruth } {
  const random = context.random.derive(`branch ${branch.party.media.port}`)
  const format = makeFormat('PCMU')
  const times = {
    zeroMs: branch.ringMs,
    startMs: branch.ringMs + START_DELAY_MS,
    endMs,
    pauses: [],
    changes: [],
  }
  const spec: DirectionSpec = {}
  const sender = sendDirection(spec, times, format, branch.party.media, random)
  impair(sender.packets, spec, {}, times.zeroMs, random)
  const destination = caller.media
  const visible = isVisible(context.mirror, 'from_callee')
  const truth = measureDirection(sender, { spec, untilMs: Infinity, visible, destination })
  const destinations = [{ timeMs: -Infinity, endpoint: destination }]
  return {
    source: visible ? new MediaSource(sender, spec, context.link, destinations, false) : new ListSource([]),
    truth,
  }
}

/** Everything of one call: its frames, in time order, and what is true of them. */
export function makeCall(context: CallContext): { source: FrameSource; truth: CallTruth } {
  const { spec, link, mirror, random, place } = context
  const setup = setUp(context)
  const flow = playCall(setup)
  const sipSeen = flow.packets.filter((packet) => isVisible(mirror, `from_${packet.fromSide}`))
  const sip = sipFrames(
    sipSeen,
    link,
    {
      transport: spec.sip?.transport ?? 'udp',
      tcpHandshake: (spec.sip?.tcp_handshake ?? true) && mirror.one_direction === undefined,
      tcpSegmentBytes: spec.sip?.tcp_segment_bytes ?? 1400,
    },
    random.derive('wire'),
  )
  const directions = makeDirections(context, setup, flow)
  for (const { sender, name } of directions)
    if (sender.sources.length > 255) throw new ScenarioError(`${place}: too many address changes in ${name}`)
  const sources: FrameSource[] = [new ListSource(sip)]
  const media: CallTruth['media'] = {}
  for (const direction of directions) {
    const visible = isVisible(mirror, direction.name)
    const { sender, spec: directed, destinations } = direction
    if (visible) sources.push(new MediaSource(sender, directed, link, destinations, spec.srtp ?? false))
    media[direction.name] = measureDirection(sender, {
      spec: directed,
      untilMs: flow.byeMs === undefined ? Infinity : flow.byeMs + AFTER_BYE_MS,
      visible,
      destination: destinations[0].endpoint,
    })
  }
  const { frames, rtts, scored } = rtcpFrames(context, directions, flow)
  for (const [reporter, { r_factor, mos_lq, mos_cq }] of scored) {
    const about = media[reporter === 'caller' ? 'from_callee' : 'from_caller']
    if (about) Object.assign(about, { rtcp_xr_r_factor: r_factor, rtcp_mos_lq: mos_lq, rtcp_mos_cq: mos_cq })
  }
  sources.push(new ListSource(frames))
  const branches = flow.branches
    .filter((branch) => branch.earlyMedia)
    .map((branch) => branchMedia(context, branch, setup.caller, flow.answerMs ?? flow.endMs))
  sources.push(...branches.map(({ source }) => source))
  return {
    source: new MergedSource(sources),
    truth: describeCall(
      setup,
      flow,
      media,
      rtts,
      branches.map(({ truth }) => truth),
    ),
  }
}
