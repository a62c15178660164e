// npm run dashboards:times [-- --series N] [--calls N]
// How long the panels' queries take on an influxd that holds a month of roll-ups (and of probe health) and a day of calls.
// Writes line protocol of the documented shape, asks every query of every panel five times, prints the slowest panels.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { findProgram } from './lib/programs.mjs'
import { ROOT, run } from './lib/run.mjs'

const { values: options } = parseArgs({
  options: {
    /** Of voip_traffic: site pairs x trunks x codecs x directions. */
    series: { type: 'string', default: '200' },
    calls: { type: 'string', default: '5000' },
  },
})

function freePort() {
  return new Promise((done) => {
    const server = createServer()
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => done(port))
    })
  })
}

async function main() {
  const folder = mkdtempSync(join(tmpdir(), 'callprobe-times-'))
  const build = join(ROOT, 'dashboards/.build')
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const child = spawn(findProgram('influxd'), ['-config', '/dev/null'], {
    stdio: 'ignore',
    env: {
      ...process.env,
      INFLUXDB_REPORTING_DISABLED: 'true',
      INFLUXDB_BIND_ADDRESS: `127.0.0.1:${await freePort()}`,
      INFLUXDB_HTTP_BIND_ADDRESS: `127.0.0.1:${port}`,
      INFLUXDB_META_DIR: join(folder, 'meta'),
      INFLUXDB_DATA_DIR: join(folder, 'data'),
      INFLUXDB_DATA_WAL_DIR: join(folder, 'wal'),
      INFLUXDB_MONITOR_STORE_ENABLED: 'false',
    },
  })
  try {
    if (
      run(process.execPath, [
        join(ROOT, 'node_modules/typescript/bin/tsc'),
        '-p',
        join(ROOT, 'dashboards'),
      ]) !== 0
    )
      return 1
    for (let attempt = 0; attempt < 300; attempt++) {
      const answer = await fetch(`${url}/ping`).catch(() => undefined)
      if (answer?.ok) break
      await new Promise((next) => setTimeout(next, 100))
    }
    return run(process.execPath, [
      join(build, 'dashboards/screens/times.js'),
      url,
      options.series,
      options.calls,
    ])
  } finally {
    child.kill('SIGKILL')
    rmSync(build, { recursive: true, force: true })
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

process.exitCode = await main()
