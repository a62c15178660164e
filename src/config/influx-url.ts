import { CallprobeError } from '../errors.js'

const FORM = 'the form is http(s)://HOST:PORT/DATABASE, for example http://127.0.0.1:8086/voip'

/**
 * Takes http(s)://HOST:PORT/DATABASE apart; a longer path is that of a proxy before the server.
 * @throws CallprobeError USAGE
 */
export function parseInfluxUrl(text: string): { baseUrl: string; database: string } {
  let url: URL
  try {
    url = new URL(text)
  } catch {
    throw usage(`${shown(text)} is not a URL`, FORM)
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw usage(`${shown(text)} is not an http(s) URL`, FORM)
  // Not repeated in the message: it holds a secret.
  if (url.username !== '' || url.password !== '')
    throw usage(
      'the InfluxDB URL holds credentials, which anybody on this machine could read',
      'leave them out of the URL, and put them into CALLPROBE_INFLUX_USERNAME and CALLPROBE_INFLUX_PASSWORD, into CALLPROBE_INFLUX_TOKEN, or into files named by influx.password_file or influx.token_file of the configuration',
    )
  if (url.search !== '' || url.hash !== '')
    throw usage(
      `"${url.origin}${url.pathname}${url.search}${url.hash}" has more than a database`,
      `organisation, retention and secrets are set in the configuration's section influx; ${FORM}`,
    )
  const parts = url.pathname.split('/').filter((part) => part !== '')
  const last = parts.pop()
  if (last === undefined) throw usage(`${shown(text)} names no database`, FORM)
  let database: string
  try {
    database = decodeURIComponent(last)
  } catch {
    throw usage(`"${last}" is no database name`, 'write a percent sign as %25')
  }
  if (/[\u0000-\u001f\u007f]/.test(database)) throw usage('the database name has control characters', FORM)
  return { baseUrl: [url.origin, ...parts].join('/'), database }
}

/** What may hold a password is not repeated. */
function shown(text: string): string {
  return text.includes('@') ? 'the InfluxDB URL' : `the InfluxDB URL "${text}"`
}

const UNITS: Record<string, number> = { h: 3600, d: 86_400, w: 604_800 }

/** `30d`, `72h`, `8w` or `inf`, in seconds; 0 is for ever. */
export function parseRetention(text: string): number {
  if (text === 'inf') return 0
  const match = /^(\d{1,6})([hdw])$/.exec(text)
  const seconds = match === null ? 0 : Number(match[1]) * UNITS[match[2]]
  if (seconds < 3600)
    throw usage(`influx.retention "${text}" is no duration`, 'write 30d, 72h, 8w or inf; the shortest is 1h')
  return seconds
}

function usage(message: string, hint: string): CallprobeError {
  return new CallprobeError('USAGE', message, { hint })
}
