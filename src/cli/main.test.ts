import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ROOT, sharedPath } from '../../test/helpers/programs.js'
import { COMMANDS as PROGRAM_COMMANDS } from './commands.js'
import { createProgram, main } from './main.js'

const CAPTURE = join(ROOT, 'fixtures/sipp-g711.pcap')
const folder = mkdtempSync(join(tmpdir(), 'callprobe-main-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let talk = ''

beforeEach(() => {
  talk = ''
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    talk += String(text)
    return true
  })
})

afterEach(() => {
  vi.restoreAllMocks()
  process.exitCode = undefined
})

/** Standard output that takes nothing, as a full disk or a reader that has gone would have it. */
function standardOutputFails(code: string): void {
  const error = Object.assign(new Error(`${code}: write`), { code })
  vi.spyOn(process.stdout, 'write').mockImplementation((_text, ...more) => {
    for (const done of more) if (typeof done === 'function') process.nextTick(() => done(error))
    process.nextTick(() => process.stdout.emit('error', error))
    return false
  })
}

async function exitCodeOf(...args: string[]): Promise<number> {
  const code = await main(['node', 'callprobe', ...args])
  await new Promise((resolve) => setImmediate(resolve))
  return typeof process.exitCode === 'number' ? process.exitCode : code
}

const COMMANDS = [
  ['emodel', '--codec', 'PCMU'],
  ['emodel', '--list'],
  ['config', 'schema'],
  ['replay', CAPTURE],
  ['replay', '--format', 'ndjson', CAPTURE],
  ['replay', '--help'],
]

describe('standard output', () => {
  it.each(COMMANDS)('on a full disk is exit 1 and one plain message: %s %s %s', async (...args) => {
    standardOutputFails('ENOSPC')
    expect(await exitCodeOf(...args.filter((arg) => arg !== undefined))).toBe(1)
    expect(talk.match(/cannot write standard output: no space left on the device/g)).toHaveLength(1)
    expect(talk).not.toMatch(/unexpected|ENOSPC|\n\s+at /)
  })

  it.each(COMMANDS)('whose reader has gone is no failure: %s %s %s', async (...args) => {
    standardOutputFails('EPIPE')
    expect(await exitCodeOf(...args.filter((arg) => arg !== undefined))).toBe(0)
    expect(talk).toBe('')
  })
})

describe('an output file', () => {
  it.skipIf(!existsSync('/dev/full'))('on a full disk is exit 1 and one plain message', async () => {
    for (const format of ['table', 'ndjson']) {
      talk = ''
      expect(await exitCodeOf('replay', '--format', format, '--output', '/dev/full', CAPTURE)).toBe(1)
      expect(talk).toMatch(/^callprobe: cannot write \/dev\/full: no space left on the device\n {2}hint: /)
      expect(talk).not.toMatch(/unexpected|ENOSPC|\n\s+at /)
    }
  })
})

const index = sharedPath('pcaps/INDEX.tsv')

describe.skipIf(index === undefined)('captures by other people (skipped without ../shared/pcaps)', () => {
  const files = readdirSync(dirname(index ?? '.')).filter((name) => /\.p?cap(ng)?$/.test(name))

  it('are all replayed to the end, and the table has no gaps', { timeout: 180_000 }, async () => {
    expect(files.length).toBeGreaterThan(70)
    for (const name of files) {
      let text = ''
      vi.spyOn(process.stdout, 'write').mockImplementation((part, ...more) => {
        text += String(part)
        for (const done of more) if (typeof done === 'function') done()
        return true
      })
      const code = await exitCodeOf('replay', join(dirname(index ?? '.'), name))
      expect([name, code, talk.includes('unexpected')]).toEqual([name, 0, false])
      expect([name, /\b(NaN|undefined|Infinity)\b/.exec(text)?.[0]]).toEqual([name, undefined])
    }
  })
})

describe('help', () => {
  it('says of each command what the command says of itself', async () => {
    const program = await createProgram()
    expect(program.commands.map((command) => [command.name(), command.description()])).toEqual(
      PROGRAM_COMMANDS.map(({ name, description }) => [name, description]),
    )
  })

  it('of every command fits a terminal of 80 columns, with examples where there are options to combine', async () => {
    const program = await createProgram()
    const commands = [program, ...program.commands.flatMap((command) => [command, ...command.commands])]
    expect(commands.length).toBeGreaterThan(6)
    for (const command of commands) {
      let text = ''
      command.configureOutput({ writeOut: (part) => (text += part), getOutHelpWidth: () => 80 })
      command.outputHelp()
      expect(command.description()).toMatch(/^[A-Z].*\.$/)
      const tooLong = text
        .split('\n')
        .filter((line) => line.length > 80 && !line.trimStart().startsWith('$ '))
      expect([command.name(), tooLong]).toEqual([command.name(), []])
      if (
        command !== program &&
        command.commands.length === 0 &&
        command.name() !== 'schema' &&
        command.name() !== 'check'
      )
        expect(text).toContain('Examples:')
    }
  })
})
