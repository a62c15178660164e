import type { PacketBatch } from '../capture/batch.js'
import { parseUnreachable } from '../decode/icmp.js'
import { PacketDecoder } from '../decode/decoder.js'
import { KIND_ICMP, KIND_UDP } from '../decode/packet.js'
import { CallprobeError } from '../errors.js'
import type { CaptureOutput } from './capture-output.js'
import { flowEnds, type FlowTable } from './flow-key.js'
import { modeHeaderBytes } from '../calls/payload-mode.js'
import { icmpQuotationLength, isRtcp, rtpHeaderLength, ssrcAt } from './frame-cut.js'
import { filler, type FramePlan, type FramePlans } from './frame-plan.js'
import { renewChecksums } from './ip-headers.js'
import type { CallFlow, MediaWindow } from './media-collector.js'
import type { FragmentedMedia, SeenMedia } from './signalling-scanner.js'

/** How long after the media an answer to them may come. */
const ICMP_AFTER_MS = 2000

export interface SelectionCounts {
  packets: number
  sip: number
  rtp: number
  rtcp: number
  icmp: number
}

export interface SelectorOptions {
  /** RTP payload too. */
  payload: boolean
}

/** The window that a packet of the flow falls into. */
function windowOf(flow: CallFlow, ssrc: number, timeMs: number): MediaWindow | undefined {
  return flow.media.find((w) => w.ssrc === ssrc && timeMs >= w.fromMs && timeMs <= w.toMs)
}

/** RTP header, and what of the payload says which mode is in use: bytes of a packet that stay. */
function keptHead(
  { modes }: MediaWindow,
  bytes: Uint8Array,
  at: number,
  captured: number,
  length: number,
): number {
  const header = rtpHeaderLength(bytes, at, captured)
  if (captured < 2 || !modes.payloadTypes.has(bytes[at + 1] & 0x7f)) return Math.min(header, captured)
  const mode = modeHeaderBytes(modes, bytes, at + header, at + captured, length - header)
  return Math.min(header + mode, captured)
}

/**
 * Bytes of a datagram that stay, now that the wanted flows are known: Infinity for all of it, -1 when it is not wanted.
 * @param length bytes of the whole datagram
 */
export function keptOfMedia(
  { packet, timeMs, head }: SeenMedia,
  length: number,
  flows: FlowTable<CallFlow>,
  payload: boolean,
): number {
  if (head.length < 12) return -1
  const flow = flows.of(packet)
  if (!flow) return -1
  if (flow.rtcp.has(timeMs)) return Infinity
  const window = windowOf(flow, ssrcAt(head, 0), timeMs)
  if (!window) return -1
  return payload ? Infinity : keptHead(window, head, 0, head.length, length)
}

/** Chooses the frames of RTP in fragments, now that the wanted flows are known. */
export function planFragmentedMedia(
  plans: FramePlans,
  fragmented: readonly FragmentedMedia[],
  flows: FlowTable<CallFlow>,
  { payload }: SelectorOptions,
): void {
  for (const media of fragmented) {
    const { payloadAt, pieces } = media
    const last = pieces.reduce((end, { start, length }) => Math.max(end, start + length), 0)
    const kept = keptOfMedia(media, last - payloadAt, flows, payload)
    if (kept < 0) continue
    for (const piece of pieces) {
      const keep = piece.at + Math.max(0, Math.min(payloadAt + kept - piece.start, piece.captured))
      plans.chooseStart(piece.frame, piece.timeMs, kept === Infinity ? Infinity : keep)
    }
  }
}

/** Writes the chosen frames, and those of the wanted flows, in the order in which they come. */
export class FrameSelector {
  readonly counts: SelectionCounts = { packets: 0, sip: 0, rtp: 0, rtcp: 0, icmp: 0 }
  private readonly decoder = new PacketDecoder()
  private frames = 0
  private planned = 0

  constructor(
    private readonly output: CaptureOutput,
    private readonly plans: FramePlans,
    private readonly flows: FlowTable<CallFlow>,
    private readonly options: SelectorOptions,
  ) {}

  onBatch(batch: PacketBatch): void {
    const { bytes, view, frameOffset, capturedLength, wireLength, timeMs, linkType, first, end } = batch
    for (let k = first; k < end; k++, this.frames++) {
      const plan = this.plans.get(this.frames)
      if (plan !== undefined) {
        this.writePlanned(batch, k, plan)
        continue
      }
      const kind = this.decoder.decode(
        bytes,
        view,
        frameOffset[k],
        capturedLength[k],
        wireLength[k],
        linkType[k],
        timeMs[k],
      )
      if (kind === KIND_UDP && !this.decoder.reassembled) this.onUdp(batch, k)
      else if (kind === KIND_ICMP) this.onIcmp(batch, k)
    }
  }

  /** @throws CallprobeError READ_FAILED when the files are not those of the first pass any more */
  finish(): void {
    if (this.planned !== this.plans.size) throw changed()
  }

  private writePlanned(batch: PacketBatch, k: number, plan: FramePlan): void {
    if (batch.timeMs[k] !== plan.timeMs) throw changed()
    this.planned++
    this.counts.sip++
    if (plan.isChanged !== true) {
      this.write(batch, k, plan.keep)
      return
    }
    const from = batch.frameOffset[k]
    const frame = batch.bytes.slice(from, from + batch.capturedLength[k])
    for (const { at, bytes } of plan.fills ?? [])
      frame.set(bytes.subarray(0, Math.max(0, frame.length - at)), at)
    renewChecksums(frame, batch.wireLength[k])
    this.put(batch, k, frame.subarray(0, plan.keep))
  }

  private onUdp(batch: PacketBatch, k: number): void {
    const p = this.decoder
    const { bytes, payloadOffset: at, payloadCaptured: captured } = p
    if (captured < 12 || bytes[at] >> 6 !== 2) return
    const flow = this.flows.of(p)
    if (flow === undefined) return
    if (isRtcp(bytes, at)) {
      if (!flow.rtcp.has(p.timeMs)) return
      this.counts.rtcp++
      this.write(batch, k)
      return
    }
    const window = windowOf(flow, ssrcAt(bytes, at), p.timeMs)
    if (window === undefined) return
    this.counts.rtp++
    const head = keptHead(window, bytes, at, captured, p.payloadLength)
    if (p.fromHep && !this.options.payload) {
      this.writeFilled(batch, k, at + head, at + captured)
      return
    }
    const keep = at - batch.frameOffset[k] + head
    this.write(batch, k, this.options.payload ? undefined : keep)
  }

  /** Audio of a capture agent's message is written over: chunks behind it say how the packet was marked. */
  private writeFilled(batch: PacketBatch, k: number, from: number, to: number): void {
    const start = batch.frameOffset[k]
    const frame = batch.bytes.slice(start, start + batch.capturedLength[k])
    frame.set(filler(to - from), from - start)
    renewChecksums(frame, batch.wireLength[k])
    this.put(batch, k, frame)
  }

  private onIcmp(batch: PacketBatch, k: number): void {
    const p = this.decoder
    const told = parseUnreachable(p)
    if (told === undefined || p.reassembled) return
    const ends = flowEnds(told.sourceAddress, told.sourcePort, told.destinationAddress, told.destinationPort)
    const flow = ends && this.flows.find(ends)
    if (!flow || p.timeMs < flow.fromMs || p.timeMs > flow.toMs + ICMP_AFTER_MS) return
    this.counts.icmp++
    const keep = p.payloadOffset - batch.frameOffset[k] + icmpQuotationLength(p)
    this.write(batch, k, this.options.payload ? undefined : keep)
  }

  private write(batch: PacketBatch, k: number, keep = Infinity): void {
    const from = batch.frameOffset[k]
    this.put(batch, k, batch.bytes.subarray(from, from + Math.min(keep, batch.capturedLength[k])))
  }

  private put(batch: PacketBatch, k: number, frame: Uint8Array): void {
    this.counts.packets++
    this.output.write(batch.timeMs[k], batch.linkType[k], frame, batch.wireLength[k])
  }
}

function changed(): CallprobeError {
  return new CallprobeError('READ_FAILED', 'a capture changed while it was read a second time', {
    hint: 'is it still being written? Copy it first',
  })
}
