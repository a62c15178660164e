import type { PacketBatch } from '../../capture/batch.js'
import { PacketDecoder } from '../../decode/decoder.js'
import { KIND_FRAGMENT, KIND_SKIPPED, KIND_UDP, type DecodedPacket } from '../../decode/packet.js'
import { AnnouncedEndpoints } from '../../rtp/announced.js'
import { FORESIGHT, NEXT_ROW } from '../../rtp/described-batch.js'
import { PACKET_RTCP, RtpMeter } from '../../rtp/meter.js'
import { PayloadMaps } from '../../rtp/payload-map.js'
import type { FlowEnds, IntervalRow, StreamListener } from '../../rtp/row.js'
import { StreamStates } from '../../rtp/stream-states.js'
import { looksLikeSip } from '../../sip/parse-detect.js'
import { carriedBytes, CarriedPacket } from './carried-packet.js'
import { MessageRing } from './message-ring.js'
import * as M from './messages.js'
import { ownerOf } from './owner.js'
import { ReportedStreams } from './reported-streams.js'
import { ROW_BYTES, RowCodec } from './row-codec.js'

/** A full ring is looked at again after this long, ms. */
const FULL_WAIT_MS = 1
/** Unwrapped packets that take more room than this wait for nothing. */
const CROWDED_BYTES = 2 * 2 ** 20
/** One that is so far ahead is of before the clock was set back, ms. */
const OTHER_CLOCK_MS = 60_000

/** What a media worker does with its frames and its orders; the thread around it brings both. */
export class MediaMeasurer implements StreamListener {
  /** Told to end. */
  finished = false
  /** Told to take no more packets. */
  stopped = false
  /** Time of the last packet that another thread unwrapped. */
  unwrappedMs = -Infinity
  readonly onSecond?: StreamListener['onSecond']
  private readonly meter: RtpMeter
  private readonly decoder = new PacketDecoder()
  private readonly up: MessageRing
  private readonly rows: RowCodec
  private readonly down: MessageRing
  private readonly control: Int32Array
  private readonly figures: Float64Array
  private readonly carried = new CarriedPacket()
  private readonly reported = new ReportedStreams()

  constructor(private readonly task: M.MediaTask) {
    this.up = new MessageRing(task.up)
    this.rows = new RowCodec(this.up.bytes)
    this.down = new MessageRing(task.down)
    this.control = new Int32Array(task.control)
    this.figures = new Float64Array(task.figures)
    const { maxStreams } = task.meter
    if (task.seconds) this.onSecond = (slot, startMs, peakMs) => this.sendSecond(slot, startMs, peakMs)
    this.meter = new RtpMeter(this, {
      ...task.meter,
      shared: {
        states: new StreamStates(task.states, task.index * maxStreams, maxStreams),
        announced: new AnnouncedEndpoints(task.announcedPlaces, task.announced),
        payloadMaps: new PayloadMaps(task.meter.payloadMaps, task.payloadMaps),
      },
    })
  }

  /** A batch and the unwrapped packets of the same time, merged; orders are carried out meanwhile. */
  onMergedBatch(batch: PacketBatch): void {
    const { timeMs, end } = batch
    for (let from = batch.first; from < end; from = batch.end) {
      const packetMs = this.takeOrders(timeMs[from])
      let until = from + 1
      while (until < end && timeMs[until] < packetMs) until++
      batch.first = from
      batch.end = until
      this.onBatch(batch)
    }
  }

  /** Whether somebody waits for an order to be carried out. */
  get isAsked(): boolean {
    return Atomics.load(this.control, M.ASKED) !== Atomics.load(this.control, M.DONE)
  }

  /** The other thread has so much to read that frames have to wait, in the kernel's ring. */
  get isHeldUp(): boolean {
    return Atomics.load(this.control, M.HELD_UP) !== 0
  }

  /** So much is waiting to be read that there may soon be no room for more. */
  get isCrowded(): boolean {
    return this.down.used > CROWDED_BYTES
  }

  private onBatch(batch: PacketBatch): void {
    const { bytes, view, frameOffset, capturedLength, wireLength, timeMs, linkType, first, end } = batch
    const { decoder, meter, figures } = this
    const { fastPath } = meter
    let wireBytes = 0
    let rtp = 0
    for (let begin = first; begin < end; begin += FORESIGHT) {
      const until = Math.min(end, begin + FORESIGHT)
      fastPath.describe(batch, begin, until, NEXT_ROW)
      fastPath.foresee(NEXT_ROW, until - begin)
      for (let k = begin; k < until; k++) wireBytes += wireLength[k]
      for (let k = begin; k < until; k++) {
        const measured = begin + fastPath.follow(NEXT_ROW, timeMs, begin, k - begin, until - begin)
        rtp += measured - k
        k = measured
        if (k === until) break
        const kind = decoder.decode(
          bytes,
          view,
          frameOffset[k],
          capturedLength[k],
          wireLength[k],
          linkType[k],
          timeMs[k],
        )
        if (kind === KIND_SKIPPED || kind === KIND_FRAGMENT) continue
        if (kind === KIND_UDP && this.onDatagram()) rtp++
        else if (kind !== KIND_UDP) this.sendFrame(batch, k, [])
        else if (this.isForCalls()) {
          this.reported.find(decoder)
          this.sendFrame(batch, k, this.reported.found)
        }
      }
    }
    if (end === first) return
    figures[M.PACKETS] += end - first
    figures[M.BYTES] += wireBytes
    figures[M.RTP_PACKETS] += rtp
    if (!(figures[M.FIRST_MS] <= timeMs[first])) figures[M.FIRST_MS] = timeMs[first]
    if (!(figures[M.LAST_MS] >= timeMs[end - 1])) figures[M.LAST_MS] = timeMs[end - 1]
    meter.sweepFor(timeMs[end - 1])
  }

  /** Nothing came, and time went on to `timeMs` all the same. */
  onQuiet(timeMs: number): void {
    this.meter.sweepFor(timeMs)
  }

  /** True for RTP of a flow that is this worker's. */
  private onDatagram(): boolean {
    const { decoder, task } = this
    if (!isRtp(decoder) || ownerOf(decoder, task.workers) !== task.index) return false
    return this.meter.onPacket(decoder) !== PACKET_RTCP
  }

  /** Whether the thread that follows the calls has to see the datagram. */
  private isForCalls(): boolean {
    const { decoder } = this
    if (isRtp(decoder)) return true
    const { bytes, payloadOffset, payloadCaptured } = decoder
    return payloadCaptured > 0 && looksLikeSip(bytes, payloadOffset, payloadCaptured, false)
  }

  /**
   * Reads what the other thread wants done, up to the first unwrapped packet that came after `untilMs`.
   * @returns the time of that packet, Infinity if there is none
   */
  takeOrders(untilMs: number): number {
    const { down, meter } = this
    while (down.next()) {
      const { kind, at } = down
      if (kind === M.PACKET) {
        const packetMs = down.f64[at >> 3]
        if (packetMs > untilMs && !(packetMs - untilMs > OTHER_CLOCK_MS)) return packetMs
        this.unwrappedMs = packetMs
        if (meter.onPacket(this.carried.read(down, at)) !== PACKET_RTCP) this.figures[M.RTP_PACKETS]++
        down.release()
        continue
      }
      const slot = down.i32[at >> 2]
      const argument = down.i32[(at >> 2) + 1]
      down.release()
      this.carryOut(kind, slot, argument)
    }
    return Infinity
  }

  private carryOut(kind: number, slot: number, argument: number): void {
    const { meter } = this
    if (kind === M.RECYCLE) meter.recycle(slot)
    else if (kind === M.STOP) this.stopped = true
    else if (kind === M.FINISH) this.finish()
    else if (kind === M.CUT || kind === M.CONCLUDE) {
      if (kind === M.CUT) meter.cut(slot)
      else meter.conclude(slot)
      Atomics.store(this.control, M.DONE, argument)
      Atomics.notify(this.control, M.DONE)
    } else if (meter.isFollowed(slot)) {
      if (kind === M.SET_PAYLOAD_MAP) meter.setPayloadMap(slot, argument)
      else if (kind === M.SET_SAMPLED) meter.setSampled(slot, argument !== 0)
      else if (kind === M.SET_BOUND) meter.setBound(slot, argument !== 0)
      else if (kind === M.BEGIN_SEGMENT) meter.beginSegment(slot)
    }
  }

  private finish(): void {
    if (this.finished) return
    for (const _ of this.meter.finish());
    this.decoder.finish()
    this.sendCounts()
    this.reserve(M.FINISHED, 0)
    this.up.commit()
    this.finished = true
  }

  /** Once a second: what it counts, for the summary. */
  sendCounts(): void {
    const counts: M.WorkerCounts = { meter: this.meter.counters, skipped: this.decoder.skippedByReason }
    const text = Buffer.from(JSON.stringify(counts))
    this.up.bytes.set(text, this.reserve(M.COUNTS, text.length))
    this.up.commit()
    this.figures[M.ACTIVE_STREAMS] = counts.meter.active
  }

  sendDrained(): void {
    this.reserve(M.DRAINED, 0)
    this.up.commit()
  }

  /** Room for a message; waits for it, so that nothing of a call is lost: packets wait in the kernel's ring meanwhile. */
  private reserve(kind: number, bytes: number): number {
    for (;;) {
      const at = this.up.reserve(kind, bytes)
      if (at >= 0) return at
      Atomics.wait(this.control, M.DONE, Atomics.load(this.control, M.DONE), FULL_WAIT_MS)
    }
  }

  private sendSlot(kind: number, slot: number, bytes = M.SLOT_BYTES): number {
    const at = this.reserve(kind, bytes)
    this.up.i32[at >> 2] = slot
    return at
  }

  private sendFrame(
    { bytes, frameOffset, capturedLength, wireLength, timeMs, linkType }: PacketBatch,
    k: number,
    slots: readonly number[],
  ): void {
    const { up } = this
    const captured = capturedLength[k]
    const at = this.reserve(M.FRAME, M.statesAt(captured) + slots.length * M.STATE_BYTES)
    up.f64[at >> 3] = timeMs[k]
    up.i32[(at >> 2) + 2] = linkType[k]
    up.i32[(at >> 2) + 3] = wireLength[k]
    up.i32[(at >> 2) + 4] = captured
    up.i32[(at >> 2) + 5] = slots.length
    up.bytes.set(bytes.subarray(frameOffset[k], frameOffset[k] + captured), at + M.FRAME_AT)
    let word = (at + M.statesAt(captured)) >> 2
    for (const slot of slots) {
      const { lost, highest, clockRateHz } = this.meter.sequenceState(slot)
      up.i32[word++] = slot
      up.i32[word++] = highest
      up.i32[word++] = lost
      up.i32[word++] = clockRateHz
    }
    up.commit()
  }

  onStreamStart(slot: number): void {
    this.reported.add(this.meter.identity(slot).ssrc, slot)
    this.sendSlot(M.STREAM_START, slot)
    this.up.commit()
  }

  onRow(row: IntervalRow): void {
    const at = this.sendSlot(M.ROW, row.slot, M.ROW_AT + ROW_BYTES)
    this.rows.write(row, at + M.ROW_AT)
    this.up.commit()
  }

  onResume(slot: number): void {
    this.sendSlot(M.RESUME, slot)
    this.up.commit()
  }

  onBurstSecond(slot: number, startMs: number, peakMs: number): void {
    this.second(M.BURST_SECOND, slot, startMs, peakMs, M.BURST_SECOND_BYTES)
    this.up.commit()
  }

  private sendSecond(slot: number, startMs: number, peakMs: number): void {
    const at = this.second(M.SECOND, slot, startMs, peakMs, M.SECOND_ROW_AT + ROW_BYTES)
    this.rows.write(this.meter.peek(slot), at + M.SECOND_ROW_AT)
    this.up.commit()
  }

  private second(kind: number, slot: number, startMs: number, peakMs: number, bytes: number): number {
    const at = this.sendSlot(kind, slot, bytes)
    this.up.f64[(at >> 3) + 1] = startMs
    this.up.f64[(at >> 3) + 2] = peakMs
    return at
  }

  onPayloadSample(slot: number, p: DecodedPacket): void {
    const at = this.sendSlot(M.SAMPLE, slot, M.PACKET_AT + carriedBytes(p))
    CarriedPacket.write(p, this.up, at + M.PACKET_AT)
    this.up.commit()
  }

  onNoRoom(flow: FlowEnds): void {
    const at = this.sendSlot(M.NO_ROOM, 0, M.NO_ROOM_BYTES)
    const { ipVersion, sourcePort, destinationPort, vlan, source, destination, firstArrival } = flow
    const words = [ipVersion, sourcePort, destinationPort, vlan, ...source, ...destination]
    this.up.i32.set(words, (at + M.FLOW_AT) >> 2)
    this.up.f64[(at + M.FLOW_TIME_AT) >> 3] = firstArrival
    this.up.commit()
  }

  onStreamEnd(slot: number): void {
    this.reported.remove(this.meter.identity(slot).ssrc, slot)
    this.sendSlot(M.STREAM_END, slot)
    this.up.commit()
  }
}

function isRtp({ bytes, payloadOffset, payloadCaptured }: DecodedPacket): boolean {
  return payloadCaptured >= 12 && bytes[payloadOffset] >> 6 === 2
}
