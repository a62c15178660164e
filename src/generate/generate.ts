import { parseAddress } from './addresses.js'
import { checkCall, makeCall } from './call.js'
import { ScenarioError } from './errors.js'
import { type FrameSource, type GeneratedPacket, LazySource, MergedSource } from './frame-source.js'
import type { Link } from './link.js'
import { NoiseSource } from './noise.js'
import { Random } from './random.js'
import { makeOptions, makeRegistration } from './requests.js'
import type { LinkSpec, RepeatSpec, Scenario } from './scenario.js'
import { makeStream } from './stream.js'
import type { CallTruth, DirectionTruth, RequestTruth, ScenarioTruth } from './truth.js'
import { timeText } from './truth.js'

const DEFAULT_START = '2024-01-01T00:00:00Z'

function makeLink(spec: LinkSpec, place: string): Link {
  const vlans = spec.vlan === undefined ? [] : typeof spec.vlan === 'number' ? [spec.vlan] : spec.vlan
  if (spec.encapsulation === 'vlan' && vlans.length === 0)
    throw new ScenarioError(`${place}: encapsulation "vlan" needs a vlan`)
  const tunnelled = spec.encapsulation === 'vxlan' || spec.encapsulation === 'erspan'
  const end = (text: string, key: string, port: number) => ({
    address: parseAddress(text, `${place}.${key}`),
    port,
  })
  return {
    vlans,
    tunnel: tunnelled
      ? {
          kind: spec.encapsulation === 'vxlan' ? 'vxlan' : 'erspan',
          source: end(spec.tunnel_source ?? '203.0.113.1', 'tunnel_source', 49152),
          destination: end(spec.tunnel_destination ?? '203.0.113.2', 'tunnel_destination', 4789),
          id: spec.tunnel_id ?? 1,
        }
      : null,
    mtu: spec.mtu ?? 1500,
    snaplen: spec.snaplen ?? 0,
  }
}

/** A scenario being generated: packets one by one, so that memory follows the calls that are up, not the length. */
export class ScenarioRun {
  frames = 0
  private readonly merged: MergedSource
  private readonly calls: CallTruth[] = []
  private readonly streams: DirectionTruth[] = []
  private readonly requests: RequestTruth[] = []
  private readonly noises: { kind: string; source: NoiseSource }[] = []
  private readonly seed: number
  private readonly startMs: number
  private firstMs = Infinity
  private lastMs = -Infinity

  /** @param seed replaces the scenario's own */
  constructor(
    private readonly scenario: Scenario,
    seed?: number,
  ) {
    this.seed = seed ?? scenario.seed ?? 1
    this.startMs = Date.parse(scenario.start ?? DEFAULT_START)
    if (!Number.isFinite(this.startMs)) throw new ScenarioError(`start: "${scenario.start}" is not RFC 3339`)
    const random = new Random(this.seed)
    this.merged = new MergedSource([
      ...this.callSources(random),
      ...this.streamSources(random),
      ...this.requestSources(random),
      ...this.noiseSources(random),
    ])
  }

  /** The next packet by time, or null at the end. @throws ScenarioError when a part of the scenario makes no sense */
  next(): GeneratedPacket | null {
    while (this.merged.nextMs !== Infinity) {
      const packet = this.merged.take()
      if (!packet) continue
      this.frames++
      this.firstMs = Math.min(this.firstMs, packet.timeMs)
      this.lastMs = packet.timeMs
      return packet
    }
    return null
  }

  /** Milliseconds of scenario generated so far. */
  get elapsedMs(): number {
    return Math.max(0, this.lastMs - this.startMs)
  }

  /** Complete once `next` has returned null. */
  truth(): ScenarioTruth {
    const noise: Record<string, number> = {}
    for (const { kind, source } of this.noises) noise[kind] = (noise[kind] ?? 0) + source.frames
    return {
      type: 'callprobe-truth',
      schema: 1,
      seed: this.seed,
      start: timeText(this.startMs),
      frames: this.frames,
      ...(this.frames > 0 && { first_frame: timeText(this.firstMs), last_frame: timeText(this.lastMs) }),
      calls: this.calls,
      streams: this.streams,
      requests: this.requests,
      noise,
    }
  }

  /** One lazy source per repetition; `open` gets its number and start. */
  private repeated<Truth>(
    spec: { at_s?: number; repeat?: RepeatSpec },
    truths: Truth[],
    open: (repetition: number, startMs: number) => { source: FrameSource; truth: Truth },
  ): FrameSource[] {
    const { count = 1, spacing_s: spacing = 1 } = spec.repeat ?? {}
    return Array.from({ length: count }, (_, repetition) => {
      const startMs = this.startMs + ((spec.at_s ?? 0) + repetition * spacing) * 1000
      return new LazySource(startMs, () => {
        const { source, truth } = open(repetition, startMs)
        truths.push(truth)
        return source
      })
    })
  }

  private callSources(random: Random): FrameSource[] {
    const { scenario } = this
    return (scenario.calls ?? []).flatMap((spec, i) => {
      const place = `calls[${i}]`
      const link = makeLink({ ...scenario.link, ...spec.link }, `${place}.link`)
      const mirror = { ...scenario.mirror, ...spec.mirror }
      // Sources open as their time comes; mistakes in the file should show at once.
      checkCall({ spec, startMs: this.startMs, index: i, repetition: 0, link, mirror, random, place })
      return this.repeated(spec, this.calls, (repetition, startMs) => {
        const own = random.derive(`call ${i} ${repetition}`)
        return makeCall({ spec, startMs, index: i, repetition, link, mirror, random: own, place })
      })
    })
  }

  private streamSources(random: Random): FrameSource[] {
    const { scenario } = this
    return (scenario.streams ?? []).flatMap((spec, i) => {
      const place = `streams[${i}]`
      const link = makeLink({ ...scenario.link, ...spec.link }, `${place}.link`)
      const mirror = { ...scenario.mirror, ...spec.mirror }
      return this.repeated(spec, this.streams, (repetition, startMs) => {
        const own = random.derive(`stream ${i} ${repetition}`)
        return makeStream({ spec, startMs, repetition, link, mirror, random: own, place })
      })
    })
  }

  private requestSources(random: Random): FrameSource[] {
    const { scenario } = this
    const link = makeLink(scenario.link ?? {}, 'link')
    const registrations = (scenario.registrations ?? []).flatMap((spec, i) =>
      this.repeated(spec, this.requests, (repetition, startMs) => {
        const own = random.derive(`registration ${i} ${repetition}`)
        return makeRegistration({ spec, startMs, repetition, link, random: own })
      }),
    )
    const options = (scenario.options ?? []).flatMap((spec, i) =>
      this.repeated(spec, this.requests, (repetition, startMs) => {
        const own = random.derive(`options ${i} ${repetition}`)
        return makeOptions({ spec, startMs, repetition, link, random: own })
      }),
    )
    return [...registrations, ...options]
  }

  private noiseSources(random: Random): FrameSource[] {
    const link = makeLink(this.scenario.link ?? {}, 'link')
    return (this.scenario.noise ?? []).map((spec, i) => {
      const source = new NoiseSource(spec, this.startMs, link, random.derive(`noise ${i}`))
      this.noises.push({ kind: spec.kind, source })
      return source
    })
  }
}

/** The whole scenario in memory: packets in time order, and what is true of them. The same input gives the same bytes. */
export function generateScenario(
  scenario: Scenario,
  seed?: number,
): { packets: GeneratedPacket[]; truth: ScenarioTruth } {
  const run = new ScenarioRun(scenario, seed)
  const packets: GeneratedPacket[] = []
  for (let packet = run.next(); packet; packet = run.next()) packets.push(packet)
  return { packets, truth: run.truth() }
}
