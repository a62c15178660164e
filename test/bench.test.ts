import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { main } from '../src/cli/main.js'
import { requirePrograms, ROOT } from './helpers/programs.js'

const scratch = mkdtempSync(join(tmpdir(), 'callprobe-bench-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

describe.skipIf(!requirePrograms('cc'))('the benchmarks', () => {
  function compile(name: string): string {
    const binary = join(scratch, name)
    execFileSync('cc', ['-O1', '-Wall', '-Wextra', '-Werror', '-o', binary, join(ROOT, 'bench', `${name}.c`)])
    return binary
  }

  it('compare programs that see the same: the floor and callprobe agree on what the generator wrote', async () => {
    const [packets, streams] = [6000, 150]
    const capture = join(scratch, 'g711.pcap')
    const output = join(scratch, 'g711.ndjson')
    execFileSync(compile('gen'), [String(packets), String(streams), capture])
    const floor: { packets: number; streams: number; lost: number } = JSON.parse(
      execFileSync(compile('floor'), [capture], { encoding: 'utf8' }),
    )
    expect(floor).toMatchObject({ packets, streams, lost: 0 })

    const code = await main([
      'node',
      'callprobe',
      'replay',
      capture,
      '--format',
      'ndjson',
      '--output',
      output,
    ])
    expect(code).toBe(0)
    const records: { type: string; packets: number; lost: number }[] = readFileSync(output, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    const seen = records.filter((record) => record.type === 'stream')
    expect(seen).toHaveLength(streams)
    expect(seen.every((stream) => stream.packets === packets / streams && stream.lost === 0)).toBe(true)
  })
})
