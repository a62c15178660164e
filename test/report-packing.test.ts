import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { inflateRawSync } from 'node:zlib'
import { afterAll, describe, expect, it } from 'vitest'
import { CallEntry } from '../src/calls/call-entry.js'
import { EXAMPLE_CALL } from '../src/calls/record-examples.js'
import { QUALITIES, type CallRecord } from '../src/calls/records.js'
import { MediaSecond } from '../src/calls/second-watch.js'
import { StreamEntry } from '../src/calls/stream-entry.js'
import { BatchWriter, type CallBatch } from '../src/report/call-batch.js'
import type { CallLog } from '../src/report/call-log.js'
import { CallPacker, nothingPacked, type PackedSoFar } from '../src/report/call-packer.js'
import { ReportCollector } from '../src/report/collector.js'
import { LIMITS } from '../src/report/limits.js'
import type { StoredDetail } from '../src/report/page/data.js'
import { PLAIN_TEXT, type ReportText } from '../src/report/report-text.js'
import { ladderPackets } from '../src/sip/tracker-ladder.js'
import { transpile } from './helpers/transpiled.js'

/** `CallPacking` as it runs, with the thread that it starts; `worker` is its own affair, and looked at here. */
interface Packing {
  readonly blocks: Uint8Array[]
  readonly rows: string[]
  readonly soFar: PackedSoFar
  readonly waiting: readonly CallBatch[]
  worker: { terminate(): Promise<number>; postMessage(message: unknown): void } | undefined
  add(record: CallRecord, log: CallLog): void
  ready(): Promise<void> | undefined
  warning: string | undefined
  finish(): Promise<void>
}

const SIP = { what: 'redacted' } as const
const CALLS = 400
const CALLS_PER_BLOCK = 64

const folder = transpile(['src/report/packing.ts', 'src/report/packing-thread.ts'])
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function newPacking(): Promise<Packing> {
  const url = pathToFileURL(join(folder, 'src/report/packing.js')).href
  const { CallPacking } = (await import(url)) as { CallPacking: new (shown: ReportText) => Packing }
  return new CallPacking(PLAIN_TEXT)
}

const MESSAGES = ladderPackets(`
  0    alice>bob  INVITE      1 a>   z1 sdp=10.0.0.1:4000
  100  bob>alice  200 INVITE  1 a>b  z1 sdp=10.0.0.2:5000`)

function recordOf(n: number): CallRecord {
  // Fields without a value are handed over as well.
  return { ...EXAMPLE_CALL, call_id: `call-${n}`, quality: QUALITIES[n % 5], trunk: undefined }
}

const logs: CallLog[] = []
const collector = new ReportCollector({ fixedBufferMs: undefined, networkDelayMs: 25 }, PLAIN_TEXT, (log) =>
  logs.push(log),
)

/** What was seen of a call: two messages, the first with a secret and repeated once, and three seconds. */
function logOf(n: number): CallLog {
  const call = new CallEntry(`call-${n}`)
  const [invite, answer] = MESSAGES
  const raw = `INVITE sip:b@x SIP/2.0\r\nCall-ID: ${n}\r\nAuthorization: Digest username="u", response="s3cret${n}"\r\n\r\n`
  const secret = { ...invite, message: Object.create(invite.message, { raw: { value: raw } }) as never }
  collector.onSipMessage(call, secret, 'new')
  collector.onSipMessage(call, secret, 'retransmission')
  collector.onSipMessage(call, answer, 'new')
  const word: [number, number, number, number] = [n, 0, 0, 0]
  const ends = { ipVersion: 4, source: word, destination: word, sourcePort: 4000, destinationPort: 5000 }
  const stream = new StreamEntry(n, { ...ends, ssrc: n, vlan: -1, firstArrival: 0, firstSequence: 0 })
  const second = new MediaSecond()
  for (let at = 0; at < 3; at++) {
    second.startMs = at * 1000
    second.packets = n + at
    collector.onSecond(call, 'from_callee', stream, second, undefined)
  }
  collector.onCallClosed(call)
  const [log] = logs.splice(0)
  return log
}

function batchOf(calls: readonly number[]): CallBatch {
  const writer = new BatchWriter()
  for (const n of calls) {
    writer.begin(recordOf(n))
    logOf(n).write(writer, PLAIN_TEXT)
  }
  return writer.take()
}

/** What no thread made, of the same calls. */
function packHere(): { blocks: Buffer[]; rows: string[]; soFar: PackedSoFar } {
  const packer = new CallPacker(SIP)
  const blocks: Buffer[] = []
  const rows: string[] = []
  let soFar = nothingPacked()
  for (let first = 0; first < CALLS; first += CALLS_PER_BLOCK) {
    const count = Math.min(CALLS_PER_BLOCK, CALLS - first)
    const packed = packer.pack(batchOf(Array.from({ length: count }, (_, n) => first + n)))
    blocks.push(inflateRawSync(packed.block ?? new Uint8Array()))
    rows.push(...packed.rows)
    soFar = packed.soFar
  }
  return { blocks, rows, soFar }
}

const whole = packHere()

/** Adds all calls; `at` is called before the one with that number. */
async function pack(packing: Packing, at: Record<number, () => unknown> = {}): Promise<void> {
  for (let n = 0; n < CALLS; n++) {
    await at[n]?.()
    packing.add(recordOf(n), logOf(n))
    await packing.ready()
  }
  await packing.finish()
}

function detailsOf(block: Uint8Array): StoredDetail[] {
  const bytes = Buffer.from(block)
  return JSON.parse(bytes.toString('utf8', 4, 4 + bytes.readUInt32LE())) as StoredDetail[]
}

function expectWhole({ blocks, rows, soFar }: Packing): void {
  const unpacked = blocks.map((block) => inflateRawSync(block))
  // Comparing them byte by byte takes the test runner seconds.
  expect(unpacked.map((block, n) => block.equals(whole.blocks[n]))).toEqual(whole.blocks.map(() => true))
  expect(rows).toEqual(whole.rows)
  expect(soFar).toEqual(whole.soFar)
  expect(Buffer.concat(unpacked).toString('utf8')).not.toContain('s3cret')
  // Each row leads to its own details.
  for (const [n, row] of rows.entries()) {
    const [block, place] = JSON.parse(row) as [number, number]
    expect([block, place]).toEqual([Math.floor(n / CALLS_PER_BLOCK), n % CALLS_PER_BLOCK])
  }
  expect(unpacked.flatMap(detailsOf).map(({ record }) => record.call_id)).toEqual(
    Array.from({ length: CALLS }, (_, n) => `call-${n}`),
  )
}

describe('details of calls, packed beside the replay', () => {
  it('are those that would be packed here', async () => {
    const packing = await newPacking()
    await pack(packing, { 100: () => expect(packing.worker).toBeDefined() })
    expect(packing.warning).toBeUndefined()
    expectWhole(packing)
  })

  it('are whole and in order when the thread is ended under way', async () => {
    const packing = await newPacking()
    await pack(packing, { 130: () => void packing.worker?.terminate() })
    expect(packing.worker).toBeUndefined()
    expect(packing.warning).toMatch(/^the report.s packing thread failed \(.+\)/)
    expectWhole(packing)
  })

  it('are whole when the thread is ended before it has answered anything', async () => {
    const packing = await newPacking()
    await pack(packing, { 65: () => void packing.worker?.terminate() })
    expectWhole(packing)
  })

  it('are never further behind than the limit: then the replay waits', async () => {
    const packing = await newPacking()
    let waits = 0
    for (let n = 0; n < 40 * CALLS_PER_BLOCK; n++) {
      packing.add(recordOf(n), logOf(n))
      const ready = packing.ready()
      if (ready) waits++
      await ready
      expect(packing.waiting.length).toBeLessThan(16)
    }
    // Nothing else lets the thread's answers in here.
    expect(waits).toBeGreaterThan(0)
    await packing.finish()
    expect(packing.rows).toHaveLength(40 * CALLS_PER_BLOCK)
  })

  it('are whole when the thread throws', async () => {
    const packing = await newPacking()
    await pack(packing, { 200: () => packing.worker?.postMessage('no batch') })
    expectWhole(packing)
  })
})

describe('details of a call', () => {
  it('have its messages, texts apart, and the seconds where they are said to be', () => {
    const [block] = whole.blocks
    const calls = detailsOf(block)
    const [detail] = calls
    expect(detail.messages.map(({ title, repeats }) => [title, repeats])).toEqual([
      ['INVITE', undefined],
      ['INVITE', 0],
      ['200 OK', undefined],
    ])
    expect(detail.texts.map((text) => text?.slice(0, 11))).toEqual(['INVITE sip:', undefined, 'SIP/2.0 200'])
    const seconds = calls.map((call) => call.seconds.from_callee)
    const bytes = block.subarray(4 + block.readUInt32LE())
    // Packets of the first second: low bytes are the first column.
    expect(seconds.map((place) => bytes[place?.at ?? -1])).toEqual(
      Array.from({ length: CALLS_PER_BLOCK }, (_, n) => n & 0xff),
    )
  })

  it('go on from the size that another thread had come to', () => {
    const half = { ...nothingPacked(), blocks: 7, size: LIMITS.detailBytes / 2 }
    const { block, rows, soFar } = new CallPacker(SIP, half).pack(batchOf([0, 1, 2]))
    const [good, fair] = detailsOf(inflateRawSync(block ?? new Uint8Array()))
    expect([good.record.quality, good.messages.length, good.seconds]).toEqual(['good', 0, {}])
    expect([fair.record.quality, fair.messages.length]).toEqual(['fair', 3])
    expect(soFar).toMatchObject({ blocks: 8, goodCallsShortened: 1, callsWithoutDetails: 0 })
    expect((JSON.parse(rows[2]) as unknown[]).slice(0, 2)).toEqual([7, 2])
  })

  it('are left out when the report has its size, and the calls stay in the table', () => {
    const full = { ...nothingPacked(), blocks: 7, size: LIMITS.detailBytes }
    const { block, rows, soFar } = new CallPacker(SIP, full).pack(batchOf([0, 1]))
    expect(block).toBeUndefined()
    expect(rows.map((row) => (JSON.parse(row) as unknown[]).slice(0, 3))).toEqual([
      [-1, -1, 'call-0'],
      [-1, -1, 'call-1'],
    ])
    expect(soFar).toEqual({ ...full, callsWithoutDetails: 2 })
  })
})
