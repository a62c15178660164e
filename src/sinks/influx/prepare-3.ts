import { parseJson } from './answers.js'
import type { Destination } from './destination.js'
import type { HttpResponse } from './http-client.js'
import { rejected } from './server-errors.js'

type Api = (path: string, body?: object) => Promise<HttpResponse>

/**
 * InfluxDB 3.x: creates a missing database with its retention, which Core cannot change later. Where the token may not
 * list databases, the first write creates it.
 * @throws CallprobeError
 */
export async function prepareInfluxdb3(destination: Destination, api: Api): Promise<void> {
  const { database, retentionS } = destination
  const list = await api('/api/v3/configure/database?format=json')
  if (list.status === 401)
    throw rejected(
      destination,
      'the token is not accepted (401)',
      'set CALLPROBE_INFLUX_TOKEN, or token_file of the configuration',
    )
  if (list.status !== 200 || namesOf(list.body).includes(database)) return
  const retention = retentionS === undefined || retentionS === 0 ? undefined : `${retentionS / 3600}h`
  const made = await api('/api/v3/configure/database', { db: database, retention_period: retention })
  // 409: somebody else was quicker. 401, 403: a token that may write may still create it by writing.
  if (made.status < 300 || [401, 403, 409].includes(made.status)) return
  throw rejected(
    destination,
    `the database could not be created (${made.status} ${made.body.trim().slice(0, 200)})`,
    'a name begins with a letter or digit, and has only letters, digits, - and _',
  )
}

/** `[{"iox::database": "voip"}, ...]` */
function namesOf(body: string): string[] {
  const list = parseJson(body)
  if (!Array.isArray(list)) return []
  return (list as unknown[]).flatMap((entry) =>
    typeof entry === 'object' && entry !== null
      ? Object.values(entry).filter((value): value is string => typeof value === 'string')
      : [],
  )
}
