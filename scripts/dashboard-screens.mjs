// npm run dashboards:screens [-- --callprobe PATH] [--only overview,call] [--output FOLDER] [--keep FOLDER]
// Draws the dashboards for the documents: an hour of generated traffic goes through `generate | replay --influx` into an
// influxd of its own, every panel's queries run there, and chromium photographs pages that are drawn from their results.
// There is no Grafana in it, and the pictures say so.
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, openSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { chromium } from 'playwright-core'
import { findProgram } from './lib/programs.mjs'
import { ROOT, run } from './lib/run.mjs'

const { values: options } = parseArgs({
  options: {
    callprobe: { type: 'string', default: join(ROOT, 'bin/callprobe') },
    only: { type: 'string', default: 'overview,call' },
    output: { type: 'string', default: join(ROOT, 'docs/images') },
    /** An existing folder for traffic and pages, kept. */
    keep: { type: 'string' },
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

async function startInfluxd(folder) {
  const port = await freePort()
  const child = spawn(findProgram('influxd'), ['-config', '/dev/null'], {
    stdio: 'ignore',
    env: {
      ...process.env,
      INFLUXDB_REPORTING_DISABLED: 'true',
      INFLUXDB_BIND_ADDRESS: `127.0.0.1:${await freePort()}`,
      INFLUXDB_HTTP_BIND_ADDRESS: `127.0.0.1:${port}`,
      INFLUXDB_META_DIR: join(folder, 'influx/meta'),
      INFLUXDB_DATA_DIR: join(folder, 'influx/data'),
      INFLUXDB_DATA_WAL_DIR: join(folder, 'influx/wal'),
      INFLUXDB_MONITOR_STORE_ENABLED: 'false',
    },
  })
  for (let attempt = 0; attempt < 300; attempt++) {
    const answer = await fetch(`http://127.0.0.1:${port}/ping`).catch(() => undefined)
    if (answer?.ok) return { child, url: `http://127.0.0.1:${port}` }
    await new Promise((next) => setTimeout(next, 100))
  }
  child.kill()
  throw new Error('influxd did not start')
}

function callprobe(args, stdio = ['ignore', 'ignore', 'inherit']) {
  const done = spawnSync(process.execPath, [resolve(options.callprobe), ...args], { stdio })
  if (done.status !== 0) throw new Error(`callprobe ${args[0]}: exit code ${done.status}`)
}

async function photograph(folder, names) {
  const browser = await chromium.launch({ executablePath: findProgram('chromium'), args: ['--no-sandbox'] })
  try {
    const page = await browser.newPage({ viewport: { width: 1456, height: 900 } })
    for (const name of names) {
      await page.goto(pathToFileURL(join(folder, `${name}.html`)).href)
      const path = join(options.output, `grafana-${name}.png`)
      await page.screenshot({ path, fullPage: true })
      console.log(path)
    }
  } finally {
    await browser.close()
  }
}

async function main() {
  const folder = options.keep ?? mkdtempSync(join(tmpdir(), 'callprobe-screens-'))
  const build = join(ROOT, 'dashboards/.build')
  const script = join(build, 'dashboards/screens/main.js')
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
  let database
  try {
    if (run(process.execPath, [tsc, '-p', join(ROOT, 'dashboards')]) !== 0) return 1
    if (run(process.execPath, [script, 'traffic', folder]) !== 0) return 1
    database = await startInfluxd(folder)
    const capture = join(folder, 'hour.pcap')
    if (!readdirSync(folder).includes('hour.pcap')) {
      const out = openSync(capture, 'w')
      callprobe(['generate', join(folder, 'scenario.yaml'), '-'], ['ignore', out, 'inherit'])
    }
    callprobe([
      ...['replay', '--config', join(folder, 'config.yaml'), '--alerts'],
      ...['--influx', `${database.url}/voip`, capture],
    ])
    if (run(process.execPath, [script, 'pages', folder, database.url, 'voip']) !== 0) return 1
    mkdirSync(options.output, { recursive: true })
    await photograph(folder, options.only.split(','))
    return 0
  } finally {
    database?.child.kill('SIGKILL')
    rmSync(build, { recursive: true, force: true })
    if (options.keep === undefined) rmSync(folder, { recursive: true, force: true })
  }
}

process.exitCode = await main()
