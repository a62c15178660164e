import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { inflateRawSync } from 'node:zlib'
import { afterAll, describe, expect, it } from 'vitest'
import { CallPacker } from '../src/report/call-packer.js'
import { transpile } from './helpers/transpiled.js'

/** `CallPacking` as it runs, with the thread that it starts; `worker` is its own affair, and looked at here. */
interface Packing {
  readonly blocks: Uint8Array[]
  worker: { terminate(): Promise<number>; postMessage(message: unknown): void } | undefined
  add(detail: string, texts: (string | null)[]): { block: number; place: number }
  ready(): Promise<void> | undefined
  finish(): Promise<void>
}

const SIP = { what: 'redacted' } as const
const CALLS = 400
const CALLS_PER_BLOCK = 64

const folder = transpile(['src/report/packing.ts', 'src/report/packing-thread.ts'])
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function newPacking(): Promise<Packing> {
  const url = pathToFileURL(join(folder, 'src/report/packing.js')).href
  const { CallPacking } = (await import(url)) as { CallPacking: new (sip: typeof SIP) => Packing }
  return new CallPacking(SIP)
}

const detailOf = (n: number) => JSON.stringify({ call: n, verdict: 'Both sides heard each other well.' })
const textsOf = (n: number) => [
  `INVITE sip:b@x SIP/2.0\r\nCall-ID: ${n}\r\nAuthorization: Digest username="u", response="s3cret${n}"\r\n\r\n`,
  null,
]

/** Blocks that no thread made, of the same calls. */
function expectedBlocks(): Buffer[] {
  const packer = new CallPacker(SIP)
  const blocks: Buffer[] = []
  for (let first = 0; first < CALLS; first += CALLS_PER_BLOCK) {
    const calls = Array.from({ length: Math.min(CALLS_PER_BLOCK, CALLS - first) }, (_, n) => first + n)
    const batch = { details: calls.map(detailOf), texts: calls.map(textsOf), seconds: new Uint8Array(0) }
    blocks.push(inflateRawSync(packer.pack(batch)))
  }
  return blocks
}

/** Adds all calls; `at` is called before the one with that number. */
async function pack(packing: Packing, at: Record<number, () => unknown> = {}): Promise<void> {
  for (let n = 0; n < CALLS; n++) {
    await at[n]?.()
    expect(packing.add(detailOf(n), textsOf(n))).toEqual({
      block: Math.floor(n / CALLS_PER_BLOCK),
      place: n % CALLS_PER_BLOCK,
    })
    await packing.ready()
  }
  await packing.finish()
}

function expectWhole({ blocks }: Packing): void {
  const unpacked = blocks.map((block) => inflateRawSync(block))
  expect(unpacked).toEqual(expectedBlocks())
  expect(Buffer.concat(unpacked).toString('utf8')).not.toContain('s3cret')
}

describe('details of calls, packed beside the replay', () => {
  it('are those that would be packed here', async () => {
    const packing = await newPacking()
    await pack(packing, { 100: () => expect(packing.worker).toBeDefined() })
    expectWhole(packing)
  })

  it('are whole and in order when the thread is ended under way', async () => {
    const packing = await newPacking()
    await pack(packing, { 130: () => void packing.worker?.terminate() })
    expect(packing.worker).toBeUndefined()
    expectWhole(packing)
  })

  it('are whole when the thread throws', async () => {
    const packing = await newPacking()
    await pack(packing, { 200: () => packing.worker?.postMessage('no batch') })
    expectWhole(packing)
  })
})
