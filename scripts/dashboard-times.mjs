// npm run dashboards:times [-- --series N] [--calls N]
// How long the panels' queries take on an influxd that holds a month of roll-ups (and of probe health) and a day of calls.
// Writes line protocol of the documented shape, asks every query of every panel five times, prints the slowest panels.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startInfluxd } from './lib/influxd.mjs'
import { ROOT, run } from './lib/run.mjs'

const { values: options } = parseArgs({
  options: {
    /** Of voip_traffic: site pairs x trunks x codecs x directions. */
    series: { type: 'string', default: '200' },
    calls: { type: 'string', default: '5000' },
  },
})

async function main() {
  const folder = mkdtempSync(join(tmpdir(), 'callprobe-times-'))
  const build = join(ROOT, 'dashboards/.build')
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
  let database
  try {
    if (run(process.execPath, [tsc, '-p', join(ROOT, 'dashboards')]) !== 0) return 1
    database = await startInfluxd(folder)
    const script = join(build, 'dashboards/screens/times.js')
    return run(process.execPath, [script, database.url, options.series, options.calls])
  } finally {
    database?.child.kill('SIGKILL')
    rmSync(build, { recursive: true, force: true })
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

process.exitCode = await main()
