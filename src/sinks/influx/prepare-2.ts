import { HttpError, InfluxDB } from '@influxdata/influxdb-client'
import { BucketsAPI, DbrpsAPI, OrgsAPI } from '@influxdata/influxdb-client-apis'
import { errorText } from '../../errors.js'
import type { Destination } from './destination.js'
import { rejected, unreachable } from './server-errors.js'

/** Status of a request that the token may not make. */
const FORBIDDEN = [401, 403]

/**
 * InfluxDB 2.x with a token: finds the organisation, creates a missing bucket, and maps it to a database of the same name
 * so that InfluxQL can read it. A token that may only write is left to the writing itself to prove.
 * @returns the organisation's name; undefined when it has to be taken as configured
 * @throws CallprobeError
 */
export async function prepareInfluxdb2(destination: Destination): Promise<string | undefined> {
  const { token, database, retentionS } = destination
  // Without a token only the 1.x paths are open, with a user of 2.x's v1 authorizations.
  if (token === undefined) return undefined
  const client = new InfluxDB({
    url: destination.baseUrl,
    token,
    timeout: destination.timeoutMs,
    transportOptions: { ca: destination.ca, rejectUnauthorized: !destination.insecureTls },
  })
  const org = await organisation(destination, new OrgsAPI(client))
  if (org === undefined) return destination.org
  const buckets = new BucketsAPI(client)
  const found = await ask(destination, 'the buckets cannot be listed', () =>
    buckets.getBuckets({ orgID: org.id, name: database }),
  )
  const bucket = found?.buckets?.find(({ name }) => name === database)
  const retentionRules =
    retentionS === undefined ? undefined : [{ type: 'expire' as const, everySeconds: retentionS }]
  let bucketId = bucket?.id
  if (bucket === undefined) {
    const made = await ask(destination, `the bucket is not there and could not be created`, () =>
      buckets.postBuckets({ body: { orgID: org.id, name: database, retentionRules: retentionRules ?? [] } }),
    )
    // Whether a token that may not create it may write to it shows when it writes.
    bucketId = made?.id
  } else if (
    retentionRules !== undefined &&
    retentionOf(bucket.retentionRules) !== retentionS &&
    bucketId !== undefined
  ) {
    const bucketID = bucketId
    await ask(destination, 'the retention could not be set', () =>
      buckets.patchBucketsID({ bucketID, body: { retentionRules } }),
    )
  }
  if (bucketId !== undefined) await mapForInfluxql(destination, new DbrpsAPI(client), org.id, bucketId)
  return org.name
}

function retentionOf(rules: readonly { everySeconds?: number }[]): number {
  return rules[0]?.everySeconds ?? 0
}

async function organisation(
  destination: Destination,
  orgs: OrgsAPI,
): Promise<{ id: string; name: string } | undefined> {
  const all = await ask(destination, 'the organisations cannot be listed', () => orgs.getOrgs({ limit: 100 }))
  const seen = (all?.orgs ?? []).flatMap(({ id, name }) => (id === undefined ? [] : [{ id, name }]))
  if (destination.org === undefined) {
    if (seen.length === 1) return seen[0]
    throw rejected(
      destination,
      seen.length === 0
        ? 'the token is wrong, or sees no organisation'
        : 'the token sees several organisations',
      seen.length === 0
        ? 'check the token; if it may only write, name the organisation with influx.org or CALLPROBE_INFLUX_ORG'
        : `set influx.org to one of: ${seen.map(({ name }) => name).join(', ')}`,
    )
  }
  const wanted = seen.find(({ id, name }) => name === destination.org || id === destination.org)
  if (wanted !== undefined || seen.length === 0) return wanted
  throw rejected(
    destination,
    `there is no organisation "${destination.org}" that the token can see`,
    `it sees: ${seen.map(({ name }) => name).join(', ')}`,
  )
}

/** InfluxQL asks for a database and a retention policy: 2.x maps them to a bucket, newer ones without being told. */
async function mapForInfluxql(
  destination: Destination,
  dbrps: DbrpsAPI,
  orgID: string,
  bucketID: string,
): Promise<void> {
  const { database } = destination
  const there = await ask(destination, 'mappings for InfluxQL cannot be listed', () =>
    dbrps.getDBRPs({ orgID, db: database }),
  )
  if (there === undefined || (there.content ?? []).length > 0) return
  await ask(destination, 'the bucket could not be mapped for InfluxQL', () =>
    dbrps.postDBRP({ body: { bucketID, orgID, database, retention_policy: 'autogen', default: true } }),
  )
}

/** undefined when the token may not ask. */
async function ask<T>(
  destination: Destination,
  what: string,
  request: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await request()
  } catch (error) {
    if (!(error instanceof HttpError)) throw unreachable(destination, error)
    // 401 is also what 2.x answers to a token that lacks one permission; a wrong token shows when it writes.
    if (FORBIDDEN.includes(error.statusCode) || error.statusCode === 404) return undefined
    if (error.statusCode >= 500) throw unreachable(destination, new Error(errorText(error), { cause: error }))
    throw rejected(destination, `${what}: ${errorText(error)}`, undefined, error)
  }
}
