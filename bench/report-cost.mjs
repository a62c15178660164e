/**
 * What `--report` adds to a replay: wall time and CPU, with and without it in turn, medians.
 * Usage: node bench/report-cost.mjs [--runs N] [--privacy] [long|short ...]
 *
 * long: 400 calls of a minute; short: 10,000 calls of seven seconds; both a hundred at a time, some with loss or jitter.
 * Needs `npm run build`. On a machine that does something else, figures vary by more than what is measured.
 */
import { existsSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { CACHE, median, ROOT, timed } from './measure.mjs'

const BINARY = join(ROOT, 'bin/callprobe')
const CASES = { long: { calls: 400, seconds: 60 }, short: { calls: 10_000, seconds: 7 } }
const AT_ONCE = 100
const IMPAIRED = [
  {},
  {},
  {},
  { from_callee: { loss: { random_percent: 3 } } },
  { from_caller: { jitter: { spikes: { every_s: 5, size_ms: 120, packets: 4 } } } },
]

function scenario({ calls, seconds }) {
  const spacing = seconds / AT_ONCE
  return {
    seed: 1,
    calls: IMPAIRED.map((media, place) => ({
      at_s: place * spacing,
      repeat: { count: calls / IMPAIRED.length, spacing_s: spacing * IMPAIRED.length },
      duration_s: seconds,
      caller: { user: `+4930${place}{n}` },
      callee: { user: `+4989${place}{n}` },
      network: { caller_leg_rtt_ms: [30, 40], callee_leg_rtt_ms: 50 },
      media: { both: { codec: 'PCMA', jitter: { uniform_ms: 4 } }, ...media },
    })),
  }
}

async function captureOf(name) {
  const path = join(CACHE, `report-${name}.pcap`)
  if (existsSync(path)) return path
  mkdirSync(CACHE, { recursive: true })
  console.error(`Writing ${path}`)
  const spec = join(CACHE, `report-${name}.json`)
  writeFileSync(spec, JSON.stringify(scenario(CASES[name])))
  await timed(process.execPath, [BINARY, 'generate', '--truth', '/dev/null', spec, `${path}.part`])
  renameSync(`${path}.part`, path)
  return path
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { runs: { type: 'string', default: '3' }, privacy: { type: 'boolean', default: false } },
})
const html = join(CACHE, 'report.html')
const privacy = values.privacy ? ['--privacy', 'hash'] : []
for (const name of positionals.length > 0 ? positionals : Object.keys(CASES)) {
  const path = await captureOf(name)
  const replay = [BINARY, 'replay', '--output', '/dev/null', ...privacy, path]
  const runs = { plain: [], report: [] }
  for (let run = 0; run < Number(values.runs); run++) {
    runs.plain.push(await timed(process.execPath, replay))
    runs.report.push(await timed(process.execPath, [...replay, '--report', html]))
  }
  const figure = (kind, field) => median(runs[kind].map((run) => run[field]))
  const line = (field) => {
    const [plain, report] = [figure('plain', field), figure('report', field)]
    return `${plain.toFixed(2)} -> ${report.toFixed(2)} s (${(report / plain).toFixed(2)})`
  }
  const { calls, seconds } = CASES[name]
  const peak = (kind) => `${Math.round(figure(kind, 'peakBytes') / 1e6)} MB`
  console.log(
    `${calls} calls of ${seconds} s: wall ${line('seconds')}, CPU ${line('cpuSeconds')}, ` +
      `memory ${peak('plain')} -> ${peak('report')}, file ${(statSync(html).size / 1e6).toFixed(1)} MB`,
  )
}
rmSync(html, { force: true })
