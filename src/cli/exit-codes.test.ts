import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ROOT } from '../../test/helpers/programs.js'
import { main } from './main.js'

const CAPTURE = join(ROOT, 'fixtures/sipp-g711.pcap')
const folder = mkdtempSync(join(tmpdir(), 'callprobe-exit-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function file(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text, { mode: 0o600 })
  return path
}

let talk = ''
beforeEach(() => {
  talk = ''
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    talk += String(text)
    return true
  })
  vi.spyOn(process.stdout, 'write').mockReturnValue(true)
})
afterEach(() => {
  vi.restoreAllMocks()
  process.exitCode = undefined
})

const WRONG_CONFIG = file('wrong.yaml', 'privcay: hash\n')
const SHORT_KEY = file('short.key', 'hush!')

describe('what the user wrote and cannot be used is wrong usage, exit 2', () => {
  it.each([
    ['a configuration with a mistake', ['config', 'check', WRONG_CONFIG], /did you mean "privacy"/],
    ['the same for a replay', ['replay', '--config', WRONG_CONFIG, CAPTURE], /unknown key "privcay"/],
    [
      'a configuration that is not there',
      ['replay', '--config', join(folder, 'no.yaml'), CAPTURE],
      /no such file/,
    ],
    ['a scenario with a mistake', ['generate', WRONG_CONFIG, join(folder, 'o.pcap')], /privcay/],
    ['an expression', ['replay', '--filter', 'calller == 1', CAPTURE], /caller/],
    ['a privacy mode', ['replay', '--privacy', 'some', CAPTURE], /none, mask, hash/],
    ['a privacy key', ['replay', '--privacy', 'hash', '--privacy-key', SHORT_KEY, CAPTURE], /too short/],
    [
      'extract from standard input',
      ['extract', '-', '--call-id', 'x', '-o', join(folder, 'o.pcap')],
      /twice/,
    ],
    [
      'extract onto a capture that is read',
      ['extract', CAPTURE, '--call-id', 'x', '-o', CAPTURE],
      /is one of/,
    ],
    ['extract without a Call-ID', ['extract', CAPTURE, '-o', join(folder, 'o.pcap')], /--call-id/],
  ])('%s', async (_, args, message) => {
    const code = await main(['node', 'callprobe', ...args])
    expect(talk).toMatch(message)
    expect(code).toBe(2)
  })
})

describe('what could not be done is exit 1', () => {
  it.each([
    ['a capture that is not there', ['replay', join(folder, 'no.pcap')]],
    ['a call that is not there', ['extract', CAPTURE, '--call-id', 'x', '-o', join(folder, 'o.pcap')]],
  ])('%s', async (_, args) => {
    expect(await main(['node', 'callprobe', ...args])).toBe(1)
  })
})
