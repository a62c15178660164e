import { stat } from 'node:fs/promises'
import { dirname, isAbsolute, resolve } from 'node:path'
import { CallprobeError, errorText, systemErrorCode } from '../errors.js'

/** A capture to be read. */
export interface CapturePath {
  /** As the user wrote it, or as the pattern found it; `-` is standard input. */
  path: string
  /** Bytes on disk; 0 for a pipe or standard input. */
  size: number
  /** True for what can be read only once and may pause: pipes and standard input. */
  live: boolean
}

const PATTERN_HINT = 'a directory is not read as a whole: name its files, for example'

/** The error for a file that cannot be looked at or opened, by the system's reason. */
export function fileError(path: string, error: unknown): CallprobeError {
  switch (systemErrorCode(error)) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new CallprobeError('FILE_NOT_FOUND', `${path}: no such file`, {
        hint: `looked in ${resolve(dirname(path))}`,
        cause: error,
      })
    case 'EACCES':
    case 'EPERM':
      return new CallprobeError('FILE_NOT_READABLE', `${path}: permission denied`, {
        hint: 'captures made by root are often readable by root only: change the owner or run as a user who may read it',
        cause: error,
      })
    case 'EISDIR':
      return directoryError(path)
    case 'EMFILE':
    case 'ENFILE':
      return new CallprobeError('TOO_MANY_OPEN_FILES', `${path}: too many files are open`, {
        hint: 'captures that overlap in time are open together: raise the limit (ulimit -n) or merge them first',
        cause: error,
      })
    default:
      return new CallprobeError('READ_FAILED', `${path}: ${errorText(error)}`, { cause: error })
  }
}

function directoryError(path: string): CallprobeError {
  return new CallprobeError('IS_A_DIRECTORY', `${path} is a directory`, {
    hint: `${PATTERN_HINT} '${path.replace(/\/+$/, '')}/*.pcap*'`,
  })
}

/** Looks at one path. Throws a CallprobeError when it is not there, not readable or a directory. */
async function lookAt(path: string): Promise<CapturePath> {
  let found
  try {
    found = await stat(path)
  } catch (error) {
    throw fileError(path, error)
  }
  if (found.isDirectory()) throw directoryError(path)
  return { path, size: found.isFile() ? found.size : 0, live: !found.isFile() }
}

/** @returns undefined when it is no pattern */
async function expandPattern(pattern: string): Promise<string[] | undefined> {
  // Loaded here: most captures are named, and loading takes longer than a small one.
  const { glob, isDynamicPattern } = await import('tinyglobby')
  if (!isDynamicPattern(pattern)) return undefined
  const found = await glob(pattern, {
    absolute: isAbsolute(pattern),
    onlyFiles: true,
    expandDirectories: false,
  })
  // The order of a directory is arbitrary; equal first times must not depend on it.
  return found.sort()
}

/**
 * The captures that paths and patterns stand for, each once, in the order given. A path that exists is taken as it is,
 * even if it has `*`, `?` or brackets in its name. Throws a CallprobeError for what is missing, matches nothing, is a
 * directory or must not be read.
 */
export async function expandPaths(paths: readonly string[]): Promise<CapturePath[]> {
  const captures: CapturePath[] = []
  const seen = new Set<string>()
  const add = (capture: CapturePath): void => {
    const key = capture.path === '-' ? '-' : resolve(capture.path)
    if (seen.has(key)) return
    seen.add(key)
    captures.push(capture)
  }
  for (const path of paths) {
    if (path === '-') {
      add({ path, size: 0, live: true })
      continue
    }
    try {
      add(await lookAt(path))
    } catch (error) {
      const missing = error instanceof CallprobeError && error.code === 'FILE_NOT_FOUND'
      const found = missing ? await expandPattern(path) : undefined
      if (found === undefined) throw error
      if (found.length === 0) {
        throw new CallprobeError('NO_FILE_MATCHES', `no file matches ${path}`, {
          hint: `looked from ${resolve('.')}`,
        })
      }
      for (const match of found) add(await lookAt(match))
    }
  }
  if (captures.length === 0) {
    throw new CallprobeError('USAGE', 'no capture file was named', { hint: 'use - for standard input' })
  }
  return captures
}
