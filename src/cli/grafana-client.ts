import { CallprobeError, errorText } from '../errors.js'
import type { RuleGroup } from './dashboard-kit.js'

/**
 * What `dashboards push` needs of Grafana's HTTP API.
 * https://grafana.com/docs/grafana/latest/developers/http_api/
 */
const TIMEOUT_MS = 30_000

/**
 * Grafana's address without a slash at its end.
 * @throws CallprobeError USAGE
 */
export function parseGrafanaUrl(text: string): string {
  const form = 'the form is http(s)://HOST:PORT, for example http://127.0.0.1:3000'
  let url: URL
  try {
    url = new URL(text)
  } catch {
    throw new CallprobeError('USAGE', `${text}: not an address`, { hint: form })
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new CallprobeError('USAGE', `${url.protocol}//: not an address of Grafana`, { hint: form })
  if (url.username !== '' || url.password !== '')
    throw new CallprobeError('USAGE', 'name and password do not belong into the address', {
      hint: 'use the token of a service account: --token-file FILE or CALLPROBE_GRAFANA_TOKEN',
    })
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`
}

interface Answer {
  status: number
  body: unknown
}

export class GrafanaClient {
  constructor(
    private readonly base: string,
    private readonly token: string,
  ) {}

  /** That there is a Grafana, and that it takes the token. */
  async check(): Promise<void> {
    const { status, body } = await this.request('GET', '/api/org')
    if (status === 200 && text(body, 'name') !== undefined) return
    this.refuse(status, body, 'the address')
  }

  /** The folder of this name; made when there is none. @returns its uid */
  async ensureFolder(title: string): Promise<string> {
    const listed = await this.request('GET', '/api/folders?limit=1000')
    if (listed.status !== 200 || !Array.isArray(listed.body))
      this.refuse(listed.status, listed.body, 'folders')
    else {
      const found = listed.body.find((folder: unknown) => text(folder, 'title') === title)
      const uid = text(found, 'uid')
      if (uid !== undefined) return uid
    }
    const made = await this.request('POST', '/api/folders', { title })
    const uid = text(made.body, 'uid')
    if (made.status !== 200 || uid === undefined) this.refuse(made.status, made.body, `the folder "${title}"`)
    return uid ?? ''
  }

  /** Puts a dashboard in the place of the one with its uid. @returns its address */
  async putDashboard(dashboard: Record<string, unknown>, folderUid: string): Promise<string> {
    const { status, body } = await this.request('POST', '/api/dashboards/db', {
      dashboard: { ...dashboard, id: null },
      folderUid,
      overwrite: true,
      message: 'callprobe dashboards push',
    })
    if (status !== 200) this.refuse(status, body, `the dashboard "${String(dashboard.title)}"`)
    return this.base + withoutBase(text(body, 'url') ?? `/d/${String(dashboard.uid)}`, this.base)
  }

  /** Replaces the group's rules. They stay editable in Grafana. */
  async putRuleGroup(group: RuleGroup, folderUid: string): Promise<void> {
    const path = `/api/v1/provisioning/folder/${encodeURIComponent(folderUid)}/rule-groups/${encodeURIComponent(group.name)}`
    const rules = group.rules.map(({ rule }) => ({
      ...rule,
      orgID: 1,
      folderUID: folderUid,
      ruleGroup: group.name,
    }))
    const { status, body } = await this.request('PUT', path, {
      title: group.name,
      folderUid,
      interval: group.intervalS,
      rules,
    })
    if (status !== 200 && status !== 202) this.refuse(status, body, `the alert rules "${group.name}"`)
  }

  private async request(method: string, path: string, body?: unknown): Promise<Answer> {
    let answer: Response
    try {
      answer = await fetch(this.base + path, {
        method,
        headers: {
          authorization: `Bearer ${this.token}`,
          accept: 'application/json',
          // Without it Grafana would show what was pushed as provisioned, and nobody could edit it.
          'x-disable-provenance': 'true',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        body: body === undefined ? undefined : JSON.stringify(body),
        // The token goes to the address that was named, and nowhere else.
        redirect: 'manual',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      })
      return { status: answer.status, body: json(await answer.text()) }
    } catch (error) {
      throw new CallprobeError('GRAFANA_UNREACHABLE', `${this.base}: ${reasonOf(error)}`, {
        hint: 'is Grafana running there, and is the address right? A certificate of your own: NODE_EXTRA_CA_CERTS=ca.pem',
        cause: error,
      })
    }
  }

  private refuse(status: number, body: unknown, what: string): never {
    const said = text(body, 'message')
    throw new CallprobeError(
      'GRAFANA_REJECTED',
      `${this.base} answered ${status} about ${what}${said === undefined ? '' : `: ${said}`}`,
      { hint: hintOf(status) },
    )
  }
}

function hintOf(status: number): string {
  if (status === 401) return 'the token is not valid (any more)'
  if (status === 403) return 'the service account needs the role Editor (for --alerts also: alerting enabled)'
  if (status === 404 || status === 200 || (status >= 300 && status < 400))
    return 'is this the address of Grafana itself, with the path that it is served under?'
  if (status === 412)
    return 'a dashboard or folder of the same name exists: rename it, or choose another --folder'
  if (status === 429 || status >= 500) return 'Grafana is busy or ill: try again, and look into its log'
  return 'Grafana 11 or later is needed'
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function text(value: unknown, key: string): string | undefined {
  if (value === null || typeof value !== 'object') return undefined
  const found = Object.entries(value).find(([name]) => name === key)?.[1]
  return typeof found === 'string' ? found : undefined
}

/** Grafana under a path gives that path with its addresses. */
function withoutBase(path: string, base: string): string {
  const prefix = new URL(base).pathname
  return prefix !== '/' && path.startsWith(`${prefix}/`) ? path.slice(prefix.length) : path
}

/** fetch hides why behind "fetch failed". */
function reasonOf(error: unknown): string {
  if (error instanceof Error && error.name === 'TimeoutError')
    return `no answer within ${TIMEOUT_MS / 1000} s`
  if (error instanceof Error && error.cause !== undefined) return errorText(error.cause)
  return errorText(error)
}
