import { CallprobeError } from '../../errors.js'
import { describeDestination, type Destination, type ServerKind } from './destination.js'
import { fieldOf, parseJson } from './answers.js'
import { HttpClient, type HttpResponse } from './http-client.js'
import { prepareInfluxdb1 } from './prepare-1.js'
import { prepareInfluxdb2 } from './prepare-2.js'
import { prepareInfluxdb3 } from './prepare-3.js'
import { rejected, unreachable } from './server-errors.js'

/** The server at the other end: found out which one it is, made ready, then written to. */
export class Server {
  private readonly client: HttpClient
  private ready: ServerKind | undefined
  private org: string | undefined
  private readonly chosen: ServerKind | undefined

  constructor(readonly destination: Destination) {
    this.client = new HttpClient(destination)
    this.org = destination.org
    this.chosen = destination.server === 'auto' ? undefined : destination.server
  }

  /** Known once `prepare` was successful, or from the configuration. */
  get kind(): ServerKind | undefined {
    return this.ready ?? this.chosen
  }

  get isReady(): boolean {
    return this.ready !== undefined
  }

  /**
   * Checks that the destination can be written to, creates a missing database or bucket, and sets the retention that is
   * asked for.
   * @throws CallprobeError INFLUX_UNREACHABLE (may pass), INFLUX_REJECTED (somebody has to change something)
   */
  async prepare(): Promise<void> {
    const kind = this.chosen ?? (await this.detect())
    const { destination } = this
    switch (kind) {
      case 'influxdb1':
        await prepareInfluxdb1(destination)
        break
      case 'influxdb2':
        this.org = await prepareInfluxdb2(destination)
        break
      case 'influxdb3':
        await prepareInfluxdb3(destination, (path, body) => this.api(path, body))
        break
      case 'victoriametrics':
        break
    }
    await this.tryWriting(kind)
    this.ready = kind
  }

  /** The database was dropped, or the server is another one now: `prepare` before writing on. */
  forget(): void {
    this.ready = undefined
  }

  /** Posts gzipped line protocol. @throws HttpFailure */
  write(gzipped: Buffer): Promise<HttpResponse> {
    return this.client.request({
      method: 'POST',
      path: this.writePath(this.ready ?? 'influxdb1'),
      headers: {
        ...this.authorization(this.ready ?? 'influxdb1'),
        'content-type': 'text/plain; charset=utf-8',
        'content-encoding': 'gzip',
      },
      body: gzipped,
    })
  }

  close(): void {
    this.client.close()
  }

  private async detect(): Promise<ServerKind> {
    const answer = await this.get('/ping')
    const header = answer.headers['x-influxdb-version']
    const named = typeof header === 'string' ? header : fieldOf(parseJson(answer.body), 'version')
    const version = typeof named === 'string' ? named.replace(/^v/, '') : ''
    if (version.startsWith('3.') || /enterprise|core/i.test(version)) return 'influxdb3'
    if (version.startsWith('2.') || answer.headers['x-influxdb-build'] === 'Cloud') return 'influxdb2'
    // It stands in for InfluxDB 1.x, and in some versions says so.
    const build = await this.get('/api/v1/status/buildinfo')
    if (build.status === 200 && fieldOf(parseJson(build.body), 'status') === 'success')
      return 'victoriametrics'
    if (version.startsWith('1.')) return 'influxdb1'
    if (answer.status === 401)
      throw rejected(this.destination, 'it wants credentials before it says what it is', CREDENTIALS_HINT)
    throw rejected(
      this.destination,
      `this does not look like InfluxDB: GET /ping answered ${answer.status} ${answer.body.trim().slice(0, 100)}`,
      'check host, port and path of the URL; if it is one behind a proxy, name it with influx.server in the configuration',
    )
  }

  private async get(path: string): Promise<HttpResponse> {
    try {
      return await this.client.request({ method: 'GET', path, headers: this.authorization('influxdb2') })
    } catch (error) {
      throw unreachable(this.destination, error)
    }
  }

  /** A JSON request to an API of administration; without a body a GET. */
  private async api(path: string, body?: object): Promise<HttpResponse> {
    const headers = { ...this.authorization('influxdb3'), accept: 'application/json' }
    try {
      return await this.client.request(
        body === undefined
          ? { method: 'GET', path, headers }
          : {
              method: 'POST',
              path,
              headers: { ...headers, 'content-type': 'application/json' },
              body: Buffer.from(JSON.stringify(body), 'utf8'),
            },
      )
    } catch (error) {
      throw unreachable(this.destination, error)
    }
  }

  /** A write without lines: shows whether the credentials may write, before anything has been measured. */
  private async tryWriting(kind: ServerKind): Promise<void> {
    let answer: HttpResponse
    try {
      answer = await this.client.request({
        method: 'POST',
        path: this.writePath(kind),
        headers: { ...this.authorization(kind), 'content-type': 'text/plain; charset=utf-8' },
        body: Buffer.alloc(0),
      })
    } catch (error) {
      throw unreachable(this.destination, error)
    }
    const text = answer.body.trim().slice(0, 200)
    if (answer.status === 401 || answer.status === 403)
      throw rejected(this.destination, `writing is not allowed (${answer.status} ${text})`, CREDENTIALS_HINT)
    if (answer.status === 404)
      throw rejected(
        this.destination,
        `it cannot be written to (404 ${text})`,
        kind === 'influxdb2'
          ? 'name the organisation with influx.org; without a token, 2.x needs a DBRP mapping for the database'
          : 'check the path of the URL, and whether the database exists',
      )
    if (answer.status >= 500)
      throw new CallprobeError(
        'INFLUX_UNREACHABLE',
        `${describeDestination(this.destination)}: the server answers ${answer.status} ${text}`,
      )
  }

  private writePath(kind: ServerKind): string {
    const { database } = this.destination
    switch (kind) {
      case 'influxdb2':
        if (this.usesToken)
          return `/api/v2/write?${query({ org: this.org ?? '', bucket: database, precision: 'ns' })}`
        return `/write?${query({ db: database, precision: 'ns' })}`
      case 'influxdb3':
        return `/api/v3/write_lp?${query({ db: database, precision: 'nanosecond', accept_partial: 'true' })}`
      case 'influxdb1':
      case 'victoriametrics':
        return `/write?${query({ db: database, precision: 'ns' })}`
    }
  }

  private get usesToken(): boolean {
    return this.destination.token !== undefined
  }

  private authorization(kind: ServerKind): Record<string, string> {
    const { token, username, password } = this.destination
    if (token !== undefined && kind !== 'influxdb1')
      return { authorization: `${kind === 'influxdb2' ? 'Token' : 'Bearer'} ${token}` }
    if (username === undefined) return {}
    return {
      authorization: `Basic ${Buffer.from(`${username}:${password ?? ''}`, 'utf8').toString('base64')}`,
    }
  }
}

const CREDENTIALS_HINT =
  'set CALLPROBE_INFLUX_TOKEN (2.x, 3.x), or CALLPROBE_INFLUX_USERNAME and CALLPROBE_INFLUX_PASSWORD (1.x), or token_file or password_file of the configuration'

function query(parameters: Record<string, string>): string {
  return new URLSearchParams(parameters).toString()
}
