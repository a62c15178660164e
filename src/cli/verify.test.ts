import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import { requirePrograms, ROOT } from '../../test/helpers/programs.js'
import { main } from './main.js'

const FIXTURE = join(ROOT, 'fixtures', 'sipp-g711.pcap')
const hasTshark = requirePrograms('tshark')
const scratch = mkdtempSync(join(tmpdir(), 'callprobe-verify-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))
afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
  process.exitCode = undefined
})

async function run(...args: string[]): Promise<{ code: number; out: string; errors: string }> {
  const out: string[] = []
  const errors: string[] = []
  const collect = (into: string[]) => (text: string | Uint8Array, done?: unknown) => {
    into.push(String(text))
    if (typeof done === 'function') done()
    return true
  }
  vi.spyOn(process.stdout, 'write').mockImplementation(collect(out))
  vi.spyOn(process.stderr, 'write').mockImplementation(collect(errors))
  const code = await main(['node', 'callprobe', 'verify', ...args])
  return { code, out: out.join(''), errors: errors.join('') }
}

/** A pcap file (raw IP) of so many G.711 streams that run at the same time, 20 packets each. */
function streamsAtOnce(streams: number): Buffer {
  const header = Buffer.alloc(24)
  header.writeUInt32LE(0xa1b2c3d4, 0)
  header.writeUInt16LE(2, 4)
  header.writeUInt16LE(4, 6)
  header.writeUInt32LE(65_535, 16)
  header.writeUInt32LE(101, 20) // LINKTYPE_RAW
  const parts = [header]
  for (let n = 0; n < 20; n++) {
    for (let stream = 0; stream < streams; stream++) {
      const record = Buffer.alloc(16 + 200)
      record.writeUInt32LE(1_700_000_000, 0)
      record.writeUInt32LE(20_000 * n + stream, 4)
      record.writeUInt32LE(200, 8)
      record.writeUInt32LE(200, 12)
      // IPv4 without options, UDP, 192.0.2.1 to 192.0.2.2
      record.writeUInt16BE(0x4500, 16)
      record.writeUInt16BE(200, 18)
      record.writeUInt16BE(0x4011, 24)
      record.writeUInt32BE(0xc0000201, 28)
      record.writeUInt32BE(0xc0000202, 32)
      record.writeUInt16BE(20_000 + 2 * stream, 36)
      record.writeUInt16BE(30_000 + 2 * stream, 38)
      record.writeUInt16BE(180, 40)
      record.writeUInt16BE(0x8000, 44)
      record.writeUInt16BE(1000 + n, 46)
      record.writeUInt32BE(160 * n, 48)
      record.writeUInt32BE(0x1000 + stream, 52)
      parts.push(record)
    }
  }
  return Buffer.concat(parts)
}

it('without tshark it says what to install', async () => {
  vi.stubEnv('PATH', scratch)
  const { code, errors } = await run(FIXTURE)
  expect(code).toBe(1)
  expect(errors).toContain('tshark, which this command compares with, is not installed')
  expect(errors).toContain('apt install tshark')
})

it.skipIf(!hasTshark)('standard input is refused: the capture is read twice', async () => {
  const { code, errors } = await run('-')
  expect(code).toBe(2)
  expect(errors).toContain('read only once')
})

it.skipIf(!hasTshark)('a file name is never seen by a shell', async () => {
  const name = join(scratch, '$(touch pwned) ; `x` & call.pcap')
  writeFileSync(name, 'no capture')
  const { code, errors } = await run(name)
  expect(code).toBe(1)
  expect(errors).toContain('$(touch pwned)')
})

describe.skipIf(!hasTshark)('a capture that both read alike', () => {
  it('shows both figures for each stream within 80 columns, and exits with 0', async () => {
    vi.stubEnv('COLUMNS', '80')
    const { code, out } = await run(FIXTURE)
    expect(code).toBe(0)
    expect(out).toMatch(/callprobe .*\n.*tshark /)
    expect(out).toContain('0 without explanation')
    for (const line of out.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
  })

  it('prints JSON with both figures, verdicts and reasons', async () => {
    const { code, out } = await run('--format', 'json', FIXTURE)
    expect(code).toBe(0)
    const report: unknown = JSON.parse(out)
    expect(report).toMatchObject({ type: 'verify', file: FIXTURE, unexplained: 0, heuristics: true })
    expect(report).toHaveProperty('streams.0.figures.packets.callprobe')
    expect(report).toHaveProperty('streams.0.figures.max_jitter_ms.tshark')
  })

  it('a stream that the replay had no room for is a difference that nothing explains: exit 1', async () => {
    const config = join(scratch, 'few-streams.yaml')
    writeFileSync(config, 'limits:\n  streams: 16\n')
    const capture = join(scratch, 'many-streams.pcap')
    writeFileSync(capture, streamsAtOnce(17))
    const { code, out } = await run('--config', config, capture)
    expect(out).toContain('17 streams; 16 agree')
    expect(code).toBe(1)
    expect(out).toContain('found by tshark only, and nothing explains why')
  })
})
