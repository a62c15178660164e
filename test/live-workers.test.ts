import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, it } from 'vitest'
import type { CallRecord, SummaryRecord } from '../src/calls/records.js'
import { ended, inNamespaces, LiveProbe, recordsOf, requireLive, until } from './helpers/live.js'
import { countsOf, framesOf, identityOf, packetsIn } from './helpers/live-frames.js'
import { ROOT } from './helpers/programs.js'
import { pcapOf, replayBytes, type Frame } from './helpers/replay.js'

const scratch = mkdtempSync(join(tmpdir(), 'callprobe-workers-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

function fixture(name: string): string {
  return join(ROOT, 'fixtures', `${name}.pcap`)
}

/** Captures with workers of its own, in the way of `callprobe capture`, and ends one of them at each SIGUSR2. */
const FALLIBLE = `
  const [root, output] = process.argv.slice(2)
  const at = (path) => import(root + '/.build/' + path + '.js')
  const { loadBinding } = await at('capture/ring/native')
  const { openRingSocket } = await at('capture/ring/ring-socket')
  const { fanoutProgram, FANOUT_CBPF } = await at('capture/ring/fanout-program')
  const { RingSource } = await at('capture/ring/ring-source')
  const { CaptureLosses } = await at('calls/capture-losses')
  const { DEFAULT_CONFIG } = await at('config/config')
  const { CaptureLoop } = await at('live/capture-loop')
  const { WorkerSource } = await at('live/worker-source')
  const { MediaWorkers } = await at('pipeline/media/media-workers')
  const { meterOptions, Probe } = await at('pipeline/probe')
  const { appendFileSync } = await import('node:fs')
  const binding = loadBinding()
  const program = fanoutProgram(3, [5060])
  const open = (more) => openRingSocket(binding, {
    interfaceName: 'tap0', ringBytes: 8 << 20, fanout: { group: 78, mode: FANOUT_CBPF, ...more },
  })
  const own = new RingSource(binding, [open({ program })], { nowMs: Date.now, quietMs: 20 })
  const workers = new MediaWorkers({
    sockets: [[open()], [open()]],
    meter: meterOptions(DEFAULT_CONFIG),
    seconds: false,
    onTrouble: (message) => console.log(message),
    onGivingUp: () => { console.log('given up'); source.stop() },
  })
  const source = new WorkerSource(own, workers)
  const losses = new CaptureLosses()
  const emit = (record) => appendFileSync(output, JSON.stringify(record) + '\\n')
  const probe = new Probe(DEFAULT_CONFIG, 'kernel', emit, [], losses, workers)
  const log = { warn: console.log, info: console.log, error: console.log }
  const loop = new CaptureLoop({
    source, probe, losses, log, nowMs: Date.now, monotonicMs: () => performance.now(),
    clockSynchronized: () => undefined, readerGone: () => false, onSecond: () => {},
  })
  workers.start()
  let next = 0
  process.on('SIGUSR2', () => void workers.kill(next++ % 2))
  process.on('SIGTERM', () => source.stop())
  console.log('open')
  await loop.run()
  for (const _ of probe.finish()) await null
  emit({ type: 'summary', ...probe.counts(), capture_drops: loop.lossWatch.drops })
  await source.close()
`

function vxlan(frame: Uint8Array): Uint8Array {
  return outer(frame, 17, [0x30, 0x39, 0x12, 0xb5, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 42, 0], true)
}

/** ERSPAN type II over GRE with a sequence number. */
function erspan(frame: Uint8Array): Uint8Array {
  return outer(frame, 47, [0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 100, 0, 1, 0, 0, 0, 0], false)
}

/** A frame in IPv4 between two tunnel ends: every call of a mirror is one flow to the kernel. */
function outer(frame: Uint8Array, protocol: number, head: readonly number[], udp: boolean): Uint8Array {
  const bytes = new Uint8Array(14 + 20 + head.length + frame.length)
  const view = new DataView(bytes.buffer)
  bytes.set([2, 0, 0, 0, 9, 1, 2, 0, 0, 0, 9, 2, 8, 0, 0x45])
  view.setUint16(16, bytes.length - 14)
  bytes.set([64, protocol, 0, 0, 172, 16, 0, 1, 172, 16, 0, 2], 22)
  bytes.set(head, 34)
  if (udp) view.setUint16(38, bytes.length - 34)
  bytes.set(frame, 34 + head.length)
  return bytes
}

/** Both fragments of a packet, the first with `first` bytes of its payload. */
function inFragments(frame: Uint8Array, first: number): Uint8Array[] {
  const view = new DataView(frame.buffer, frame.byteOffset)
  const [length, cut] = [view.getUint16(16) - 20, first & ~7]
  return [
    { at: 0, size: cut, word: 0x2000 },
    { at: cut, size: length - cut, word: cut >> 3 },
  ].map(({ at, size, word }) => {
    const bytes = new Uint8Array([...frame.subarray(0, 34), ...frame.subarray(34 + at, 34 + at + size)])
    const header = new DataView(bytes.buffer)
    header.setUint16(16, 20 + size)
    header.setUint16(20, word)
    return bytes
  })
}

/** PCMU of a flow of its own, behind Ethernet. */
function mediaFrame(port: number, sequence: number): Uint8Array {
  const bytes = new Uint8Array(14 + 20 + 8 + 12 + 20)
  const view = new DataView(bytes.buffer)
  bytes.set([2, 0, 0, 0, 9, 1, 2, 0, 0, 0, 9, 2, 8, 0, 0x45])
  view.setUint16(16, bytes.length - 14)
  bytes.set([64, 17, 0, 0, 172, 16, 1, 1, 172, 16, 1, 2], 22)
  view.setUint16(34, port)
  view.setUint16(36, port)
  view.setUint16(38, bytes.length - 34)
  view.setUint16(42, 0x8000)
  view.setUint16(44, sequence)
  view.setUint32(46, sequence * 160)
  view.setUint32(50, port)
  return bytes
}

function isRtp(frame: Uint8Array): boolean {
  return frame[23] === 17 && frame[42] >> 6 === 2
}

describe.skipIf(!requireLive('tcpreplay'))('media workers', { concurrent: true }, () => {
  const shapes: [string, (frames: readonly Frame[]) => Frame[]][] = [
    ['VXLAN', (frames) => frames.map(({ timeMs, frame }) => ({ timeMs, frame: vxlan(frame) }))],
    ['ERSPAN', (frames) => frames.map(({ timeMs, frame }) => ({ timeMs, frame: erspan(frame) }))],
    [
      'IP fragments, in media and signalling',
      (frames) =>
        frames.flatMap(({ timeMs, frame }, k) =>
          k % 3 === 0 || !isRtp(frame)
            ? inFragments(frame, 64).map((part, n) => ({ timeMs: timeMs + n / 100, frame: part }))
            : [{ timeMs, frame }],
        ),
    ],
  ]
  for (const [name, shape] of shapes)
    it(
      `measure calls that come in ${name} as a replay does`,
      { timeout: 120_000 },
      inNamespaces(async (namespaces) => {
        const bytes = pcapOf(shape(await framesOf(fixture('sipp-one-way'))))
        const capture = join(scratch, `${name}.pcap`)
        writeFileSync(capture, bytes)
        const wire = namespaces.wire()
        // ERSPAN makes frames that are longer than Ethernet's.
        namespaces.run(wire, 'ip', 'link', 'set', 'in0', 'mtu', '2000')
        namespaces.run(wire, 'ip', 'link', 'set', 'tap0', 'mtu', '2000')
        const probe = await LiveProbe.start(namespaces, wire, join(scratch, `${name}.ndjson`), [
          ...['-i', 'tap0', '--workers', '2'],
        ])
        await namespaces.replay(wire, capture)
        await sleep(500)
        expect(await probe.stop()).toBe(0)
        const { calls, summary } = await replayBytes(bytes)
        expect(calls).toHaveLength(1)
        expect(probe.calls().map(identityOf)).toEqual(calls.map(identityOf))
        for (const direction of ['from_caller', 'from_callee'] as const) {
          const [seen, known] = [probe.calls()[0].media[direction], calls[0].media[direction]]
          // The first fragment comes unexpected, and a busy machine may be late with one: it is put in its place all the same.
          const late = (seen?.reordered ?? 0) - (known?.reordered ?? 0)
          expect(late).toBeLessThanOrEqual(name.includes('fragments') ? 10 : 0)
          expect({ ...countsOf(seen), reordered: 0 }).toEqual({ ...countsOf(known), reordered: 0 })
        }
        const { packets, rtp_packets, sip_messages, tunnels, skipped } = probe.summary()
        expect({ packets, rtp_packets, sip_messages, tunnels, skipped }).toEqual({
          packets: summary.packets,
          rtp_packets: summary.rtp_packets,
          sip_messages: summary.sip_messages,
          tunnels: summary.tunnels,
          skipped: summary.skipped,
        })
      }),
    )

  it(
    'go on after an interface was down; one that is made anew ends the capture, with everything written',
    { timeout: 120_000 },
    inNamespaces(async (namespaces) => {
      const wire = namespaces.wire()
      const probe = await LiveProbe.start(namespaces, wire, join(scratch, 'down.ndjson'), [
        ...['-i', 'tap0', '--workers', '2'],
      ])
      const running = namespaces.start(wire, ['tcpreplay', '-q', '-i', 'in0', fixture('sipp-g711')])
      await sleep(2000)
      namespaces.run(wire, 'ip', 'link', 'set', 'tap0', 'down')
      await probe.says(/tap0 is down/)
      await sleep(700)
      namespaces.run(wire, 'ip', 'link', 'set', 'tap0', 'up')
      await probe.says(/tap0 is back after/)
      await ended(running)
      namespaces.run(wire, 'ip', 'link', 'del', 'tap0')
      await probe.says(/tap0 was removed/)
      namespaces.run(wire, 'ip', 'link', 'add', 'in0', 'type', 'veth', 'peer', 'name', 'tap0')
      namespaces.run(wire, 'ip', 'link', 'set', 'tap0', 'up')
      namespaces.run(wire, 'ip', 'link', 'set', 'in0', 'up')
      await probe.says(/tap0 was removed and made anew; .*start callprobe again/)
      expect(await probe.end()).toBe(1)
      const calls = probe.calls()
      expect(calls).toHaveLength(2)
      const known = (await replayBytes(pcapOf(await framesOf(fixture('sipp-g711'))))).calls
      // What came while the interface was down was not there to be seen; the second call has everything.
      const [whole] = known.filter((call) => call.start !== known[0].start)
      const seen = calls.find((call) => call.call_id === whole.call_id)
      for (const direction of ['from_caller', 'from_callee'] as const)
        expect(countsOf(seen?.media[direction])).toEqual(countsOf(whole.media[direction]))
      expect(
        calls.find((call) => call.call_id === known[0].call_id)?.validity.capture_down_ms,
      ).toBeGreaterThan(300)
    }),
  )

  it(
    'measure what came while the process got no processor before the calls of that time are closed',
    { timeout: 120_000 },
    inNamespaces(async (namespaces) => {
      const call = (await framesOf(fixture('sipp-g711'))).filter(
        ({ timeMs }, _, all) => timeMs < all[0].timeMs + 7000,
      )
      // The workers have much to read when it goes on, the thread that follows calls next to nothing.
      const others = Array.from({ length: 90_000 }, (_, k) => ({
        timeMs: k / 100,
        frame: mediaFrame(20_000 + 2 * (k % 500), Math.floor(k / 500)),
      }))
      const [ofCall, ofOthers] = [join(scratch, 'stall.pcap'), join(scratch, 'stall-others.pcap')]
      writeFileSync(ofCall, pcapOf(call))
      writeFileSync(ofOthers, pcapOf(others))
      const wire = namespaces.wire()
      const probe = await LiveProbe.start(namespaces, wire, join(scratch, 'stall.ndjson'), [
        ...['-i', 'tap0', '--workers', '2'],
      ])
      const running = namespaces.replay(wire, ofCall)
      await sleep(3500)
      probe.signal('SIGSTOP')
      await namespaces.replay(wire, ofOthers, '--topspeed')
      await running
      // The call's last packets count until two seconds after its BYE.
      await sleep(2500)
      probe.signal('SIGCONT')
      await sleep(500)
      expect(await probe.stop()).toBe(0)
      const [known] = (await replayBytes(pcapOf(call))).calls
      const seen = probe.calls().find(({ call_id }) => call_id === known.call_id)
      expect(probe.summary()).toMatchObject({ packets: call.length + others.length, capture_drops: 0 })
      for (const direction of ['from_caller', 'from_callee'] as const)
        expect(countsOf(seen?.media[direction])).toEqual(countsOf(known.media[direction]))
    }),
  )

  it(
    'that die take nothing with them: their calls go on in the worker that takes their place, and a message says so',
    { timeout: 120_000 },
    inNamespaces(async (namespaces) => {
      const wire = namespaces.wire()
      const output = join(scratch, 'fallible.ndjson')
      const script = join(scratch, 'fallible.mjs')
      writeFileSync(script, FALLIBLE)
      const child = namespaces.start(wire, [...[process.execPath, script, ROOT, output]])
      let said = ''
      child.stdout?.on('data', (chunk) => (said += String(chunk)))
      child.stderr?.on('data', (chunk) => (said += String(chunk)))
      await until(() => said.includes('open') || child.exitCode !== null)
      const names = ['sipp-g711', 'baresip-pcmu-bursts']
      const played = Promise.all(names.map((name) => namespaces.replay(wire, fixture(name))))
      for (let kills = 0; kills < 4; kills++) {
        await sleep(1500)
        child.kill('SIGUSR2')
      }
      await played
      await sleep(500)
      child.kill('SIGTERM')
      await ended(child)
      expect(said.match(/media worker [12] ended unexpectedly/g), said).toHaveLength(4)

      const records = recordsOfRun(output)
      const files = await Promise.all(
        names.map(async (name) => replayBytes(pcapOf(await framesOf(fixture(name))))),
      )
      const known = files.flatMap(({ calls }) => calls)
      expect(records.calls.map((call) => call.call_id).sort()).toEqual(
        known.map((call) => call.call_id).sort(),
      )
      // A worker that is killed with packets in its hands loses these, and says how many.
      const { packets, capture_drops: drops = 0 } = records.summary
      expect(packets + drops).toBe(names.reduce((sum, name) => sum + packetsIn(fixture(name)), 0))
      let missing = 0
      for (const file of known) {
        const call = records.calls.find((other) => other.call_id === file.call_id)
        expect(call && identityOf(call)).toEqual(identityOf(file))
        for (const direction of ['from_caller', 'from_callee'] as const)
          missing += (file.media[direction]?.packets ?? 0) - (call?.media[direction]?.packets ?? 0)
      }
      expect(missing).toBeGreaterThanOrEqual(0)
      expect(missing).toBeLessThanOrEqual(drops)
    }),
  )
})

function recordsOfRun(path: string): {
  calls: CallRecord[]
  summary: Pick<SummaryRecord, 'packets' | 'capture_drops'>
} {
  const records = recordsOf(path, false)
  const summary = records.find((record) => record.type === 'summary')
  if (!summary) throw new Error('no summary')
  return { calls: records.filter((record) => record.type === 'call'), summary }
}
