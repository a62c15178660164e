import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DatabaseServer } from '../helpers/databases.js'
import { requirePrograms, requireRoot } from '../helpers/programs.js'
import { call, openSink, temporaryFolder } from './helpers.js'
import { FakeServer, influxdb1, linesOf } from './fake-server.js'
import type { InfluxSink } from '../../src/sinks/influx/sink.js'

const media = { from_caller: { packets: 1, bytes: 172 } }
const here = requirePrograms('influxd')
let server: DatabaseServer

beforeAll(async () => {
  if (here) server = await DatabaseServer.influxd()
})

afterAll(async () => {
  if (here) await server.remove()
})

/** Writes calls without a break until told to stop. @returns how many */
function load(sink: InfluxSink): () => Promise<number> {
  let running = true
  let count = 0
  const work = (async () => {
    while (running) {
      for (let i = 0; i < 20; i++) sink.addRecord(call(count++, { media }))
      await pause(4)
    }
    return count
  })()
  return () => {
    running = false
    return work
  }
}

describe.skipIf(!here)('while records keep coming', () => {
  it(
    'a server that is stopped for a while, killed, and started again has every one of them once',
    { timeout: 60_000 },
    async () => {
      const { sink, notices } = await openSink({ url: `${server.url}/stopped` })
      const stop = load(sink)
      await pause(300)
      for (const signal of ['SIGTERM', 'SIGKILL', 'SIGKILL'] as const) {
        await server.stop(signal)
        await pause(500)
        await server.start()
        await pause(300)
      }
      const count = await stop()
      expect(await sink.drain(20_000)).toBeUndefined()
      expect(sink.counters()).toMatchObject({
        sent: 2 * count,
        rejected: 0,
        droppedOldest: 0,
        droppedUnwritten: 0,
      })
      expect(await server.count('stopped', 'voip_call', 'call_id')).toBe(count)
      expect(await server.count('stopped', 'voip_media', 'call_id')).toBe(count)
      expect(notices.join('\n')).toMatch(/connection refused[\s\S]*takes records again/)
    },
  )

  it('adding never waits: a server that hangs costs the caller nothing', async () => {
    const silent = createServer(() => undefined)
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const address = silent.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const { sink } = await openSink({
      url: `http://127.0.0.1:${port}/voip`,
      server: 'influxdb1',
      timeout_s: 1,
    })
    let longest = 0
    for (let i = 0; i < 3000; i++) {
      const before = process.cpuUsage()
      sink.addRecord(call(i, { media }))
      const { user, system } = process.cpuUsage(before)
      longest = Math.max(longest, (user + system) / 1000)
      if (i % 100 === 0) await pause(1)
    }
    // Encoding 2,000 points is the longest piece of work; nothing in it waits.
    expect(longest).toBeLessThan(500)
    await sink.acknowledged()
    expect(sink.counters()).toMatchObject({ acknowledged: 6000, sent: 0 })
    silent.close()
  })

  it(
    'a connection that is cut in the middle of a body leaves nothing out and nothing twice',
    { timeout: 60_000 },
    async () => {
      const cutter = await cuttingProxy(server.port)
      const { sink } = await openSink({ url: `http://127.0.0.1:${cutter.port}/cut` }, { batchPoints: 400 })
      const stop = load(sink)
      // Bodies end after so many bytes, or the answer is withheld.
      for (const bytes of [300, 1000, 3000, -1, 100, 10, -1]) {
        await pause(150)
        cutter.cutAfter(bytes)
      }
      await pause(200)
      const count = await stop()
      expect(await sink.drain(20_000)).toBeUndefined()
      expect(cutter.cuts).toBeGreaterThan(3)
      expect(sink.counters()).toMatchObject({ sent: 2 * count, rejected: 0 })
      expect(await server.count('cut', 'voip_call', 'call_id')).toBe(count)
      expect(await server.count('cut', 'voip_media', 'call_id')).toBe(count)
      cutter.close()
    },
  )
})

describe('a disk that is full', () => {
  const root = requireRoot()

  it.skipIf(!root)(
    'keeps what was acknowledged, lets the rest go straight to the server, and writes again when there is room',
    async () => {
      const disk = temporaryFolder()
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', disk])
      try {
        let up = false
        const lines = new Set<string>()
        const fake = await FakeServer.start(
          influxdb1(({ body }) => {
            if (!up) return { status: 503 }
            for (const line of linesOf(body)) lines.add(line)
            return { status: 204 }
          }),
        )
        const { sink, notices } = await openSink(
          { url: `${fake.url}/voip` },
          { spoolDirectory: disk, segmentBytes: 40_000 },
        )
        let count = 0
        // Random bytes do not compress, like the numbers of many calls.
        while (sink.counters().spoolWriteFailures === 0 && count < 20_000) {
          for (let i = 0; i < 20; i++)
            sink.addRecord(call(count++, { media, caller: noise(count), callee: noise(-count) }))
          sink.flush()
          await pause(2)
        }
        await pause(100)
        const { acknowledged, points } = sink.counters()
        expect(acknowledged).toBeGreaterThan(100)
        expect(acknowledged).toBeLessThan(points)
        expect(notices.join('\n')).toContain('no space left on the device')

        up = true
        expect(await sink.drain(10_000)).toBeUndefined()
        expect(lines.size).toBe(2 * count)
        expect(sink.counters()).toMatchObject({
          droppedOldest: 0,
          droppedUnwritten: 0,
          acknowledged: 2 * count,
        })

        // There is room again, as the spool has been sent.
        sink.addRecord(call(count++, { media }))
        await sink.acknowledged()
        await pause(1100)
        expect(notices.join('\n')).toContain('can be written again')
        expect(await sink.drain(10_000)).toBeUndefined()
        expect(lines.size).toBe(2 * count)
      } finally {
        execFileSync('umount', ['-l', disk])
      }
    },
  )

  it.skipIf(!root)('at the start is said at once, with what to do', async () => {
    const disk = temporaryFolder()
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk])
    try {
      expect(() => writeFileSync(join(disk, 'full'), Buffer.alloc(1024 * 1024))).toThrow('ENOSPC')
      await expect(
        openSink({ url: 'http://127.0.0.1:1/voip' }, { spoolDirectory: disk }),
      ).rejects.toMatchObject({
        code: 'SPOOL_FAILED',
        message: expect.stringContaining('no space left') as unknown,
        hint: expect.stringContaining('spool.directory') as unknown,
      })
    } finally {
      execFileSync('umount', ['-l', disk])
    }
  })
})

describe('a spool at its bound', () => {
  it('loses the oldest and counts them; what is left arrives', async () => {
    let up = false
    const lines: string[] = []
    const fake = await FakeServer.start(
      influxdb1(({ body }) => {
        if (up) lines.push(...linesOf(body))
        return { status: up ? 204 : 503 }
      }),
    )
    const { sink } = await openSink(
      { url: `${fake.url}/voip` },
      { mostSpoolBytes: 60_000, segmentBytes: 6000 },
    )
    for (let i = 0; i < 4000; i++) {
      sink.addRecord(call(i, { media, caller: noise(i) }))
      if (i % 50 === 49) await sink.acknowledged()
    }
    const bytes = readdirSync(sink.folder).reduce(
      (sum, name) => sum + statSync(join(sink.folder, name)).size,
      0,
    )
    expect(bytes).toBeLessThan(61_000)
    up = true
    expect(await sink.drain(10_000)).toBeUndefined()
    const { droppedOldest, sent } = sink.counters()
    expect(sent + droppedOldest).toBe(8000)
    expect(new Set(lines).size).toBe(sent)
    const kept = lines.flatMap((line) => /^voip_call.*call_id="call-(\d+)"/.exec(line)?.[1] ?? []).map(Number)
    expect(Math.max(...kept)).toBe(3999)
    expect(Math.min(...kept)).toBe(4000 - kept.length)
  })
})

describe('the folder of a spool', () => {
  it('that somebody removes under way is an error that is told, and no reason to stop', async () => {
    const fake = await FakeServer.start(influxdb1(() => ({ status: 204 })))
    const { sink, notices } = await openSink({ url: `${fake.url}/voip` }, { segmentBytes: 100 })
    sink.addRecord(call(1, { media }))
    await sink.acknowledged()
    rmSync(sink.folder, { recursive: true })
    for (let i = 2; i < 10; i++) {
      sink.addRecord(call(i, { media }))
      sink.flush()
      await pause(10)
    }
    expect(await sink.drain(5000)).toBeUndefined()
    expect(existsSync(sink.folder)).toBe(false)
    expect(notices.join('\n')).toContain('straight from memory to the server')
    const calls = fake.writes
      .flatMap(({ body }) => linesOf(body))
      .filter((line) => line.startsWith('voip_call'))
    expect(new Set(calls).size).toBe(9)
  })
})

/** 40 characters that differ from call to call. */
function noise(seed: number): string {
  let text = ''
  let state = Math.imul(seed + 1000, 2654435761) >>> 0
  while (text.length < 40) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    text += (state >>> 8).toString(36)
  }
  return text
}

interface Cutter {
  port: number
  cuts: number
  /** The next connection ends after so many bytes of the request; -1: before the answer. */
  cutAfter(bytes: number): void
  close(): void
}

/** A proxy to a port of 127.0.0.1 that cuts connections as told. */
async function cuttingProxy(target: number): Promise<Cutter> {
  let next: number | undefined
  const open = new Set<Socket>()
  const cutter: Cutter = {
    port: 0,
    cuts: 0,
    cutAfter(bytes) {
      next = bytes
      // Connections are kept open: the next request shall use a new one.
      for (const socket of open) socket.destroy()
    },
    close: () => {
      for (const socket of open) socket.destroy()
      proxy.close()
    },
  }
  const proxy = createServer((from) => {
    const limit = next
    next = undefined
    const to = connect(target, '127.0.0.1')
    open.add(from)
    let passed = 0
    const end = () => {
      from.destroy()
      to.destroy()
      open.delete(from)
    }
    const cut = () => {
      cutter.cuts++
      end()
    }
    from.on('data', (piece) => {
      passed += piece.length
      if (limit !== undefined && limit >= 0 && passed > limit) {
        // The server sees the beginning of the body.
        to.write(piece.subarray(0, Math.max(0, piece.length - (passed - limit))), cut)
      } else to.write(piece)
    })
    to.on('data', (piece) => (limit === -1 ? cut() : from.write(piece)))
    for (const socket of [from, to]) {
      socket.on('error', end)
      socket.on('close', end)
    }
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const address = proxy.address()
  cutter.port = typeof address === 'object' && address !== null ? address.port : 0
  return cutter
}
