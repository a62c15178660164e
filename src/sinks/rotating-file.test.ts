import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { CallprobeError } from '../errors.js'
import { RotatingFile, type RotationOptions } from './rotating-file.js'

const scratch = mkdtempSync(join(tmpdir(), 'callprobe-rotating-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))
let folders = 0

function setUp(options: Partial<RotationOptions>): {
  file: RotatingFile
  folder: string
  path: string
  errors: CallprobeError[]
} {
  const folder = join(scratch, String(folders++))
  const path = join(folder, 'calls.ndjson')
  const errors: CallprobeError[] = []
  const file = new RotatingFile(path, { nowMs: () => 0, onError: (error) => errors.push(error), ...options })
  return { file, folder, path, errors }
}

function write(file: RotatingFile, text: string): Promise<void> {
  return new Promise((resolve) => file.write(text, () => resolve()))
}

const at = (text: string): number => Date.parse(text)

describe('a file that is written to for days', () => {
  it('is put aside before it would grow beyond its bound, whole lines only, for its owner alone', async () => {
    const { file, folder, path } = setUp({ mostBytes: 25, nowMs: () => at('2026-11-22T14:00:00Z') })
    for (const line of ['0123456789\n', 'abcdefghij\n', 'third\n', 'fourth\n']) await write(file, line)
    expect(readdirSync(folder).sort()).toEqual(['calls-20261122T140000Z.ndjson', 'calls.ndjson'])
    expect(readFileSync(join(folder, 'calls-20261122T140000Z.ndjson'), 'utf8')).toBe(
      '0123456789\nabcdefghij\n',
    )
    expect(readFileSync(path, 'utf8')).toBe('third\nfourth\n')
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  it('is put aside at the hour, and the oldest are removed', async () => {
    let now = at('2026-11-22T13:59:50Z')
    const { file, folder } = setUp({ everyMs: 3_600_000, keep: 2, nowMs: () => now })
    for (let hour = 0; hour < 5; hour++) {
      await write(file, `hour ${hour}\n`)
      now += 3_600_000
    }
    expect(readdirSync(folder).sort()).toEqual([
      'calls-20261122T165950Z.ndjson',
      'calls-20261122T175950Z.ndjson',
      'calls.ndjson',
    ])
    expect(readFileSync(join(folder, 'calls.ndjson'), 'utf8')).toBe('hour 4\n')
  })

  it('keeps what an earlier run wrote', async () => {
    const { file, path } = setUp({})
    await write(file, 'before\n')
    await new Promise<void>((resolve) => file.end(() => resolve()))
    const again = new RotatingFile(path, { nowMs: () => 0, onError: () => {} })
    await write(again, 'after\n')
    expect(readFileSync(path, 'utf8')).toBe('before\nafter\n')
  })

  it('two of one second are told apart', async () => {
    const { file, folder } = setUp({ mostBytes: 5, keep: 20 })
    for (let i = 0; i < 12; i++) await write(file, `line ${i}\n`)
    const aside = readdirSync(folder).filter((name) => name !== 'calls.ndjson')
    expect(aside).toHaveLength(11)
    expect(aside.map((name) => readFileSync(join(folder, name), 'utf8')).sort()).toEqual(
      Array.from({ length: 11 }, (_, i) => `line ${i}\n`).sort(),
    )
  })

  it('goes to a new file when logrotate moved it away and asked to reopen', async () => {
    const { file, path } = setUp({})
    await write(file, 'one\n')
    renameSync(path, `${path}.1`)
    await write(file, 'two\n')
    file.reopen()
    await write(file, 'three\n')
    expect([readFileSync(`${path}.1`, 'utf8'), readFileSync(path, 'utf8')]).toEqual(['one\ntwo\n', 'three\n'])
  })

  it('a disk that fails costs what could not be written, is told once, and ends nothing', async () => {
    const { file, folder, path, errors } = setUp({ mostBytes: 5 })
    await write(file, 'first\n')
    // A folder where the file is to be: neither renamed to nor opened.
    rmSync(folder, { recursive: true })
    renameSync(mkdtempSync(join(scratch, 'folder-')), folder)
    rmSync(path, { force: true, recursive: true })
    renameSync(mkdtempSync(join(scratch, 'folder-')), path)
    file.reopen()
    await write(file, 'lost\nwith the line before\n')
    await write(file, 'lost too\n')
    expect(errors.map(({ code, message }) => [code, message])).toEqual([
      ['WRITE_FAILED', `cannot write ${path}: it is a directory`],
    ])
    expect(file.lostLines).toBe(3)
    rmSync(path, { recursive: true })
    await write(file, 'there again\n')
    expect(readFileSync(path, 'utf8')).toBe('there again\n')
  })
})
