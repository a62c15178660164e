import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync, existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command, CommanderError } from 'commander'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { generateCommand } from './generate.js'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'callprobe-generate-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const path = (name: string): string => join(folder, name)

async function run(...words: string[]): Promise<void> {
  const command = generateCommand()
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
  await new Command('callprobe')
    .exitOverride()
    .addCommand(command)
    .parseAsync(['generate', ...words], { from: 'user' })
}

function scenario(text: string): string {
  writeFileSync(path('scenario.yaml'), text)
  return path('scenario.yaml')
}

describe('callprobe generate', () => {
  it('writes a nanosecond pcap and its truth beside it, for the owner only', async () => {
    await run(scenario('calls: [{ duration_s: 2 }]'), path('out.pcap'))
    const capture = readFileSync(path('out.pcap'))
    expect(capture.readUInt32LE(0)).toBe(0xa1b23c4d)
    // 2024-01-01T00:00:00Z
    expect([capture.readUInt32LE(24), capture.readUInt32LE(28)]).toEqual([1704067200, 0])
    const truth: unknown = JSON.parse(readFileSync(path('out.pcap.truth.json'), 'utf8'))
    expect(truth).toMatchObject({ type: 'callprobe-truth', calls: [{ state: 'completed', duration_s: 2 }] })
    expect(
      [path('out.pcap'), path('out.pcap.truth.json')].map((file) => statSync(file).mode & 0o777),
    ).toEqual([0o600, 0o600])
  })

  it('takes the seed from the command line and puts the truth where it is told', async () => {
    const spec = scenario('seed: 1\ncalls: [{ duration_s: 1 }]')
    await run(spec, path('a.pcap'))
    await run(spec, path('b.pcap'), '--seed', '2', '--truth', path('elsewhere.json'))
    expect(readFileSync(path('b.pcap')).equals(readFileSync(path('a.pcap')))).toBe(false)
    expect(JSON.parse(readFileSync(path('elsewhere.json'), 'utf8'))).toMatchObject({ seed: 2 })
    expect(existsSync(path('b.pcap.truth.json'))).toBe(false)
  })

  it('says in which file and where a key is wrong, and leaves no capture', async () => {
    const spec = scenario('calls: [{ duratoin_s: 1 }]')
    await expect(run(spec, path('out.pcap'))).rejects.toMatchObject({
      code: 'SPEC_INVALID',
      message: `${spec}: calls[0]: unknown key "duratoin_s"; did you mean "duration_s"?`,
    })
    expect(existsSync(path('out.pcap'))).toBe(false)
  })

  it('leaves a file of that name alone when the scenario is wrong from the start', async () => {
    writeFileSync(path('precious.pcap'), 'years of work')
    const spec = scenario('calls: [{ duratoin_s: 1 }]')
    await expect(run(spec, path('precious.pcap'))).rejects.toMatchObject({ code: 'SPEC_INVALID' })
    expect(readFileSync(path('precious.pcap'), 'utf8')).toBe('years of work')
  })

  it('removes half a capture when the scenario turns out to make no sense', async () => {
    const spec = scenario(
      'calls: [{}, { at_s: 5, media: { both: { sequence_reset: [{ at_s: 1, to: 0 }], initial_sequence: 0 } } }]',
    )
    await expect(run(spec, path('out.pcap'))).rejects.toMatchObject({ code: 'SPEC_INVALID' })
    expect(existsSync(path('out.pcap'))).toBe(false)
  })

  it('names a scenario that is not there, or is a directory', async () => {
    await expect(run(path('none.yaml'), path('out.pcap'))).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
      message: `${path('none.yaml')}: no such file`,
    })
    await expect(run(folder, path('out.pcap'))).rejects.toThrow('it is a directory')
  })

  it('says why a capture cannot be written, without the words of the operating system', async () => {
    const spec = scenario('calls: [{ duration_s: 1 }]')
    await expect(run(spec, path('no/such/out.pcap'))).rejects.toMatchObject({
      code: 'WRITE_FAILED',
      message: `cannot write ${path('no/such/out.pcap')}: its folder does not exist`,
      hint: expect.stringContaining('create '),
    })
    if (!existsSync('/dev/full')) return
    await expect(run(spec, '/dev/full')).rejects.toThrow(
      'cannot write /dev/full: no space left on the device',
    )
    expect(existsSync('/dev/full')).toBe(true)
  })

  it('is wrong usage with both outputs on standard output, a bad seed, or no output', async () => {
    const spec = scenario('calls: []')
    await expect(run(spec, '-', '--truth', '-')).rejects.toMatchObject({ exitCode: 2 })
    await expect(run(spec, path('x'), '--seed', 'many')).rejects.toBeInstanceOf(CommanderError)
    await expect(run(spec)).rejects.toBeInstanceOf(CommanderError)
  })
})
