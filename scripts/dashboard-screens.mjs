// npm run dashboards:screens [-- --callprobe PATH] [--only overview,call] [--output FOLDER] [--keep FOLDER]
// Draws the dashboards for the documents: an hour of generated traffic goes through `generate | replay --influx` into an
// influxd of its own, every panel's queries run there, and chromium photographs pages that are drawn from their results.
// There is no Grafana in it, and the pictures say so.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, openSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { chromium } from 'playwright-core'
import { startInfluxd } from './lib/influxd.mjs'
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
