import http from 'node:http'
import https from 'node:https'
import { rootCertificates } from 'node:tls'
import type { HttpAccess } from '../../config/alerts.js'
import { CallprobeError, errorText } from '../../errors.js'
import type { Outcome, Outside } from './receiver.js'
import { readCertificates, readSecret } from './secrets.js'

const DEFAULT_TIMEOUT_S = 10
/** Of an answer that is no success, this much is read for the log. */
const MOST_ANSWER_BYTES = 4096
/** A receiver cannot make us wait longer than this. */
const LONGEST_RETRY_AFTER_MS = 3_600_000
/** Understood and refused: the same message will be refused again. */
const REFUSALS = new Set([400, 413, 415, 422])

/** Posts JSON to one address, with the access that the configuration says. */
export class JsonPoster {
  /** The address without query, which may be part of a secret. */
  readonly shownUrl: string
  private readonly url: URL
  private readonly ca: string[] | undefined
  private readonly timeoutMs: number

  /**
   * @param path added to the address
   * @throws CallprobeError CONFIG_INVALID when a secret is missing or the address is none
   */
  constructor(
    private readonly of: string,
    private readonly access: HttpAccess,
    private readonly outside: Outside,
    path = '',
  ) {
    const { url_env, url_file, ca_file, timeout_s } = access
    const text =
      access.url ?? readSecret(of, 'the address', { env: url_env, file: url_file }, outside.environment)
    if (text === undefined || !URL.canParse(text) || !/^https?:/.test(text))
      throw new CallprobeError('CONFIG_INVALID', `${of}: the address must begin with http:// or https://`)
    this.url = new URL(text)
    if (path !== '') this.url.pathname = this.url.pathname.replace(/\/$/, '') + path
    this.shownUrl = access.url === undefined ? this.url.origin : `${this.url.origin}${this.url.pathname}`
    const certificates = readCertificates(of, ca_file)
    this.ca = certificates === undefined ? undefined : [...rootCertificates, certificates]
    this.timeoutMs = (timeout_s ?? DEFAULT_TIMEOUT_S) * 1000
    this.authorization()
  }

  /** Read for every attempt: tokens are exchanged while the process runs. */
  private authorization(): Record<string, string> {
    const { of, access, outside } = this
    const { bearer_token_env, bearer_token_file, username, password_env, password_file } = access
    const token = readSecret(
      of,
      'the token',
      { env: bearer_token_env, file: bearer_token_file },
      outside.environment,
    )
    if (token !== undefined) return { authorization: `Bearer ${token}` }
    if (username === undefined) return {}
    const password =
      readSecret(of, 'the password', { env: password_env, file: password_file }, outside.environment) ?? ''
    return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` }
  }

  async post(body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Outcome> {
    let response: Answer
    try {
      response = await this.request(Buffer.from(JSON.stringify(body)), {
        ...headers,
        ...this.authorization(),
      })
    } catch (error) {
      return { kind: 'retry', reason: `${this.shownUrl}: ${errorText(error)}` }
    }
    const { status, body: text, retryAfter } = response
    if (status >= 200 && status < 300) return { kind: 'delivered' }
    const answer = text.trim().replace(/\s+/g, ' ').slice(0, 200)
    const reason = `${this.shownUrl} answered ${status}${answer === '' ? '' : `: ${answer}`}`
    if (REFUSALS.has(status)) return { kind: 'rejected', reason }
    return { kind: 'retry', reason, afterMs: retryAfterMs(retryAfter, this.outside.nowMs()) }
  }

  private request(body: Buffer, headers: Readonly<Record<string, string>>): Promise<Answer> {
    const { url, ca, timeoutMs } = this
    return new Promise((resolve, reject) => {
      const options: https.RequestOptions = {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'content-length': body.length, ...headers },
        ca,
        // A connection that is kept open may have been closed by the time of the next alert.
        agent: false,
      }
      const request = (url.protocol === 'https:' ? https : http).request(url, options, (response) => {
        const chunks: Buffer[] = []
        let length = 0
        response.on('data', (chunk: Buffer) => {
          if (length < MOST_ANSWER_BYTES) chunks.push(chunk)
          length += chunk.length
        })
        response.on('error', fail)
        response.on('end', () => {
          clearTimeout(timer)
          const text = Buffer.concat(chunks).toString('utf8')
          const retryAfter = response.headers['retry-after']
          resolve({ status: response.statusCode ?? 0, body: text.slice(0, MOST_ANSWER_BYTES), retryAfter })
        })
      })
      // Over the whole attempt: a receiver that sends a byte now and then is too slow all the same.
      const timer = setTimeout(
        () => request.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)),
        timeoutMs,
      )
      function fail(error: Error): void {
        clearTimeout(timer)
        reject(error)
      }
      request.on('error', fail)
      request.end(body)
    })
  }
}

interface Answer {
  status: number
  body: string
  retryAfter: string | undefined
}

/** Retry-After (RFC 9110 10.2.3): seconds or a date. */
export function retryAfterMs(text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined
  const ms = /^\d+$/.test(text.trim()) ? Number(text) * 1000 : Date.parse(text) - nowMs
  return Number.isNaN(ms) ? undefined : Math.min(LONGEST_RETRY_AFTER_MS, Math.max(0, ms))
}
