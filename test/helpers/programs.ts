import { accessSync, appendFileSync, constants, existsSync } from 'node:fs'
import { delimiter, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'

/** The project's root folder. */
export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

const SBIN = ['/usr/local/sbin', '/usr/sbin', '/sbin']

/** Full path of a program on PATH or in sbin, or undefined. */
export function findProgram(program: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...SBIN]
  return folders
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, program))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
}

/** Notes why tests of the calling file are skipped; `npm test` lists the notes at its end (scripts/test.mjs). */
export function noteSkip(reason: string): void {
  const log = process.env.CALLPROBE_SKIP_LOG
  const file = expect.getState().testPath ?? 'unknown'
  if (log === undefined) console.warn(`skipped: ${reason}`)
  else appendFileSync(log, `${JSON.stringify({ file, reason })}\n`)
}

/**
 * Whether all these programs are here, for `it.skipIf(!requirePrograms('tshark'))`. When one is not, the skip is noted;
 * with CALLPROBE_REQUIRE_PROGRAMS=1 (npm test with CI=true) it throws instead, so that the file fails.
 */
export function requirePrograms(...programs: string[]): boolean {
  const missing = programs.filter((program) => findProgram(program) === undefined)
  if (missing.length === 0) return true
  const reason = `${missing.join(', ')} not installed (node scripts/system-packages.mjs --check says how to get it)`
  if (process.env.CALLPROBE_REQUIRE_PROGRAMS === '1') throw new Error(reason)
  noteSkip(reason)
  return false
}

/**
 * Whether this process is root with the right to make network namespaces, which live-capture tests need.
 * Without it they are skipped: a plain user's `npm test` must pass.
 */
export function requireRoot(): boolean {
  if (process.getuid?.() === 0) return true
  noteSkip('needs root')
  return false
}

/**
 * Path of a file beside the checkout, in ../shared (or $CALLPROBE_SHARED): material that may not be distributed.
 * undefined, with the skip noted, where it is absent; never a failure, also not in CI.
 */
export function sharedPath(name: string): string | undefined {
  const shared = process.env.CALLPROBE_SHARED ?? resolve(ROOT, '..', 'shared')
  const path = join(shared, name)
  if (existsSync(path)) return path
  noteSkip(`${path} is not here (captures that may not be distributed)`)
  return undefined
}
