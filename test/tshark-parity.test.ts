import { dirname, join } from 'node:path'
import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { loadConfig } from '../src/config/load.js'
import { compareFile } from '../src/verify/compare.js'
import { ourStreams, type OurStream } from '../src/verify/our-streams.js'
import { canonicalAddress, streamKey } from '../src/verify/tshark-streams.js'
import { requirePrograms, sharedPath } from './helpers/programs.js'

/** What tshark 4.0.17 lists in captures by other people, and a plain count over its packet fields. */
const TRUTH = sharedPath('pcaps/truth_streams.tsv')
const FOLDER = dirname(TRUTH ?? '')
const config = loadConfig(undefined)
/** Below this, what only heuristics find is mostly STUN, DTLS and the like. */
const LEAST_PACKETS = 20

interface TruthStream {
  key: string
  file: string
  payload: string
  packets: number
  lost: number
  maxJitterMs: number
  meanJitterMs: number
  heuristic: boolean
}

interface PacketCount {
  packets: number
  distinct: number
  duplicates: number
  behindHighest: number
  missing: number
}

function table(path: string): Record<string, string>[] {
  const [head, ...lines] = readFileSync(path, 'utf8').trimEnd().split('\n')
  const columns = head.split('\t')
  return lines.map((line) => Object.fromEntries(line.split('\t').map((cell, k) => [columns[k], cell])))
}

function keyOf(row: Record<string, string>): string {
  return streamKey({
    sourceAddress: canonicalAddress(row.src),
    sourcePort: Number(row.sport),
    destinationAddress: canonicalAddress(row.dst),
    destinationPort: Number(row.dport),
    ssrc: row.ssrc.toLowerCase(),
  })
}

function truthStreams(): TruthStream[] {
  if (TRUTH === undefined) return []
  return table(TRUTH).map((row) => ({
    key: keyOf(row),
    file: row.file,
    payload: row.payload,
    packets: Number(row.packets),
    lost: Number(row.lost),
    maxJitterMs: Number(row.max_jitter),
    meanJitterMs: Number(row.mean_jitter),
    heuristic: row.heuristic === 'yes',
  }))
}

/** By file and stream. */
function packetCounts(): Map<string, PacketCount> {
  if (TRUTH === undefined) return new Map()
  return new Map(
    table(join(FOLDER, 'streams_extra.tsv')).map((row) => [
      `${row.file} ${keyOf(row)}`,
      {
        packets: Number(row.packets),
        distinct: Number(row.distinct_seq),
        duplicates: Number(row.duplicates),
        behindHighest: Number(row.behind_highest),
        missing: Number(row.missing_distinct),
      },
    ]),
  )
}

const truth = truthStreams()
const counts = packetCounts()

/** Every stream that signalling announced, and of the others those that are large enough: each once. */
function wanted(file?: string): TruthStream[] {
  const announced = new Set(truth.filter((row) => !row.heuristic).map((row) => `${row.file} ${row.key}`))
  return truth.filter(
    (row) =>
      row.heuristic &&
      (file === undefined || row.file === file) &&
      (row.packets >= LEAST_PACKETS || announced.has(`${row.file} ${row.key}`)),
  )
}

const files = [...new Set(wanted().map((stream) => stream.file))]

describe.skipIf(TRUTH === undefined)(
  'streams of captures by other people (skipped without ../shared)',
  () => {
    const found = new Map<string, OurStream>()
    beforeAll(async () => {
      for (const file of files)
        for (const [key, stream] of await ourStreams(join(FOLDER, file), config))
          found.set(`${file} ${key}`, stream)
    }, 120_000)

    it.each(files)('%s: every stream is found with the packets that tshark counts', (file) => {
      const listed = wanted(file).map(({ key, packets }) => ({ key, packets }))
      const ours = listed.map(({ key }) => {
        const stream = found.get(`${file} ${key}`)
        return { key, packets: stream && stream.packets + stream.duplicates }
      })
      expect(ours).toEqual(listed)
    })

    it.each(files)(
      '%s: distinct, repeated, reordered and missing packets are those of a plain count',
      (file) => {
        const listed = wanted(file).map(({ key }) => ({ key, ...countOf(file, key) }))
        const ours = listed.map(({ key }) => {
          const stream = found.get(`${file} ${key}`)
          return (
            stream && {
              key,
              packets: stream.packets + stream.duplicates,
              distinct: stream.packets,
              duplicates: stream.duplicates,
              behindHighest: stream.records.reduce((sum, record) => sum + (record.reordered ?? 0), 0),
              missing: stream.lost,
            }
          )
        })
        expect(ours).toEqual(listed)
      },
    )

    it('finds no stream that tshark’s heuristics do not', () => {
      const listed = new Set(truth.map((row) => `${row.file} ${row.key}`))
      expect([...found.keys()].filter((key) => !listed.has(key))).toEqual([])
    })

    it('highest and mean jitter are tshark’s within 2 % or 0.05 ms, but for at most 5 % of the streams', () => {
      // Where tshark has a jitter that it means: a rate for the payload type, and no events, noise or repeats in it.
      const comparable = wanted().filter(
        (row) =>
          row.packets >= LEAST_PACKETS &&
          !/Type-|event|CN/.test(row.payload) &&
          countOf(row.file, row.key)?.duplicates === 0,
      )
      expect(comparable.length).toBeGreaterThan(25)
      const off = comparable.filter((row) => {
        const stream = found.get(`${row.file} ${row.key}`)
        return (
          !isNear(stream?.maxJitterMs, row.maxJitterMs) || !isNear(stream?.meanJitterMs, row.meanJitterMs)
        )
      })
      expect(
        off.length / comparable.length,
        off.map((row) => `${row.file} ${row.key}`).join('\n'),
      ).toBeLessThan(0.05)
    })

    it('prints no jitter where no clock rate is known, rather than tshark’s 0', () => {
      const unknown = wanted().filter((row) => /^RTPType-\d+$/.test(row.payload))
      expect(unknown.length).toBeGreaterThan(20)
      for (const row of unknown) {
        expect(row.maxJitterMs).toBe(0)
        expect(found.get(`${row.file} ${row.key}`)?.maxJitterMs, `${row.file} ${row.key}`).toBeUndefined()
      }
    })
  },
)

function countOf(file: string, key: string): PacketCount | undefined {
  return counts.get(`${file} ${key}`)
}

function isNear(ours: number | undefined, theirs: number): boolean {
  return ours !== undefined && Math.abs(ours - theirs) <= Math.max(0.05, 0.02 * theirs)
}

/** The captures with the most to explain, and the reasons that must come up in each. */
const EXPLAINED: [file: string, codes: string[]][] = [
  ['pcaps__Forensic_challenge_4.pcap', ['copies', 'events', 'every']],
  ['sipnab__SIP_DTMF2.cap', ['events']],
  ['nDPI__skinny.pcap', ['copies']],
  ['sipnab__sip-over-tcp.pcap', ['noise', 'every']],
  ['sipnab__h263-over-rtp.pcap', ['every', 'jumps']],
  ['libosmo-netif__rtp-nanobts-2-phones-amr.pcap', ['absent']],
  ['nDPI__stun_dtls_rtp.pcapng', ['over_tcp', 'absent']],
]

const canRun = TRUTH !== undefined && requirePrograms('tshark')
describe.skipIf(!canRun)('each difference from tshark follows from a definition', () => {
  it.each(EXPLAINED)(
    '%s: %j',
    async (file, codes) => {
      const { streams } = await compareFile(join(FOLDER, file), config, true)
      expect(streams.filter((stream) => stream.verdict === 'unexplained').map(({ key }) => key)).toEqual([])
      const named = streams.flatMap(({ reasons, columns }) => [
        ...reasons,
        ...columns.flatMap((column) => column.reasons),
      ])
      expect([...new Set(named.map(({ code }) => code))].sort()).toEqual([...codes].sort())
    },
    60_000,
  )

  it('without heuristics tshark misses most of a stream that SDP announces late, and says so when told', async () => {
    const { streams } = await compareFile(join(FOLDER, 'sip_captures__voip1b.pcapng'), config, false)
    expect(streams.map(({ verdict }) => verdict).sort()).toEqual(['equal', 'explained'])
    const explained = streams.find(({ verdict }) => verdict === 'explained')
    expect(explained?.reasons).toMatchObject([{ code: 'not_taken' }])
    expect(explained?.ours?.packets).toBe(32)
    expect(explained?.tshark?.packets).toBe(1)
  }, 60_000)
})
