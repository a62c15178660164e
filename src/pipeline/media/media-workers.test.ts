import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import type { DecodedPacket } from '../../decode/packet.js'
import { DecodeState } from '../../decode/state.js'
import { RtpMeter } from '../../rtp/meter.js'
import { MAX_PAYLOAD_MAPS, PayloadMaps } from '../../rtp/payload-map.js'
import { StreamStates } from '../../rtp/stream-states.js'
import { MediaWorkers } from './media-workers.js'

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

it('a stream that its worker had no more time to tell of is told of when the worker is gone', async () => {
  const seen: string[] = []
  let rtp = 0
  const workers = new MediaWorkers({
    sockets: [[]],
    meter: { maxStreams: 16 },
    seconds: false,
    onTrouble: () => seen.push('ended'),
    onGivingUp: () => {},
  })
  workers.connect(
    {
      onStreamStart: (slot) => seen.push(`start ${slot}`),
      onRow: (row) => (rtp += row.packets),
      onStreamEnd: (slot) => seen.push(`end ${slot}`),
    },
    () => {},
  )
  // What the thread leaves in the shared memory when it ends before the first message of a stream is sent.
  const memory: unknown = Reflect.get(workers, 'memory')
  const states: unknown = memory instanceof Object ? Reflect.get(memory, 'states') : undefined
  if (!(states instanceof SharedArrayBuffer)) throw new Error('no memory of streams')
  const measurer = new RtpMeter(
    { onStreamStart: () => {}, onRow: () => {}, onStreamEnd: () => {} },
    {
      maxStreams: 16,
      shared: {
        states: new StreamStates(states, 0, 16),
        announced: workers.announced,
        payloadMaps: new PayloadMaps(MAX_PAYLOAD_MAPS),
      },
    },
  )
  for (let sequence = 0; sequence < 50; sequence++) measurer.onPacket(packet(sequence))
  workers.start()
  while (!seen.includes('ended')) await sleep(5)
  expect(seen.slice(0, 3)).toEqual(['start 0', 'end 0', 'ended'])
  expect(rtp).toBe(50)
  await workers.close()
})

function packet(sequence: number): DecodedPacket {
  const bytes = new Uint8Array(172)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, 0x8000)
  view.setUint16(2, sequence)
  view.setUint32(4, sequence * 160)
  view.setUint32(8, 77)
  return Object.assign(new DecodeState(), {
    ...{ bytes, view, timeMs: 1_772_438_400_000 + 20 * sequence, payloadLength: 172, payloadCaptured: 172 },
    ...{ source0: 0x0a000001, destination0: 0x0a000002, sourcePort: 4000, destinationPort: 5000 },
  })
}
