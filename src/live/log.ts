import pino from 'pino'

export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]
export type LogFormat = 'text' | 'json'

/** Numbers and names that belong to a message, by record-style names. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>

/** What a running capture has to say. Never holds secrets, SIP bodies or digits that were dialled. */
export interface Log {
  error(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  debug(message: string, fields?: LogFields): void
}

/**
 * A log on a stream (standard error): lines for a person, or one JSON object per line for a collector.
 * `beforeLine` is called before each line, so that a status line can make room.
 */
export function createLog(
  stream: { write(text: string): unknown },
  format: LogFormat,
  level: LogLevel,
  beforeLine: () => void = () => {},
): Log {
  if (format === 'json') {
    const logger = pino(
      {
        level,
        base: { program: 'callprobe' },
        timestamp: pino.stdTimeFunctions.isoTime,
        messageKey: 'message',
        formatters: { level: (label) => ({ level: label }) },
      },
      {
        write: (line: string) => {
          beforeLine()
          stream.write(line)
        },
      },
    )
    return {
      error: (message, fields) => logger.error(fields ?? {}, message),
      warn: (message, fields) => logger.warn(fields ?? {}, message),
      info: (message, fields) => logger.info(fields ?? {}, message),
      debug: (message, fields) => logger.debug(fields ?? {}, message),
    }
  }
  const write = (of: LogLevel, message: string): void => {
    if (LOG_LEVELS.indexOf(of) > LOG_LEVELS.indexOf(level)) return
    beforeLine()
    stream.write(
      `callprobe: ${of === 'error' || of === 'warn' ? `${of === 'warn' ? 'warning' : of}: ` : ''}${message}\n`,
    )
  }
  return {
    error: (message) => write('error', message),
    warn: (message) => write('warn', message),
    info: (message) => write('info', message),
    debug: (message) => write('debug', message),
  }
}
