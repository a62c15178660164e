import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Sources and builds both lie two folders below the project. */
const METRICS_PAGE = new URL('../../docs/metrics.md', import.meta.url)

/**
 * What each number means, in the words of docs/metrics.md: rows of its tables, by field name. Nothing when the page is
 * not there.
 */
export function readDefinitions(): Record<string, string> {
  const path = fileURLToPath(METRICS_PAGE)
  return existsSync(path) ? definitionsIn(readFileSync(path, 'utf8')) : {}
}

/** Rows whose first cell is nothing but field names in backquotes. */
export function definitionsIn(markdown: string): Record<string, string> {
  const definitions: Record<string, string> = {}
  for (const line of markdown.split('\n')) {
    const [, names, definition] = /^\| ((?:`[a-z0-9_]+`(?:, )?)+) \| ([^|]+) \|/.exec(line) ?? []
    if (names === undefined || definition === undefined) continue
    for (const [, name] of names.matchAll(/`([a-z0-9_]+)`/g)) definitions[name] ??= plainText(definition)
  }
  return definitions
}

function plainText(markdown: string): string {
  return markdown
    .replace(/\[([^\]]+)\]\([^)]*\)/g, '$1')
    .replace(/[`*]/g, '')
    .trim()
}
