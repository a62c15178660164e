import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import { parse } from 'yaml'
import { main } from '../src/cli/main.js'
import { ROOT } from './helpers/programs.js'

const scratch = mkdtempSync(join(tmpdir(), 'callprobe-dashboards-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

interface Run {
  code: number
  stdout: string
  stderr: string
}

async function callprobe(...args: string[]): Promise<Run> {
  const out: string[] = []
  const err: string[] = []
  const take = (list: string[]) => (chunk: unknown) => {
    list.push(String(chunk))
    return true
  }
  const spies = [
    vi.spyOn(process.stdout, 'write').mockImplementation(take(out)),
    vi.spyOn(process.stderr, 'write').mockImplementation(take(err)),
  ]
  try {
    const code = await main(['node', 'callprobe', ...args])
    return { code, stdout: out.join(''), stderr: err.join('') }
  } finally {
    for (const spy of spies) spy.mockRestore()
    process.exitCode = undefined
  }
}

interface Request {
  method: string
  path: string
  headers: IncomingMessage['headers']
  body: unknown
}

/** A Grafana that answers as its HTTP API is documented to. */
class FakeGrafana {
  readonly requests: Request[] = []
  folders: { uid: string; title: string }[] = []
  /** Answers instead, by method and path. */
  overrides = new Map<string, [status: number, body: unknown, headers?: Record<string, string>]>()
  private readonly server: Server
  url = ''

  constructor(private readonly token: string) {
    this.server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const text = Buffer.concat(chunks).toString()
        const body: unknown = text === '' ? undefined : JSON.parse(text)
        const path = request.url ?? ''
        this.requests.push({ method: request.method ?? '', path, headers: request.headers, body })
        const [status, answer, headers] = this.answer(request, path, body)
        response.writeHead(status, { 'content-type': 'application/json', ...headers })
        response.end(JSON.stringify(answer))
      })
    })
  }

  start(): Promise<void> {
    return new Promise((resolve) => {
      this.server.listen(0, '127.0.0.1', () => {
        const address = this.server.address()
        if (typeof address === 'object' && address !== null) this.url = `http://127.0.0.1:${address.port}`
        resolve()
      })
    })
  }

  stop(): void {
    this.server.closeAllConnections()
    this.server.close()
  }

  private answer(
    request: IncomingMessage,
    path: string,
    body: unknown,
  ): [number, unknown, Record<string, string>?] {
    if (request.headers.authorization !== `Bearer ${this.token}`) return [401, { message: 'Invalid API key' }]
    const key = `${request.method} ${path.replace(/\?.*/, '')}`
    const override = this.overrides.get(key)
    if (override !== undefined) return override
    if (key === 'GET /api/org') return [200, { id: 1, name: 'Main Org.' }]
    if (key === 'GET /api/folders') return [200, this.folders]
    if (key === 'POST /api/folders') {
      const folder = { uid: 'made-by-grafana', title: String(Object(body).title) }
      this.folders.push(folder)
      return [200, folder]
    }
    if (key === 'POST /api/dashboards/db') {
      const { uid } = Object(Object(body).dashboard)
      return [200, { id: 1, uid, url: `/d/${uid}/slug`, status: 'success', version: 1, slug: 'slug' }]
    }
    if (key.startsWith('PUT /api/v1/provisioning/folder/')) return [200, body]
    return [404, { message: 'Not found' }]
  }
}

let grafana: FakeGrafana | undefined
afterEach(() => {
  grafana?.stop()
  grafana = undefined
  delete process.env.CALLPROBE_GRAFANA_TOKEN
})

async function fake(): Promise<FakeGrafana> {
  grafana = new FakeGrafana('glsa_secret')
  await grafana.start()
  process.env.CALLPROBE_GRAFANA_TOKEN = 'glsa_secret\n'
  return grafana
}

const DASHBOARDS = readdirSync(join(ROOT, 'dashboards/json')).length

describe('dashboards export', () => {
  it('writes dashboards, provisioning and compose file, readable for the user that Grafana runs as', async () => {
    const folder = join(scratch, 'kit')
    const { code, stdout } = await callprobe('dashboards', 'export', folder)
    expect(code).toBe(0)
    expect(stdout).toMatch(/^\d+ files written to /)
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    expect(files).toEqual(
      expect.arrayContaining([
        'docker-compose.yml',
        'env.example',
        'json/overview.json',
        'json/call.json',
        'provisioning/alerting/callprobe.yaml',
        'provisioning/dashboards/callprobe.yaml',
        'provisioning/datasources/callprobe.yaml',
      ]),
    )
    for (const file of files) expect(statSync(join(folder, file)).mode & 0o044, file).toBe(0o044)
    expect(files.some((name) => name.includes('code'))).toBe(false)
  })

  it('leaves a file that was changed alone until told to force it', async () => {
    const folder = join(scratch, 'changed')
    await callprobe('dashboards', 'export', folder)
    const again = await callprobe('dashboards', 'export', folder)
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('the same already') })
    const compose = join(folder, 'docker-compose.yml')
    writeFileSync(compose, 'mine')
    const refused = await callprobe('dashboards', 'export', folder)
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain('docker-compose.yml exists and differs')
    expect(refused.stderr).toContain('--force')
    expect(readFileSync(compose, 'utf8')).toBe('mine')
    expect((await callprobe('dashboards', 'export', folder, '--force')).code).toBe(0)
    expect(readFileSync(compose, 'utf8')).toContain('grafana/grafana')
  })

  it('says what is in the way when a folder cannot be made', async () => {
    const file = join(scratch, 'in-the-way')
    writeFileSync(file, '')
    const { code, stderr } = await callprobe('dashboards', 'export', file)
    expect(code).toBe(1)
    expect(stderr).toContain('a file is where a folder has to be')
  })
})

describe('dashboards push', () => {
  it('makes the folder and puts every dashboard into it, over what was there', async () => {
    const server = await fake()
    const { code, stdout, stderr } = await callprobe('dashboards', 'push', `${server.url}/`)
    expect(stderr).toBe('')
    expect(code).toBe(0)
    const posts = server.requests.filter(({ path }) => path === '/api/dashboards/db')
    expect(posts).toHaveLength(DASHBOARDS)
    for (const { body } of posts)
      expect(body).toMatchObject({
        folderUid: 'made-by-grafana',
        overwrite: true,
        dashboard: { id: null, uid: expect.stringMatching(/^callprobe-/) },
      })
    expect(stdout).toContain(`Voice: NOC overview: ${server.url}/d/callprobe-overview/slug\n`)
    // Nothing but dashboards unless asked.
    expect(server.requests.some(({ path }) => path.includes('provisioning'))).toBe(false)
  })

  it('uses a folder that exists', async () => {
    const server = await fake()
    server.folders = [{ uid: 'voice', title: 'Telephony' }]
    expect((await callprobe('dashboards', 'push', server.url, '--folder', 'Telephony')).code).toBe(0)
    expect(
      server.requests.filter(({ method, path }) => method === 'POST' && path === '/api/folders'),
    ).toEqual([])
    expect(server.requests.at(-1)?.body).toMatchObject({ folderUid: 'voice' })
  })

  it('chooses the data source that is named, in dashboards and rules', async () => {
    const server = await fake()
    const { code, stdout } = await callprobe(
      ...['dashboards', 'push', server.url, '--datasource', 'voip-influx', '--alerts'],
    )
    expect(code).toBe(0)
    expect(stdout).toContain('alert rules: Burst jitter on a path, ')
    const dashboard = server.requests.find(({ path }) => path === '/api/dashboards/db')?.body
    const variables: { type: string; query: string; current: unknown }[] =
      Object(dashboard).dashboard.templating.list
    expect(variables.find(({ query }) => query === 'influxdb')?.current).toMatchObject({
      value: 'voip-influx',
    })
    const group = server.requests.find(({ method }) => method === 'PUT')
    expect(group?.path).toBe('/api/v1/provisioning/folder/made-by-grafana/rule-groups/callprobe')
    expect(group?.headers['x-disable-provenance']).toBe('true')
    const text = JSON.stringify(group?.body)
    expect(text).not.toContain('"datasourceUid":"callprobe"')
    expect(group?.body).toMatchObject({
      title: 'callprobe',
      interval: 30,
      rules: [
        {
          folderUID: 'made-by-grafana',
          ruleGroup: 'callprobe',
          data: [
            { datasourceUid: 'voip-influx', model: { datasource: { uid: 'voip-influx' } } },
            {},
            {},
            {},
            {},
          ],
        },
        {},
        {},
      ],
    })
  })

  it('reads the token from a file, and does not send it elsewhere when redirected', async () => {
    const server = await fake()
    delete process.env.CALLPROBE_GRAFANA_TOKEN
    const file = join(scratch, 'token')
    writeFileSync(file, 'glsa_secret\n')
    expect((await callprobe('dashboards', 'push', server.url, '--token-file', file)).code).toBe(0)
    server.overrides.set('GET /api/org', [302, {}, { location: `${server.url}/elsewhere` }])
    const moved = await callprobe('dashboards', 'push', server.url, '--token-file', file)
    expect(moved.code).toBe(1)
    expect(moved.stderr).toContain('is this the address of Grafana itself')
    expect(server.requests.some(({ path }) => path === '/elsewhere')).toBe(false)
  })

  it.each([
    [401, 'GET /api/org', 'not valid'],
    [403, 'POST /api/dashboards/db', 'role Editor'],
    [412, 'POST /api/dashboards/db', 'rename it'],
    [500, 'POST /api/folders', 'look into its log'],
    [404, 'GET /api/folders', 'address of Grafana'],
  ])('says what to do when Grafana answers %i to %s', async (status, key, hint) => {
    const server = await fake()
    server.overrides.set(key, [status, { message: 'it said why' }])
    const { code, stderr } = await callprobe('dashboards', 'push', server.url)
    expect(code).toBe(1)
    expect(stderr).toContain(`answered ${status}`)
    expect(stderr).toContain('it said why')
    expect(stderr).toContain(hint)
    expect(stderr).not.toContain('glsa_secret')
  })

  it('says that nobody answers, and where', async () => {
    const server = await fake()
    const { url } = server
    server.stop()
    const { code, stderr } = await callprobe('dashboards', 'push', url)
    expect(code).toBe(1)
    expect(stderr).toContain(url)
    expect(stderr).toContain('ECONNREFUSED')
  })

  it.each([
    ['http://admin:admin@127.0.0.1:3000', 'do not belong into the address'],
    ['grafana.example.net', 'not an address'],
    ['ftp://grafana.example.net', 'not an address of Grafana'],
  ])('refuses %s as wrong usage', async (address, message) => {
    process.env.CALLPROBE_GRAFANA_TOKEN = 'x'
    const { code, stderr } = await callprobe('dashboards', 'push', address)
    expect(code).toBe(2)
    expect(stderr).toContain(message)
  })

  it('refuses to start without a token', async () => {
    const { code, stderr } = await callprobe('dashboards', 'push', 'http://127.0.0.1:3000')
    expect(code).toBe(2)
    expect(stderr).toContain('CALLPROBE_GRAFANA_TOKEN')
  })
})

describe('the provisioning files', () => {
  const read = (path: string): unknown => parse(readFileSync(join(ROOT, 'dashboards', path), 'utf8'))

  it('name the same data source, folder and paths', () => {
    const source = Object(read('provisioning/datasources/callprobe.yaml')).datasources[0]
    const example = Object(read('provisioning/datasources/callprobe-token.yaml.example')).datasources[0]
    expect(source).toMatchObject({ uid: 'callprobe', type: 'influxdb', jsonData: { version: 'InfluxQL' } })
    expect(example).toMatchObject({ uid: 'callprobe', jsonData: { httpHeaderName1: 'Authorization' } })
    const provider = Object(read('provisioning/dashboards/callprobe.yaml')).providers[0]
    const compose = Object(read('docker-compose.yml'))
    const { volumes, environment } = compose.services.grafana
    expect(volumes).toContain(`./json:${provider.options.path}:ro`)
    const used = JSON.stringify(source).match(/\$\{(\w+)\}/g) ?? []
    for (const name of used) expect(Object.keys(environment)).toContain(name.slice(2, -1))
    const groups = Object(read('provisioning/alerting/callprobe.yaml')).groups
    expect(groups[0].folder).toBe(provider.folder)
  })

  it('keep every password out of the compose file', () => {
    const text = readFileSync(join(ROOT, 'dashboards/docker-compose.yml'), 'utf8')
    const example = readFileSync(join(ROOT, 'dashboards/env.example'), 'utf8')
    const passwords = [...text.matchAll(/PASSWORD: (\S+)/g)].map(([, value]) => value)
    expect(passwords.length).toBeGreaterThan(3)
    for (const value of passwords) {
      expect(value).toMatch(/^\$\{\w+/)
      expect(example).toContain(`${/\w+/.exec(value)?.[0]}=`)
    }
  })
})
