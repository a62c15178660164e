import { spawn } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Frame } from './frame.js'
import { Spool, type SpoolOptions } from './spool.js'

let folder = ''
const open: Spool[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'callprobe-spool-'))
})

afterEach(async () => {
  for (const spool of open.splice(0)) await spool.close()
  rmSync(folder, { recursive: true, force: true })
})

async function openSpool(more: Partial<SpoolOptions> = {}): Promise<Spool> {
  const spool = await Spool.open({ folder, mostBytes: 1024 * 1024, ...more })
  open.push(spool)
  return spool
}

async function closeSpool(spool: Spool): Promise<void> {
  open.splice(open.indexOf(spool), 1)
  await spool.close()
}

function frame(text: string, points = 1): Frame {
  const lines = Buffer.from(text, 'utf8')
  return { payload: gzipSync(lines), points, rawBytes: lines.length }
}

/** A frame that does not compress. */
function noise(seed: number, bytes: number): Frame {
  const payload = Buffer.alloc(bytes)
  let state = seed + 1
  for (let i = 0; i < bytes; i++) payload[i] = (state = (state * 1103515245 + 12345) & 0x7fffffff) >> 16
  return { payload, points: 10, rawBytes: bytes }
}

async function takeAll(spool: Spool): Promise<string[]> {
  const texts: string[] = []
  for (let batch = await spool.next(1e6, 1e6); batch !== undefined; batch = await spool.next(1e6, 1e6)) {
    texts.push(...batch.frames.map(({ payload }) => gunzipSync(payload).toString('utf8')))
    await spool.sent(batch)
  }
  return texts
}

const spoolFiles = () => readdirSync(folder).filter((name) => name.endsWith('.spool'))

describe('the spool', () => {
  it('gives back what was appended, byte for byte and in order, and is empty when all of it was sent', async () => {
    const spool = await openSpool()
    const texts = Array.from({ length: 200 }, (_, i) => `line ${i} ü\n`)
    await Promise.all(texts.map((text) => spool.append(frame(text))))
    expect(spool.counters.acknowledged).toBe(200)
    expect(await takeAll(spool)).toEqual(texts)
    expect(spool.unsentPoints).toBe(0)
    await closeSpool(spool)
    expect(spoolFiles()).toEqual([])
  })

  it('keeps what was not sent for the next run, and sends nothing twice', async () => {
    const first = await openSpool()
    for (const text of ['a\n', 'b\n', 'c\n']) await first.append(frame(text))
    const batch = await first.next(1, 1)
    expect(batch?.frames).toHaveLength(1)
    if (batch !== undefined) await first.sent(batch)
    await closeSpool(first)

    const second = await openSpool()
    expect(second.unsentPoints).toBe(2)
    await second.append(frame('d\n'))
    expect(await takeAll(second)).toEqual(['b\n', 'c\n', 'd\n'])
  })

  it('gives the same batch again until it is told that the server has it', async () => {
    const spool = await openSpool()
    await spool.append(frame('a\n'))
    const texts = async () =>
      (await spool.next(1e6, 1e6))?.frames.map(({ payload }) => gunzipSync(payload).toString())
    expect(await texts()).toEqual(['a\n'])
    expect(await texts()).toEqual(['a\n'])
  })

  it('loses no whole frame when its writer was killed at any byte', async () => {
    const first = await openSpool()
    for (const text of ['first\n', 'second\n', 'third\n']) await first.append(frame(text))
    const [name] = spoolFiles()
    // As the files are while the process runs: nothing is written behind an fdatasync any more.
    const bytes = readFileSync(join(folder, name))
    await closeSpool(first)
    const ends = frameEnds(bytes)
    for (let cut = 0; cut < bytes.length; cut++) {
      const copy = join(folder, `cut-${cut}`)
      mkdirSync(copy)
      writeFileSync(join(copy, name), bytes.subarray(0, cut))
      const spool = await openSpool({ folder: copy })
      const whole = ends.filter((end) => end <= cut).length
      expect(await takeAll(spool)).toEqual(['first\n', 'second\n', 'third\n'].slice(0, whole))
      await closeSpool(spool)
      rmSync(copy, { recursive: true })
    }
  })

  it('loses of a damaged file only the frames that are damaged, and counts the bytes', async () => {
    const first = await openSpool()
    const texts = ['first\n', 'second\n', 'third\n', 'fourth\n']
    for (const text of texts) await first.append(frame(text))
    const [name] = spoolFiles()
    const bytes = readFileSync(join(folder, name))
    await closeSpool(first)
    const ends = frameEnds(bytes)
    for (let at = 0; at < bytes.length; at++) {
      const copy = join(folder, `damage-${at}`)
      mkdirSync(copy)
      const damaged = Buffer.from(bytes)
      damaged[at] ^= 0xff
      writeFileSync(join(copy, name), damaged)
      const spool = await openSpool({ folder: copy })
      const hit = ends.findIndex((end) => at < end)
      // The first line is 18 bytes: without it the frames are still found.
      const expected = at < 18 ? texts : texts.filter((_, i) => i !== hit)
      expect([at, await takeAll(spool)]).toEqual([at, expected])
      expect(spool.counters.damagedBytes + spool.counters.tornBytes).toBeGreaterThan(0)
      await closeSpool(spool)
      rmSync(copy, { recursive: true })
    }
  })

  it('reads on behind megabytes of rubbish in the middle', async () => {
    const first = await openSpool({ mostBytes: 64 * 1024 * 1024, segmentBytes: 64 * 1024 * 1024 })
    await first.append(frame('before\n'))
    const [name] = spoolFiles()
    const before = readFileSync(join(folder, name))
    await closeSpool(first)
    const after = frameOf('after\n', before)
    // With the magic in it, now and then, and right at the end of a window.
    const rubbish = noise(7, 3 * 1024 * 1024 + 17).payload
    for (let at = 1000; at < rubbish.length - 4; at += 99_991) rubbish.write('CPF1', at, 'latin1')
    writeFileSync(join(folder, name), Buffer.concat([before, rubbish, after]))
    const spool = await openSpool({ mostBytes: 64 * 1024 * 1024 })
    expect(await takeAll(spool)).toEqual(['before\n', 'after\n'])
    expect(spool.counters.damagedBytes).toBe(rubbish.length)
  })

  it('drops the oldest at its bound, whole files at a time, and counts every point', async () => {
    const spool = await openSpool({ mostBytes: 100_000, segmentBytes: 10_000 })
    for (let i = 0; i < 300; i++) await spool.append(noise(i, 1000))
    const bytes = spoolFiles().reduce((sum, name) => sum + readFileSync(join(folder, name)).length, 0)
    expect(bytes).toBeLessThanOrEqual(100_000)
    let left = 0
    let first: Buffer | undefined
    for (let batch = await spool.next(1e6, 1e6); batch !== undefined; batch = await spool.next(1e6, 1e6)) {
      first ??= batch.frames[0].payload
      left += batch.points
      await spool.sent(batch)
    }
    expect(left + spool.counters.droppedOldest).toBe(3000)
    expect(left).toBeGreaterThan(800)
    // What is left are the newest.
    expect(first?.equals(noise(300 - left / 10, 1000).payload)).toBe(true)
  })

  it('does not count a batch as lost that was under way when its file was dropped', async () => {
    const spool = await openSpool({ mostBytes: 30_000, segmentBytes: 10_000 })
    for (let i = 0; i < 20; i++) await spool.append(noise(i, 1000))
    const batch = await spool.next(3500, 1e6)
    if (batch === undefined) throw new Error('nothing to send')
    for (let i = 20; i < 60; i++) await spool.append(noise(i, 1000))
    await spool.sent(batch)
    let sent = batch.points
    for (let more = await spool.next(1e6, 1e6); more !== undefined; more = await spool.next(1e6, 1e6)) {
      sent += more.points
      await spool.sent(more)
    }
    expect(sent + spool.counters.droppedOldest).toBe(600)
  })

  it('sends again rather than not at all when the note of what was sent is damaged', async () => {
    const first = await openSpool()
    await first.append(frame('a\n'))
    await first.append(frame('b\n'))
    const batch = await first.next(1, 1)
    if (batch !== undefined) await first.sent(batch)
    await closeSpool(first)
    truncateSync(join(folder, 'cursor'), 5)
    const second = await openSpool()
    expect(await takeAll(second)).toEqual(['a\n', 'b\n'])
  })

  it('leaves files of another version to the program that wrote them', async () => {
    const text = 'callprobe spool 2\nwhatever that is'
    writeFileSync(join(folder, '0000000007.spool'), text)
    const spool = await openSpool()
    expect(spool.foreignFiles).toEqual([join(folder, '0000000007.spool')])
    await spool.append(frame('a\n'))
    expect(await takeAll(spool)).toEqual(['a\n'])
    await closeSpool(spool)
    expect(readFileSync(join(folder, '0000000007.spool'), 'utf8')).toBe(text)
  })

  it('creates files for their owner only', async () => {
    const spool = await openSpool()
    await spool.append(frame('a\n'))
    for (const name of readdirSync(folder)) {
      expect([name, statSync(join(folder, name)).mode & 0o077]).toEqual([name, 0])
    }
  })
})

describe('the lock of a spool', () => {
  it('lets one process in at a time', async () => {
    const spool = await openSpool()
    await expect(openSpool()).rejects.toMatchObject({ code: 'SPOOL_FAILED' })
    await closeSpool(spool)
    await openSpool()
  })

  it('is taken over from a process that was killed', async () => {
    const child = spawn('sleep', ['100'], { stdio: 'ignore' })
    const pid = child.pid ?? 0
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const started = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
    const owner = {
      pid,
      host: hostname(),
      started: `${boot} ${started}`,
      namespace: String(statSync('/proc/self/ns/pid').ino),
      id: 'x',
    }
    writeFileSync(join(folder, 'lock'), JSON.stringify(owner))
    await expect(openSpool()).rejects.toThrow(`in use by process ${pid}`)
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await gone
    await closeSpool(await openSpool())
    // A pid that was given out again is another process.
    writeFileSync(join(folder, 'lock'), JSON.stringify({ ...owner, pid: process.pid }))
    await closeSpool(await openSpool())
    // Not even an owner is named.
    writeFileSync(join(folder, 'lock'), '')
    await closeSpool(await openSpool())
    expect(existsSync(join(folder, 'lock'))).toBe(false)
    expect(readdirSync(folder).filter((name) => name.startsWith('lock'))).toEqual([])
  })

  it('of a process that cannot be seen from here is honoured while it shows that it lives', async () => {
    writeFileSync(
      join(folder, 'lock'),
      JSON.stringify({ pid: 7, host: 'another', started: '', namespace: '', id: 'x' }),
    )
    await expect(openSpool()).rejects.toThrow('in use by process 7 on another')
    const longAgo = new Date(Date.now() - 120_000)
    utimesSync(join(folder, 'lock'), longAgo, longAgo)
    await openSpool()
  })
})

/** Ends of the frames, read by the layout of the format's description. */
function frameEnds(bytes: Buffer): number[] {
  const ends: number[] = []
  for (let at = bytes.indexOf('\n') + 1; at < bytes.length;) {
    at += 20 + bytes.readUInt32LE(at + 4)
    ends.push(at)
  }
  return ends
}

/** The bytes of a frame, made by a spool of its own. */
function frameOf(text: string, like: Buffer): Buffer {
  const lines = Buffer.from(text)
  const payload = gzipSync(lines)
  const header = Buffer.from(like.subarray(18, 38))
  header.writeUInt32LE(payload.length, 4)
  header.writeUInt32LE(1, 8)
  header.writeUInt32LE(lines.length, 12)
  header.writeUInt32LE(crc32Bitwise(Buffer.concat([header.subarray(4, 16), payload])), 16)
  return Buffer.concat([header, payload])
}

/** ISO 3309, bit by bit. */
function crc32Bitwise(bytes: Buffer): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
  }
  return (crc ^ 0xffffffff) >>> 0
}
