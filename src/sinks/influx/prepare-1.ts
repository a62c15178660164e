import { InfluxDB, ResultError } from 'influx'
import { errorText } from '../../errors.js'
import type { Destination } from './destination.js'
import { rejected, unreachable } from './server-errors.js'

/**
 * InfluxDB 1.x: creates a missing database; sets the duration of its default retention policy if one is asked for.
 * @throws CallprobeError
 */
export async function prepareInfluxdb1(destination: Destination): Promise<void> {
  const { database, username } = destination
  const influx = clientFor(destination)
  const names = await ask(destination, 'the databases cannot be listed', () => influx.getDatabaseNames())
  if (!names.includes(database)) {
    const who = username === undefined ? '' : ` (user ${username})`
    await ask(destination, `the database is not there and could not be created${who}`, () =>
      influx.createDatabase(database),
    )
  }
  if (destination.retentionS === undefined) return
  const { retentionS } = destination
  await ask(destination, 'the retention could not be set', async () => {
    const policies = await influx.showRetentionPolicies(database)
    const current = policies.find((policy) => policy.default)
    if (current === undefined || current.duration === goDuration(retentionS)) return
    // The library's own method leaves the shards as long as they were, which a shorter duration does not allow.
    await influx.query(
      `ALTER RETENTION POLICY ${quoted(current.name)} ON ${quoted(database)} DURATION ${
        retentionS === 0 ? 'INF' : `${retentionS / 3600}h`
      } SHARD DURATION ${shardHours(retentionS)}h`,
    )
  })
}

/** How 1.x prints a duration of whole hours: 720h0m0s, 0s. */
function goDuration(seconds: number): string {
  return seconds === 0 ? '0s' : `${seconds / 3600}h0m0s`
}

/** Hours of a shard, as 1.x chooses them for a new policy: under two days, under half a year, longer. */
function shardHours(retentionS: number): number {
  if (retentionS !== 0 && retentionS < 2 * 86_400) return 1
  return retentionS !== 0 && retentionS < 180 * 86_400 ? 24 : 168
}

function quoted(name: string): string {
  return `"${name.replace(/["\\]/g, '\\$&')}"`
}

function clientFor({
  baseUrl,
  username,
  password,
  ca,
  insecureTls,
  timeoutMs,
  database,
}: Destination): InfluxDB {
  const url = new URL(baseUrl)
  const secure = url.protocol === 'https:'
  return new InfluxDB({
    hosts: [
      {
        protocol: secure ? 'https' : 'http',
        host: url.hostname,
        port: url.port === '' ? (secure ? 443 : 80) : Number(url.port),
        path: url.pathname === '/' ? '' : url.pathname,
        options: secure ? { ca, rejectUnauthorized: !insecureTls } : {},
      },
    ],
    username,
    password,
    database,
    pool: { maxRetries: 0, requestTimeout: timeoutMs },
  })
}

async function ask<T>(destination: Destination, what: string, request: () => Promise<T>): Promise<T> {
  try {
    return await request()
  } catch (error) {
    const status = statusOf(error)
    const text = errorText(error)
    if (status === 401)
      throw rejected(
        destination,
        `the credentials are not accepted (${text})`,
        'check CALLPROBE_INFLUX_USERNAME and CALLPROBE_INFLUX_PASSWORD, or username and password_file of the configuration',
        error,
      )
    // An error with a status of 5xx, or none: the server may recover.
    if (status === undefined && !(error instanceof ResultError)) throw unreachable(destination, error)
    if (status !== undefined && status >= 500)
      throw unreachable(destination, new Error(text, { cause: error }))
    throw rejected(
      destination,
      `${what}: ${text}`,
      'create the database by hand, or give the user the right to: CREATE DATABASE needs an administrator',
      error,
    )
  }
}

function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('res' in error)) return undefined
  const { res } = error
  if (typeof res !== 'object' || res === null || !('statusCode' in res)) return undefined
  return typeof res.statusCode === 'number' ? res.statusCode : undefined
}
