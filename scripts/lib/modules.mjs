// Whether node_modules and dist still match what they are made from.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT, run } from './run.mjs'

function packagesOf(lockfile) {
  return JSON.parse(readFileSync(join(ROOT, lockfile), 'utf8')).packages ?? {}
}

/**
 * Packages whose installed version is not the locked one. npm records what it installed in
 * node_modules/.package-lock.json; packages for other platforms are optional and may be absent.
 * @returns {string[]} their paths; ['node_modules'] when nothing is installed
 */
export function staleModules() {
  if (!existsSync(join(ROOT, 'node_modules/.package-lock.json'))) return ['node_modules']
  const locked = packagesOf('package-lock.json')
  const installed = packagesOf('node_modules/.package-lock.json')
  return Object.keys(locked).filter((path) => {
    if (path === '' || locked[path].link) return false
    if (!installed[path]) return !locked[path].optional
    return installed[path].version !== locked[path].version
  })
}

/** Runs `npm ci` when node_modules is missing or stale. Returns npm's exit code, 0 when there was nothing to do. */
export function ensureModules() {
  const stale = staleModules()
  if (stale.length === 0) return 0
  const why = stale.length > 3 ? `${stale.length} packages missing or of another version` : stale.join(', ')
  console.log(`Installing node modules (${why}): npm ci`)
  return run('npm', ['ci', '--no-audit', '--no-fund'])
}

function newestIn(folder, counts) {
  let newest = 0
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) newest = Math.max(newest, newestIn(path, counts))
    else if (counts(entry.name)) newest = Math.max(newest, statSync(path).mtimeMs)
  }
  return newest
}

/** True when dist is missing, or any source that goes into it is newer. */
export function distIsStale() {
  return isStale('dist', ['scripts/bundle.mjs', 'scripts/lib/bundle.mjs'])
}

/** The same of .build, the compiled modules before they are bundled: what development scripts import. */
export function modulesAreStale() {
  return isStale('.build')
}

function isStale(folder, more = []) {
  const entry = join(ROOT, folder, 'cli/main.js')
  if (!existsSync(entry)) return true
  if (!existsSync(join(ROOT, 'src'))) return false // an installed package ships dist alone
  // The build writes it each time, and after what may fail.
  const built = statSync(entry).mtimeMs
  const sources = newestIn(join(ROOT, 'src'), (name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
  return Math.max(sources, ...more.map((path) => statSync(join(ROOT, path)).mtimeMs)) > built
}
