import { describe, expect, it } from 'vitest'
import { AnnouncedEndpoints } from '../../rtp/announced.js'
import { MAX_PAYLOAD_MAPS, PayloadMaps } from '../../rtp/payload-map.js'
import { StreamStates } from '../../rtp/stream-states.js'
import { MediaLink, MOST_ASIDE_BYTES, type Message } from './media-link.js'
import { MediaMeasurer } from './measurer.js'
import { MessageRing } from './message-ring.js'
import * as M from './messages.js'

const SLOTS = 16
const FRAME_BYTES = 1500

/** A link without its thread: what a worker would do is done by hand. */
function withoutThread(): { link: MediaLink; task: M.MediaTask; up: MessageRing; control: Int32Array } {
  const link = new MediaLink({
    ...{ index: 0, workers: 1, sockets: [], seconds: false, announcedPlaces: 1024 },
    states: StreamStates.sharedMemory(SLOTS),
    announced: new SharedArrayBuffer(AnnouncedEndpoints.memoryBytes(1024)),
    payloadMaps: new SharedArrayBuffer(PayloadMaps.memoryBytes(MAX_PAYLOAD_MAPS)),
    meter: { maxStreams: SLOTS },
  })
  const task = link.workerTask()
  return { link, task, up: new MessageRing(task.up), control: new Int32Array(task.control) }
}

describe('messages that are set aside while a worker is asked for something', () => {
  it('stay bounded: a worker that brings more than is read has to wait, and goes on when it was read', () => {
    const { link, task, up, control } = withoutThread()
    const measurer = new MediaMeasurer(task)
    let sent = 0
    let asks = 0
    // Frames come without end, and each ask finds the ring full.
    for (; asks < 20; asks++) {
      while (!measurer.isHeldUp) {
        const at = up.reserve(M.FRAME, FRAME_BYTES)
        if (at < 0) break
        up.i32[at >> 2] = sent++
        up.commit()
      }
      // It was carried out by the time that it was asked for.
      Atomics.store(control, M.DONE, asks + 1)
      expect(link.ask(M.CUT, 3)).toEqual([])
    }
    expect(measurer.isHeldUp).toBe(true)
    expect(link.holdUps).toBe(1)
    // What was set aside, and one full ring of 16 MiB on top.
    expect(sent * FRAME_BYTES).toBeLessThanOrEqual(MOST_ASIDE_BYTES + 16 * 2 ** 20)

    const got: number[] = []
    const visit = ({ at, memory }: Message, taken: () => void): void => {
      got.push(memory.i32[at >> 2])
      taken()
    }
    while (measurer.isHeldUp) expect(link.read(visit, 1000)).toBe(true)
    expect(got.length).toBeLessThan(sent)
    while (link.read(visit));
    // Nothing is lost, and in order.
    expect(got).toEqual(Array.from({ length: sent }, (_, k) => k))
  })

  it('about the stream itself come with the answer, the others later, in order', () => {
    const { link, up, control } = withoutThread()
    for (const [kind, slot] of [
      [M.STREAM_START, 3],
      [M.RESUME, 3],
      [M.RESUME, 4],
      [M.STREAM_END, 3],
    ]) {
      up.i32[up.reserve(kind, M.SLOT_BYTES) >> 2] = slot
      up.commit()
    }
    Atomics.store(control, M.DONE, 1)
    expect(link.ask(M.CONCLUDE, 3).map(({ kind }) => kind)).toEqual([M.RESUME])
    const kinds: number[] = []
    link.read(({ kind }) => kinds.push(kind))
    expect(kinds).toEqual([M.STREAM_START, M.RESUME, M.STREAM_END])
    expect(link.holdUps).toBe(0)
  })

  it('a worker that has ended meanwhile is not waited for: what it had to say is there', () => {
    const { link, up } = withoutThread()
    up.i32[up.reserve(M.ROW, M.SLOT_BYTES) >> 2] = 3
    up.commit()
    up.reserve(M.FINISHED, 0)
    up.commit()
    const askedMs = performance.now()
    expect(link.ask(M.CUT, 3).map(({ kind }) => kind)).toEqual([M.ROW])
    expect(performance.now() - askedMs).toBeLessThan(1000)
    expect(link.dead).toBe(false)
  })
})
