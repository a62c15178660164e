import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { MemorySource } from '../src/capture/memory-source.js'
import { RunRecords, type RunOptions } from '../src/cli/run-records.js'
import { DEFAULT_CONFIG } from '../src/config/config.js'
import { EXAMPLE_SUMMARY } from '../src/calls/record-examples.js'
import { generateScenario } from '../src/generate/generate.js'
import { Probe } from '../src/pipeline/probe.js'
import { pcapOf } from './helpers/replay.js'
import { readReport, reportFolder } from './helpers/report.js'

const folder = reportFolder()
const KEY = join(folder, 'key')
writeFileSync(KEY, '0123456789abcdef0123456789abcdef\n', { mode: 0o600 })

/** An encrypted call that was challenged: keys in SDP, credentials in headers. */
const SECRETIVE = pcapOf(
  generateScenario({
    seed: 9,
    calls: [
      {
        call_id: 'secret-1@192.0.2.77',
        duration_s: 4,
        srtp: true,
        auth: 407,
        caller: { user: '+4930555001', display_name: 'Erika Mustermann', address: '192.0.2.77' },
        callee: { user: '+4989555002', address: '198.51.100.88' },
      },
    ],
  }).packets,
)

async function report(options: Partial<RunOptions>): Promise<{ overview: string; details: string }> {
  const path = join(folder, `${JSON.stringify(options).replace(/\W+/g, '-')}.html`)
  const run: RunOptions = { format: 'ndjson', output: '/dev/null', sort: 'time', report: path, ...options }
  const records = new RunRecords(DEFAULT_CONFIG, run)
  await records.open(['/home/erika/+4930555001.pcap'])
  const probe = new Probe(DEFAULT_CONFIG, 'file', (record) => records.record(record), records.observers)
  const source = new MemorySource(SECRETIVE)
  for (let batch = await source.next(); batch !== null; batch = await source.next()) probe.onBatch(batch)
  for (const _ of probe.finish());
  await records.finish({ ...EXAMPLE_SUMMARY, ...probe.counts(), truncated_files: [], warnings: [] })
  return readReport(path)
}

const IDENTITIES = /4930555001|4989555002|Erika|erika|Mustermann|192\.0\.2\.77|198\.51\.100\.88/
const CRYPTO_KEY = /a=crypto:\d+ \S+ inline:[A-Za-z0-9+/]{20}/
const CREDENTIAL = /response=\\"[0-9a-f]{32}/

describe('what a report must not tell', () => {
  it('keys and credentials are taken out of raw SIP', async () => {
    const { details } = await report({})
    expect(details).toContain('INVITE sip:')
    expect(details).toContain('a=crypto:')
    expect(details).not.toMatch(CRYPTO_KEY)
    expect(details).not.toMatch(CREDENTIAL)
  })

  it('unless they are asked for', async () => {
    const { details } = await report({ reportSip: 'full' })
    expect(details).toMatch(CRYPTO_KEY)
    expect(details).toMatch(CREDENTIAL)
  })

  it('raw SIP can be left out, and the ladder stays', async () => {
    const { details } = await report({ reportSip: 'none' })
    expect(details).not.toContain('a=crypto')
    expect(details).toContain('"title":"INVITE"')
  })

  it.each(['mask', 'hash'] as const)(
    '--privacy %s: neither numbers nor names nor addresses, anywhere',
    async (privacy) => {
      const { overview, details } = await report({ privacy, privacyKey: KEY })
      expect(overview).toContain('"rows":[[')
      expect(overview).not.toMatch(IDENTITIES)
      expect(details).not.toMatch(IDENTITIES)
      expect(details).not.toContain('INVITE sip:')
    },
  )

  it.each(['mask', 'hash'] as const)('--privacy %s with raw SIP: not there either', async (privacy) => {
    const { details } = await report({ privacy, privacyKey: KEY, reportSip: 'redacted' })
    expect(details).toContain('INVITE sip:')
    expect(details).not.toMatch(IDENTITIES)
    expect(details).not.toMatch(CRYPTO_KEY)
  })
})

describe('a report that cannot be written', () => {
  it('is told of before the run, with what to do', async () => {
    const open = (report: string) =>
      new RunRecords(DEFAULT_CONFIG, { format: 'ndjson', output: '/dev/null', sort: 'time', report }).open()
    await expect(open(join(folder, 'none', 'report.html'))).rejects.toThrow(
      /cannot write .*none.report\.html: its folder does not exist/,
    )
    await expect(open('-')).rejects.toThrow(/--report needs the name of a file/)
  })

  it('leaves nothing behind when the run fails', async () => {
    const path = join(folder, 'failed.html')
    const records = new RunRecords(DEFAULT_CONFIG, {
      format: 'ndjson',
      output: '/dev/null',
      sort: 'time',
      report: path,
    })
    await records.open()
    await records.abort()
    expect(existsSync(path)).toBe(false)
  })
})
