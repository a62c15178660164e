#!/usr/bin/env node
// Writes docs/tshark-parity.md: every RTP stream of a folder of captures, beside what tshark makes of it.
//   node scripts/tshark-parity.mjs [FOLDER]      default ../shared/pcaps; needs tshark and a build
// Only names and numbers go into the page: the captures belong to other people.
import { readdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { loadConfig } from '../.build/config/load.js'
import { compareFile } from '../.build/verify/compare.js'
import { agrees } from '../.build/verify/explain.js'
import { tsharkStreams } from '../.build/verify/tshark-streams.js'
import { tsharkVersion } from '../.build/verify/tshark-run.js'
import { ROOT } from './lib/run.mjs'

/** Streams below this that tshark finds by heuristics alone are mostly STUN, DTLS and the like. */
const LEAST_PACKETS = 20
const MEANING = {
  copies: 'repeats of a packet: tshark counts them as packets, hence less loss than none',
  stray: 'a lone packet with an implausible sequence number: in no figure of ours',
  segments: 'the sequence starts afresh (RFC 3550 A.1): no loss',
  split: 'a long silence ends a stream: two records',
  order:
    'packets out of order: tshark counts loss from first to last, not lowest to highest, and feeds jitter with them',
  events: 'telephone-event packets, whose timestamps stand still: jitter to tshark',
  noise: 'comfort noise packets feed tshark’s jitter',
  clock: 'a dynamic payload type whose rate tshark does not know',
  fraction: 'tshark rounds clock rates to whole kHz',
  jumps: 'timestamp jumps that neither time nor sequence explains feed no jitter of ours',
  every:
    'packets with the marker bit, or next to comfort noise, are in our maximum and mean and not in tshark’s',
  absent: 'no clock rate is known: tshark prints jitter 0, we print none',
  not_taken: 'tshark took only some of the packets for RTP; told that they are, it counts what we count',
}

const folder = resolve(process.argv[2] ?? join(ROOT, '..', 'shared', 'pcaps'))

const version = await tsharkVersion()
const config = loadConfig(undefined)
const rows = []
const below = { streams: 0, found: 0, unexplained: 0 }
const files = readdirSync(folder).filter((name) => /\.(pcap|pcapng|cap)$/.test(name))
for (const name of files.sort()) {
  const file = join(folder, name)
  process.stderr.write(`${name}\n`)
  const announced = new Map((await tsharkStreams(file, [])).map((stream) => [stream.key, stream]))
  const { streams } = await compareFile(file, config, true)
  for (const stream of streams) {
    const wanted = announced.has(stream.key) || (stream.tshark?.packets ?? 0) >= LEAST_PACKETS
    if (wanted) rows.push(rowOf(name, stream, announced.get(stream.key)))
    else countBelow(stream)
  }
}

const page = join(ROOT, 'docs', 'tshark-parity.md')
writeFileSync(page, pageOf())
process.stderr.write(`wrote ${page}\n`)

function countBelow(stream) {
  below.streams++
  if (stream.ours) below.found++
  if (stream.verdict === 'unexplained') below.unexplained++
}

function rowOf(file, stream, announced) {
  const [, sourcePort, , destinationPort, ssrc] = stream.key.split(' ')
  const { ours, tshark } = stream
  const seen = ours ? ours.packets + ours.duplicates : 0
  const column = (name) => stream.columns.find((entry) => entry.column === name)
  return {
    file,
    name: `${ssrc} ${sourcePort}→${destinationPort}`,
    payload: tshark?.payload ?? '',
    announced: announced !== undefined,
    announcedPackets: announced?.packets,
    found: ours !== undefined,
    packets: tshark?.packets ?? 0,
    seen,
    samePackets: seen === tshark?.packets,
    ours: ours ?? {},
    tshark: tshark ?? {},
    sameLost: ours?.lost === tshark?.lost,
    sameJitter: ours !== undefined && agrees('max_jitter_ms', ours.maxJitterMs, tshark?.maxJitterMs),
    // tshark prints 0 where it has no rate.
    hasClock: !(ours !== undefined && ours.maxJitterMs === undefined && tshark?.maxJitterMs === 0),
    explained: ['packets', 'lost', 'max_jitter_ms'].every((name) => column(name)?.verdict !== 'unexplained'),
    reasons: reasonsOf(stream),
    verdict: stream.verdict,
  }
}

/** Reasons for what differs in packets, loss and jitter, each once; the differences that nothing explains too. */
function reasonsOf(stream) {
  const reasons = new Map(stream.reasons.map(({ code, text }) => [code, text]))
  for (const column of stream.columns) {
    for (const { code, text } of column.reasons) reasons.set(code, text)
    if (column.verdict === 'unexplained') reasons.set(`unexplained ${column.column}`, '')
  }
  return reasons
}

function pageOf() {
  const large = rows.filter((row) => row.packets >= LEAST_PACKETS)
  const announced = rows.filter((row) => row.announced)
  const share = (some, all) => `${some.length} of ${all.length} (${percent(some.length, all.length)})`
  const same = (row) => row.samePackets && row.sameLost && (row.sameJitter || !row.hasClock)
  const lines = [
    '# The same streams in callprobe and tshark',
    '',
    `${files.length} captures by other people, tshark ${version}. Written by \`node scripts/tshark-parity.mjs\`; \`callprobe verify FILE\` does`,
    'the same for any capture. Two figures agree when counts are equal and times within 2 % or 0.05 ms. A difference is',
    'explained when counting again from tshark’s own list of packets yields both figures, tshark’s by its definition and',
    'ours by ours; the reason is the least set of rules that leads from one to the other.',
    '',
    '| | streams |',
    '|---|---|',
    `| listed by tshark without heuristics: found | ${share(
      announced.filter((row) => row.found),
      announced,
    )} |`,
    `| … with the packet count that tshark has (distinct + duplicates; with heuristics on) | ${share(
      announced.filter((row) => row.samePackets),
      announced,
    )} |`,
    `| ${LEAST_PACKETS} packets and more, with heuristics: found | ${share(
      large.filter((row) => row.found),
      large,
    )} |`,
    `| … with the same packet count | ${share(
      large.filter((row) => row.samePackets),
      large,
    )} |`,
    `| … with the same loss | ${share(
      large.filter((row) => row.sameLost),
      large,
    )} |`,
    `| … with the same highest jitter | ${share(
      large.filter((row) => row.sameJitter),
      large,
    )} |`,
    `| … of those whose clock rate tshark knows | ${share(
      large.filter((row) => row.hasClock && row.sameJitter),
      large.filter((row) => row.hasClock),
    )} |`,
    `| … packets, loss and highest jitter (where tshark has one) all agree | ${share(large.filter(same), large)} |`,
    `| … agree, or differ by definition (checked) | ${share(
      large.filter((row) => same(row) || (row.found && row.explained)),
      large,
    )} |`,
    `| … differ without explanation | ${share(
      large.filter((row) => row.verdict === 'unexplained'),
      large,
    )} |`,
    '',
    `Below ${LEAST_PACKETS} packets and found by heuristics alone: ${below.streams} streams, of which ${below.found} are streams to us too and`,
    `${below.unexplained} differ without explanation. Most of the rest are other traffic that looked like RTP for a packet or two.`,
    '',
    '## Why figures differ',
    '',
    '| reason | streams | meaning |',
    '|---|---|---|',
    ...reasonLines(),
    '',
    '## Stream by stream',
    '',
    'Figures as callprobe / tshark, once where they are the same. Packets here are distinct ones; repeats are counted apart.',
    '`sdp`: tshark knows the stream from signalling, or some of its packets. –: unknown (no clock rate for the payload type; tshark then prints 0).',
    '',
    '| capture | stream | payload | sdp | packets | repeats | lost | mean jitter | max jitter | longest gap | differs by |',
    '|---|---|---|---|---|---|---|---|---|---|---|',
    ...rows.map(streamLine),
    '',
  ]
  return lines.join('\n')
}

function percent(some, all) {
  return all === 0 ? '–' : `${((100 * some) / all).toFixed(some === all ? 0 : 1)} %`
}

function reasonLines() {
  const counts = new Map()
  for (const row of rows) for (const code of row.reasons.keys()) counts.set(code, (counts.get(code) ?? 0) + 1)
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .map(([code, count]) => `| ${code} | ${count} | ${MEANING[code] ?? ''} |`)
}

function streamLine(row) {
  const { ours, tshark } = row
  const pair = (a, b, digits) => {
    const [left, right] = [a, b].map((value) => (value === undefined ? '–' : value.toFixed(digits)))
    return left === right ? left : `${left} / ${right}`
  }
  const announced = !row.announced
    ? ''
    : row.announcedPackets === row.packets
      ? 'yes'
      : `${row.announcedPackets} of them`
  const cells = [
    row.file,
    row.name,
    row.payload,
    announced,
    pair(ours.packets, tshark.packets, 0),
    ours.duplicates === undefined ? '' : String(ours.duplicates),
    pair(ours.lost, tshark.lost, 0),
    pair(ours.meanJitterMs, tshark.meanJitterMs, 3),
    pair(ours.maxJitterMs, tshark.maxJitterMs, 3),
    pair(ours.longestGapMs, tshark.maxDeltaMs, 1),
    row.found ? [...row.reasons.keys()].join(', ') : 'not found',
  ]
  return `| ${cells.join(' | ')} |`
}
