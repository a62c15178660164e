import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { seriesBudgets } from '../aggregates/budget.js'
import type { Config } from '../config/config.js'
import { loadConfig } from '../config/load.js'
import { packageFile } from '../places.js'
import { displayText } from './table-text.js'

/** Prints every problem of a file, or that there is none. */
function check(file: string): void {
  const config = loadConfig(file)
  const parts = [`probe "${config.probe}"`]
  if (config.sites.length > 0) parts.push(`sites: ${config.sites.length}`)
  if (config.trunks.length > 0) parts.push(`trunks: ${config.trunks.length}`)
  process.stdout.write(`${displayText(file)} is valid: ${displayText(parts.join(', '))}\n`)
  for (const line of budgetLines(config)) process.stdout.write(`${line}\n`)
}

/** How many series the aggregates can have in a database, and what to do when that is more than wanted. */
function budgetLines(config: Config): string[] {
  const lines = seriesBudgets(config).map(
    ({ measurement, formula, bound }) =>
      `${measurement}: at most ${bound} series (${formula}), as many in each roll-up`,
  )
  const over = seriesBudgets(config).filter(({ possible, bound }) => possible > bound)
  for (const { measurement, possible } of over)
    lines.push(
      `${measurement} could have ${possible}: when aggregates.series_budget (${config.aggregates.series_budget}) is used up, further combinations are counted as "other"`,
    )
  return lines
}

/** Prints the published JSON Schema, byte for byte. */
function printSchema(): void {
  process.stdout.write(readFileSync(packageFile('schemas/config.schema.json'), 'utf8'))
}

/** The command for the program to add. A file that is not valid ends in a CallprobeError, CONFIG_INVALID. */
export function configCommand(): Command {
  return new Command('config')
    .description('Check a configuration file, or print what it may hold.')
    .addCommand(
      new Command('check')
        .description('Check a configuration file and point at each mistake in it.')
        .argument('<file>', 'YAML or JSON file')
        .action(check),
    )
    .addCommand(
      new Command('schema')
        .description('Print the JSON Schema of the configuration: every key with its meaning and default.')
        .action(printSchema),
    )
}
