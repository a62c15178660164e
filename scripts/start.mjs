// What `npm start` runs: a replay of the bundled captures, from a fresh clone, without root and without any server. It
// ends with the calls as one HTML page, out/report.html.
//   npm start [-- FILE... or options of `callprobe replay`]
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { distIsStale, ensureModules } from './lib/modules.mjs'
import { ROOT, run } from './lib/run.mjs'

/** True when the arguments name a capture (or stdin) themselves: then the bundled ones are left out. */
function namesCapture(args) {
  return args.some(
    (arg) => arg === '-' || (!arg.startsWith('-') && /\.(pcap|pcapng|cap)(\.(gz|zst))?$/.test(arg)),
  )
}

function main(args) {
  const stale = distIsStale()
  // Only a build needs the development packages; a package that ships dist runs with what it has.
  if (stale || !existsSync(join(ROOT, 'node_modules'))) {
    const code = ensureModules()
    if (code !== 0) return code
  }
  if (stale) {
    console.error('Building: npm run build')
    const code = run('npm', ['run', '--silent', 'build'])
    if (code !== 0) return code
  }
  const folder = join(ROOT, 'fixtures')
  const bundled = readdirSync(folder)
    .filter((name) => /\.pcap(ng)?$/.test(name))
    .sort()
    .map((name) => join('fixtures', name))
  const files = namesCapture(args) ? [] : bundled
  if (files.length > 0) console.error(`Replaying ${files.join(' ')}`)
  const callprobe = [join(ROOT, 'bin/callprobe'), 'replay', ...files, ...args]
  // Whoever names a report, or asks for help, gets just that.
  if (args.some((arg) => /^(--report|--help|-h$)/.test(arg))) return run(process.execPath, callprobe)
  mkdirSync(join(ROOT, 'out'), { recursive: true })
  const report = join(ROOT, 'out/report.html')
  const code = run(process.execPath, [...callprobe, '--report', report])
  if (code === 0 || code === 3)
    console.error(`\nThe calls as a page, to open in a browser: ${pathToFileURL(report)}`)
  return code
}

process.exitCode = main(process.argv.slice(2))
