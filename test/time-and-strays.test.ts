import { describe, expect, it } from 'vitest'
import { timeStepWarning } from '../src/cli/time-steps.js'
import { generateScenario } from '../src/generate/generate.js'
import { only, pcapOf, replay, replayBytes } from './helpers/replay.js'

describe('packets whose sequence number fits nothing', () => {
  it('are counted in their stream, so that packets, duplicates and strays are all there were', async () => {
    const { packets } = generateScenario({
      streams: [
        {
          from: '192.0.2.90:6000',
          to: '192.0.2.1:7000',
          duration_s: 10,
          duplicates: { packets: [50], after_ms: 5, kind: 'network' },
        },
      ],
    })
    const frames = packets.map(({ timeMs, frame }) => ({ timeMs, frame: frame.slice() }))
    for (const k of [100, 300]) {
      const view = new DataView(frames[k].frame.buffer, frames[k].frame.byteOffset)
      // Ethernet, IPv4, UDP, then the sequence number in the third and fourth byte.
      view.setUint16(44, (view.getUint16(44) + 20_000) & 0xffff)
    }
    const stream = only((await replay(frames)).streams)
    expect(stream.stray).toBe(2)
    expect(stream.duplicates).toBe(1)
    expect(stream.packets + (stream.duplicates ?? 0) + (stream.stray ?? 0)).toBe(frames.length)
  })
})

describe('a capture whose times run backwards', () => {
  const call = (start: string, seed: number): Uint8Array =>
    pcapOf(generateScenario({ start, seed, calls: [{ duration_s: 5 }] }).packets)
  const older = call('2026-01-01T00:00:00Z', 1)
  const newer = call('2026-01-01T01:00:00Z', 2)

  it('is told with how often and how far: `cat newer older | callprobe replay -`', async () => {
    const { summary } = await replayBytes(Buffer.concat([newer, older]))
    expect(summary.time_steps_back).toBe(1)
    // An hour, less what the older call lasted (2.2 s to its answer, 5 s, and its end).
    const step = summary.time_step_back_max_ms ?? 0
    expect(step).toBeGreaterThan(3_600_000)
    expect(step).toBeLessThan(3_610_000)
    expect(timeStepWarning(summary)).toMatch(/^packet times go back once, by 1 h\b.*: were captures joined/)
  })

  it('is told of each step', async () => {
    const { summary } = await replayBytes(Buffer.concat([newer, older, newer, older]))
    expect(summary.time_steps_back).toBe(2)
    expect(timeStepWarning(summary)).toMatch(/^packet times go back 2 times, by up to 1 h\b/)
  })

  it('in the right order is nothing to tell of', async () => {
    const { summary } = await replayBytes(Buffer.concat([older, newer]))
    expect(summary.time_steps_back).toBeUndefined()
    expect(summary.time_step_back_max_ms).toBeUndefined()
    expect(timeStepWarning(summary)).toBeUndefined()
  })

  it('by less than a second is the disorder of a capture with several queues', async () => {
    const { packets } = generateScenario({ calls: [{ duration_s: 5 }] })
    const shaken = packets.map(({ timeMs, frame }, k) => ({ timeMs: timeMs - (k % 3) * 300, frame }))
    const { summary } = await replayBytes(unsorted(shaken))
    expect(summary.time_steps_back).toBeUndefined()
  })
})

/** A classic pcap in the order given. */
function unsorted(frames: readonly { timeMs: number; frame: Uint8Array }[]): Uint8Array {
  const parts = frames.map((frame) => pcapOf([frame]))
  return Buffer.concat(parts.map((part, k) => (k === 0 ? part : part.slice(24))))
}
