import type { AlertsProblem, NotifierFile } from './alerts.js'
import { didYouMean } from './nearest.js'

const COMMON = ['name', 'type', 'only', 'resolved']
const HTTP = [
  'url',
  'url_env',
  'url_file',
  'username',
  'password_env',
  'password_file',
  'bearer_token_env',
  'bearer_token_file',
  'ca_file',
  'timeout_s',
]

/** Which keys go with which type. */
const KEYS: Record<NotifierFile['type'], readonly string[]> = {
  webhook: [...COMMON, ...HTTP, 'format', 'body', 'headers', 'secret_env', 'secret_file'],
  alertmanager: [...COMMON, ...HTTP, 'resend_s', 'labels'],
  syslog: [...COMMON, 'host', 'port', 'transport', 'facility', 'ca_file', 'timeout_s'],
  email: [
    ...COMMON,
    'host',
    'port',
    'security',
    'username',
    'password_env',
    'password_file',
    'ca_file',
    'timeout_s',
    'from',
    'to',
  ],
}

/** What is wrong with one notifier: keys that belong to another type, missing addresses, secrets given twice. */
export function* notifierProblems(
  notifier: NotifierFile,
  path: (string | number)[],
): Generator<AlertsProblem> {
  const { name, type } = notifier
  const of = `notifier "${name}"`
  const keys = Object.keys(notifier)
  for (const key of keys)
    if (!KEYS[type].includes(key))
      yield {
        path: [...path, key],
        message: `${of}: ${key} is not for ${type}${didYouMean(key, KEYS[type])}`,
      }
  const given = (...names: string[]): string[] => names.filter((key) => keys.includes(key))
  for (const secret of ['url', 'password', 'bearer_token', 'secret']) {
    const sources = given(secret, `${secret}_env`, `${secret}_file`)
    if (sources.length > 1) yield { path, message: `${of}: give one of ${sources.join(', ')}` }
  }
  if (type === 'webhook' || type === 'alertmanager') {
    if (given('url', 'url_env', 'url_file').length === 0)
      yield { path, message: `${of} needs url, url_env or url_file` }
    if (notifier.url !== undefined) yield* urlProblems(of, notifier.url, [...path, 'url'])
  }
  if (type === 'syslog' && notifier.host === undefined) yield { path, message: `${of} needs host` }
  if (type === 'email')
    for (const key of ['host', 'from', 'to'])
      if (!keys.includes(key)) yield { path, message: `${of} needs ${key}` }
}

function* urlProblems(of: string, text: string, path: (string | number)[]): Generator<AlertsProblem> {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !['http:', 'https:'].includes(url.protocol)) {
    yield { path, message: `${of}: url must be an http or https address` }
  } else if (url.username !== '' || url.password !== '') {
    // Not repeated in the message: it would end in a log.
    yield {
      path,
      message: `${of}: no credentials in url; use username with password_env or password_file`,
    }
  }
}
