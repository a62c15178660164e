/**
 * Every error code of the program. Codes are public: scripts may match on them, so add, do not rename. What stops a
 * run is an error; what does not (a truncated file, a malformed packet) is a warning or a counter.
 */
export const ERROR_CODES = [
  // capture files
  'FILE_NOT_FOUND',
  'NO_FILE_MATCHES',
  'IS_A_DIRECTORY',
  'FILE_NOT_READABLE',
  'READ_FAILED',
  'NOT_A_CAPTURE',
  'EMPTY_CAPTURE',
  'TOO_MANY_OPEN_FILES',
  // live capture
  'INTERFACE_NOT_FOUND',
  'CAPTURE_NOT_PERMITTED',
  'CAPTURE_UNAVAILABLE',
  'CAPTURE_FAILED',
  'BAD_FILTER',
  // what the user wrote
  'USAGE',
  'CONFIG_NOT_READABLE',
  'CONFIG_INVALID',
  'EXPRESSION_INVALID',
  'SPEC_INVALID',
  'UNKNOWN_CODEC',
  'CALL_NOT_FOUND',
  'PRIVACY_KEY',
  // outputs
  'WRITE_FAILED',
  'OUTPUT_EXISTS',
  'INFLUX_UNREACHABLE',
  'INFLUX_REJECTED',
  'SPOOL_FAILED',
  'GRAFANA_UNREACHABLE',
  'GRAFANA_REJECTED',
  'NOTIFICATION_FAILED',
  // helpers that a command calls
  'TOOL_MISSING',
  'TOOL_FAILED',
] as const
export type ErrorCode = (typeof ERROR_CODES)[number]

/**
 * An error for the person at the keyboard: `message` says what failed and on which file, offset or option; `hint` says
 * what to do about it. `code` is stable.
 */
export class CallprobeError extends Error {
  readonly code: ErrorCode
  readonly hint: string | undefined

  constructor(code: ErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'CallprobeError'
    this.code = code
    this.hint = options.hint
  }
}

/** The `code` of a Node system error ("ENOENT", "Z_DATA_ERROR", ...), or '' when it has none. */
export function systemErrorCode(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return ''
  return typeof error.code === 'string' ? error.code : ''
}

/** The text of whatever was thrown. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
