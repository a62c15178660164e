import { describe, expect, it } from 'vitest'
import { closeSink, call, openSink } from './helpers.js'
import { FakeServer, influxdb1, lineProblem, linesOf, type FakeAnswer } from './fake-server.js'

const media = { from_caller: { packets: 1, bytes: 172 } }

/** Numbers of calls in lines. */
const numbers = (lines: readonly string[]) => [
  ...new Set(lines.flatMap((line) => /call_id="call-(\d+)"/.exec(line)?.[1] ?? [])),
]

async function writeCalls(server: FakeServer, count: number, patienceMs = 5000) {
  const opened = await openSink({ url: `${server.url}/voip` })
  for (let i = 0; i < count; i++) opened.sink.addRecord(call(i, { media }))
  const failure = await opened.sink.drain(patienceMs)
  return { ...opened, failure }
}

describe('what a server answers', () => {
  it('204: every line once, by the documented grammar, sorted tags, gzipped', async () => {
    const server = await FakeServer.start(influxdb1(() => ({ status: 204 })))
    const { failure, sink } = await writeCalls(server, 3000)
    expect(failure).toBeUndefined()
    const lines = server.writes.flatMap(({ body }) => linesOf(body))
    expect(lines).toHaveLength(6000)
    expect(lines.map(lineProblem).filter((problem) => problem !== undefined)).toEqual([])
    expect(server.writes.every(({ headers }) => headers['content-encoding'] === 'gzip')).toBe(true)
    expect(
      server.writes.every(({ query }) => query.get('precision') === 'ns' && query.get('db') === 'voip'),
    ).toBe(true)
    expect(sink.counters()).toMatchObject({ sent: 6000, retries: 0, points: 6000, acknowledged: 6000 })
  })

  it('400 for the whole batch because of some lines: those are found and named, all others arrive', async () => {
    const taken: string[] = []
    const server = await FakeServer.start(
      influxdb1(({ body }) => {
        const bad = linesOf(body).find((line) => /call_id="call-(77|1234)"/.test(line))
        if (bad !== undefined)
          return { status: 400, body: { error: `unable to parse '${bad.slice(0, 40)}': no` } }
        taken.push(...linesOf(body))
        return { status: 204 }
      }),
    )
    const { failure, sink, notices } = await writeCalls(server, 2000)
    expect(failure).toBeUndefined()
    // A voip_call and a voip_media of each.
    expect(sink.counters()).toMatchObject({ rejected: 4, sent: 3996 })
    expect(new Set(taken).size).toBe(3996)
    expect(server.writes.length).toBeLessThan(120)
    expect(notices.join()).toContain('unable to parse')
  })

  it('400 for everything: ends after a bounded number of posts, all counted', async () => {
    const server = await FakeServer.start(
      influxdb1(() => ({ status: 400, body: { error: 'unable to parse' } })),
    )
    const { failure, sink } = await writeCalls(server, 2000)
    expect(failure).toBeUndefined()
    expect(sink.counters()).toMatchObject({ rejected: 4000, sent: 0, spooledPoints: 0 })
    expect(server.writes.length).toBeLessThan(500)
  })

  it('400 partial write, dropped=N: what is kept is not counted as lost, what is dropped is counted once', async () => {
    const server = await FakeServer.start(
      influxdb1(({ body }) => {
        const bad = linesOf(body).filter((line) => line.includes('call_id="call-5"'))
        if (bad.length === 0) return { status: 204 }
        return {
          status: 400,
          body: { error: `partial write: field type conflict: input field "x" dropped=${bad.length}` },
        }
      }),
    )
    const { sink } = await writeCalls(server, 500)
    expect(sink.counters()).toMatchObject({ rejected: 2, sent: 998 })
  })

  it('500 partial write (max-series) is not posted for ever', async () => {
    const server = await FakeServer.start(
      influxdb1(({ body }) => ({
        status: 500,
        body: {
          error: `partial write: max-series-per-database limit exceeded: (1000000) dropped=${linesOf(body).length}`,
        },
      })),
    )
    const { sink, failure, notices } = await writeCalls(server, 100)
    expect(failure).toBeUndefined()
    expect(sink.counters()).toMatchObject({ rejected: 200, spooledPoints: 0 })
    expect(notices.join()).toContain('max-series-per-database')
  })

  it('413: halved until it fits, and smaller from then on', async () => {
    const most = 40_000
    const taken: string[] = []
    const server = await FakeServer.start(
      influxdb1(({ body }) => {
        if (body.length > most) return { status: 413, body: { error: 'Request Entity Too Large' } }
        taken.push(...linesOf(body))
        return { status: 204 }
      }),
    )
    const { failure, sink } = await writeCalls(server, 2000)
    expect(failure).toBeUndefined()
    expect(numbers(taken)).toHaveLength(2000)
    expect(sink.counters()).toMatchObject({ rejected: 0, sent: 4000 })
  })

  it.each([
    ['429 with seconds', () => ({ status: 429, headers: { 'retry-after': '1' } })],
    [
      '503 with a date',
      () => ({ status: 503, headers: { 'retry-after': new Date(Date.now() + 2000).toUTCString() } }),
    ],
  ] satisfies [string, () => FakeAnswer][])(
    '%s: waits as long as it is told, then posts the same bytes',
    async (_, later) => {
      let first = true
      const server = await FakeServer.start(
        influxdb1(() => {
          const answer = first ? later() : { status: 204 }
          first = false
          return answer
        }),
      )
      const { failure, sink } = await writeCalls(server, 50)
      expect(failure).toBeUndefined()
      const [refused, taken] = server.writes
      // Dates have whole seconds: between one and two of them.
      expect(taken.atMs - refused.atMs).toBeGreaterThan(950)
      expect(taken.bytes.equals(refused.bytes)).toBe(true)
      expect(sink.counters()).toMatchObject({ sent: 100, retries: 1, rejected: 0 })
    },
  )

  it('500 and 503 without a time: again and again, in growing pauses, until it works', async () => {
    let refusals = 6
    const server = await FakeServer.start(
      influxdb1(() => ({ status: refusals-- > 0 ? (refusals % 2 === 0 ? 500 : 503) : 204 })),
    )
    const { failure, sink, notices } = await writeCalls(server, 10)
    expect(failure).toBeUndefined()
    expect(sink.counters()).toMatchObject({ sent: 20, retries: 6 })
    const at = server.writes.map(({ atMs }) => atMs)
    expect(at[5] - at[4]).toBeGreaterThan(at[1] - at[0])
    expect(notices.join('\n')).toMatch(/the server answers 50[03][\s\S]*takes records again/)
  })

  it('401 under way (a password was changed): points stay, and leave when it is right again', async () => {
    let denied = true
    const server = await FakeServer.start(
      influxdb1(() => (denied ? { status: 401, body: { error: 'authorization failed' } } : { status: 204 })),
    )
    const { failure, sink } = await writeCalls(server, 10, 200)
    expect(failure).toMatchObject({
      code: 'INFLUX_REJECTED',
      message: expect.stringContaining('authorization failed') as unknown,
    })
    expect(sink.counters().spooledPoints).toBe(20)
    denied = false
    expect(await sink.drain(5000)).toBeUndefined()
    expect(sink.counters()).toMatchObject({ sent: 20, spooledPoints: 0 })
  })

  it('nothing at all, for ever: the run ends, and the next one posts the same lines', async () => {
    let up = false
    const server = await FakeServer.start(influxdb1(() => ({ status: up ? 204 : 503 })))
    const { failure, sink, spoolDirectory } = await writeCalls(server, 300, 300)
    expect(failure?.message).toContain('503')
    expect(sink.counters().spooledPoints).toBe(600)
    await closeSink(sink)
    const refused = new Set(server.writes.flatMap(({ body }) => linesOf(body)))
    up = true
    server.requests.length = 0
    const again = await openSink({ url: `${server.url}/voip` }, { spoolDirectory })
    expect(again.notices.join()).toContain('600 points of an earlier run')
    expect(await again.sink.drain(5000)).toBeUndefined()
    expect(new Set(server.writes.flatMap(({ body }) => linesOf(body)))).toEqual(refused)
    expect(server.writes.flatMap(({ body }) => linesOf(body))).toHaveLength(600)
  })
})
