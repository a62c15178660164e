/**
 * Reads the E-model vectors that lie beside the checkout (../shared/vectors); undefined where they are absent.
 * Tests that need them are skipped then, and say so.
 */
import { existsSync, readFileSync } from 'node:fs'

const FOLDER = new URL('../../../shared/vectors/', import.meta.url)

/** Rows of a tab-separated file as records by column name; lines with # are comments. */
export function readVectors(name: string): Record<string, string>[] | undefined {
  const file = new URL(name, FOLDER)
  if (!existsSync(file)) {
    process.stderr.write(`skipped: ${file.pathname} is not there\n`)
    return undefined
  }
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
  const columns = lines[0].split('\t')
  return lines.slice(1).map((line) => {
    const cells = line.split('\t')
    return Object.fromEntries(columns.map((column, i) => [column, cells[i]]))
  })
}
