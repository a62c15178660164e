const MEGABYTE = 2 ** 20

/**
 * What was reached of the files that a target is about: a tenth of their blocks ran, not counting those that run when
 * they are loaded. Where most was missed comes first.
 * @param {{ name: string, first: number, end: number }[]} files
 * @param {Uint8Array} seen not 0: the block ran
 * @param {Uint8Array} atLoad not 0: it ran when the program was loaded
 */
export function coverageByFile(files, seen, atLoad) {
  return files
    .map(({ name, first, end }) => {
      let reached = 0
      let ran = 0
      for (let block = first; block < end; block++) {
        if (seen[block] === 0) continue
        reached++
        if (atLoad[block] === 0) ran++
      }
      return { name, reached, total: end - first, ran: ran * 10 >= end - first }
    })
    .filter(({ ran }) => ran)
    .sort((a, b) => b.total - b.reached - (a.total - a.reached))
}

/** One line for the terminal. */
export function progressLine(name, { inputs, seconds, corpus, reached }) {
  const rate = seconds > 0 ? Math.round(inputs / seconds) : 0
  const coverage = reached > 0 ? `, ${count(reached)} blocks` : ''
  return `${name}: ${count(inputs)} inputs in ${Math.round(seconds)} s (${count(rate)}/s), ${count(corpus)} kept${coverage}`
}

/** What a target's run came to, as cells of a table. */
export function row(name, { result, figures }, byFile) {
  const { inputs, seconds, corpus, slowestMs, heaps } = figures
  const sum = (key) => byFile.reduce((total, file) => total + file[key], 0)
  const [reached, blocks] = [sum('reached'), sum('total')]
  const heap = heaps.length > 0 ? `${(heaps[heaps.length - 1] / MEGABYTE).toFixed(1)}` : '-'
  return [
    name,
    result,
    count(inputs),
    seconds.toFixed(0),
    count(seconds > 0 ? Math.round(inputs / seconds) : 0),
    blocks > 0 ? `${count(reached)} of ${count(blocks)} (${Math.round((100 * reached) / blocks)} %)` : '-',
    count(corpus),
    slowestMs.toFixed(0),
    heap,
  ]
}

const HEAD = [
  'target',
  'result',
  'inputs',
  'seconds',
  'inputs/s',
  'blocks reached',
  'kept',
  'slowest ms',
  'heap MB',
]

/** A Markdown table with its columns in line. */
export function table(rows) {
  const all = [HEAD, ...rows]
  const widths = HEAD.map((_, column) => Math.max(...all.map((cells) => cells[column].length)))
  const line = (cells) =>
    `| ${cells.map((cell, i) => (i < 2 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join(' | ')} |`
  const rule = `| ${widths.map((width, i) => (i < 2 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`
  return [line(HEAD), rule, ...rows.map(line)].join('\n')
}

/** Per file: how much was reached. */
export function fileLines(byFile) {
  return byFile
    .map(
      ({ name, reached, total }) =>
        `  ${String(reached).padStart(5)} of ${String(total).padStart(5)}  ${name}`,
    )
    .join('\n')
}

function count(value) {
  return String(value).replaceAll(/\B(?=(\d{3})+$)/g, ',')
}
