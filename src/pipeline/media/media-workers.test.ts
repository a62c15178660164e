import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
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
