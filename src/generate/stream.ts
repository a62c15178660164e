import { parseEndpoint } from './addresses.js'
import { type FrameSource } from './frame-source.js'
import type { Link } from './link.js'
import { impair } from './impairments.js'
import { measureDirection } from './measure.js'
import { MediaSource } from './media-source.js'
import { directionFormat, requireOneFamily } from './parties.js'
import type { Random } from './random.js'
import type { MirrorSpec, StreamSpec } from './scenario.js'
import { sendDirection } from './sender.js'
import type { DirectionTruth } from './truth.js'

export interface StreamContext {
  spec: StreamSpec
  startMs: number
  repetition: number
  link: Link
  mirror: MirrorSpec
  random: Random
  place: string
}

/** RTP without signalling. Repetitions use the next even ports. */
export function makeStream(context: StreamContext): { source: FrameSource; truth: DirectionTruth } {
  const { spec, startMs, repetition, link, mirror, random, place } = context
  const from = parseEndpoint(spec.from, `${place}.from`)
  const to = parseEndpoint(spec.to, `${place}.to`)
  requireOneFamily(from.address, to.address, place)
  from.port = ((from.port + 2 * repetition - 1) % 65535) + 1
  to.port = ((to.port + 2 * repetition - 1) % 65535) + 1
  const stopMs = Math.min(spec.duration_s ?? 10, spec.media_stop_s ?? Infinity) * 1000
  const times = { zeroMs: startMs, startMs, endMs: startMs + stopMs, pauses: [], changes: [] }
  const sender = sendDirection(spec, times, directionFormat(spec), from, random.derive('sender'))
  impair(sender.packets, spec, mirror, startMs, random)
  const truth = measureDirection(sender, { spec, untilMs: Infinity, visible: true, destination: to })
  const destinations = [{ timeMs: -Infinity, endpoint: to }]
  return { source: new MediaSource(sender, spec, link, destinations, false), truth }
}
