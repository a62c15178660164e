import { describe, expect, it } from 'vitest'
import { loadCap, UserspaceSource, type CapHandle, type CapModule } from './userspace-source.js'

/** npm cap as its README describes it: the frame is in the buffer when the event comes. */
class FakeCap implements CapHandle {
  static last: FakeCap | undefined
  frame: Buffer = Buffer.alloc(0)
  listener: (bytes: number, truncated: boolean) => void = () => {}
  closed = false

  open(device: string, _filter: string, _bufferBytes: number, frame: Buffer): string {
    if (device !== 'en0') throw new Error('No such device exists')
    this.frame = frame
    FakeCap.last = this
    return 'ETHERNET'
  }

  on(_event: 'packet', listener: (bytes: number, truncated: boolean) => void): void {
    this.listener = listener
  }

  close(): void {
    this.closed = true
  }

  deliver(...bytes: number[]): void {
    Buffer.from(bytes).copy(this.frame)
    this.listener(bytes.length, false)
  }
}

const module: CapModule = { Cap: FakeCap }

describe('capture through npm cap', () => {
  it('stamps packets with the clock, keeps them in order, and says that the times are its own', async () => {
    let now = 1000
    const source = new UserspaceSource(module, { interfaceName: 'en0', nowMs: () => now })
    FakeCap.last?.deliver(1, 2, 3)
    now = 1020.5
    FakeCap.last?.deliver(4, 5)
    const batch = await source.next()
    expect(batch).not.toBeNull()
    if (!batch) return
    const frames = Array.from({ length: batch.end - batch.first }, (_, i) => [
      ...batch.bytes.subarray(batch.frameOffset[i], batch.frameOffset[i] + batch.capturedLength[i]),
    ])
    expect(frames).toEqual([
      [1, 2, 3],
      [4, 5],
    ])
    expect([...batch.timeMs.subarray(0, 2)]).toEqual([1000, 1020.5])
    expect(batch.linkType[0]).toBe(1)
    expect(source.timestampSource).toBe('userspace')
    expect(source.losses()).toBeUndefined()
    expect(source.warnings[0].message).toMatch(/jitter.*include/)
  })

  it('hands out what came before it was stopped, and nothing after', async () => {
    const source = new UserspaceSource(module, { interfaceName: 'en0', nowMs: () => 5 })
    FakeCap.last?.deliver(1)
    source.stop()
    FakeCap.last?.deliver(2)
    const batch = await source.next()
    expect(batch?.end).toBe(1)
    expect(await source.next()).toBeNull()
    await source.close()
    expect(FakeCap.last?.closed).toBe(true)
  })

  it('drops and counts what finds no room, instead of growing', async () => {
    const source = new UserspaceSource(module, { interfaceName: 'en0', nowMs: () => 5 })
    for (let i = 0; i < 20_000; i++) FakeCap.last?.deliver(i & 255)
    const batch = await source.next()
    expect([batch?.end, source.dropped, source.received]).toEqual([16_384, 3616, 20_000])
  })

  it('says that time goes on when nothing comes', async () => {
    let now = 10_000
    const source = new UserspaceSource(module, { interfaceName: 'en0', nowMs: () => (now += 60) })
    const batch = await source.next()
    expect(batch?.end).toBe(0)
    expect(source.quietUntilMs).toBeGreaterThan(9_000)
  })

  it('says what to install when the package is missing, and which interface failed', async () => {
    await expect(loadCap('no-such-package-as-cap')).rejects.toMatchObject({
      code: 'CAPTURE_UNAVAILABLE',
      hint: expect.stringContaining('npm install'),
    })
    expect(() => new UserspaceSource(module, { interfaceName: 'en9', nowMs: () => 0 })).toThrow(
      /capture on en9 failed: No such device/,
    )
  })
})
