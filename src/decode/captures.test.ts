import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { sharedPath } from '../../test/helpers/programs.js'
import { PacketDecoder } from './decoder.js'
import { KIND_ICMP, KIND_TCP, KIND_UDP } from './packet.js'
import { TcpReassembler } from './tcp.js'
import { forEachFrame } from './test-captures.js'

const INDEX = sharedPath('pcaps/INDEX.tsv')
const CAPTURES = dirname(INDEX ?? '')
const present = INDEX !== undefined

const files = present
  ? readFileSync(INDEX, 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.split('\t')[1])
      .filter((name) => name !== undefined && existsSync(join(CAPTURES, 'truth', `${name}.phs.txt`)))
  : []

/** Frames whose innermost transport is `protocol`, from tshark's protocol hierarchy; quotations in ICMP left out. */
function hierarchyCount(name: string, protocol: string): number {
  const transports = new Set(['udp', 'tcp', 'icmp', 'icmpv6'])
  const open: { depth: number; name: string }[] = []
  let sum = 0
  for (const line of readFileSync(join(CAPTURES, 'truth', `${name}.phs.txt`), 'utf8').split('\n')) {
    const row = /^( *)(\S+) +frames:(\d+)/.exec(line)
    if (row === null) continue
    while (open.length > 0 && open[open.length - 1].depth >= row[1].length) open.pop()
    if (row[2] === protocol && !open.some((ancestor) => transports.has(ancestor.name))) sum += Number(row[3])
    open.push({ depth: row[1].length, name: row[2] })
  }
  return sum
}

describe.skipIf(!present)('tshark’s protocol hierarchy', () => {
  it.each(files)('%s', (name) => {
    const d = new PacketDecoder()
    const kinds = [0, 0, 0, 0, 0]
    let frames = 0
    forEachFrame(readFileSync(join(CAPTURES, name)), (...frame) => {
      frames++
      kinds[d.decode(...frame)]++
    })
    d.finish()
    expect(frames).toBeGreaterThan(0)
    expect({ udp: kinds[KIND_UDP], tcp: kinds[KIND_TCP], icmp: kinds[KIND_ICMP] }).toEqual({
      udp: hierarchyCount(name, 'udp'),
      tcp: hierarchyCount(name, 'tcp'),
      icmp: hierarchyCount(name, 'icmp') + hierarchyCount(name, 'icmpv6'),
    })
  })
})

describe.skipIf(!present)('SIP over TCP in real captures', () => {
  /** Call-ID of each message that tshark found in TCP, with how often it occurs. */
  function callIds(name: string): Map<string, number> {
    const counts = new Map<string, number>()
    for (const row of readFileSync(join(CAPTURES, 'truth', `${name}.sip.csv`), 'utf8')
      .split('\n')
      .slice(1)) {
      const fields = [...row.matchAll(/(?:"([^"]*)"|([^,]*))(?:,|$)/g)].map((m) => m[1] ?? m[2])
      // One frame may hold several messages; their values are joined by bars.
      const ids = fields[8] ? (fields[10] ?? '').split('|').filter((id) => id !== '') : []
      for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1)
    }
    return counts
  }

  function streamText(name: string): string {
    const streams = new Map<string, string>()
    const tcp = new TcpReassembler({
      onData: (c, direction, bytes) => {
        const key = `${c.addresses[direction]}:${c.ports[direction]}>${c.addresses[1 - direction]}:${c.ports[1 - direction]}`
        streams.set(key, (streams.get(key) ?? '') + Buffer.from(bytes).toString('latin1'))
      },
      onGap: () => undefined,
      onEnd: () => undefined,
    })
    const d = new PacketDecoder()
    forEachFrame(readFileSync(join(CAPTURES, name)), (...frame) => {
      if (d.decode(...frame) === KIND_TCP) tcp.push(d, d.timeMs)
    })
    tcp.finish()
    return [...streams.values()].join('\n')
  }

  const withTcp = files.map((name) => ({ name, ids: callIds(name) })).filter(({ ids }) => ids.size > 0)

  it.each(withTcp)('$name: the streams hold every message once', ({ name, ids }) => {
    const text = streamText(name)
    for (const [id, count] of ids) {
      const found = [...text.matchAll(/^(?:call-id|i)\s*:\s*(\S+)\s*$/gim)].filter((match) => match[1] === id)
      expect([id, found.length]).toEqual([id, count])
    }
  })
})
