import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, it } from 'vitest'
import type { CallRecord } from '../src/calls/records.js'
import { ended, inNamespaces, LiveProbe, recordsOf, requireLive, until } from './helpers/live.js'
import { ROOT } from './helpers/programs.js'
import { countsOf, framesOf, identityOf, isRtp, packetsIn, withTags } from './helpers/live-frames.js'
import { pcapOf } from './helpers/replay.js'

const scratch = mkdtempSync(join(tmpdir(), 'callprobe-live-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

/** Calls that can run side by side: their media share no addresses and ports. */
const FIXTURES = [
  ...['sipp-g711', 'sipp-setup-failures', 'sipp-tcp-challenge-ipv6'],
  ...['baresip-pcmu-bursts', 'baresip-opus-random-loss'],
]

function fixture(name: string): string {
  return join(ROOT, 'fixtures', `${name}.pcap`)
}

describe.skipIf(!requireLive('tcpreplay'))('a live capture', { concurrent: true }, () => {
  for (const workers of ['1', '2', '3'])
    it(
      `gives the calls, losses, duplicates and codecs that a replay of the same packets gives, with --workers ${workers}`,
      { timeout: 120_000 },
      inNamespaces(async (namespaces) => {
        const wire = namespaces.wire()
        const probe = await LiveProbe.start(namespaces, wire, join(scratch, `same-${workers}.ndjson`), [
          ...['-i', 'tap0', '--workers', workers],
        ])
        await Promise.all(FIXTURES.map((name) => namespaces.replay(wire, fixture(name))))
        await sleep(500)
        expect(await probe.stop()).toBe(0)

        const fromFiles = join(scratch, `files-${workers}.ndjson`)
        const files: CallRecord[] = []
        for (const name of FIXTURES) {
          execFileSync(process.execPath, [
            ...[join(ROOT, 'bin/callprobe'), 'replay', '--format', 'ndjson', '--output', fromFiles],
            fixture(name),
          ])
          files.push(...recordsOf(fromFiles).filter((record) => record.type === 'call'))
        }
        const live = probe.calls()
        expect(live.map((call) => call.call_id).sort()).toEqual(files.map((call) => call.call_id).sort())
        for (const file of files) {
          const call = live.find((other) => other.call_id === file.call_id)
          expect(call).toBeDefined()
          if (!call) continue
          expect(identityOf(call)).toEqual(identityOf(file))
          for (const direction of ['from_caller', 'from_callee'] as const) {
            const [seen, known] = [call.media[direction], file.media[direction]]
            expect(countsOf(seen), `${call.call_id} ${direction}`).toEqual(countsOf(known))
          }
          expect(call.validity).toMatchObject({
            capture_drops: 0,
            timestamp_source: 'kernel',
            complete_start: true,
          })
        }
        expect(probe.summary().capture_drops).toBe(0)
        expect(probe.summary().packets).toBe(
          FIXTURES.reduce((sum, name) => sum + packetsIn(fixture(name)), 0),
        )
      }),
    )

  it(
    'keeps VLAN tags, also those that the kernel takes out of the frame, and of two the inner one',
    { timeout: 120_000 },
    inNamespaces(async (namespaces) => {
      const plain = await framesOf(fixture('sipp-one-way'))
      const capture = join(scratch, 'vlan.pcap')
      // A mirror of two VLANs: every packet twice, in 802.1Q and in 802.1ad with 802.1Q inside.
      const tagged = plain.slice(0, 60).flatMap(({ timeMs, frame }) => [
        { timeMs, frame: withTags(frame, [0x8100, 100]) },
        { timeMs: timeMs + 1, frame: withTags(frame, [0x88a8, 7], [0x8100, 200]) },
      ])
      writeFileSync(capture, pcapOf(tagged))
      const wire = namespaces.wire()
      const all = await LiveProbe.start(namespaces, wire, join(scratch, 'vlan.ndjson'), ['-i', 'tap0'])
      const only = await LiveProbe.start(namespaces, wire, join(scratch, 'vlan100.ndjson'), [
        ...['-i', 'tap0', '--bpf', 'vlan 100'],
      ])
      await namespaces.replay(wire, capture, '--topspeed')
      await sleep(300)
      await Promise.all([all.stop(), only.stop()])
      expect(all.summary()).toMatchObject({ packets: 120, skipped: {} })
      expect(only.summary().packets).toBe(60)
      expect(only.streams().map((stream) => stream.vlan)).toEqual([100])
      const rtp = plain.slice(0, 60).filter(({ frame }) => isRtp(frame)).length
      expect(all.streams()).toHaveLength(1)
      expect(all.streams()[0]).toMatchObject({ packets: rtp, duplicates: rtp, lost: 0 })
      expect(all.summary().sip_messages).toBe(2 * (60 - rtp))
    }),
  )

  it(
    'closes calls and intervals by the clock when no packets come any more',
    { timeout: 120_000 },
    inNamespaces(async (namespaces) => {
      const wire = namespaces.wire()
      const probe = await LiveProbe.start(namespaces, wire, join(scratch, 'quiet.ndjson'), ['-i', 'tap0'])
      await namespaces.replay(wire, fixture('sipp-one-way'))
      const silentSince = Date.now()
      await until(() => probe.calls().length > 0, 30_000)
      // The tail of 2 s after the BYE, what settles in the ring, and one flush of the output.
      expect(Date.now() - silentSince).toBeLessThan(10_000)
      expect(probe.calls()[0]).toMatchObject({ state: 'completed', sip: { status: 200 } })
      expect(await probe.stop()).toBe(0)
      expect(probe.calls()).toHaveLength(1)
    }),
  )

  it(
    'understands filters, and says what is wrong with one',
    { timeout: 120_000 },
    inNamespaces(async (namespaces) => {
      const wire = namespaces.wire()
      const bad = await LiveProbe.fail(namespaces, wire, ['-i', 'tap0', '--bpf', 'udp port'])
      expect(bad.code).toBe(1)
      expect(bad.log).toMatch(
        /libpcap does not understand the filter "udp port": .*\n {2}hint: .*pcap-filter/,
      )
      const probe = await LiveProbe.start(namespaces, wire, join(scratch, 'bpf.ndjson'), [
        ...['-i', 'tap0', '--bpf', 'udp port 5060', '--snaplen', '60'],
      ])
      await namespaces.replay(wire, fixture('sipp-setup-failures'), '--topspeed')
      await sleep(300)
      await probe.stop()
      // Cut to 60 bytes no SIP message is whole, but every one is there.
      expect(probe.summary().packets).toBe(packetsIn(fixture('sipp-setup-failures')))
    }),
  )

  it(
    'says which interface is missing',
    { timeout: 120_000 },
    inNamespaces(async (namespaces) => {
      const wire = namespaces.wire()
      expect(await LiveProbe.fail(namespaces, wire, ['-i', 'nosuch0'])).toEqual({
        code: 1,
        log: expect.stringMatching(/there is no network interface nosuch0\n {2}hint: /),
      })
    }),
  )

  it(
    'measures several interfaces as one, in order of time',
    { timeout: 120_000 },
    inNamespaces(async (namespaces) => {
      const wire = namespaces.wire()
      namespaces.run(wire, 'ip', 'link', 'add', 'in1', 'type', 'veth', 'peer', 'name', 'tap1')
      namespaces.run(wire, 'ip', 'link', 'set', 'in1', 'up')
      namespaces.run(wire, 'ip', 'link', 'set', 'tap1', 'up')
      // One direction on each, as two receive ports of an optical tap show it.
      const frames = await framesOf(fixture('sipp-one-way'))
      const fromCaller = frames.filter(({ frame }) => frame[11] === 1)
      const fromCallee = frames.filter(({ frame }) => frame[11] === 2)
      writeFileSync(join(scratch, 'caller.pcap'), pcapOf(fromCaller))
      writeFileSync(join(scratch, 'callee.pcap'), pcapOf(fromCallee))
      const probe = await LiveProbe.start(namespaces, wire, join(scratch, 'two.ndjson'), [
        '-i',
        'tap0',
        'tap1',
      ])
      const files = [join(scratch, 'caller.pcap'), join(scratch, 'callee.pcap')]
      await ended(
        namespaces.start(wire, ['tcpreplay', '-q', '--dualfile', '-i', 'in0', '-I', 'in1', ...files]),
      )
      await sleep(500)
      await probe.stop()
      expect(probe.calls()).toHaveLength(1)
      expect(probe.calls()[0].media.from_caller?.packets).toBe(
        fromCaller.filter(({ frame }) => isRtp(frame)).length,
      )
      expect(probe.summary().packets).toBe(frames.length)
    }),
  )
})
