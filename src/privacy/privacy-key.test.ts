import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { CallprobeError } from '../errors.js'
import { defaultKeyPath, loadPrivacyKey } from './privacy-key.js'

const scratch = mkdtempSync(join(tmpdir(), 'callprobe-key-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))
const KEY = '0123456789abcdef'

function failure(load: () => unknown): CallprobeError {
  try {
    load()
  } catch (error) {
    if (error instanceof CallprobeError) return error
  }
  throw new Error('no error')
}

function keyFile(name: string, text: string, mode = 0o600): string {
  const path = join(scratch, name)
  writeFileSync(path, text)
  chmodSync(path, mode)
  return path
}

describe('the key of the pseudonyms', () => {
  it('is what the named file holds, line end aside', () => {
    const file = keyFile('named', `${KEY}\n`)
    const environment = { CALLPROBE_PRIVACY_KEY: 'fedcba9876543210' }
    expect(Buffer.from(loadPrivacyKey({ file, environment })).toString()).toBe(KEY)
  })

  it('is else that of the environment', () => {
    const environment = { CALLPROBE_PRIVACY_KEY: KEY, XDG_STATE_HOME: '/nonexistent' }
    expect(Buffer.from(loadPrivacyKey({ environment })).toString()).toBe(KEY)
  })

  it('is else made once, for its owner only, and found again', () => {
    const environment = { XDG_STATE_HOME: join(scratch, 'state') }
    const made: string[] = []
    const key = loadPrivacyKey({ environment, onCreated: (path) => made.push(path) })
    expect(made).toEqual([join(scratch, 'state/callprobe/privacy.key')])
    expect(statSync(made[0]).mode & 0o777).toBe(0o600)
    expect(readFileSync(made[0], 'utf8')).toMatch(/^[0-9a-f]{64}\n$/)
    expect(loadPrivacyKey({ environment, onCreated: (path) => made.push(path) })).toEqual(key)
    expect(made).toHaveLength(1)
  })

  it('of a service lies in its state directory (systemd.exec: the first of several)', () => {
    expect(defaultKeyPath({ STATE_DIRECTORY: '/var/lib/callprobe:/var/lib/b' })).toBe(
      '/var/lib/callprobe/privacy.key',
    )
  })

  it.each([
    ['is too short', 'hush!', 0o600, /too short: 5 of at least 16/],
    ['may be read by everybody', KEY, 0o644, /everybody may read/],
  ])('is refused when it %s', (_, text, mode, message) => {
    const error = failure(() => loadPrivacyKey({ file: keyFile('bad', text, mode), environment: {} }))
    expect(error.code).toBe('PRIVACY_KEY')
    expect(error.message).toMatch(message)
    expect(error.message).not.toContain(text)
    expect(error.hint).toBeTruthy()
  })

  it('that is named and not there is not made', () => {
    const file = join(scratch, 'missing')
    expect(failure(() => loadPrivacyKey({ file, environment: {} })).message).toContain('cannot read')
  })

  it('that cannot be made says where', () => {
    const environment = { XDG_STATE_HOME: keyFile('a-file', '') }
    expect(failure(() => loadPrivacyKey({ environment })).message).toContain('privacy.key')
  })
})
