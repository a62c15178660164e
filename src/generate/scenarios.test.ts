import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PcapWriter } from '../capture/pcap-writer.js'
import { generateScenario } from './generate.js'
import { parseScenario } from './load.js'
import type { DirectionTruth } from './truth.js'

const FOLDER = fileURLToPath(new URL('../../fixtures/scenarios/', import.meta.url))
const NAMES = readdirSync(FOLDER).filter((name) => name.endsWith('.yaml'))

function load(name: string) {
  return generateScenario(parseScenario(readFileSync(join(FOLDER, name), 'utf8')))
}

describe('the example scenarios', () => {
  it.each(NAMES)('%s is valid and has frames in order of time', (name) => {
    const { packets, truth } = load(name)
    expect(truth.calls.length).toBeGreaterThan(0)
    expect(packets.findIndex((packet, i) => i > 0 && packet.timeMs < packets[i - 1].timeMs)).toBe(-1)
  })
})

function hasTshark(): boolean {
  try {
    execFileSync('tshark', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

interface TsharkStream {
  ssrc: string
  sourcePort: number
  packets: number
  lost: number
  jitterMean: number
  jitterMax: number
}

describe.skipIf(!hasTshark())('tshark (skipped where it is not installed)', () => {
  let folder = ''
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'callprobe-generate-'))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const tshark = (name: string, ...options: string[]): string => {
    const made = load(name)
    const writer = new PcapWriter({ nanoseconds: true })
    for (const { timeMs, frame, wireLength } of made.packets) writer.write(timeMs, frame, wireLength)
    const file = join(folder, `${name}.pcap`)
    writeFileSync(file, writer.toBytes())
    return execFileSync('tshark', ['-n', '-r', file, ...options], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      maxBuffer: 1 << 26,
    })
  }

  /** Start, end, source, port, destination, port, SSRC, payload, packets, lost (%), three deltas, three jitters. */
  const streams = (name: string): TsharkStream[] =>
    tshark(name, '-q', '-z', 'rtp,streams')
      .split('\n')
      .filter((line) => line.includes(' 0x'))
      .map((line) => {
        const numbers = line
          .slice(line.indexOf(')') + 1)
          .trim()
          .split(/\s+/)
          .map(Number)
        const [, ssrc, packets, lost] = / (0x[0-9A-F]+) .*? (\d+) +(-?\d+) \(/.exec(line) ?? []
        return {
          ssrc: ssrc.toLowerCase(),
          sourcePort: Number(line.trim().split(/\s+/)[3]),
          packets: Number(packets),
          lost: Number(lost),
          jitterMean: numbers[4],
          jitterMax: numbers[5],
        }
      })

  it.each(['random-loss.yaml', 'jitter-spikes.yaml', 'opus.yaml', 'skew.yaml', 'fragments.yaml'])(
    '%s: counts the same packets, loss and jitter',
    (name) => {
      const found = streams(name)
      const told = load(name).truth.calls.flatMap((call): DirectionTruth[] => Object.values(call.media))
      const heard = told.filter((direction) => direction.packets > 0)
      expect(found.length).toBe(heard.length)
      for (const direction of heard) {
        const stream = found.find(({ ssrc }) => ssrc === direction.ssrcs[0])
        expect(stream).toMatchObject({ packets: direction.packets, lost: direction.lost })
        // tshark counts the first packet's 0 in its mean, prints three decimals, and runs J over the loss as we do.
        expect(stream?.jitterMax).toBeCloseTo(direction.jitter_max_ms ?? NaN, 2)
        expect(stream?.jitterMean).toBeCloseTo(direction.jitter_mean_ms ?? NaN, 2)
      }
    },
  )

  it('sees the final status of every call', () => {
    const fields = ['-T', 'fields', '-e', 'sip.Call-ID', '-e', 'sip.Status-Code']
    const rows = tshark(
      'setup-outcomes.yaml',
      '-Y',
      'sip.CSeq.method == "INVITE" && sip.Status-Code >= 200',
      ...fields,
    )
    const last = new Map(
      rows
        .trim()
        .split('\n')
        .map((row): [string, string] => [row.split('\t')[0], row.split('\t')[1]]),
    )
    for (const call of load('setup-outcomes.yaml').truth.calls) {
      if (call.call_id === 'forked') continue
      expect([call.call_id, last.get(call.call_id)]).toEqual([call.call_id, call.status?.toString()])
    }
  })

  it.each(['disorder.yaml', 'setup-outcomes.yaml', 'opus.yaml'])(
    '%s: finds no malformed SIP, SDP, RTCP or TCP, and no bad checksum',
    (name) => {
      const checks = ['ip', 'udp', 'tcp'].flatMap((layer) => ['-o', `${layer}.check_checksum:TRUE`])
      const bad =
        'ip.checksum.status==0 || udp.checksum.status==0 || tcp.checksum.status==0 || tcp.analysis.flags ||' +
        ' ((sip || sdp || tcp || udp.port==10001 || udp.port==20001) && _ws.malformed)'
      expect(tshark(name, ...checks, '-Y', bad)).toBe('')
    },
  )
})
