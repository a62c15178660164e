// Compiles the capture binding with the system's C++ compiler against node-api-headers: no node-gyp, no download.
//   node scripts/build-bindings.mjs [--optional] [--prebuild] [--if-stale]
// --optional: without a compiler, or when it fails, say so and go on (replay needs no native code).
// --prebuild: into prebuilds/<platform>-<arch>/ (shipped in the package) instead of build/.
// --if-stale: only when the binary is missing or older than its sources.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { fileURLToPath } from 'node:url'
import headers from 'node-api-headers'
import { findProgram } from './lib/programs.mjs'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')
const SOURCES = join(ROOT, 'bindings')
/** Node names the C library only when it is glibc. */
const LIBC = process.report?.getReport().header.glibcVersionRuntime === undefined ? '-musl' : ''
export const PLATFORM = `${process.platform}-${process.arch}${process.platform === 'linux' ? LIBC : ''}`

const { values: options } = parseArgs({
  options: {
    optional: { type: 'boolean', default: false },
    prebuild: { type: 'boolean', default: false },
    'if-stale': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

/** Ends here: with --optional as a remark, else as a failure. */
function giveUp(why) {
  console.error(`callprobe binding: ${why}`)
  if (options.optional) console.error('  Live capture needs it, replay does not.')
  process.exit(options.optional ? 0 : 1)
}

function isStale(binary) {
  if (!existsSync(binary)) return true
  const built = statSync(binary).mtimeMs
  return readdirSync(SOURCES).some((name) => statSync(join(SOURCES, name)).mtimeMs > built)
}

if (options.help) {
  console.log('node scripts/build-bindings.mjs [--optional] [--prebuild] [--if-stale]')
  process.exit(0)
}
const folder = options.prebuild ? join(ROOT, 'prebuilds', PLATFORM) : join(ROOT, 'build')
const binary = join(folder, 'callprobe.node')
if (process.platform !== 'linux')
  giveUp(`not for ${process.platform}: there, live capture works through the npm package cap`)
if (options['if-stale'] && !isStale(binary)) process.exit(0)
const compiler = process.env.CXX ?? ['c++', 'g++', 'clang++'].map((name) => findProgram(name)).find(Boolean)
if (compiler === undefined) giveUp('no C++ compiler found; install g++ (Debian, Ubuntu: apt-get install g++)')

const flags = [
  ...[
    '-std=c++17',
    '-O2',
    '-fPIC',
    '-shared',
    '-fvisibility=hidden',
    '-Wall',
    '-Wextra',
    '-Werror=return-type',
  ],
  // The same binary runs where another C++ library, or none, is installed.
  ...['-static-libstdc++', '-static-libgcc', '-fno-exceptions', '-fno-rtti', '-Wl,-z,relro,-z,now'],
]
const sources = readdirSync(SOURCES)
  .filter((name) => name.endsWith('.cc'))
  .sort()
  .map((name) => join(SOURCES, name))
mkdirSync(folder, { recursive: true })
const part = `${binary}.${process.pid}.part`
const done = spawnSync(
  compiler,
  [...flags, '-I', headers.include_dir, '-o', part, ...sources, '-ldl', '-pthread'],
  {
    stdio: ['ignore', 'inherit', 'inherit'],
  },
)
if (done.error || done.status !== 0) {
  rmSync(part, { force: true })
  giveUp(`${compiler} ${done.error ? `could not be started: ${done.error.message}` : 'failed; see above'}`)
}
// Put in place whole: another process may load the old one right now.
renameSync(part, binary)
console.log(`Built ${binary}`)
