import { describe, expect, it } from 'vitest'
import { EXAMPLE_INTERVAL } from '../../src/calls/record-examples.js'
import { call, openSink } from './helpers.js'
import { FakeServer, lineProblem, linesOf, type FakeAnswer, type FakeRequest } from './fake-server.js'

/**
 * Servers by the documented HTTP APIs of InfluxDB 2.7 and 3 Core: what is not documented is answered with 404 or 400.
 */
interface State {
  token: string
  buckets: Map<string, { id: string; everySeconds: number }>
  mappings: { db: string; bucketID: string }[]
  databases: Map<string, string | undefined>
  lines: string[]
  /** The token may write and nothing else. */
  writeOnly?: boolean
}

function newState(more: Partial<State> = {}): State {
  return { token: 'secret', buckets: new Map(), mappings: [], databases: new Map(), lines: [], ...more }
}

const ORG = { id: '0000000000000001', name: 'noc' }
const json = (request: FakeRequest): Record<string, unknown> =>
  JSON.parse(request.body) as Record<string, unknown>

function influxdb2(state: State): (request: FakeRequest) => FakeAnswer {
  return (request) => {
    const { method, path, query } = request
    if (path === '/ping')
      return { status: 204, headers: { 'x-influxdb-version': 'v2.7.6', 'x-influxdb-build': 'OSS' } }
    if (path === '/api/v1/status/buildinfo') return { status: 404 }
    if (request.headers.authorization !== `Token ${state.token}`)
      return { status: 401, body: { code: 'unauthorized', message: 'unauthorized access' } }
    if (path === '/api/v2/write') return write2(state, request)
    if (state.writeOnly === true)
      return path === '/api/v2/orgs'
        ? { status: 200, body: { orgs: [] } }
        : { status: 401, body: { code: 'unauthorized', message: 'unauthorized access' } }
    if (path === '/api/v2/orgs' && method === 'GET') return { status: 200, body: { orgs: [ORG] } }
    if (path === '/api/v2/buckets' && method === 'GET') {
      if (query.get('orgID') !== ORG.id) return { status: 400, body: { code: 'invalid', message: 'org' } }
      const found = state.buckets.get(query.get('name') ?? '')
      const bucket = found && {
        id: found.id,
        name: query.get('name'),
        retentionRules: rules(found.everySeconds),
      }
      return { status: 200, body: { buckets: bucket ? [bucket] : [] } }
    }
    if (path === '/api/v2/buckets' && method === 'POST') {
      const { orgID, name, retentionRules } = json(request)
      if (orgID !== ORG.id || typeof name !== 'string' || !Array.isArray(retentionRules))
        return { status: 400, body: { code: 'invalid', message: 'body' } }
      const id = `00000000000000b${state.buckets.size}`
      state.buckets.set(name, { id, everySeconds: secondsOf(retentionRules) })
      return { status: 201, body: { id, name, orgID, retentionRules } }
    }
    if (path.startsWith('/api/v2/buckets/') && method === 'PATCH') {
      const entry = [...state.buckets].find(([, { id }]) => path.endsWith(id))
      const { retentionRules } = json(request)
      if (entry === undefined || !Array.isArray(retentionRules)) return { status: 404 }
      entry[1].everySeconds = secondsOf(retentionRules)
      return { status: 200, body: { id: entry[1].id, name: entry[0], retentionRules } }
    }
    if (path === '/api/v2/dbrps' && method === 'GET')
      return { status: 200, body: { content: state.mappings.filter(({ db }) => db === query.get('db')) } }
    if (path === '/api/v2/dbrps' && method === 'POST') {
      const { bucketID, database, retention_policy, orgID } = json(request)
      if (
        orgID !== ORG.id ||
        typeof database !== 'string' ||
        typeof bucketID !== 'string' ||
        retention_policy === undefined
      )
        return { status: 400 }
      state.mappings.push({ db: database, bucketID })
      return { status: 201, body: {} }
    }
    return { status: 404, body: { code: 'not found', message: 'path not found' } }
  }
}

const rules = (everySeconds: number) => (everySeconds === 0 ? [] : [{ type: 'expire', everySeconds }])
const secondsOf = (list: unknown[]) => (list[0] as { everySeconds?: number } | undefined)?.everySeconds ?? 0

function write2(state: State, { query, body }: FakeRequest): FakeAnswer {
  if (query.get('precision') !== 'ns') return { status: 400, body: { code: 'invalid', message: 'precision' } }
  if (query.get('org') !== ORG.name && query.get('org') !== ORG.id)
    return {
      status: 404,
      body: { code: 'not found', message: `organization name "${query.get('org')}" not found` },
    }
  const bucket = query.get('bucket') ?? ''
  if (!state.buckets.has(bucket))
    return { status: 404, body: { code: 'not found', message: `bucket "${bucket}" not found` } }
  // 2.x parses everything before it writes anything.
  const bad = linesOf(body).findIndex((line) => lineProblem(line) !== undefined)
  if (bad >= 0)
    return {
      status: 400,
      body: { code: 'invalid', message: `unable to parse line ${bad + 1}`, line: bad + 1 },
    }
  // Types of another kind: the rest is written.
  const conflicts = linesOf(body).filter((line) => line.includes('conflict'))
  state.lines.push(...linesOf(body).filter((line) => !line.includes('conflict')))
  if (conflicts.length === 0) return { status: 204 }
  return {
    status: 422,
    body: {
      code: 'unprocessable entity',
      message: `failure writing points to database: partial write: field type conflict dropped=${conflicts.length}`,
    },
  }
}

describe('InfluxDB 2.x', () => {
  const environment = { CALLPROBE_INFLUX_TOKEN: 'secret' }

  it('gets a bucket with the retention that is asked for, mapped for InfluxQL, and the points', async () => {
    const state = newState()
    const server = await FakeServer.start(influxdb2(state))
    const { sink, notices } = await openSink({ url: `${server.url}/voip`, retention: '30d' }, {}, environment)
    expect(notices).toEqual([])
    expect(sink.serverKind).toBe('influxdb2')
    expect(state.buckets.get('voip')?.everySeconds).toBe(30 * 86_400)
    expect(state.mappings).toEqual([{ db: 'voip', bucketID: state.buckets.get('voip')?.id }])
    for (let i = 0; i < 100; i++) sink.addRecord(call(i))
    sink.addRecord(EXAMPLE_INTERVAL)
    expect(await sink.drain(5000)).toBeUndefined()
    expect(state.lines).toHaveLength(301)

    // Once more: what is there stays, a longer retention is set.
    await openSink({ url: `${server.url}/voip`, retention: '60d' }, {}, environment)
    expect(state.buckets.size).toBe(1)
    expect(state.mappings).toHaveLength(1)
    expect(state.buckets.get('voip')?.everySeconds).toBe(60 * 86_400)
  })

  it('422: what it refused is counted, the rest is there', async () => {
    const state = newState()
    const server = await FakeServer.start(influxdb2(state))
    const { sink } = await openSink({ url: `${server.url}/voip` }, {}, environment)
    for (let i = 0; i < 50; i++) sink.addRecord(call(i, { media: {}, caller: i === 7 ? 'conflict' : 'fine' }))
    expect(await sink.drain(5000)).toBeUndefined()
    expect(sink.counters()).toMatchObject({ sent: 49, rejected: 1 })
    expect(new Set(state.lines).size).toBe(49)
  })

  it('takes a token that may only write, when the bucket is there', async () => {
    const state = newState({ writeOnly: true })
    state.buckets.set('voip', { id: 'b', everySeconds: 0 })
    const server = await FakeServer.start(influxdb2(state))
    const { sink } = await openSink({ url: `${server.url}/voip`, org: 'noc' }, {}, environment)
    sink.addRecord(call(1))
    expect(await sink.drain(5000)).toBeUndefined()
    expect(state.lines).toHaveLength(3)
  })

  it.each([
    ['a wrong token', {}, { CALLPROBE_INFLUX_TOKEN: 'wrong' }, /token is wrong, or sees no organisation/],
    ['an organisation that is not there', { org: 'sales' }, environment, /no organisation "sales"/],
    [
      'a wrong token for a named organisation',
      { org: 'noc' },
      { CALLPROBE_INFLUX_TOKEN: 'wrong' },
      /not allowed \(401/,
    ],
  ])('says at once what is wrong: %s', async (_, settings, variables, message) => {
    const server = await FakeServer.start(influxdb2(newState()))
    await expect(openSink({ url: `${server.url}/voip`, ...settings }, {}, variables)).rejects.toMatchObject({
      code: 'INFLUX_REJECTED',
      message: expect.stringMatching(message) as unknown,
    })
  })

  it('says at once that a bucket is not there which the token may not create', async () => {
    const server = await FakeServer.start(influxdb2(newState({ writeOnly: true })))
    await expect(openSink({ url: `${server.url}/voip`, org: 'noc' }, {}, environment)).rejects.toThrow(
      /bucket \\"voip\\" not found/,
    )
  })

  it('takes a user and password over the paths of 1.x', async () => {
    const lines: string[] = []
    const server = await FakeServer.start(({ path, query, headers, body }) => {
      if (path === '/ping') return { status: 204, headers: { 'x-influxdb-version': 'v2.7.6' } }
      if (path !== '/write') return { status: 404 }
      if (headers.authorization !== `Basic ${Buffer.from('probe:pw').toString('base64')}`)
        return { status: 401 }
      if (query.get('db') !== 'voip') return { status: 404, body: { error: 'no dbrp mapping found' } }
      lines.push(...linesOf(body))
      return { status: 204 }
    })
    const user = { CALLPROBE_INFLUX_USERNAME: 'probe', CALLPROBE_INFLUX_PASSWORD: 'pw' }
    const { sink } = await openSink({ url: `${server.url}/voip` }, {}, user)
    sink.addRecord(call(1))
    expect(await sink.drain(5000)).toBeUndefined()
    expect(lines).toHaveLength(3)
    await expect(openSink({ url: `${server.url}/other` }, {}, user)).rejects.toMatchObject({
      hint: expect.stringContaining('DBRP mapping') as unknown,
    })
  })
})

function influxdb3(state: State): (request: FakeRequest) => FakeAnswer {
  return (request) => {
    const { method, path, query, body } = request
    const { authorization } = request.headers
    if (authorization !== `Bearer ${state.token}` && authorization !== `Token ${state.token}`)
      return { status: 401, body: { error: 'the request was not authenticated' } }
    if (path === '/ping')
      return {
        status: 200,
        headers: { 'x-influxdb-version': '3.4.0' },
        body: { version: '3.4.0', revision: 'x' },
      }
    if (path === '/api/v3/configure/database' && method === 'GET') {
      if (query.get('format') !== 'json') return { status: 400 }
      return { status: 200, body: [...state.databases.keys()].map((name) => ({ 'iox::database': name })) }
    }
    if (path === '/api/v3/configure/database' && method === 'POST') {
      const { db, retention_period } = json(request)
      if (typeof db !== 'string' || !/^[a-zA-Z0-9][\w-]*$/.test(db))
        return { status: 400, body: { error: 'name' } }
      if (state.databases.has(db)) return { status: 409 }
      state.databases.set(db, typeof retention_period === 'string' ? retention_period : undefined)
      return { status: 200 }
    }
    if (path !== '/api/v3/write_lp' || method !== 'POST') return { status: 404 }
    if (!state.databases.has(query.get('db') ?? ''))
      return { status: 404, body: { error: 'database not found' } }
    if (query.get('precision') !== 'nanosecond') return { status: 400, body: { error: 'invalid precision' } }
    const refused = linesOf(body).flatMap((line, i) => {
      const problem = line.includes('conflict') ? 'invalid column type for column' : lineProblem(line)
      return problem === undefined
        ? []
        : [{ original_line: line, line_number: i + 1, error_message: problem }]
    })
    if (query.get('accept_partial') !== 'true' && refused.length > 0)
      return { status: 400, body: { error: 'parsing failed' } }
    state.lines.push(...linesOf(body).filter((_, i) => !refused.some((one) => one.line_number === i + 1)))
    if (refused.length === 0) return { status: 204 }
    return { status: 400, body: { error: 'partial write of line protocol occurred', data: refused } }
  }
}

describe('InfluxDB 3.x', () => {
  const environment = { CALLPROBE_INFLUX_TOKEN: 'secret' }

  it('gets its database with the retention that is asked for, and the points with Bearer', async () => {
    const state = newState()
    const server = await FakeServer.start(influxdb3(state))
    const { sink, notices } = await openSink({ url: `${server.url}/voip`, retention: '30d' }, {}, environment)
    expect(notices).toEqual([])
    expect(sink.serverKind).toBe('influxdb3')
    expect(state.databases).toEqual(new Map([['voip', '720h']]))
    for (let i = 0; i < 100; i++) sink.addRecord(call(i))
    expect(await sink.drain(5000)).toBeUndefined()
    expect(state.lines).toHaveLength(300)
    expect(server.writes.every(({ headers }) => headers.authorization === 'Bearer secret')).toBe(true)
  })

  it('400 that names lines: those are counted and written down, in one post', async () => {
    const state = newState()
    const server = await FakeServer.start(influxdb3(state))
    const { sink } = await openSink({ url: `${server.url}/voip` }, {}, environment)
    for (let i = 0; i < 50; i++)
      sink.addRecord(call(i, { media: {}, caller: i % 10 === 7 ? 'conflict' : 'fine' }))
    expect(await sink.drain(5000)).toBeUndefined()
    expect(sink.counters()).toMatchObject({ sent: 45, rejected: 5, posts: 1 })
    expect(state.lines).toHaveLength(45)
  })

  it('says at once that a token is missing or wrong', async () => {
    const server = await FakeServer.start(influxdb3(newState()))
    await expect(openSink({ url: `${server.url}/voip` })).rejects.toThrow(/wants credentials/)
    await expect(
      openSink({ url: `${server.url}/voip`, server: 'influxdb3' }, {}, { CALLPROBE_INFLUX_TOKEN: 'x' }),
    ).rejects.toThrow(/token is not accepted/)
  })
})
