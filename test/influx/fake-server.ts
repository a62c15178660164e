import { createServer, type IncomingMessage, type Server } from 'node:http'
import { gunzipSync } from 'node:zlib'
import { afterEach } from 'vitest'

export interface FakeRequest {
  method: string
  path: string
  query: URLSearchParams
  headers: IncomingMessage['headers']
  /** Unzipped. */
  body: string
  /** As it came. */
  bytes: Buffer
  /** ms since the epoch. */
  atMs: number
}

export interface FakeAnswer {
  status: number
  body?: unknown
  headers?: Record<string, string>
}

const open: Server[] = []

afterEach(() => {
  for (const server of open.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

/** A server on 127.0.0.1 that answers as told, and remembers what it was asked. */
export class FakeServer {
  readonly requests: FakeRequest[] = []
  url = ''

  private constructor(private readonly answer: (request: FakeRequest) => FakeAnswer) {}

  static async start(answer: (request: FakeRequest) => FakeAnswer): Promise<FakeServer> {
    const fake = new FakeServer(answer)
    const server = createServer((request, response) => {
      const pieces: Buffer[] = []
      request.on('data', (piece: Buffer) => pieces.push(piece))
      request.on('end', () => {
        const { status, body, headers = {} } = fake.take(request, Buffer.concat(pieces))
        const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body)
        response.writeHead(status, { 'content-type': 'application/json', ...headers })
        response.end(text)
      })
    })
    open.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    if (typeof address !== 'object' || address === null) throw new Error('no address')
    fake.url = `http://127.0.0.1:${address.port}`
    return fake
  }

  /** Requests that wrote lines. */
  get writes(): FakeRequest[] {
    return this.requests.filter(({ path, body }) => path.includes('write') && body !== '')
  }

  private take(request: IncomingMessage, bytes: Buffer): FakeAnswer {
    const url = new URL(request.url ?? '/', 'http://fake')
    const zipped = request.headers['content-encoding'] === 'gzip'
    const seen: FakeRequest = {
      method: request.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      body: (zipped ? gunzipSync(bytes) : bytes).toString('utf8'),
      bytes,
      atMs: Date.now(),
    }
    this.requests.push(seen)
    return this.answer(seen)
  }
}

export function linesOf(body: string): string[] {
  return body.split('\n').filter((line) => line !== '')
}

/** Answers of an InfluxDB 1.x that takes everything, for tests of single answers. */
export function influxdb1(write: (request: FakeRequest) => FakeAnswer): (request: FakeRequest) => FakeAnswer {
  return (request) => {
    if (request.path === '/ping') return { status: 204, headers: { 'x-influxdb-version': '1.8.10' } }
    if (request.path === '/query')
      return {
        status: 200,
        body: { results: [{ statement_id: 0, series: [{ columns: ['name'], values: [['voip']] }] }] },
      }
    if (request.path === '/write') return request.body === '' ? { status: 204 } : write(request)
    return { status: 404 }
  }
}

const FIELD =
  /^(?:[^\s,="]|\\[ ,=])+=(?:"(?:[^"\\\n]|\\["\\])*"|-?\d+i|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|true|false)$/

/**
 * Line protocol by its documented grammar, independent of the product's own writer.
 * @returns what is wrong with a line, or undefined
 */
export function lineProblem(line: string): string | undefined {
  const [head, fields, time, ...rest] = splitOutside(line, ' ')
  if (rest.length > 0) return 'more than three parts'
  if (time === undefined || !/^-?\d+$/.test(time)) return 'no time'
  const [measurement, ...tags] = splitOutside(head, ',')
  if (measurement === '' || measurement.startsWith('_')) return 'bad measurement'
  const names = tags.map((tag) => splitOutside(tag, '='))
  if (names.some((parts) => parts.length !== 2 || parts.includes(''))) return 'bad tag'
  if (names.some(([, value]) => value.endsWith('\\'))) return 'tag ends with a backslash'
  const keys = names.map(([key]) => key)
  if (keys.join() !== [...keys].sort().join()) return 'tags are not sorted'
  const columns = splitOutside(fields, ',')
  const bad = columns.find((column) => !FIELD.test(column))
  if (bad !== undefined) return `bad field ${bad}`
  const shared = columns
    .map((column) => column.slice(0, column.indexOf('=')))
    .find((name) => keys.includes(name))
  return shared === undefined ? undefined : `${shared} is a tag and a field`
}

/** Splits at a separator that is neither escaped nor in quotes. */
function splitOutside(text: string, separator: string): string[] {
  const parts: string[] = []
  let part = ''
  let quoted = false
  for (let i = 0; i < text.length; i++) {
    const character = text[i]
    if (character === '\\' && i + 1 < text.length) {
      part += character + text[++i]
      continue
    }
    if (character === '"' && part.includes('=')) quoted = !quoted
    if (character === separator && !quoted) {
      parts.push(part)
      part = ''
    } else part += character
  }
  return [...parts, part]
}
