import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { ended, inNamespaces, requireLive, until, type Namespaces } from './helpers/live.js'
import { ROOT } from './helpers/programs.js'
import { pcapOf, type Frame } from './helpers/replay.js'

const scratch = mkdtempSync(join(tmpdir(), 'callprobe-fanout-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

/** Opens a fanout group of rings and prints, at SIGTERM, the last payload byte of what each member got. */
const MEMBERS = `
  const root = process.argv[1]
  const { loadBinding } = await import(root + '/.build/capture/ring/native.js')
  const { openRingSocket } = await import(root + '/.build/capture/ring/ring-socket.js')
  const { RingReader } = await import(root + '/.build/capture/ring/ring-reader.js')
  const { fanoutProgram, FANOUT_CBPF } = await import(root + '/.build/capture/ring/fanout-program.js')
  const members = Number(process.argv[2])
  const binding = loadBinding()
  const readers = []
  for (let i = 0; i < members; i++) {
    const program = i === 0 ? fanoutProgram(members, [5060, 4789]) : undefined
    const socket = openRingSocket(binding, {
      interfaceName: 'tap0', ringBytes: 4 << 20, fanout: { group: 77, mode: FANOUT_CBPF, program },
    })
    readers.push(new RingReader(binding, socket))
  }
  const got = readers.map(() => [])
  const look = () => readers.forEach((reader, i) => {
    for (let batch = reader.take(); batch !== null; batch = reader.take())
      for (let k = batch.first; k < batch.end; k++)
        got[i].push(batch.bytes[batch.frameOffset[k] + batch.capturedLength[k] - 1])
  })
  setInterval(look, 10)
  process.on('SIGTERM', () => { setTimeout(() => { look(); console.log(JSON.stringify(got)); process.exit(0) }, 200) })
  console.log('open')
`

/** Reads a ring in copies and says the last byte of each frame; at SIGUSR1 another reader takes over. */
const TAKEN_OVER = `
  const root = process.argv[1]
  const { loadBinding } = await import(root + '/.build/capture/ring/native.js')
  const { openRingSocket } = await import(root + '/.build/capture/ring/ring-socket.js')
  const { RingReader } = await import(root + '/.build/capture/ring/ring-reader.js')
  const binding = loadBinding()
  const socket = openRingSocket(binding, { interfaceName: 'tap0', ringBytes: 4 << 20 })
  let reader = new RingReader(binding, socket, true)
  setInterval(() => {
    for (let batch = reader.take(); batch !== null; batch = reader.take())
      for (let k = batch.first; k < batch.end; k++)
        console.log('got ' + batch.bytes[batch.frameOffset[k] + batch.capturedLength[k] - 1] + ';')
  }, 10)
  process.on('SIGUSR1', () => {
    reader.close()
    reader = new RingReader(binding, socket, true)
    console.log('taken over')
  })
  console.log('open')
`

interface Script {
  child: ChildProcess
  /** What it has printed so far. */
  said: string
}

/** One of the scripts above in a namespace, when its rings are open. */
async function started(
  namespaces: Namespaces,
  namespace: string,
  source: string,
  ...args: string[]
): Promise<Script> {
  const command = [process.execPath, '--input-type=module', '-e', source, ROOT, ...args]
  const script: Script = { child: namespaces.start(namespace, command), said: '' }
  const { child } = script
  child.stdout?.on('data', (chunk) => (script.said += String(chunk)))
  child.stderr?.on('data', (chunk) => (script.said += String(chunk)))
  await until(() => script.said.includes('open') || child.exitCode !== null)
  return script
}

/** Ethernet, IPv4 or IPv6, UDP (or TCP), with a number in the last byte. */
function frame(
  number: number,
  [source, destination]: [number, number],
  [sourcePort, destinationPort]: [number, number],
  more: { protocol?: number; fragment?: number; ipv6?: boolean } = {},
): Uint8Array {
  const { protocol = 17, fragment = 0, ipv6 = false } = more
  const ipBytes = ipv6 ? 40 : 20
  const bytes = new Uint8Array(14 + ipBytes + 8 + 30)
  const view = new DataView(bytes.buffer)
  bytes.set([2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1])
  view.setUint16(12, ipv6 ? 0x86dd : 0x0800)
  if (ipv6) {
    view.setUint8(14, 0x60)
    view.setUint16(18, 38)
    view.setUint8(20, protocol)
    view.setUint32(34, source)
    view.setUint32(50, destination)
  } else {
    view.setUint8(14, 0x45)
    view.setUint16(16, 58)
    view.setUint16(20, fragment)
    view.setUint8(22, 64)
    view.setUint8(23, protocol)
    view.setUint32(26, source)
    view.setUint32(30, destination)
  }
  view.setUint16(14 + ipBytes, sourcePort)
  view.setUint16(16 + ipBytes, destinationPort)
  view.setUint16(18 + ipBytes, 38)
  bytes[bytes.length - 1] = number
  return bytes
}

const A = 0x0a000001
const B = 0x0a800002

describe.skipIf(!requireLive('tcpreplay'))('rings in a fanout group', () => {
  it(
    'get a flow, its reverse and their RTCP in one member, and all that has to be looked at first in member 0',
    { timeout: 120_000 },
    inNamespaces(async (namespaces) => {
      const wire = namespaces.wire()
      const script = await started(namespaces, wire, MEMBERS, '4')

      const calls = 30
      const frames: Uint8Array[] = []
      for (let call = 0; call < calls; call++) {
        const [from, to] = [10_000 + 2 * call, 20_000 + 6 * call]
        const ipv6 = call % 3 === 0
        frames.push(frame(call, [A, B], [from, to], { ipv6 }), frame(call, [B, A], [to, from], { ipv6 }))
        frames.push(frame(call, [A, B], [from + 1, to + 1], { ipv6 }))
        frames.push(frame(call, [B, A], [to + 1, from + 1], { ipv6 }))
      }
      const first = 200
      frames.push(frame(first, [A, B], [5060, 31_000]), frame(first + 1, [A, B], [31_000, 5060]))
      frames.push(frame(first + 2, [A, B], [40_000, 443], { protocol: 6 }))
      frames.push(frame(first + 3, [A, B], [10_000, 20_000], { fragment: 0x2000 }))
      frames.push(frame(first + 4, [A, B], [0, 0], { fragment: 185 }))
      frames.push(frame(first + 5, [A, B], [50_000, 4789], { ipv6: true }))
      frames.push(frame(first + 6, [A, B], [1, 2], { protocol: 1 }))
      const capture = join(scratch, 'flows.pcap')
      writeFileSync(capture, pcapOf(frames.map((bytes, i): Frame => ({ timeMs: i, frame: bytes }))))
      await namespaces.replay(wire, capture, '--topspeed')
      script.child.kill('SIGTERM')
      await ended(script.child)
      const { said } = script
      const got: number[][] = JSON.parse(said.split('\n').find((line) => line.startsWith('[')) ?? said)

      expect(got[0].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6].map((n) => first + n))
      const spread = got.slice(1)
      for (let call = 0; call < calls; call++) {
        const counts = spread.map((numbers) => numbers.filter((n) => n === call).length)
        expect(counts.sort(), `call ${call}`).toEqual([0, 0, 4])
      }
      // Spread: each member has a fair part of the calls.
      for (const numbers of spread) expect(numbers.length / 4).toBeGreaterThan(calls / 10)
    }),
  )
})

describe.skipIf(!requireLive('tcpreplay'))('a ring that is read in copies', () => {
  it(
    'goes on where the kernel is when another reader takes over',
    { timeout: 60_000 },
    inNamespaces(async (namespaces) => {
      const wire = namespaces.wire()
      const script = await started(namespaces, wire, TAKEN_OVER)
      const send = async (number: number): Promise<void> => {
        const capture = join(scratch, `copied-${number}.pcap`)
        writeFileSync(capture, pcapOf([{ timeMs: 0, frame: frame(number, [A, B], [4000, 5000]) }]))
        await namespaces.replay(wire, capture)
        // A block of its own: the kernel hands it out before the next one comes.
        await until(() => script.said.includes(`got ${number};`), 5000)
      }
      await send(1)
      await send(2)
      script.child.kill('SIGUSR1')
      await until(() => script.said.includes('taken over'))
      await send(3)
      await send(4)
      expect(script.said.match(/got \d+/g), script.said).toEqual(['got 1', 'got 2', 'got 3', 'got 4'])
    }),
  )
})
