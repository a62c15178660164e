import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { main } from '../../src/cli/main.js'
import { EXAMPLE_ALERT, EXAMPLE_CALL } from '../../src/calls/record-examples.js'
import { recordPoints } from '../../src/sinks/influx/record-points.js'
import { roundField } from '../../src/sinks/rounding.js'
import { DatabaseServer, freePort } from '../helpers/databases.js'
import { ROOT, findProgram, noteSkip, requirePrograms } from '../helpers/programs.js'
import { call, closeSink, openSink, temporaryFolder } from './helpers.js'

const here = requirePrograms('influxd')
let server: DatabaseServer

beforeAll(async () => {
  if (here) server = await DatabaseServer.influxd()
})

afterAll(async () => {
  if (here) await server.remove()
})

type Row = Record<string, unknown>

describe.skipIf(!here)('InfluxDB 1.x', () => {
  it(
    'has 10,000 points of 10,000 calls that end in the same second with equal tags, also when written twice',
    { timeout: 60_000 },
    async () => {
      const end = '2026-03-02T09:18:04.104Z'
      const media = { from_caller: { packets: 1, bytes: 172 }, from_callee: { packets: 2, bytes: 344 } }
      for (let run = 0; run < 2; run++) {
        const { sink } = await openSink({ url: `${server.url}/same_second` })
        for (let number = 0; number < 10_000; number++) sink.addRecord(call(number, { end, media }))
        expect(await sink.drain(30_000)).toBeUndefined()
        expect(sink.counters()).toMatchObject({ sent: 30_000, rejected: 0, series: 3, droppedUnwritten: 0 })
        expect(await server.count('same_second', 'voip_call', 'call_id')).toBe(10_000)
        expect(await server.count('same_second', 'voip_media', 'call_id')).toBe(20_000)
        await closeSink(sink)
      }
      // Each one is a call of its own, with its own fields, and lies in its second.
      const rows = await server
        .client('same_second')
        .query<{ call_id: string }>(
          `SELECT call_id FROM voip_call WHERE time >= '2026-03-02T09:18:04Z' AND time < '2026-03-02T09:18:05Z'`,
        )
      expect(new Set(rows.map(({ call_id }) => call_id)).size).toBe(10_000)
    },
  )

  it('gives back every value of every record as it is in NDJSON; replaying twice changes nothing', async () => {
    const folder = temporaryFolder()
    const config = join(folder, 'config.yaml')
    writeFileSync(config, `spool: {directory: ${folder}/spool}\n`)
    const files = ['sipp-g711', 'baresip-pcmu-bursts', 'baresip-opus-random-loss', 'sipp-setup-failures'].map(
      (name) => join(ROOT, 'fixtures', `${name}.pcap`),
    )
    const ndjson = join(folder, 'records.ndjson')
    const counts: number[][] = []
    for (let run = 0; run < 2; run++) {
      const args = ['replay', '--config', config, '--influx', `${server.url}/replayed`, '--format', 'ndjson']
      expect(await main(['node', 'callprobe', ...args, '--output', ndjson, ...files])).toBe(0)
      counts.push(
        await Promise.all(
          [
            ['voip_call', 'call_id'],
            ['voip_media', 'packets'],
            ['voip_interval', 'packets'],
          ].map(([measurement, field]) => server.count('replayed', measurement, field)),
        ),
      )
    }
    const records = readFileSync(ndjson, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Row & { media?: Record<string, Row> })
    const calls = records.filter(({ type }) => type === 'call')
    const directions = calls.flatMap(({ media }) => Object.values(media ?? {}))
    const intervals = records.filter(({ type }) => type === 'interval')
    expect(calls.length).toBeGreaterThan(5)
    expect(intervals.length).toBeGreaterThan(5)
    expect(counts[0]).toEqual([calls.length, directions.length, intervals.length])
    expect(counts[1]).toEqual(counts[0])

    const client = server.client('replayed')
    for (const record of calls) {
      const [row] = await client.query<Row>(
        `SELECT * FROM voip_call WHERE call_id = '${String(record.call_id)}'`,
      )
      expectEqual(row, record, ['media', 'findings', 'validity', 'sip', 'type', 'schema'])
      expectEqual(row, prefixed('validity_', record.validity), ['validity_directions_seen'])
      expectEqual(row, prefixed('sip_', record.sip), ['sip_user_agents'])
      for (const [direction, media] of Object.entries(record.media ?? {})) {
        const [found] = await client.query<Row>(
          `SELECT * FROM voip_media WHERE call_id = '${String(record.call_id)}' AND direction = '${direction}'`,
        )
        expectEqual(found, media, ['codec', 'ssrcs', 'loss_runs', 'burst_events'])
        expect(found.codec_name ?? undefined).toBe(media.codec)
      }
    }
    for (const record of intervals) {
      const [row] = await client.query<Row>(
        `SELECT * FROM voip_interval WHERE call_id = '${String(record.call_id)}' AND direction = '${String(record.direction)}' AND time >= '${String(record.start)}' AND time < '${String(record.start)}' + 1s`,
      )
      expectEqual(row, record, ['type', 'schema', 'start', 'end', 'codec', 'loss_runs', 'mos_model', 'ssrcs'])
    }
  })

  it('gives back hostile texts as they were, but for control characters', async () => {
    const hostile = [
      'comma, quote " and backslash \\',
      'ends with a backslash \\',
      '\\" , x=1 1\\\\',
      'equals=a,b=c d',
      'emoji \u{1f4de} \u00fc \u4f60 \u202e',
      '# no comment',
      "single ' quote; DROP DATABASE voip",
      'x'.repeat(15_000),
    ]
    const { sink } = await openSink({ url: `${server.url}/hostile` })
    for (const [i, text] of hostile.entries())
      sink.addRecord(
        call(i, { call_id: text, caller: text, sip: { reason: text }, trunk: text.slice(0, 64) }),
      )
    sink.addRecord(call(99, { call_id: 'line\nfeed voip_call x=1 1\r\u0000' }))
    expect(await sink.drain(10_000)).toBeUndefined()
    expect(sink.counters()).toMatchObject({ rejected: 0, sent: 3 * (hostile.length + 1) })
    const rows = await server.client('hostile').query<Row>('SELECT * FROM voip_call')
    expect(new Set(rows.map(({ call_id }) => call_id))).toEqual(
      new Set([...hostile, 'line feed voip_call x=1 1  ']),
    )
    for (const row of rows.filter(({ caller }) => hostile.includes(String(caller)))) {
      expect(row.sip_reason).toBe(row.caller)
      expect(row.trunk).toBe(String(row.caller).slice(0, 64).replaceAll('\\', '/'))
    }
  })

  it('sorts an alert among the others by its time, firing and resolved', async () => {
    const { sink } = await openSink({ url: `${server.url}/alerts` })
    sink.addRecord({ ...EXAMPLE_ALERT, state: 'firing', end: undefined })
    sink.addRecord(EXAMPLE_ALERT)
    expect(await sink.drain(10_000)).toBeUndefined()
    const rows = await server.client('alerts').query<Row>('SELECT * FROM voip_alert')
    expect(rows.map(({ state }) => state).sort()).toEqual(['firing', 'resolved'])
    expect(rows[0]).toMatchObject({
      rule: 'burst-jitter',
      severity: 'critical',
      calls_affected: 12,
      value: 14,
    })
  })

  it('gets the database and the retention that are asked for, and keeps them when they are not', async () => {
    const client = server.client('kept')
    const retention = async () =>
      (await client.showRetentionPolicies('kept')).map(({ name, duration }) => [name, duration])
    await openSink({ url: `${server.url}/kept` })
    expect(await retention()).toEqual([['autogen', '0s']])
    await openSink({ url: `${server.url}/kept`, retention: '30d' })
    expect(await retention()).toEqual([['autogen', '720h0m0s']])
    await openSink({ url: `${server.url}/kept` })
    expect(await retention()).toEqual([['autogen', '720h0m0s']])
    await openSink({ url: `${server.url}/kept`, retention: 'inf' })
    expect(await retention()).toEqual([['autogen', '0s']])
  })

  it('says that points are too old for its retention, counts them, and goes on', async () => {
    const { sink, notices } = await openSink({ url: `${server.url}/short`, retention: '1h' })
    sink.addRecord(call(1))
    const now = new Date()
    sink.addRecord(call(2, { start: now.toISOString(), end: now.toISOString() }))
    expect(await sink.drain(10_000)).toBeUndefined()
    expect(sink.counters()).toMatchObject({ sent: 3, rejected: 3, spooledPoints: 0 })
    expect(notices.join()).toContain('beyond retention policy')
    expect(await server.count('short', 'voip_call', 'call_id')).toBe(1)
  })

  it('names the one line whose field has another type there, and keeps the others', async () => {
    const { sink, notices, spoolDirectory } = await openSink({ url: `${server.url}/typed` })
    await server.client('typed').writePoints([
      {
        measurement: 'voip_probe',
        tags: { probe: 'a' },
        fields: { odd: 'text' },
        timestamp: new Date('2026-03-02T09:15:00.000Z'),
      },
    ])
    const point = {
      measurement: 'voip_probe',
      tags: { probe: 'a' },
      timeMs: Date.parse('2026-03-02T09:15:01.000Z'),
    }
    for (let i = 0; i < 500; i++)
      sink.add([{ ...point, key: `k${i}`, fields: { fine: i, ...(i === 321 ? { odd: 1 } : {}) } }])
    expect(await sink.drain(10_000)).toBeUndefined()
    expect(sink.counters()).toMatchObject({ sent: 499, rejected: 1 })
    expect(await server.count('typed', 'voip_probe', 'fine')).toBe(499)
    expect(notices.join()).toContain('field type conflict')
    const log = readFileSync(join(sink.folder, 'rejected.log'), 'utf8')
    expect(sink.folder.startsWith(spoolDirectory)).toBe(true)
    expect(log).toContain('fine=321,odd=1')
    expect(log.match(/fine=/g)).toHaveLength(1)
  })

  it('gets its database again when somebody drops it under way', async () => {
    const { sink } = await openSink({ url: `${server.url}/dropped` })
    sink.addRecord(call(1))
    expect(await sink.drain(10_000)).toBeUndefined()
    await server.client('dropped').dropDatabase('dropped')
    sink.addRecord(call(2))
    expect(await sink.drain(10_000)).toBeUndefined()
    expect(await server.count('dropped', 'voip_call', 'call_id')).toBe(1)
  })
})

describe.skipIf(!here)('InfluxDB 1.x with users', () => {
  let guarded: DatabaseServer
  beforeAll(async () => {
    guarded = await DatabaseServer.influxd({ INFLUXDB_HTTP_AUTH_ENABLED: 'true' })
    const query = (q: string, auth?: string) =>
      fetch(`${guarded.url}/query?${new URLSearchParams({ q }).toString()}`, {
        method: 'POST',
        headers: auth === undefined ? {} : { authorization: `Basic ${Buffer.from(auth).toString('base64')}` },
      })
    await query(`CREATE USER root WITH PASSWORD 'top secret' WITH ALL PRIVILEGES`)
    for (const q of [
      'CREATE DATABASE voip',
      `CREATE USER probe WITH PASSWORD 'pass:word'`,
      'GRANT ALL ON voip TO probe',
      `CREATE USER reader WITH PASSWORD 'r'`,
      'GRANT READ ON voip TO reader',
    ])
      await query(q, 'root:top secret')
  })
  afterAll(() => guarded.remove())

  it('takes a user of the environment, or a password of a file', async () => {
    const { sink } = await openSink(
      { url: `${guarded.url}/voip` },
      {},
      {
        CALLPROBE_INFLUX_USERNAME: 'probe',
        CALLPROBE_INFLUX_PASSWORD: 'pass:word',
      },
    )
    sink.addRecord(call(1))
    expect(await sink.drain(10_000)).toBeUndefined()
    expect(sink.counters().sent).toBe(3)
    const file = join(temporaryFolder(), 'password')
    writeFileSync(file, 'pass:word\n')
    await openSink({ url: `${guarded.url}/voip`, username: 'probe', password_file: file })
  })

  it.each([
    ['without credentials', 'voip', {}, /credentials are not accepted/],
    [
      'with a wrong password',
      'voip',
      { CALLPROBE_INFLUX_USERNAME: 'probe', CALLPROBE_INFLUX_PASSWORD: 'x' },
      /credentials are not accepted/,
    ],
    [
      'for a database that is not there and that the user may not create',
      'other',
      { CALLPROBE_INFLUX_USERNAME: 'probe', CALLPROBE_INFLUX_PASSWORD: 'pass:word' },
      /could not be created \(user probe\)/,
    ],
    [
      'for a user who may only read',
      'voip',
      { CALLPROBE_INFLUX_USERNAME: 'reader', CALLPROBE_INFLUX_PASSWORD: 'r' },
      /writing is not allowed \(403/,
    ],
  ])('says at once what is wrong %s', async (_, database, environment, message) => {
    await expect(openSink({ url: `${guarded.url}/${database}` }, {}, environment)).rejects.toMatchObject({
      code: 'INFLUX_REJECTED',
      message: expect.stringMatching(message) as unknown,
    })
  })
})

const openssl = findProgram('openssl')
if (openssl === undefined) noteSkip('openssl is not installed: no certificate for a server with TLS')

describe.skipIf(!here || openssl === undefined)('InfluxDB 1.x behind TLS', () => {
  it('is trusted by its certificate, not without, unless told not to look', async () => {
    const folder = temporaryFolder()
    const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')]
    execFileSync(
      openssl ?? '',
      [
        ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost'],
        ...['-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', certificate],
      ],
      { stdio: 'ignore' },
    )
    const secure = await DatabaseServer.influxd(
      {
        INFLUXDB_HTTP_HTTPS_ENABLED: 'true',
        INFLUXDB_HTTP_HTTPS_CERTIFICATE: certificate,
        INFLUXDB_HTTP_HTTPS_PRIVATE_KEY: key,
      },
      'https',
    )
    try {
      const url = `https://127.0.0.1:${secure.port}/voip`
      const { sink } = await openSink({ url, ca_file: certificate })
      sink.addRecord(call(1))
      expect(await sink.drain(10_000)).toBeUndefined()
      expect(sink.counters().sent).toBe(3)

      const untrusted = await openSink({ url })
      untrusted.sink.addRecord(call(2))
      expect(untrusted.notices.join()).toMatch(/certificate is not trusted/)
      expect((await untrusted.sink.drain(100))?.hint).toContain('ca_file')

      expect((await openSink({ url, insecure_tls: true })).notices).toEqual([])
      await expect(openSink({ url: url.replace('https', 'http') })).rejects.toThrow(
        'Client sent an HTTP request to an HTTPS server',
      )
    } finally {
      await secure.remove()
    }
  })
})

describe('a server that is not there', () => {
  it('is no reason to stop: records wait in the spool, and the run ends with 1 and says so', async () => {
    const folder = temporaryFolder()
    const config = join(folder, 'config.yaml')
    writeFileSync(config, `spool: {directory: ${folder}/spool}\ninflux: {drain_timeout_s: 0}\n`)
    let talk = ''
    const stderr = vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
      talk += String(text)
      return true
    })
    const url = `http://127.0.0.1:${await freePort()}/voip`
    const args = ['--config', config, '--influx', url, '--format', 'ndjson', '--output', join(folder, 'x')]
    const code = await main(['node', 'callprobe', 'replay', ...args, join(ROOT, 'fixtures/sipp-g711.pcap')])
    stderr.mockRestore()
    expect(code).toBe(1)
    expect(talk).toMatch(/connection refused/)
    expect(talk).toMatch(/\d+ points kept in .*spool/)
    expect(talk).toMatch(/next replay into the same database sends them/)
    // The other outputs are complete.
    expect(readFileSync(join(folder, 'x'), 'utf8')).toContain('"type":"summary"')
  })
})

describe('the URL', () => {
  const usage = async (url: string) => {
    let talk = ''
    const stderr = vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
      talk += String(text)
      return true
    })
    const code = await main([
      'node',
      'callprobe',
      'replay',
      '--influx',
      url,
      join(ROOT, 'fixtures/sipp-g711.pcap'),
    ])
    stderr.mockRestore()
    expect(code).toBe(2)
    return talk
  }

  it('with credentials is a usage error that says where they belong, and does not repeat them', async () => {
    const talk = await usage('http://probe:geheim@127.0.0.1:8086/voip')
    expect(talk).toContain('CALLPROBE_INFLUX_PASSWORD')
    expect(talk).not.toContain('geheim')
  })

  it.each([
    ['127.0.0.1:8086/voip', 'http(s)://HOST:PORT/DATABASE'],
    ['probe:geheim@127.0.0.1:8086/voip', 'the InfluxDB URL is not an http(s) URL'],
    ['http://127.0.0.1:8086', 'names no database'],
    ['http://127.0.0.1:8086/', 'names no database'],
    ['ftp://127.0.0.1/voip', 'not an http(s) URL'],
    ['http://127.0.0.1:8086/voip?precision=s', 'more than a database'],
  ])('%s is one too', async (url, message) => {
    expect(await usage(url)).toContain(message)
  })
})

function prefixed(prefix: string, fields: unknown): Row {
  return Object.fromEntries(
    Object.entries((fields ?? {}) as Row).map(([name, value]) => [prefix + name, value]),
  )
}

/** Every field of the record is in the row with its value, and absent ones are absent. */
function expectEqual(row: Row | undefined, record: Row, apart: readonly string[]): void {
  if (row === undefined) throw new Error(`no row for ${JSON.stringify(record).slice(0, 200)}`)
  for (const [name, value] of Object.entries(record)) {
    if (apart.includes(name)) continue
    const expected = typeof value === 'number' ? roundField(name, value) : value
    expect([name, row[name]]).toEqual([name, expected])
  }
}

describe('the example call', () => {
  it('has every field in its point that a call can have', () => {
    const { fields, tags } = recordPoints(EXAMPLE_CALL)[0]
    const there = new Set([...Object.keys(fields), ...Object.keys(tags)])
    const apart = ['type', 'schema', 'media', 'sip', 'validity']
    expect(Object.keys(EXAMPLE_CALL).filter((name) => !apart.includes(name) && !there.has(name))).toEqual([])
  })
})
