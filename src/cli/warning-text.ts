import type { SourceWarning } from '../capture/batch.js'

/** What was noticed about a file, and where. */
export function warningText({ source, offset, message }: SourceWarning): string {
  return `${source}${offset === undefined ? '' : ` at byte ${offset}`}: ${message}`
}
