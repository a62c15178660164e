import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { ended, inNamespaces, LiveProbe, recordsOf, requireLive, until } from './helpers/live.js'
import { findProgram, noteSkip, requirePrograms, ROOT } from './helpers/programs.js'
import { pcapOf, type Frame } from './helpers/replay.js'

const scratch = mkdtempSync(join(tmpdir(), 'callprobe-running-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

/** Calls of sipp: 6 s of PCMU, then, 1.5 s later, 6 s of PCMA. */
const TWO_CALLS = join(ROOT, 'fixtures/sipp-g711.pcap')
const FIRST_CALL = '1-24640@10.20.0.1'
/** 3.5 s of calls that fail. */
const FAILURES = join(ROOT, 'fixtures/sipp-setup-failures.pcap')

describe.skipIf(!requireLive('tcpreplay'))('a capture that runs', { concurrent: true }, () => {
  for (const workers of ['1', '2'])
    it(
      `writes open calls as in_progress when it is stopped, and knows them again after a restart, with --workers ${workers}`,
      { timeout: 120_000 },
      inNamespaces(async (namespaces) => {
        const wire = namespaces.wire()
        const state = join(scratch, `state-${workers}/open-calls.json`)
        const output = join(scratch, `restart-${workers}.ndjson`)
        const args = ['-i', 'tap0', '--state', state, '--workers', workers]
        const first = await LiveProbe.start(namespaces, wire, output, args)
        const replay = namespaces.replay(wire, TWO_CALLS)
        await sleep(3000)
        expect(await first.stop('SIGINT')).toBe(0)
        expect(first.log).toMatch(/SIGINT: writing what is open/)
        const [open] = first.calls()
        expect(open).toMatchObject({
          call_id: FIRST_CALL,
          state: 'in_progress',
          validity: { complete_end: false },
        })
        expect(open.media.from_caller?.packets).toBeGreaterThan(5)
        expect(first.summary().calls_by_state).toEqual({ in_progress: 1 })
        expect(readFileSync(state, 'utf8')).toContain(FIRST_CALL)

        const second = await LiveProbe.start(namespaces, wire, output, args)
        expect(second.log).toMatch(/1 calls? (was|were) open/)
        expect(existsSync(state)).toBe(false)
        await replay
        await sleep(3500)
        expect(await second.stop()).toBe(0)
        const ofFirst = second.calls().filter((call) => call.call_id === FIRST_CALL)
        // The second record takes the place of the first: same identity, same start, and it says so.
        expect(ofFirst.map((call) => call.state)).toEqual(['in_progress', 'completed'])
        expect(ofFirst[1]).toMatchObject({
          ...{ start: ofFirst[0].start, caller: ofFirst[0].caller, callee: ofFirst[0].callee },
          validity: { resumed: true, complete_start: true, complete_end: true },
        })
        expect(ofFirst[1].duration_s).toBeGreaterThan(5.5)
        expect(second.calls().filter((call) => call.state === 'media_only')).toEqual([])
        const [firstRun, secondRun] = second.records().filter((record) => record.type === 'summary')
        expect([firstRun.calls, secondRun.calls]).toEqual([1, 2])
      }),
    )

  it(
    'survives an interface that goes down, and one that is removed and made anew',
    { timeout: 120_000 },
    inNamespaces(async (namespaces) => {
      const wire = namespaces.wire()
      const probe = await LiveProbe.start(namespaces, wire, join(scratch, 'down.ndjson'), ['-i', 'tap0'])
      const running = namespaces.start(wire, ['tcpreplay', '-q', '-i', 'in0', TWO_CALLS])
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
      namespaces.run(wire, 'ip', 'link', 'set', 'in0', 'up')
      namespaces.run(wire, 'ip', 'link', 'set', 'tap0', 'up')
      await until(() => (probe.log.match(/is back after/g) ?? []).length === 2)
      await namespaces.replay(wire, FAILURES)
      await sleep(300)
      expect(await probe.stop()).toBe(0)
      const calls = probe.calls()
      expect(calls.find((call) => call.call_id === FIRST_CALL)?.validity.capture_down_ms).toBeGreaterThan(300)
      const failed = calls.filter((call) => call.caller_address === '10.20.0.1' && call.state !== 'completed')
      expect(failed).toHaveLength(3)
      for (const call of failed) expect(call.validity.capture_down_ms).toBeUndefined()
      expect(probe.summary().warnings).toContainEqual(
        expect.stringMatching(/^an interface was away for [\d.]+ s/),
      )
    }),
  )

  it(
    'loses nothing of a quiet link when it gets no processor for five seconds',
    { timeout: 120_000 },
    inNamespaces(async (namespaces) => {
      const wire = namespaces.wire()
      const probe = await LiveProbe.start(namespaces, wire, join(scratch, 'stall.ndjson'), ['-i', 'tap0'])
      const running = namespaces.replay(wire, TWO_CALLS)
      await sleep(1000)
      probe.signal('SIGSTOP')
      await sleep(5000)
      probe.signal('SIGCONT')
      await running
      await sleep(300)
      expect(await probe.stop()).toBe(0)
      const { packets, capture_drops, calls_by_state } = probe.summary()
      expect({ packets, capture_drops, calls_by_state }).toEqual({
        ...{ packets: 1210, capture_drops: 0, calls_by_state: { completed: 2 } },
      })
    }),
  )

  it(
    'tells the calls that ran then how many packets the kernel dropped, and no others',
    { timeout: 120_000 },
    inNamespaces(async (namespaces) => {
      const wire = namespaces.wire()
      const noise = join(scratch, 'noise.pcap')
      writeFileSync(noise, pcapOf(noiseFrames(12_000)))
      const probe = await LiveProbe.start(namespaces, wire, join(scratch, 'drops.ndjson'), [
        '-i',
        'tap0',
        '--ring',
        '4',
      ])
      const running = namespaces.replay(wire, TWO_CALLS)
      await sleep(2000)
      // The probe stands still while more comes in than the ring holds.
      probe.signal('SIGSTOP')
      await namespaces.replay(wire, noise, '--topspeed')
      probe.signal('SIGCONT')
      await running
      await sleep(2600)
      await namespaces.replay(wire, FAILURES)
      await sleep(300)
      expect(await probe.stop()).toBe(0)
      const drops = probe.summary().capture_drops ?? 0
      expect(drops).toBeGreaterThan(1000)
      // Nothing is missing from the account: what was sent is what was measured and what was dropped.
      expect(probe.summary().packets + drops).toBe(12_000 + 1210 + 15)
      const calls = probe.calls()
      expect(calls.find((call) => call.call_id === FIRST_CALL)?.validity.capture_drops).toBeGreaterThan(1000)
      // sipp keeps its SSRCs: one stream each way for both calls, which was there when packets were dropped.
      expect(probe.streams().filter(({ validity }) => (validity?.capture_drops ?? 0) > 1000)).toHaveLength(2)
      const later = calls.filter((call) => call.state === 'failed' || call.state === 'cancelled')
      expect(later.map((call) => call.validity.capture_drops)).toEqual([0, 0, 0])
      expect(probe.log).toMatch(/packets were dropped before they could be measured/)
    }),
  )

  it(
    'gives up every capability in every thread once its sockets are open',
    { timeout: 120_000 },
    inNamespaces(async (namespaces) => {
      const wire = namespaces.wire()
      const probe = await LiveProbe.start(namespaces, wire, join(scratch, 'caps.ndjson'), [
        ...['-i', 'tap0', '--workers', '2'],
      ])
      const threads = execFileSync('sh', ['-c', `cat /proc/${probe.pid}/task/*/status`], { encoding: 'utf8' })
      const held = [...threads.matchAll(/^(CapPrm|CapEff|CapInh|CapAmb|NoNewPrivs):\s+(\S+)$/gm)]
      expect(held.length).toBeGreaterThan(10)
      for (const [, name, value] of held)
        expect(BigInt(`0x${value}`), name).toBe(name === 'NoNewPrivs' ? 1n : 0n)
      await namespaces.replay(wire, FAILURES, '--topspeed')
      await sleep(300)
      expect(await probe.stop()).toBe(0)
      expect(probe.summary().packets).toBe(15)
    }),
  )

  it(
    'runs as a plain user with CAP_NET_RAW alone, and says what is missing without',
    { timeout: 120_000 },
    inNamespaces(async (namespaces, context) => {
      const setpriv = findProgram('setpriv')
      if (setpriv === undefined || !readableByAll(ROOT)) {
        noteSkip('needs setpriv (util-linux) and a checkout that every user may read')
        context.skip()
        return
      }
      const wire = namespaces.wire()
      const folder = join(scratch, 'nobody')
      mkdirSync(folder)
      chmodSync(scratch, 0o755)
      chmodSync(folder, 0o777)
      const asNobody = [setpriv, '--reuid', '65534', '--regid', '65534', '--clear-groups']
      const capability = [
        '--inh-caps',
        '-all,+net_raw',
        '--ambient-caps',
        '-all,+net_raw',
        '--bounding-set',
        '-all,+net_raw',
      ]
      const refused = await LiveProbe.fail(
        namespaces,
        wire,
        ['-i', 'tap0'],
        [...asNobody, '--inh-caps', '-all'],
      )
      expect(refused.code).toBe(1)
      expect(refused.log).toMatch(/capturing on tap0 is not permitted\n {2}hint: .*CAP_NET_RAW/)
      const probe = await LiveProbe.start(
        namespaces,
        wire,
        join(folder, 'calls.ndjson'),
        ['-i', 'tap0'],
        [...asNobody, ...capability],
      )
      await namespaces.replay(wire, FAILURES, '--topspeed')
      await sleep(300)
      expect(await probe.stop()).toBe(0)
      expect(probe.summary().packets).toBe(15)
    }),
  )

  it(
    'reads its configuration again at SIGHUP, keeps the old one when it is wrong, and opens its file anew',
    { timeout: 120_000 },
    inNamespaces(async (namespaces) => {
      const wire = namespaces.wire()
      const config = join(scratch, 'reload.yaml')
      const output = join(scratch, 'reload.ndjson')
      writeFileSync(config, 'interval_s: 10\n')
      const probe = await LiveProbe.start(namespaces, wire, output, ['-i', 'tap0', '--config', config])
      await namespaces.replay(wire, FAILURES, '--topspeed')
      await sleep(1500)
      writeFileSync(config, 'interval_sec: 5\n')
      probe.signal('SIGHUP')
      await probe.says(/the configuration stays as it was: .*interval_sec/s)
      execFileSync('mv', [output, `${output}.1`])
      writeFileSync(config, 'interval_s: 5\nsites: [{ name: north, networks: [10.20.0.0/24] }]\n')
      probe.signal('SIGHUP')
      await probe.says(/changed: sites/)
      await probe.says(/take effect at the next start: interval_s/)
      await sleep(300)
      await namespaces.replay(wire, join(ROOT, 'fixtures/sipp-one-way.pcap'))
      await sleep(300)
      expect(await probe.stop()).toBe(0)
      const call = recordsOf(output).find((record) => record.type === 'call' && record.state !== 'failed')
      expect(call).toMatchObject({ caller_site: 'north' })
    }),
  )

  it(
    'shows its own health to Prometheus, on the loopback address',
    { timeout: 120_000 },
    inNamespaces(async (namespaces) => {
      const wire = namespaces.wire()
      const probe = await LiveProbe.start(namespaces, wire, join(scratch, 'metrics.ndjson'), [
        ...['-i', 'tap0', '--metrics', '9598'],
      ])
      await namespaces.replay(wire, FAILURES, '--topspeed')
      await sleep(500)
      const fetched = namespaces.run(
        wire,
        process.execPath,
        '-e',
        "fetch('http://127.0.0.1:9598/metrics').then((r) => r.text()).then((t) => process.stdout.write(t))",
      )
      expect(fetched).toMatch(/^callprobe_packets_total 15$/m)
      expect(fetched).toMatch(
        /^# TYPE callprobe_kernel_drops_total counter\n+callprobe_kernel_drops_total 0$/m,
      )
      expect(fetched).toMatch(/^callprobe_up 1$/m)
      expect(await probe.stop()).toBe(0)
    }),
  )

  it(
    'counts the records that a full disk did not take, says so, and goes on',
    { timeout: 120_000 },
    inNamespaces(async (namespaces) => {
      const wire = namespaces.wire()
      const probe = await LiveProbe.start(namespaces, wire, '/dev/full', ['-i', 'tap0', '--metrics', '9598'])
      await namespaces.replay(wire, FAILURES, '--topspeed')
      await probe.says(/a limit was reached: records dropped .*: \d/)
      const metrics = (): string =>
        namespaces.run(
          wire,
          process.execPath,
          '-e',
          "fetch('http://127.0.0.1:9598/metrics').then((r) => r.text()).then((t) => process.stdout.write(t))",
        )
      // Three calls that failed, without media: a record each, and the last may end a moment after the others.
      await vi.waitFor(() => expect(metrics()).toMatch(/^callprobe_output_dropped_records_total 3$/m), 20_000)
      expect(probe.log).toMatch(/no space left on the device/)
      expect(await probe.stop()).toBe(0)
    }),
  )

  it(
    'bounds its tables under a flood of spoofed calls and streams, says so, and still measures real calls rightly',
    { timeout: 120_000 },
    inNamespaces(async (namespaces) => {
      const wire = namespaces.wire()
      const config = join(scratch, 'small.yaml')
      writeFileSync(config, 'limits: { calls: 200, streams: 300 }\n')
      const flood = join(scratch, 'flood.pcap')
      writeFileSync(flood, pcapOf(floodFrames(2000)))
      const probe = await LiveProbe.start(namespaces, wire, join(scratch, 'flood.ndjson'), [
        ...['-i', 'tap0', '--config', config],
      ])
      await namespaces.replay(wire, flood, '--pps', '20000')
      // The tables are full when they come.
      await namespaces.replay(wire, TWO_CALLS)
      await sleep(300)
      expect(await probe.stop()).toBe(0)
      const summary = probe.summary()
      expect(summary.packets).toBe(2000 * 7 + 1210)
      // The second one takes the place of the first, which is over.
      expect(summary.evictions).toMatchObject({ calls: 1801, streams: 4 })
      expect(summary.evictions.stream_packets_without_room).toBeGreaterThan(0)
      expect(probe.log).toMatch(/a limit was reached: calls closed early .*: \d+ \(limits\.calls\)/)
      const isSpoofed = (id: string): boolean => id.startsWith('flood-')
      expect(probe.calls().filter((call) => isSpoofed(call.call_id))).toHaveLength(2000)
      const real = probe.calls().filter(({ call_id, sip }) => sip !== undefined && !isSpoofed(call_id))
      // As tcpdump and tshark have it of the file.
      expect(
        real.map(({ state, media }) => [
          state,
          ...[media.from_caller, media.from_callee].flatMap((way) => [way?.codec, way?.packets, way?.lost]),
        ]),
      ).toEqual([
        ['completed', 'PCMU', 300, 0, 'PCMU', 300, 0],
        ['completed', 'PCMA', 301, 0, 'PCMA', 295, 0],
      ])
    }),
  )
  it(
    'puts a call that outlives a restart into the database once, with its true end',
    { timeout: 120_000 },
    inNamespaces(async (namespaces, context) => {
      if (!requirePrograms('influxd')) {
        context.skip()
        return
      }
      const wire = namespaces.wire()
      const folder = join(scratch, 'influx')
      mkdirSync(folder)
      namespaces.start(wire, ['influxd', '-config', '/dev/null'], {
        INFLUXDB_REPORTING_DISABLED: 'true',
        INFLUXDB_BIND_ADDRESS: '127.0.0.1:8088',
        INFLUXDB_HTTP_BIND_ADDRESS: '127.0.0.1:8086',
        INFLUXDB_META_DIR: join(folder, 'meta'),
        INFLUXDB_DATA_DIR: join(folder, 'data'),
        INFLUXDB_DATA_WAL_DIR: join(folder, 'wal'),
        INFLUXDB_MONITOR_STORE_ENABLED: 'false',
      })
      const config = join(folder, 'probe.yaml')
      writeFileSync(config, `spool: { directory: ${join(folder, 'spool')} }\n`)
      const args = [
        ...['-i', 'tap0', '--state', join(folder, 'open.json'), '--config', config],
        ...['--influx', 'http://127.0.0.1:8086/voip'],
      ]
      const query = (text: string): string => {
        const url = `http://127.0.0.1:8086/query?db=voip&q=${encodeURIComponent(text)}`
        const script = `fetch('${url}').then((r) => r.text()).then((t) => process.stdout.write(t)).catch(() => {})`
        return namespaces.run(wire, process.execPath, '-e', script)
      }
      await until(() => query('SHOW DATABASES').includes('results'))
      const output = join(folder, 'calls.ndjson')
      const first = await LiveProbe.start(namespaces, wire, output, args)
      const replay = namespaces.replay(wire, TWO_CALLS)
      await sleep(3000)
      expect(await first.stop()).toBe(0)
      expect(first.calls().map((call) => call.state)).toEqual(['in_progress'])
      const second = await LiveProbe.start(namespaces, wire, output, args)
      await replay
      await sleep(3000)
      expect(await second.stop()).toBe(0)
      const answer = JSON.parse(query('SELECT "call_id", "state" FROM "voip_call"'))
      const rows: [time: string, callId: string, state: string][] = answer.results[0].series[0].values
      const ofFirst = rows.filter(([, callId]) => callId === FIRST_CALL)
      expect(ofFirst.map(([, , state]) => state)).toEqual(['completed'])
      expect(rows).toHaveLength(2)
    }),
  )
})

function readableByAll(folder: string): boolean {
  for (let at = folder; at !== '/'; at = join(at, '..')) {
    const mode = execFileSync('stat', ['-c', '%a', at], { encoding: 'utf8' }).trim()
    if ((Number.parseInt(mode, 8) & 0o005) !== 0o005) return false
  }
  return true
}

function ipv4Udp(
  source: number,
  destination: number,
  ports: [number, number],
  payload: Uint8Array,
): Uint8Array {
  const frame = new Uint8Array(42 + payload.length)
  const view = new DataView(frame.buffer)
  frame.set([2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0])
  view.setUint16(14, 0x4500)
  view.setUint16(16, 28 + payload.length)
  view.setUint16(22, 64 * 256 + 17)
  view.setUint32(26, source)
  view.setUint32(30, destination)
  view.setUint16(34, ports[0])
  view.setUint16(36, ports[1])
  view.setUint16(38, 8 + payload.length)
  frame.set(payload, 42)
  return frame
}

/** UDP that is neither RTP nor SIP, 1,000 bytes each. */
function noiseFrames(count: number): Frame[] {
  const frame = ipv4Udp(0x0a000001, 0x0a000002, [9, 9], new Uint8Array(1000))
  return Array.from({ length: count }, (_, i) => ({ timeMs: i, frame }))
}

/** `calls` INVITEs, each with another Call-ID, and as many RTP streams of six packets. */
function floodFrames(calls: number): Frame[] {
  const frames: Frame[] = []
  for (let i = 0; i < calls; i++) {
    const invite =
      `INVITE sip:x@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.1;branch=z9hG4bK${i}\r\n` +
      `From: <sip:a@198.51.100.1>;tag=${i}\r\nTo: <sip:x@192.0.2.1>\r\nCall-ID: flood-${i}\r\nCSeq: 1 INVITE\r\n` +
      'Content-Length: 0\r\n\r\n'
    frames.push({
      timeMs: i,
      frame: ipv4Udp(0xc6336401 + (i % 100), 0xc0000201, [5060, 5060], Buffer.from(invite, 'latin1')),
    })
    for (let n = 0; n < 6; n++) {
      const rtp = new Uint8Array(172)
      const view = new DataView(rtp.buffer)
      view.setUint16(0, 0x8000)
      view.setUint16(2, n)
      view.setUint32(4, n * 160)
      view.setUint32(8, 0xf1000000 + i)
      frames.push({
        timeMs: i + 0.1 * (n + 1),
        frame: ipv4Udp(0x0a640000 + i, 0x0a650001, [20_000, 30_000], rtp),
      })
    }
  }
  return frames
}
