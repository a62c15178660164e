import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { DecodeState } from '../../decode/state.js'
import { RtpMeter } from '../../rtp/meter.js'
import type { StreamListener } from '../../rtp/row.js'
import { StreamStates } from '../../rtp/stream-states.js'
import { MediaWorkers } from './media-workers.js'
import { MessageRing } from './message-ring.js'
import * as M from './messages.js'

const START_MS = Date.parse('2026-03-02T08:00:00Z')

/** Workers whose threads end before they have done anything: here there is no program for them. */
function failing(): { workers: MediaWorkers; told: string[] } {
  const told: string[] = []
  const workers = new MediaWorkers({
    sockets: [[]],
    meter: { maxStreams: 16 },
    seconds: false,
    onTrouble: (message) => told.push(message),
    onGivingUp: () => told.push('given up'),
  })
  workers.connect({ onStreamStart: () => {}, onRow: () => {}, onStreamEnd: () => {} }, () => {})
  workers.start()
  return { workers, told }
}

it('workers that cannot run are started five times more, then nobody waits for them', async () => {
  const { workers, told } = failing()
  expect(workers.hasMeasured(0, 0)).toBe(true)
  expect(workers.hasMeasured(1, 1)).toBe(false)
  while (!told.includes('given up')) await sleep(5)
  expect(told).toHaveLength(6)
  expect(told[0]).toMatch(/^media worker 1 ended unexpectedly \(.*media-thread/)
  expect(workers.restarts).toBe(5)
  expect(workers.hasMeasured(1, 1)).toBe(true)
  expect(workers.isDrained).toBe(true)
  for (const _ of workers.finish()) throw new Error('nothing is left to wait for')
})

it('a worker that ends while it is told to finish keeps nobody waiting', async () => {
  const { workers, told } = failing()
  for (const _ of workers.finish()) await sleep(5)
  expect(told).toEqual([])
  await workers.close()
})

it('a stream that a worker had just begun to follow when it ended is told of, with what was measured', async () => {
  const told: string[] = []
  const workers = new MediaWorkers({
    sockets: [[]],
    meter: { maxStreams: 16 },
    seconds: false,
    onTrouble: () => {},
    onGivingUp: () => told.push('given up'),
  })
  const listener: StreamListener = {
    onStreamStart: (slot) => told.push(`start ${slot}`),
    onRow: (row) => told.push(`${row.packets} packets of ${row.slot}`),
    onStreamEnd: (slot) => told.push(`end ${slot}`),
  }
  workers.connect(listener, () => {})
  // What the worker left in the memory: it ended while it waited for room for the message.
  leaveStream(workers)
  workers.start()
  while (!told.includes('given up')) await sleep(5)
  expect(told.slice(0, -1)).toEqual(['start 0', '20 packets of 0', 'end 0'])
})

it('a stream whose end a worker told of as its last word is not told of again', async () => {
  const told: string[] = []
  const workers = new MediaWorkers({
    sockets: [[]],
    meter: { maxStreams: 16 },
    seconds: false,
    onTrouble: () => {},
    onGivingUp: () => told.push('given up'),
  })
  workers.connect(
    {
      onStreamStart: (slot) => told.push(`start ${slot}`),
      onRow: () => {},
      onStreamEnd: (slot) => told.push(`end ${slot}`),
    },
    () => {},
  )
  leaveStream(workers)
  workers.start()
  const up = new MessageRing(workers['links'][0].workerTask().up)
  for (const kind of [M.STREAM_START, M.STREAM_END]) {
    up.i32[up.reserve(kind, M.SLOT_BYTES) >> 2] = 0
    up.commit()
  }
  while (!told.includes('given up')) await sleep(5)
  expect(told.slice(0, -1)).toEqual(['start 0', 'end 0'])
})

/** A stream of 20 packets in the first slot, of which the other thread was not told. */
function leaveStream(workers: MediaWorkers): void {
  const silent: StreamListener = { onStreamStart: () => {}, onRow: () => {}, onStreamEnd: () => {} }
  const states = new StreamStates(workers['memory'].states, 0, 16)
  const shared = { states, announced: workers.announced, payloadMaps: workers['payloadMaps'] }
  const meter = new RtpMeter(silent, { maxStreams: 16, shared })
  for (let sequence = 0; sequence < 20; sequence++) meter.onPacket(mediaPacket(sequence))
}

/** PCMU, a packet every 20 ms. */
function mediaPacket(sequence: number): DecodeState {
  const bytes = new Uint8Array(172)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, 0x8000)
  view.setUint16(2, sequence)
  view.setUint32(4, sequence * 160)
  view.setUint32(8, 7)
  return Object.assign(new DecodeState(), {
    ...{ bytes, view, timeMs: START_MS + sequence * 20 },
    ...{ payloadOffset: 0, payloadLength: 172, payloadCaptured: 172 },
    ...{ source0: 0x0a000001, destination0: 0x0a000002, sourcePort: 4000, destinationPort: 5000 },
  })
}
