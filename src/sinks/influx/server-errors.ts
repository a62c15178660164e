import { CallprobeError, errorText, systemErrorCode } from '../../errors.js'
import { describeDestination, type Destination } from './destination.js'

/** The server answers, and says no. */
export function rejected(
  destination: Destination,
  what: string,
  hint?: string,
  cause?: unknown,
): CallprobeError {
  return new CallprobeError('INFLUX_REJECTED', `${describeDestination(destination)}: ${what}`, {
    hint,
    cause,
  })
}

/** There is no answer to a request. */
export function unreachable(destination: Destination, error: unknown): CallprobeError {
  if (error instanceof CallprobeError) return error
  const code = systemErrorCode(error)
  const { what, hint } = explain(code, errorText(error))
  return new CallprobeError('INFLUX_UNREACHABLE', `${describeDestination(destination)}: ${what}`, {
    hint,
    cause: error,
  })
}

const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ALTNAME/

function explain(code: string, text: string): { what: string; hint?: string } {
  switch (code) {
    case 'ECONNREFUSED':
      return { what: 'connection refused', hint: 'is the server running, and is the port right?' }
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return { what: 'the host name is not known', hint: 'check the host of the URL and the name server' }
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return { what: 'there is no route to the host' }
    case 'ETIMEDOUT':
      return { what: text === '' ? 'no answer' : text, hint: 'is a firewall in between?' }
    case 'ECONNRESET':
    case 'EPIPE':
      return { what: 'the connection was cut', hint: 'if the server speaks TLS, the URL begins with https' }
    case 'EPROTO':
      return {
        what: 'no TLS at that port',
        hint: 'if the server does not speak TLS, the URL begins with http',
      }
    default:
      break
  }
  if (CERTIFICATE.test(code))
    return {
      what: `the server's certificate is not trusted (${text})`,
      hint: 'name the certificate of its authority with influx.ca_file in the configuration',
    }
  return { what: text }
}
