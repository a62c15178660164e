import {
  DUPLICATED,
  LOST_AFTER_TAP,
  LOST_BEFORE_TAP,
  MADE_LATE,
  MIRROR_DROPPED,
  type PacketList,
} from './packet-list.js'
import type { Random } from './random.js'
import type { Choice, DirectionSpec, JitterSpec, LossSpec, MirrorSpec } from './scenario.js'

/** A function that says of each index in sending order, asked once each, whether it is chosen. */
export function chooser(choice: Choice | undefined, random: Random): (index: number) => boolean {
  if (!choice) return () => false
  const { percent = 0, packets, every } = choice
  const listed = new Set(packets)
  return (index) => {
    const byChance = percent > 0 && random.chance(percent)
    return byChance || listed.has(index) || (every !== undefined && (index + 1) % every === 0)
  }
}

function lose(list: PacketList, loss: LossSpec, zeroMs: number, random: Random): void {
  const flag = loss.where === 'after_tap' ? LOST_AFTER_TAP : LOST_BEFORE_TAP
  const chosen = chooser({ percent: loss.random_percent, packets: loss.packets }, random)
  const outages = (loss.outages ?? []).map(({ at_s, duration_s }) => ({
    startMs: zeroMs + at_s * 1000,
    endMs: zeroMs + (at_s + duration_s) * 1000,
  }))
  let bad = false
  for (let i = 0; i < list.length; i++) {
    if (loss.gilbert) bad = random.next() < (bad ? 1 - loss.gilbert.q : loss.gilbert.p)
    const sentMs = list.sentMs[i]
    const out = outages.some((outage) => sentMs >= outage.startMs && sentMs < outage.endMs)
    if (chosen(i) || bad || out) list.flags[i] |= flag
  }
}

function dropAtMirror(list: PacketList, mirror: MirrorSpec, random: Random): void {
  const chosen = chooser({ percent: mirror.drop_percent, packets: mirror.drop_packets }, random)
  for (let i = 0; i < list.length; i++) if (chosen(i)) list.flags[i] |= MIRROR_DROPPED
}

/** Delays that do not look at other packets. */
function delayEach(list: PacketList, jitter: JitterSpec, zeroMs: number, random: Random): void {
  const { uniform_ms: uniform = 0, pattern_ms: pattern, spikes, late } = jitter
  const made = chooser(late, random)
  let spikeNumber = 0
  let spikeLeft = 0
  for (let i = 0; i < list.length; i++) {
    let delay = uniform > 0 ? random.next() * uniform : 0
    if (pattern && pattern.length > 0) delay += pattern[i % pattern.length]
    if (spikes) {
      const number = Math.floor((list.sentMs[i] - zeroMs) / (spikes.every_s * 1000))
      if (number > spikeNumber) {
        spikeNumber = number
        spikeLeft = spikes.packets ?? 1
      }
      if (spikeLeft-- > 0) delay += spikes.size_ms
    }
    if (late && made(i)) {
      delay += late.delay_ms
      list.flags[i] |= MADE_LATE
    }
    list.arrivalMs[i] = list.sentMs[i] + delay
  }
}

/** A first-in first-out queue that stands still from time to time and then drains faster than it fills. */
function queue(list: PacketList, queueing: NonNullable<JitterSpec['queueing']>, zeroMs: number): void {
  const everyMs = queueing.every_s * 1000
  const drainMs = queueing.drain_ms ?? 2
  let previousOut = -Infinity
  for (let i = 0; i < list.length; i++) {
    const into = list.arrivalMs[i]
    const stall = Math.floor((into - zeroMs) / everyMs)
    const stallEndMs = stall >= 1 ? zeroMs + stall * everyMs + queueing.stall_ms : -Infinity
    previousOut = Math.max(into, stallEndMs, previousOut + drainMs)
    list.arrivalMs[i] = previousOut
  }
}

function keepOrder(list: PacketList): void {
  for (let i = 1; i < list.length; i++) list.arrivalMs[i] = Math.max(list.arrivalMs[i], list.arrivalMs[i - 1])
}

function reorder(list: PacketList, spec: NonNullable<DirectionSpec['reorder']>, random: Random): void {
  const by = spec.by ?? 1
  const chosen = chooser(spec, random)
  const before = list.arrivalMs.slice(0, list.length)
  for (let i = 0; i < list.length; i++)
    if (chosen(i) && i + by < list.length) list.arrivalMs[i] = before[i + by] + 1
}

/** Sets arrival times, loss and duplication of every packet. Random draws are made per packet, in sending order. */
export function impair(
  list: PacketList,
  spec: DirectionSpec,
  mirror: MirrorSpec,
  zeroMs: number,
  random: Random,
): void {
  if (spec.loss) lose(list, spec.loss, zeroMs, random.derive('loss'))
  dropAtMirror(list, mirror, random.derive('mirror'))
  delayEach(list, spec.jitter ?? {}, zeroMs, random.derive('jitter'))
  if (spec.jitter?.queueing) queue(list, spec.jitter.queueing, zeroMs)
  if (spec.jitter?.preserve_order) keepOrder(list)
  if (spec.reorder) reorder(list, spec.reorder, random.derive('reorder'))
  const again = chooser(spec.duplicates, random.derive('duplicates'))
  for (let i = 0; i < list.length; i++) if (again(i)) list.flags[i] |= DUPLICATED
}

/** Sightings of packets by time, as codes: index * 2, plus 1 for the duplicate. Equal times keep sending order. */
export interface ArrivalOrder {
  codes: Uint32Array
  /** Delay of a duplicate behind its original. */
  copyAfterMs: number
}

export function sightingMs(list: PacketList, order: ArrivalOrder, code: number): number {
  return list.arrivalMs[code >>> 1] + ((code & 1) === 1 ? order.copyAfterMs : 0)
}

/** Orders the packets without any of the flags in `without` by arrival, with their duplicates or not. */
export function arrivalOrder(
  list: PacketList,
  without: number,
  copies: boolean,
  copyAfterMs: number,
): ArrivalOrder {
  const codes = new Uint32Array(list.length * 2)
  let count = 0
  for (let i = 0; i < list.length; i++) {
    if (list.has(i, without)) continue
    codes[count++] = i * 2
    if (copies && list.has(i, DUPLICATED)) codes[count++] = i * 2 + 1
  }
  const order = { codes: codes.slice(0, count), copyAfterMs }
  order.codes.sort((a, b) => sightingMs(list, order, a) - sightingMs(list, order, b))
  return order
}
