import http from 'node:http'
import https from 'node:https'
import { errorText, systemErrorCode } from '../../errors.js'
import type { Destination } from './destination.js'

export interface HttpResponse {
  status: number
  headers: http.IncomingHttpHeaders
  /** At most the first 64 KB. */
  body: string
}

/** The request did not come to an answer: connection refused, cut, timed out, TLS refused. */
export class HttpFailure extends Error {
  /** Node's code, such as ECONNREFUSED, or ''. */
  readonly code: string

  constructor(message: string, code: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'HttpFailure'
    this.code = code
  }
}

const MOST_BODY_BYTES = 64 * 1024

export interface HttpRequest {
  method: 'GET' | 'POST'
  /** Below the base URL, with the query. */
  path: string
  headers?: http.OutgoingHttpHeaders
  body?: Buffer
}

/** Requests to one server over connections that are kept open. */
export class HttpClient {
  private readonly agent: http.Agent
  private readonly secure: boolean

  constructor(private readonly destination: Destination) {
    this.secure = destination.baseUrl.startsWith('https:')
    this.agent = this.secure
      ? new https.Agent({
          keepAlive: true,
          maxSockets: 2,
          ca: destination.ca,
          rejectUnauthorized: !destination.insecureTls,
        })
      : new http.Agent({ keepAlive: true, maxSockets: 2 })
  }

  /** @throws HttpFailure */
  async request(request: HttpRequest): Promise<HttpResponse> {
    const reuse = { reused: false }
    try {
      return await this.once(request, reuse)
    } catch (error) {
      // The server closed an idle connection just as it was used again: nothing was wrong with the request.
      if (reuse.reused && error instanceof HttpFailure && error.code === 'ECONNRESET')
        return this.once(request, reuse)
      throw error
    }
  }

  private once(
    { method, path, headers = {}, body }: HttpRequest,
    reuse: { reused: boolean },
  ): Promise<HttpResponse> {
    return new Promise((resolve, reject) => {
      const length: http.OutgoingHttpHeaders = body === undefined ? {} : { 'content-length': body.length }
      const { request: open } = this.secure ? https : http
      const request = open(this.destination.baseUrl + path, {
        method,
        agent: this.agent,
        headers: { ...headers, ...length, 'user-agent': 'callprobe' },
      })
      const deadline = setTimeout(() => {
        request.destroy(
          Object.assign(new Error(`no answer within ${this.destination.timeoutMs / 1000} s`), {
            code: 'ETIMEDOUT',
          }),
        )
      }, this.destination.timeoutMs)
      const fail = (error: unknown): void => {
        clearTimeout(deadline)
        reuse.reused = request.reusedSocket
        reject(new HttpFailure(errorText(error), systemErrorCode(error), error))
      }
      request.on('error', fail)
      request.on('response', (response) => {
        const pieces: Buffer[] = []
        let bytes = 0
        response.on('data', (piece: Buffer) => {
          if (bytes < MOST_BODY_BYTES) pieces.push(piece.subarray(0, MOST_BODY_BYTES - bytes))
          bytes += piece.length
        })
        const done = (): void => {
          clearTimeout(deadline)
          const text = Buffer.concat(pieces).toString('utf8')
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text })
        }
        response.on('end', done)
        // A server that refuses a long body may cut the connection behind its answer; but a 2xx that is cut is none.
        response.on('error', (error) => ((response.statusCode ?? 0) >= 400 ? done() : fail(error)))
      })
      request.end(body)
    })
  }

  close(): void {
    this.agent.destroy()
  }
}
