import { MEASUREMENTS, type FieldTable } from './fields.js'

/** A measurement's fields as a Markdown table, as docs/aggregates.md has them (a test holds it to that). */
export function fieldTableMarkdown(fields: FieldTable): string {
  const rows = Object.entries(fields).map(
    ([name, { type, unit, merge, text }]) => `| \`${name}\` | ${type} | ${unit} | ${merge} | ${text} |`,
  )
  return ['| field | type | unit | merge | meaning |', '|---|---|---|---|---|', ...rows].join('\n')
}

/** Everything that is generated of docs/aggregates.md: a heading and a table per measurement. */
export function measurementsMarkdown(): string {
  return Object.entries(MEASUREMENTS)
    .map(([name, { tags, fields }]) => {
      const tagList = tags.map((tag) => `\`${tag}\``).join(', ')
      return `### ${name}\n\nTags: ${tagList}.\n\n${fieldTableMarkdown(fields)}\n`
    })
    .join('\n')
}
