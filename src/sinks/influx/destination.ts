import { readFileSync } from 'node:fs'
import { parseInfluxUrl, parseRetention } from '../../config/influx-url.js'
import { CallprobeError, errorText } from '../../errors.js'

/** What answers at the other end, which decides paths, authentication and administration. */
export type ServerKind = 'influxdb1' | 'influxdb2' | 'influxdb3' | 'victoriametrics'
export const SERVER_KINDS: readonly ServerKind[] = ['influxdb1', 'influxdb2', 'influxdb3', 'victoriametrics']

/** How a destination is named: the URL of `--influx` over the configuration's section `influx`. */
export interface InfluxSettings {
  url?: string
  server?: ServerKind | 'auto'
  org?: string
  username?: string
  password_file?: string
  token_file?: string
  ca_file?: string
  insecure_tls?: boolean
  retention?: string
  timeout_s?: number
}

/** Where to write, with everything that it takes. Secrets: never printed. */
export interface Destination {
  /** http(s)://host:port and a path before the API's, without a slash at its end. */
  baseUrl: string
  /** Database of 1.x and 3.x, bucket of 2.x. */
  database: string
  server: ServerKind | 'auto'
  org?: string
  username?: string
  password?: string
  token?: string
  /** Certificates in PEM. */
  ca?: string
  insecureTls: boolean
  /** Seconds; undefined: as the server has it. 0: for ever. */
  retentionS?: number
  timeoutMs: number
}

const DEFAULT_TIMEOUT_S = 30

/**
 * Puts together where to write. Secrets come from files or the environment (CALLPROBE_INFLUX_TOKEN,
 * CALLPROBE_INFLUX_USERNAME, CALLPROBE_INFLUX_PASSWORD), never from the command line, where everybody on the machine
 * could read them.
 * @throws CallprobeError USAGE, CONFIG_NOT_READABLE
 */
export function resolveDestination(
  settings: InfluxSettings,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Destination {
  const { baseUrl, database } = parseInfluxUrl(settings.url ?? '')
  return {
    baseUrl,
    database,
    server: settings.server ?? 'auto',
    org: settings.org ?? nonEmpty(environment.CALLPROBE_INFLUX_ORG),
    username: settings.username ?? nonEmpty(environment.CALLPROBE_INFLUX_USERNAME),
    password:
      secret('password_file', settings.password_file) ?? nonEmpty(environment.CALLPROBE_INFLUX_PASSWORD),
    token: secret('token_file', settings.token_file) ?? nonEmpty(environment.CALLPROBE_INFLUX_TOKEN),
    ca: settings.ca_file === undefined ? undefined : readText('ca_file', settings.ca_file),
    insecureTls: settings.insecure_tls ?? false,
    retentionS: settings.retention === undefined ? undefined : parseRetention(settings.retention),
    timeoutMs: (settings.timeout_s ?? DEFAULT_TIMEOUT_S) * 1000,
  }
}

/** For messages: never with a secret. */
export function describeDestination({ baseUrl, database }: Destination): string {
  return `${baseUrl}/${encodeURIComponent(database)}`
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === undefined || text === '' ? undefined : text
}

function secret(key: string, path: string | undefined): string | undefined {
  if (path === undefined) return undefined
  const text = readText(key, path).trim()
  if (text !== '') return text
  throw new CallprobeError('CONFIG_INVALID', `influx.${key}: ${path} is empty`)
}

function readText(key: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new CallprobeError(
      'CONFIG_NOT_READABLE',
      `influx.${key}: cannot read ${path}: ${errorText(error)}`,
      {
        cause: error,
      },
    )
  }
}
