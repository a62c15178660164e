import { readFileSync } from 'node:fs'
import { CallprobeError, errorText } from '../../errors.js'

/**
 * A secret from an environment variable or a file (its first line). undefined when neither is named.
 * @throws CallprobeError CONFIG_INVALID when it is named and not there; the message never has the secret
 */
export function readSecret(
  of: string,
  what: string,
  source: { env?: string; file?: string },
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  if (source.env !== undefined) {
    const value = environment[source.env]
    if (value === undefined || value === '')
      throw new CallprobeError(
        'CONFIG_INVALID',
        `${of}: ${what} should be in the environment variable ${source.env}, which is not set`,
      )
    return value
  }
  if (source.file === undefined) return undefined
  try {
    const value = readFileSync(source.file, 'utf8').split(/\r?\n/, 1)[0].trim()
    if (value !== '') return value
  } catch (error) {
    throw new CallprobeError(
      'CONFIG_INVALID',
      `${of}: cannot read ${what} from ${source.file}: ${errorText(error)}`,
      {
        cause: error,
      },
    )
  }
  throw new CallprobeError(
    'CONFIG_INVALID',
    `${of}: ${source.file} is empty; ${what} should be its first line`,
  )
}

/**
 * Certificates to trust beside the system's.
 * @throws CallprobeError CONFIG_INVALID
 */
export function readCertificates(of: string, file: string | undefined): string | undefined {
  if (file === undefined) return undefined
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new CallprobeError('CONFIG_INVALID', `${of}: cannot read ca_file ${file}: ${errorText(error)}`, {
      cause: error,
    })
  }
}
