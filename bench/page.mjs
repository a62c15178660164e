// docs/benchmarks.md, from the figures of one run. The page is never edited by hand.

function mpps(perSecond) {
  const millions = perSecond / 1e6
  return millions >= 10 ? millions.toFixed(1) : millions.toFixed(2)
}

function count(value) {
  return value.toLocaleString('en-US')
}

function mib(bytes) {
  return bytes === undefined ? '-' : count(Math.round(bytes / 2 ** 20))
}

/** Bytes that each stream costs, where there are enough of them to tell. */
function perStream({ streams, replay: { peakBytes } }) {
  if (peakBytes === undefined || streams < 10_000) return '-'
  return ((peakBytes - 150e6) / streams / 1000).toFixed(1)
}

function twoThreadsRow({ streams, inProcessTwo, twoThreads }) {
  return [
    count(streams),
    inProcessTwo ? mpps(inProcessTwo.perSecond) : '-',
    inProcessTwo ? inProcessTwo.gain.toFixed(2) : '-',
    mpps(twoThreads.perSecond),
    twoThreads.gain.toFixed(2),
  ].join(' | ')
}

function longText({ packets, bytes, perSecond, peakBytes }, { replay }) {
  return (
    `Memory does not grow with the file: ${count(packets)} packets of as many streams (${(bytes / 1e9).toFixed(1)} GB, ` +
    `not in the page cache) take ${mib(peakBytes)} MiB at most, against ${mib(replay.peakBytes)}, at ${mpps(perSecond)} Mpps.`
  )
}

function tsharkRow({
  what,
  bytes,
  turns,
  options,
  streams,
  listed,
  tsharkSeconds,
  tsharkPeakBytes,
  seconds,
  gain,
}) {
  return [
    what,
    (bytes / 1e9).toFixed(1),
    turns,
    options.length > 0 ? `\`${options.join(' ')}\`` : '-',
    `${count(listed)} of ${count(streams)}`,
    tsharkSeconds.toFixed(0),
    mib(tsharkPeakBytes),
    seconds.toFixed(2),
    gain.toFixed(1),
  ].join(' | ')
}

function row(size) {
  const inProcess = size.inProcess
  return [
    count(size.streams),
    mpps(size.floor.perSecond),
    inProcess ? mpps(inProcess.perSecond) : '-',
    inProcess ? inProcess.ratio.toFixed(2) : '-',
    mpps(size.replay.perSecond),
    size.replay.ratio.toFixed(2),
    size.replay.cpuPerMillion === undefined ? '-' : size.replay.cpuPerMillion.toFixed(2),
    mib(size.replay.peakBytes),
    perStream(size),
  ].join(' | ')
}

/**
 * @param {object} results machine, date, runs, packets, sizes[] (streams, floor, inProcess?, replay), tshark[]? and long?
 * @returns {string} the page, Markdown
 */
export function page({ machine, date, runs, packets, sizes, tshark, long }) {
  const lines = [
    '# Benchmarks',
    '',
    'Written by `npm run bench`; do not edit.',
    '',
    `${date}, commit ${machine.commit ?? 'unknown'}. ${machine.cpu}, ${machine.memory}; ${machine.system}; Node ${machine.node}; ${machine.cc ?? 'no cc'}.`,
    '',
    `${count(packets)} packets of G.711 in each file, 20 ms, up to 4 ms of jitter, in the page cache. Medians of ${runs} runs; the programs take turns, and each ratio is to the floor of the same turn.`,
    '',
    '| streams | floor, Mpps | hot path, Mpps | of the floor | replay, Mpps | of the floor | CPU-s per million | peak, MiB | kB per stream |',
    '|---:|---:|---:|---:|---:|---:|---:|---:|---:|',
    ...sizes.map((size) => `| ${row(size)} |`),
    '',
    '- **floor**: `bench/floor.c`, the least C that finds a packet’s stream, follows its sequence and keeps its RFC 3550 jitter, over a mapped file.',
    '- **hot path**: capture, decode and every metric of a stream, of a file that lies in memory, once the compiler has settled; no records.',
    '- **replay**: `callprobe replay FILE --workers 1 --format ndjson --output /dev/null`, from the start of Node to its end: all of the above, intervals, scores and every record written.',
    '- **kB per stream**: the whole process’s peak beyond 150 MB, over the number of streams.',
    '',
    ...(long ? [longText(long, sizes[0]), ''] : []),
    '## Two threads',
    '',
    '`--workers 2`: one thread reads, unpacks, merges and parses, and describes each frame in shared memory; the other measures. The records are the same. Gains are over one thread, in the same turn.',
    '',
    '| streams | hot path, Mpps | gain | replay, Mpps | gain |',
    '|---:|---:|---:|---:|---:|',
    ...sizes.map((size) => `| ${twoThreadsRow(size)} |`),
    '',
    'Here it ends: one thread does all the measuring, and writes the records. Reading and describing is about a fifth of the hot path, so another thread for it gains 1.25 at most, and less than nothing where the measuring thread waits longer for rows that another processor wrote than it took to make them. `--workers auto` uses the second thread where there is much to unpack: from 4 MiB of zstd on, or 64 MiB of gzip.',
    '',
  ]
  if (tshark) {
    lines.push(
      '## Beside tshark',
      '',
      `${machine.tshark ?? 'tshark'}, \`tshark -n -q -r FILE -z rtp,streams\`, in turns with \`callprobe replay\` as above; medians.`,
      '',
      '| capture | GB | turns | tshark’s options | streams it lists | tshark, s | its peak, MiB | replay, s | times as fast |',
      '|---|---:|---:|---|---:|---:|---:|---:|---:|',
      ...tshark.map((one) => `| ${tsharkRow(one)} |`),
      '',
      'tshark finds the streams of calls by their SDP; in a file without signalling it finds none without the option, and takes longer. A replay takes about a second to start, to compile itself and to write 3,000 records, whatever the length of the file: the longer the capture, the larger the difference.',
      '',
    )
  }
  lines.push(
    '## To reproduce',
    '',
    '```',
    'node scripts/system-packages.mjs --install --for bench',
    'npm run bench                 # half an hour; 5 GB of captures in bench/.cache; CALLPROBE_BENCH_DIR moves them',
    'npm run bench -- --long       # also captures of 5 and 10 GB, removed afterwards',
    'npm run bench -- --quick      # some seconds, small files, prints the page and leaves this one alone',
    '```',
    '',
    'Run it on an idle machine with more free memory than the largest file (1.2 GB).',
    '',
  )
  return lines.join('\n')
}
