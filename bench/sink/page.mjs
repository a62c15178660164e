// The part of docs/influxdb.md that bench:sink writes.

const BEGIN = '<!-- bench:sink -->'
const END = '<!-- /bench:sink -->'

const whole = (value) => value.toLocaleString('en-US', { maximumFractionDigits: 0 })
const percent = (share) => `${(share * 100).toFixed(1)} %`
const mib = (bytes) => (bytes / 2 ** 20).toFixed(1)
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length

/** Where the spool stood in the first, second and last third of the time; it has to stay, not to grow. */
function thirds(bytes) {
  const third = Math.floor(bytes.length / 3)
  return [bytes.slice(0, third), bytes.slice(third, 2 * third), bytes.slice(2 * third)]
    .map(mean)
    .map(mib)
    .join(', ')
}

export function page({ machine, date, calls, withSink, without, fast, series }) {
  const rows = [
    ['points written', `${whole(withSink.pointsPerS)} a second`],
    ['CPU of the sink (with database less without), of one core', percent(withSink.cpu - without.cpu)],
    ['of that in the thread that measures', percent(withSink.javascript - without.javascript)],
    ['CPU of callprobe with and without database', `${percent(withSink.cpu)}, ${percent(without.cpu)}`],
    ['CPU of influxd', percent(withSink.influxd)],
    ['waiting in the spool, mean of the first, second and last third, MiB', thirds(withSink.spoolBytes)],
    ['waiting in the spool, most at any second, MiB', mib(Math.max(...withSink.spoolBytes))],
    ['packets late behind their time, at most', `${whole(withSink.behindMs)} ms`],
    ['series', `${whole(Object.values(series).reduce((sum, count) => sum + count, 0))}`],
    [
      'not paced: points, until the server has all',
      `${whole(fast.points)} in ${fast.seconds.toFixed(1)} s, ${whole(fast.pointsPerS)} a second`,
    ],
  ]
  const counts = Object.entries(series).sort(([, a], [, b]) => b - a)
  return `${BEGIN}

${date}, commit ${machine.commit}. ${machine.cpu}; ${machine.system}; Node ${machine.node}; influxd beside it.

| ${whole(calls)} concurrent calls, over ${whole(withSink.seconds)} s | |
|---|---:|
${rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}

Series by measurement: ${counts.map(([name, count]) => `${name} ${whole(count)}`).join(', ')}.

${END}
`
}

/** The document with this part in place of the one it had. */
export function intoDocument(document, text) {
  const begin = document.indexOf(BEGIN)
  const end = document.indexOf(END)
  if (begin < 0 || end < begin) throw new Error(`docs/influxdb.md has no ${BEGIN} ... ${END}`)
  return document.slice(0, begin) + text.trimEnd() + document.slice(end + END.length)
}
