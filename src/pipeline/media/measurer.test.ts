import { describe, expect, it } from 'vitest'
import { pcmuPacket } from '../../../test/helpers/pcmu-packet.js'
import { DecodeState } from '../../decode/state.js'
import { AnnouncedEndpoints } from '../../rtp/announced.js'
import { MAX_PAYLOAD_MAPS, PayloadMaps } from '../../rtp/payload-map.js'
import { StreamStates } from '../../rtp/stream-states.js'
import { carriedBytes, CarriedPacket } from './carried-packet.js'
import { MediaMeasurer } from './measurer.js'
import { MessageRing } from './message-ring.js'
import * as M from './messages.js'

const START_MS = Date.parse('2026-03-02T08:00:00Z')
const RING_BYTES = 1 << 20

/** A worker's measuring without its thread, with both ends of its messages. */
class Bench {
  readonly announced: AnnouncedEndpoints
  readonly measurer: MediaMeasurer
  private readonly up: MessageRing
  private readonly down: MessageRing
  private readonly packet = new DecodeState()
  readonly figures: Float64Array

  constructor(maxStreams: number) {
    const task: M.MediaTask = {
      ...{ index: 0, workers: 1, sockets: [], seconds: false },
      states: StreamStates.sharedMemory(maxStreams),
      announced: new SharedArrayBuffer(AnnouncedEndpoints.memoryBytes(1024)),
      announcedPlaces: 1024,
      payloadMaps: new SharedArrayBuffer(PayloadMaps.memoryBytes(MAX_PAYLOAD_MAPS)),
      up: MessageRing.memory(RING_BYTES),
      down: MessageRing.memory(RING_BYTES),
      control: new SharedArrayBuffer(M.CONTROL_WORDS * 4),
      figures: new SharedArrayBuffer(M.FIGURES * 8),
      meter: { maxStreams, earlyPackets: 100 },
    }
    this.announced = new AnnouncedEndpoints(1024, task.announced)
    this.measurer = new MediaMeasurer(task)
    this.figures = new Float64Array(task.figures)
    this.up = new MessageRing(task.up)
    this.down = new MessageRing(task.down)
  }

  /** Sends an unwrapped packet of PCMU. */
  send(ssrc: number, sequence: number, timeMs: number, destination0?: number): void {
    const packet = pcmuPacket({ ssrc, sequence, timeMs, destination0 }, this.packet)
    const at = this.down.reserve(M.PACKET, carriedBytes(packet))
    CarriedPacket.write(packet, this.down, at)
    this.down.commit()
  }

  order(kind: number, slot: number): void {
    const at = this.down.reserve(kind, M.ORDER_BYTES)
    this.down.i32[at >> 2] = slot
    this.down.commit()
  }

  /** Kind and slot of each message so far. */
  *messages(): Generator<{ kind: number; slot: number }> {
    while (this.up.next()) {
      const message = { kind: this.up.kind, slot: this.up.i32[this.up.at >> 2] }
      this.up.release()
      yield message
    }
  }
}

describe('a worker with a full table', () => {
  it('has room for a stream of a call once the other thread has heard of the one that ended for it', () => {
    const bench = new Bench(64)
    for (let sequence = 0; sequence < 20; sequence++)
      for (let ssrc = 1; ssrc <= 100; ssrc++) bench.send(ssrc, sequence, START_MS + sequence * 20, 0x0a640002)
    bench.measurer.takeOrders(Infinity)
    for (const _ of bench.messages());
    bench.announced.add(0x0a000002, 0, 0, 0, 5000)
    // The flood goes on: its streams want every slot that becomes free.
    const started: number[] = []
    let ended = 0
    for (let sequence = 0; sequence < 50; sequence++) {
      const timeMs = START_MS + 1000 + sequence * 20
      for (let ssrc = 1000; ssrc < 1050; ssrc++) bench.send(ssrc, sequence, timeMs, 0x0a640002)
      bench.send(999, sequence, timeMs + 1)
      bench.measurer.takeOrders(Infinity)
      for (const { kind, slot } of [...bench.messages()]) {
        if (kind === M.STREAM_START) started.push(slot)
        if (kind !== M.STREAM_END) continue
        ended++
        bench.order(M.RECYCLE, slot)
      }
    }
    expect(started).toHaveLength(1)
    expect(ended).toBe(1)
  })
})

describe('unwrapped packets', () => {
  it('wait for frames of their time', () => {
    const bench = new Bench(16)
    bench.send(1, 0, START_MS)
    bench.send(1, 1, START_MS + 20)
    expect(bench.measurer.takeOrders(START_MS + 10)).toBe(START_MS + 20)
    expect(bench.figures[M.RTP_PACKETS]).toBe(1)
  })

  it('of before the clock was set back do not wait for that time to come again', () => {
    const bench = new Bench(16)
    bench.send(1, 0, START_MS)
    bench.send(1, 1, START_MS - 3_600_000)
    expect(bench.measurer.takeOrders(START_MS - 3_600_000)).toBe(Infinity)
    expect(bench.figures[M.RTP_PACKETS]).toBe(2)
  })
})
