// `callprobe replay` beside `tshark -z rtp,streams`, in turns over the same files.
import { existsSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { findProgram } from '../scripts/lib/programs.mjs'
import { BENCH, CACHE, capture, median, ROOT, timed } from './measure.mjs'

const CALLS = 1000
/** Without it tshark finds no stream in a file without signalling. */
const FIND_STREAMS = ['--enable-heuristic', 'rtp_udp']

/** From the start of Node to its end, every record written. */
export function timedReplay(file, workers) {
  const program = join(ROOT, 'bin/callprobe')
  return timed(process.execPath, [
    ...[program, 'replay', file, '--workers', String(workers), '--format', 'ndjson', '--output', '/dev/null'],
  ])
}

/** Calls with SIP, SDP and RTCP, made once of bench/calls.yaml by the program's own generator. */
async function callsCapture() {
  const scenario = join(BENCH, 'calls.yaml')
  const path = join(CACHE, 'calls.pcap')
  if (existsSync(path) && statSync(path).mtimeMs >= statSync(scenario).mtimeMs) return path
  console.error(`Writing ${path}`)
  const program = join(ROOT, 'bin/callprobe')
  await timed(process.execPath, [program, 'generate', scenario, `${path}.part`, '--truth', '/dev/null'])
  renameSync(`${path}.part`, path)
  return path
}

/**
 * Turns of both programs over one file.
 * @returns {Promise<{what: string, bytes: number, options: string[], streams: number, listed: number, seconds: number,
 *   tsharkSeconds: number, tsharkPeakBytes?: number, gain: number, turns: number}>} `listed`: of the streams, by tshark;
 *   seconds and peak are medians, `gain` that of the turns' ratios
 */
async function compare({ what, file, streams, options, turns }) {
  const pairs = []
  for (let turn = 1; turn <= turns; turn++) {
    const replay = await timedReplay(file, 1)
    const tshark = await timed('tshark', ['-n', '-q', '-r', file, ...options, '-z', 'rtp,streams'])
    // It may list a few less: those that it takes for what usually runs on their ports.
    const listed = tshark.stdout.match(/ 0x[0-9A-Fa-f]{8} /g)?.length ?? 0
    pairs.push({ replay, tshark, listed })
    console.error(
      `${what}, turn ${turn} of ${turns}: replay ${replay.seconds.toFixed(2)} s, tshark ${tshark.seconds.toFixed(1)} s`,
    )
  }
  return {
    what,
    bytes: statSync(file).size,
    options,
    streams,
    listed: Math.min(...pairs.map(({ listed }) => listed)),
    seconds: median(pairs.map(({ replay }) => replay.seconds)),
    tsharkSeconds: median(pairs.map(({ tshark }) => tshark.seconds)),
    tsharkPeakBytes: median(pairs.map(({ tshark }) => tshark.peakBytes ?? NaN)),
    gain: median(pairs.map(({ replay, tshark }) => tshark.seconds / replay.seconds)),
    turns,
  }
}

/**
 * Three kinds of capture: media alone (also without the option, when tshark lists nothing), whole calls, and, if `long`,
 * four times as much media.
 * @returns {Promise<object[] | undefined>} undefined where there is no tshark
 */
export async function besideTshark({ gen, packets, streams, turns, long, quick }) {
  if (!findProgram('tshark')) return undefined
  const media = (n) => `${n.toLocaleString('en-US')} packets of ${streams.toLocaleString('en-US')} streams`
  const file = capture(gen, packets, streams)
  const few = Math.min(turns, 3)
  const rows = [
    await compare({ what: media(packets), file, streams, options: FIND_STREAMS, turns }),
    await compare({ what: media(packets), file, streams, options: [], turns: few }),
  ]
  if (quick) return rows
  const what = `${CALLS.toLocaleString('en-US')} calls of 50 s with SIP and RTCP`
  rows.push(await compare({ what, file: await callsCapture(), streams: 2 * CALLS, options: [], turns: few }))
  if (!long) return rows
  const longFile = capture(gen, 4 * packets, streams)
  try {
    rows.push(
      await compare({ what: media(4 * packets), file: longFile, streams, options: FIND_STREAMS, turns: 1 }),
    )
  } finally {
    rmSync(longFile)
  }
  return rows
}
