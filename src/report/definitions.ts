import { existsSync, readFileSync } from 'node:fs'
import { packagePath } from '../places.js'

/**
 * What each number means, in the words of docs/metrics.md: rows of its tables, by field name. Nothing when the page is
 * not there.
 */
export function readDefinitions(): Record<string, string> {
  const path = packagePath('docs/metrics.md')
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
