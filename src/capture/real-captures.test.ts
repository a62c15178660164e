import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import pcapParser from 'pcap-parser'
import { describe, expect, it } from 'vitest'
import { readPackets } from '../../test/helpers/capture-bytes.js'
import { sharedPath } from '../../test/helpers/programs.js'
import { openFiles } from './open.js'
import { MemorySource } from './memory-source.js'
import { PcapWriter } from './pcap-writer.js'

interface OtherPacket {
  seconds: number
  microseconds: number
  captured: number
  wire: number
  hex: string
}

/** What the npm package `pcap-parser` (microsecond pcap only) finds in a file. */
function readByOther(bytes: Uint8Array): Promise<OtherPacket[]> {
  return new Promise((resolve, reject) => {
    const packets: OtherPacket[] = []
    const parser = pcapParser.parse(Readable.from([Buffer.from(bytes)]))
    parser.on('packet', ({ header, data }) => {
      packets.push({
        seconds: header.timestampSeconds,
        microseconds: header.timestampMicroseconds,
        captured: header.capturedLength,
        wire: header.originalLength,
        hex: data.toString('hex'),
      })
    })
    parser.on('end', () => resolve(packets))
    parser.on('error', reject)
  })
}

async function expectSameAsOther(bytes: Uint8Array): Promise<number> {
  const ours = await readPackets(new MemorySource(bytes))
  const theirs = await readByOther(bytes)
  expect(ours.length).toBe(theirs.length)
  ours.forEach((packet, i) => {
    const other = theirs[i]
    expect(packet.hex).toBe(other.hex)
    expect(packet.captured).toBe(other.captured)
    expect(packet.wire).toBe(other.wire)
    // Both parts are integers: compare as such.
    expect(Math.round(packet.timeMs * 1000)).toBe(other.seconds * 1e6 + other.microseconds)
  })
  return ours.length
}

describe('pcap-parser, an independent reader, agrees', () => {
  it('on a file of PcapWriter', async () => {
    const writer = new PcapWriter()
    for (let i = 0; i < 500; i++) {
      writer.write(1_760_000_000_000 + i * 19.997, new Uint8Array(i % 97).fill(i), (i % 97) + (i % 3))
    }
    expect(await expectSameAsOther(writer.toBytes())).toBe(500)
  })
})

const INDEX = sharedPath('pcaps/INDEX.tsv')
const FOLDER = INDEX === undefined ? '' : dirname(INDEX)

/** Names and packet counts (by tshark) of the real captures that are there. */
function indexedCaptures(): { name: string; packets: number }[] {
  if (INDEX === undefined) return []
  const [head, ...rows] = readFileSync(INDEX, 'utf8').trim().split('\n')
  const columns = head.split('\t')
  return rows
    .map((row) => row.split('\t'))
    .map((cells) => ({
      name: cells[columns.indexOf('name')],
      packets: Number(cells[columns.indexOf('packets')]),
    }))
    .filter(({ name }) => existsSync(join(FOLDER, name)))
}

describe.skipIf(INDEX === undefined)('real captures (skipped where ../shared/pcaps is absent)', () => {
  const captures = indexedCaptures()

  it('have as many packets as tshark counts in them, and no damage', async () => {
    expect(captures.length).toBeGreaterThan(70)
    for (const { name, packets } of captures) {
      const source = await openFiles([join(FOLDER, name)])
      const seen = await readPackets(source)
      expect([name, seen.length, source.warnings]).toEqual([name, packets, []])
    }
  })

  it('are read by pcap-parser with the same times, lengths and bytes', async () => {
    let files = 0
    for (const { name } of captures) {
      const bytes = readFileSync(join(FOLDER, name))
      const magic = bytes.subarray(0, 4).toString('hex')
      if ((magic !== 'd4c3b2a1' && magic !== 'a1b2c3d4') || bytes.length > 300_000) continue
      await expectSameAsOther(bytes)
      files++
    }
    expect(files).toBeGreaterThan(30)
  })

  it('can be read all together, in order of time as far as each is in order itself', async () => {
    let count = 0
    let largestStepBack = 0
    for (const { name, packets } of captures) {
      count += packets
      let latest = -Infinity
      for (const { timeMs } of await readPackets(await openFiles([join(FOLDER, name)]))) {
        latest = Math.max(latest, timeMs)
        largestStepBack = Math.max(largestStepBack, latest - timeMs)
      }
    }
    const seen = await readPackets(await openFiles(captures.map(({ name }) => join(FOLDER, name))))
    expect(seen).toHaveLength(count)
    let stepsBack = 0
    for (let i = 1; i < seen.length; i++) {
      const back = seen[i - 1].timeMs - seen[i].timeMs
      if (back > 0) stepsBack++
      if (back > largestStepBack) throw new Error(`packet ${i} is ${back} ms before the one in front of it`)
    }
    expect(stepsBack).toBeLessThan(20)
  })
})
