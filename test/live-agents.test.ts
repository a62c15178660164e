import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, it } from 'vitest'
import type { CallRecord } from '../src/calls/records.js'
import { ended, inNamespaces, LiveProbe, requireLive, type Namespaces } from './helpers/live.js'
import { requirePrograms, ROOT } from './helpers/programs.js'

const scratch = mkdtempSync(join(tmpdir(), 'callprobe-agents-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const CALLER = '10.30.0.1'
const CALLEE = '10.30.0.2'

interface Network {
  caller: string
  callee: string
  mirror: string
}

/**
 * Two hosts on a bridge that forgets every address at once, and so sends each frame to every port: the third port is a
 * mirror of both directions.
 */
function mirroredNetwork(namespaces: Namespaces): Network {
  const [bridge, caller, callee, mirror] = [0, 1, 2, 3].map(() => namespaces.add())
  namespaces.run(bridge, 'ip', 'link', 'add', 'br0', 'type', 'bridge', 'ageing_time', '0')
  namespaces.run(bridge, 'ip', 'link', 'set', 'br0', 'up')
  for (const [port, host, inside] of [
    ['caller', caller, 'eth0'],
    ['callee', callee, 'eth0'],
    ['mirror', mirror, 'tap0'],
  ]) {
    namespaces.run(bridge, 'ip', 'link', 'add', port, 'type', 'veth', 'peer', 'name', inside, 'netns', host)
    namespaces.run(bridge, 'ip', 'link', 'set', port, 'master', 'br0', 'up')
    namespaces.run(host, 'ip', 'link', 'set', inside, 'up')
  }
  namespaces.run(caller, 'ip', 'address', 'add', `${CALLER}/24`, 'dev', 'eth0')
  namespaces.run(callee, 'ip', 'address', 'add', `${CALLEE}/24`, 'dev', 'eth0')
  return { caller, callee, mirror }
}

/** A scenario of scripts/recording/sipp with its places filled in. */
function scenario(name: string, audio: string, talkMs: number): string {
  const path = join(scratch, `${name}.xml`)
  const text = readFileSync(join(ROOT, 'scripts/recording/sipp', `${name}.xml`), 'utf8')
  writeFileSync(
    path,
    text
      .replaceAll('@PT@', '0')
      .replaceAll('@CODEC@', 'PCMU')
      .replaceAll('@AUDIO@', audio)
      .replaceAll('@TALK_MS@', String(talkMs)),
  )
  return path
}

/** 20 s of silence in mu-law. */
function silence(): string {
  const path = join(scratch, 'silence.ulaw')
  writeFileSync(path, new Uint8Array(160_000).fill(0xff))
  return path
}

function sipp(namespaces: Namespaces, host: string, file: string, address: string, more: string[]) {
  return namespaces.start(host, [
    ...[
      'sipp',
      '-sf',
      file,
      '-i',
      address,
      '-mi',
      address,
      '-m',
      '1',
      '-nostdin',
      '-t',
      'u1',
      '-timeout',
      '40',
    ],
    ...more,
  ])
}

/** 16-bit mono PCM at 8 kHz: a tone. */
function tone(path: string, seconds: number): void {
  const samples = 8000 * seconds
  const bytes = Buffer.alloc(44 + 2 * samples)
  bytes.write('RIFF', 0, 'latin1')
  bytes.writeUInt32LE(36 + 2 * samples, 4)
  bytes.write('WAVEfmt ', 8, 'latin1')
  bytes.writeUInt32LE(16, 16)
  bytes.writeUInt16LE(1, 20)
  bytes.writeUInt16LE(1, 22)
  bytes.writeUInt32LE(8000, 24)
  bytes.writeUInt32LE(16_000, 28)
  bytes.writeUInt16LE(2, 32)
  bytes.writeUInt16LE(16, 34)
  bytes.write('data', 36, 'latin1')
  bytes.writeUInt32LE(2 * samples, 40)
  for (let i = 0; i < samples; i++) bytes.writeInt16LE(Math.round(8000 * Math.sin(i / 3)), 44 + 2 * i)
  writeFileSync(path, bytes)
}

/** A phone without a sound card that answers by itself and plays a tone. */
function baresipFolder(user: string, address: string, ports: string): string {
  const folder = join(scratch, user)
  mkdirSync(folder)
  const audio = join(folder, 'tone.wav')
  tone(audio, 15)
  writeFileSync(
    join(folder, 'config'),
    [
      ...[
        `sip_listen ${address}:5062`,
        `audio_player aufile,${folder}/heard.wav`,
        `audio_source aufile,${audio}`,
      ],
      ...[`audio_alert aufile,${folder}/alert.wav`, 'audio_buffer 20-160', 'jitter_buffer_delay 5-10'],
      ...[`rtp_ports ${ports}`, 'rtcp_mux no', 'rtp_stats yes', 'module_path /usr/lib/baresip/modules'],
      ...['module g711.so', 'module aufile.so', 'module_app account.so', 'module_app menu.so'],
      ...['module_app rtcpsummary.so', ''],
    ].join('\n'),
  )
  writeFileSync(
    join(folder, 'accounts'),
    `<sip:${user}@${address}:5062>;regint=0;answermode=auto;audio_codecs=PCMA/8000/1\n`,
  )
  writeFileSync(join(folder, 'contacts'), '')
  return folder
}

describe.skipIf(!requireLive() || !requirePrograms('sipp', 'baresip'))(
  'real user agents on a mirrored network',
  () => {
    it(
      'are measured live while they talk: a call of sipp and one of baresip at the same time',
      { timeout: 120_000 },
      inNamespaces(async (namespaces) => {
        const { caller, callee, mirror } = mirroredNetwork(namespaces)
        const probe = await LiveProbe.start(namespaces, mirror, join(scratch, 'agents.ndjson'), [
          '-i',
          'tap0',
        ])
        const audio = silence()
        const bob = namespaces.start(callee, [
          ...['baresip', '-f', baresipFolder('bob', CALLEE, '22000-22100'), '-t', '16'],
        ])
        const uas = sipp(namespaces, callee, scenario('uas-call', audio, 5000), CALLEE, [
          '-p',
          '5060',
          '-mp',
          '20000',
        ])
        await sleep(1500)
        const uac = sipp(namespaces, caller, scenario('uac-call', audio, 5000), CALLER, [
          ...['-p', '5060', '-mp', '10000', '-s', '2001', `${CALLEE}:5060`],
        ])
        const alice = namespaces.start(caller, [
          ...['baresip', '-f', baresipFolder('alice', CALLER, '12000-12100'), '-t', '7'],
          ...['-e', `/dial sip:bob@${CALLEE}:5062`],
        ])
        expect(await ended(uac)).toBe(0)
        expect(await ended(uas)).toBe(0)
        await ended(alice)
        await sleep(3500)
        bob.kill('SIGTERM')
        expect(await probe.stop()).toBe(0)

        const calls = new Map<string | undefined, CallRecord>()
        for (const call of probe.calls()) calls.set(call.callee, call)
        expect([...calls.keys()].sort()).toEqual(['2001', 'bob'])
        for (const [callee, codec] of [
          ['2001', 'PCMU'],
          ['bob', 'PCMA'],
        ]) {
          const call = calls.get(callee)
          expect(call).toMatchObject({
            ...{ state: 'completed', caller_address: CALLER, callee_address: CALLEE },
            sip: { status: 200, ended_by: 'caller', transport: 'udp' },
            validity: {
              capture_drops: 0,
              complete_start: true,
              complete_end: true,
              timestamp_source: 'kernel',
            },
          })
          for (const direction of ['from_caller', 'from_callee'] as const) {
            const media = call?.media[direction]
            expect(media, `${callee} ${direction}`).toMatchObject({
              codec,
              ptime_ms: 20,
              lost: 0,
              duplicates: 0,
            })
            // 50 packets a second over the time that the call was up; sipp stops playing a little before its BYE.
            const expected = (call?.duration_s ?? NaN) * 50
            expect(media?.packets).toBeGreaterThan(expected * 0.85)
            expect(media?.packets).toBeLessThan(expected * 1.05)
          }
        }
        // sipp talks for as long as its scenario says, to the moment of its BYE.
        expect(calls.get('2001')?.duration_s).toBeGreaterThan(4.9)
        // baresip sends RTCP; its own count of what it received is what the tap counted (the last report comes earlier).
        expect(calls.get('bob')?.media.from_caller?.rtcp_lost ?? 0).toBe(0)
        expect(calls.get('bob')?.media.from_caller?.mos_cq).toBeGreaterThan(4)
        expect(probe.summary().capture_drops).toBe(0)
      }),
    )
  },
)
