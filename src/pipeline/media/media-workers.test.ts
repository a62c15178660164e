import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { pcmuPacket } from '../../../test/helpers/pcmu-packet.js'
import { RtpMeter } from '../../rtp/meter.js'
import type { StreamListener } from '../../rtp/row.js'
import { StreamStates } from '../../rtp/stream-states.js'
import { MediaWorkers } from './media-workers.js'
import { MessageRing } from './message-ring.js'
import * as M from './messages.js'

const START_MS = Date.parse('2026-03-02T08:00:00Z')

const SILENT: StreamListener = { onStreamStart: () => {}, onRow: () => {}, onStreamEnd: () => {} }

/**
 * Workers whose threads end before they have done anything: here there is no program for them.
 * @param prepare before they start
 */
function failing(
  listener = SILENT,
  prepare: (workers: MediaWorkers) => void = () => {},
): { workers: MediaWorkers; told: string[] } {
  const told: string[] = []
  const workers = new MediaWorkers({
    sockets: [[]],
    meter: { maxStreams: 16 },
    seconds: false,
    onTrouble: (message) => told.push(message),
    onGivingUp: () => told.push('given up'),
  })
  workers.connect(listener, () => {})
  prepare(workers)
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
  const heard: string[] = []
  const listener: StreamListener = {
    onStreamStart: (slot) => heard.push(`start ${slot}`),
    onRow: (row) => heard.push(`${row.packets} packets of ${row.slot}`),
    onStreamEnd: (slot) => heard.push(`end ${slot}`),
  }
  // What the worker left in the memory: it ended while it waited for room for the message.
  const { told } = failing(listener, leaveStream)
  while (!told.includes('given up')) await sleep(5)
  expect(heard).toEqual(['start 0', '20 packets of 0', 'end 0'])
})

it('a stream whose end a worker told of as its last word is not told of again', async () => {
  const heard: string[] = []
  const listener: StreamListener = {
    ...SILENT,
    onStreamStart: (slot) => heard.push(`start ${slot}`),
    onStreamEnd: (slot) => heard.push(`end ${slot}`),
  }
  const { workers, told } = failing(listener, leaveStream)
  const up = new MessageRing(workers['links'][0].workerTask().up)
  for (const kind of [M.STREAM_START, M.STREAM_END]) {
    up.i32[up.reserve(kind, M.SLOT_BYTES) >> 2] = 0
    up.commit()
  }
  while (!told.includes('given up')) await sleep(5)
  expect(heard).toEqual(['start 0', 'end 0'])
})

/** A stream of 20 packets in the first slot, of which the other thread was not told. */
function leaveStream(workers: MediaWorkers): void {
  const states = new StreamStates(workers['memory'].states, 0, 16)
  const shared = { states, announced: workers.announced, payloadMaps: workers['payloadMaps'] }
  const meter = new RtpMeter(SILENT, { maxStreams: 16, shared })
  for (let sequence = 0; sequence < 20; sequence++)
    meter.onPacket(pcmuPacket({ ssrc: 7, sequence, timeMs: START_MS + sequence * 20 }))
}
