import { randomBytes } from 'node:crypto'
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { CallprobeError, errorText, systemErrorCode } from '../errors.js'

/** A shorter key could be guessed. */
const SHORTEST_KEY_BYTES = 16
const OTHERS_MAY_READ = 0o004

export interface PrivacyKeySources {
  /** A file that was named. */
  file?: string
  environment: Readonly<Record<string, string | undefined>>
  /** Told once, when a key was made. */
  onCreated?: (path: string) => void
}

/**
 * The key of the pseudonyms: from the named file, else from CALLPROBE_PRIVACY_KEY, else from a file of the user's own
 * (`defaultKeyPath`), which is made (0600) when it is missing, so that tomorrow's pseudonyms are today's.
 * @throws CallprobeError PRIVACY_KEY when it cannot be read or made, is too short, or others may read it
 */
export function loadPrivacyKey({ file, environment, onCreated }: PrivacyKeySources): Uint8Array {
  if (file !== undefined) return readKey(file)
  const given = environment.CALLPROBE_PRIVACY_KEY
  if (given !== undefined && given !== '') return checked(Buffer.from(given.trim()), 'CALLPROBE_PRIVACY_KEY')
  const path = defaultKeyPath(environment)
  try {
    return readKey(path)
  } catch (error) {
    if (!(error instanceof CallprobeError) || systemErrorCode(error.cause) !== 'ENOENT') throw error
  }
  createKey(path)
  onCreated?.(path)
  return readKey(path)
}

/** A service has its state directory from systemd, a person has one of XDG's. */
export function defaultKeyPath(environment: Readonly<Record<string, string | undefined>>): string {
  const service = environment.STATE_DIRECTORY?.split(':')[0]
  if (service !== undefined && service !== '') return join(service, 'privacy.key')
  const state = environment.XDG_STATE_HOME
  const home = state !== undefined && state !== '' ? state : join(homedir(), '.local', 'state')
  return join(home, 'callprobe', 'privacy.key')
}

function readKey(path: string): Uint8Array {
  let descriptor: number | undefined
  try {
    descriptor = openSync(path, 'r')
    if ((fstatSync(descriptor).mode & OTHERS_MAY_READ) !== 0) {
      throw new CallprobeError('PRIVACY_KEY', `everybody may read the privacy key ${path}`, {
        hint: `whoever has the key can find out who is behind a pseudonym: chmod 600 ${path}`,
      })
    }
    return checked(Buffer.from(readFileSync(descriptor, 'latin1').trim(), 'latin1'), path)
  } catch (error) {
    if (error instanceof CallprobeError) throw error
    throw new CallprobeError('PRIVACY_KEY', `cannot read the privacy key ${path}: ${errorText(error)}`, {
      hint: 'name another file with --privacy-key, or set CALLPROBE_PRIVACY_KEY',
      cause: error,
    })
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}

function checked(key: Buffer, where: string): Uint8Array {
  if (key.length >= SHORTEST_KEY_BYTES) return key
  throw new CallprobeError(
    'PRIVACY_KEY',
    `the privacy key in ${where} is too short: ${key.length} of at least ${SHORTEST_KEY_BYTES} characters`,
    { hint: 'make one with: openssl rand -hex 32' },
  )
}

/** Two runs may begin at once: the first one's key counts. */
function createKey(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    const descriptor = openSync(path, 'wx', 0o600)
    try {
      writeSync(descriptor, `${randomBytes(32).toString('hex')}\n`)
    } finally {
      closeSync(descriptor)
    }
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') return
    throw new CallprobeError('PRIVACY_KEY', `cannot make a privacy key at ${path}: ${errorText(error)}`, {
      hint: 'name a file with --privacy-key, or set CALLPROBE_PRIVACY_KEY',
      cause: error,
    })
  }
}
