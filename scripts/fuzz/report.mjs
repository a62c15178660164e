const MEGABYTE = 2 ** 20

/** Blocks of the modules that a target loaded. */
export function blocksOf(files, loaded) {
  return files
    .filter(({ name }) => loaded.includes(name))
    .reduce((total, { first, end }) => total + end - first, 0)
}

/** One line for the terminal. */
export function progressLine(name, figures, blocks) {
  const { inputs, seconds, corpus, reached } = figures
  const rate = seconds > 0 ? Math.round(inputs / seconds) : 0
  const coverage = blocks > 0 ? `, ${reached} of ${blocks} blocks` : ''
  return `${name}: ${count(inputs)} inputs in ${Math.round(seconds)} s (${count(rate)}/s), ${count(corpus)} kept${coverage}`
}

/** What a target's run came to, as cells of a table. */
export function row(name, { result, figures }, blocks) {
  const { inputs, seconds, corpus, reached, slowestMs, heaps } = figures
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

/** Per file: blocks that no input reached. */
export function unreached(files, loaded, seen) {
  return files
    .filter(({ name }) => loaded.includes(name))
    .map(({ name, first, end }) => {
      let reached = 0
      for (let block = first; block < end; block++) if (seen[block] !== 0) reached++
      return { name, reached, total: end - first }
    })
    .sort((a, b) => b.total - b.reached - (a.total - a.reached))
    .map(
      ({ name, reached, total }) =>
        `  ${String(reached).padStart(5)} of ${String(total).padStart(5)}  ${name}`,
    )
    .join('\n')
}

function count(value) {
  return String(value).replaceAll(/\B(?=(\d{3})+$)/g, ',')
}
