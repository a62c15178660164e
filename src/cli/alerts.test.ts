import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { parse } from 'yaml'
import { freePort } from '../../test/helpers/databases.js'
import { trunkCalls } from '../../test/helpers/alerts.js'
import { WebReceiver } from '../../test/helpers/receivers.js'
import { pcapOf } from '../../test/helpers/replay.js'
import { generateScenario } from '../generate/generate.js'
import { main } from './main.js'

let folder = ''
let said = ''
let talk = ''
let hook: WebReceiver
let url = ''

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'callprobe-alerts-'))
  hook = new WebReceiver()
  url = `http://127.0.0.1:${await hook.listen()}/`
  said = talk = ''
  vi.spyOn(process.stdout, 'write').mockImplementation((text, ...more) => {
    said += String(text)
    for (const done of more) if (typeof done === 'function') process.nextTick(() => done())
    return true
  })
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    talk += String(text)
    return true
  })
})

afterEach(async () => {
  vi.restoreAllMocks()
  process.exitCode = undefined
  await hook.close()
  rmSync(folder, { recursive: true, force: true })
})

function config(alerts: string): string {
  const path = join(folder, 'probe.yaml')
  writeFileSync(path, `probe: hq-1\nsites: [{name: berlin, networks: [192.0.2.0/24]}]\nalerts:\n${alerts}\n`)
  return path
}

const run = (...args: string[]): Promise<number> => main(['node', 'callprobe', ...args])

describe('callprobe alerts test', () => {
  it('sends a test alert and its end to every notifier, and says so', async () => {
    const path = config(
      `  notifiers: [{name: chat, type: webhook, url: "${url}"}, {name: pager, type: webhook, url: "${url}"}]`,
    )
    expect(await run('alerts', 'test', '--config', path)).toBe(0)
    expect(hook.bodies).toMatchObject([
      { state: 'firing', rule: 'test', probe: 'hq-1' },
      { state: 'resolved' },
      {},
      {},
    ])
    expect(said).toContain('chat (webhook), firing: delivered\nchat (webhook), resolved: delivered\npager')
  })

  it('exits with 1 when one does not take it, after the others had their turn', async () => {
    const dead = await freePort()
    const path = config(
      `  notifiers: [{name: dead, type: webhook, url: "http://127.0.0.1:${dead}/"}, {name: chat, type: webhook, url: "${url}"}]`,
    )
    expect(await run('alerts', 'test', '--config', path)).toBe(1)
    expect(hook.bodies).toHaveLength(2)
    expect(talk).toContain('ECONNREFUSED')
    expect(talk).toContain('1 of 2 notifiers did not take the test alert')
  })

  it.each([
    ['there are no notifiers', '  notifiers: []', [], 'has no notifiers'],
    [
      'a name is wrong',
      '  notifiers: [{name: chat, type: syslog, host: h}]',
      ['--notifier', 'caht'],
      'did you mean "chat"?',
    ],
  ])('exits with 2 when %s', async (_, alerts, more, message) => {
    expect(await run('alerts', 'test', '--config', config(alerts), ...more)).toBe(2)
    expect(talk).toContain(message)
  })
})

describe('callprobe alerts rules', () => {
  it('prints the rules in force as a configuration that is valid and says the same', async () => {
    const path = config('  rules: [{name: mos_drop, above: 45}, {name: no_calls, enabled: false}]')
    expect(await run('alerts', 'rules', '--config', path)).toBe(0)
    const printed = join(folder, 'printed.yaml')
    writeFileSync(printed, said)
    const first = said
    said = ''
    expect(await run('alerts', 'rules', '--config', printed)).toBe(0)
    expect(said).toBe(first)
    const { alerts } = parse(said)
    expect(alerts.rules.map(({ name }: { name: string }) => name)).toContain('mirror_quiet')
    expect(alerts.rules.find(({ name }: { name: string }) => name === 'mos_drop').above).toBe(45)
  })
})

describe('callprobe replay --alerts', () => {
  const scenario = {
    seed: 4,
    start: '2024-03-01T12:00:00Z',
    calls: trunkCalls(4, {
      duration_s: 40,
      media: { from_caller: { jitter: { queueing: { every_s: 10, stall_ms: 150 } } } },
    }),
  }

  function capture(): string {
    const path = join(folder, 'burst.pcap')
    if (!existsSync(path)) writeFileSync(path, pcapOf(generateScenario(scenario).packets))
    return path
  }

  it('says what would have fired, when and how long, and tells nobody', async () => {
    const path = config(
      `  notifiers: [{name: chat, type: webhook, url: "${url}"}]\n  state_dir: ${join(folder, 'state')}`,
    )
    expect(await run('replay', '--alerts', '--config', path, capture())).toBe(0)
    expect(said).toMatch(/^12:00:3\d +still on +critical +burst_jitter +berlin → 198\.51\.100\.0\/24 +4$/m)
    expect(said.replace(/\s+/g, ' ')).toContain('4 of 4 streams; delay variation up to 14')
    expect(hook.requests).toBe(0)
    expect(existsSync(join(folder, 'state'))).toBe(false)
  })

  it('says what is likely behind it, and how sure that is, also where the terminal is narrow', async () => {
    expect(await run('replay', '--alerts', capture())).toBe(0)
    expect(said).toMatch(/^ +└ likely a queue/m)
    expect(said.replace(/\s+/g, ' ')).toMatch(/likely a queue [^…]* \(confidence (low|medium|high)\)/)
  })

  it('says that nothing would have', async () => {
    const path = config('  rules: [{name: burst_jitter, repeats: 9}]')
    expect(await run('replay', '--alerts', '--config', path, capture())).toBe(0)
    expect(said).toContain('No alert would have been raised.')
  })

  it('writes alert records among the others, the same in each run', async () => {
    const output = join(folder, 'out.ndjson')
    const runs: string[] = []
    for (let n = 0; n < 2; n++) {
      expect(await run('replay', '--alerts', '--format', 'ndjson', '--output', output, capture())).toBe(0)
      runs.push(
        readFileSync(output, 'utf8')
          .split('\n')
          .filter((line) => line.startsWith('{"type":"alert"'))
          .join('\n'),
      )
    }
    expect(runs[0]).toContain('"rule":"burst_jitter","state":"firing","severity":"critical"')
    expect(runs[1]).toBe(runs[0])
  })

  it('evaluates nothing without the option', async () => {
    expect(await run('replay', capture())).toBe(0)
    expect(said).not.toMatch(/alert/i)
  })
})
