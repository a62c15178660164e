/**
 * Reads the E-model vectors that lie beside the checkout (vectors/ of ../shared or $CALLPROBE_SHARED); undefined where
 * they are absent. Tests that need them are skipped then, and the skip is noted.
 */
import { readFileSync } from 'node:fs'
import { sharedPath } from '../helpers/programs.js'

/** Rows of a tab-separated file as records by column name; lines with # are comments. */
export function readVectors(name: string): Record<string, string>[] | undefined {
  const file = sharedPath(`vectors/${name}`)
  if (file === undefined) return undefined
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
  const columns = lines[0].split('\t')
  return lines.slice(1).map((line) => {
    const cells = line.split('\t')
    return Object.fromEntries(columns.map((column, i) => [column, cells[i]]))
  })
}
