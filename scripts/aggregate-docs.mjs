// Writes the field tables of docs/aggregates.md from src/aggregates/fields.ts (after `npm run build`).
import { readFileSync, writeFileSync } from 'node:fs'
import { measurementsMarkdown } from '../.build/aggregates/describe.js'

const page = new URL('../docs/aggregates.md', import.meta.url)
const text = readFileSync(page, 'utf8')
const mark = '<!-- fields: npm run build && node scripts/aggregate-docs.mjs -->\n'
const at = text.indexOf(mark)
if (at < 0) throw new Error('docs/aggregates.md has lost its mark')
writeFileSync(page, text.slice(0, at + mark.length) + '\n' + measurementsMarkdown())
