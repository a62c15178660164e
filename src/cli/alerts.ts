import { Command } from 'commander'
import { stringify } from 'yaml'
import { openReceiver } from '../alerts/notifiers/notifiers.js'
import { testAlerts } from '../alerts/test-alert.js'
import { allRules } from '../config/alert-rules.js'
import { RULE_DEFAULTS } from '../config/alert-defaults.js'
import type { AlertRule, NotifierFile } from '../config/alerts.js'
import { loadConfig } from '../config/load.js'
import { didYouMean } from '../config/nearest.js'
import { CallprobeError } from '../errors.js'
import { realOutside } from './outputs/alerts.js'
import { displayText } from './table-text.js'

const TEST_EXAMPLES = `
Examples:
  $ callprobe alerts test --config probe.yaml                     a test alert and its end, to every notifier
  $ callprobe alerts test --config probe.yaml --notifier noc-chat
  $ callprobe replay --alerts --config probe.yaml yesterday.pcap  would the rules have fired? (nobody is told)

Exit codes: 0 every notifier took both, 1 one did not, 2 wrong usage.`

const RULES_EXAMPLES = `
Examples:
  $ callprobe alerts rules                          the shipped rules with their defaults, as YAML
  $ callprobe alerts rules --config probe.yaml      the rules in force`

interface TestOptions {
  config: string
  notifier?: string[]
}

/** The command for the program to add. */
export function alertsCommand(): Command {
  return new Command('alerts')
    .description('Test who is told of alerts, or show the rules in force.')
    .addCommand(
      new Command('test')
        .description('Send a test alert, and its end, to the notifiers of a configuration.')
        .requiredOption('--config <file>', 'configuration (YAML or JSON)')
        .option('--notifier <name...>', 'only these notifiers')
        .addHelpText('after', TEST_EXAMPLES)
        .action(test),
    )
    .addCommand(
      new Command('rules')
        .description('Print the rules in force as YAML: shipped ones with the changes of a configuration.')
        .option('--config <file>', 'configuration (YAML or JSON)')
        .addHelpText('after', RULES_EXAMPLES)
        .action(printRules),
    )
}

async function test({ config: path, notifier: names }: TestOptions): Promise<void> {
  const config = loadConfig(path)
  const chosen = chooseNotifiers(config.alerts.notifiers, names, path)
  const outside = realOutside((_, message) => process.stderr.write(`callprobe: ${message}\n`))
  let failed = 0
  for (const notifier of chosen) {
    const receiver = openReceiver(notifier, outside)
    for (const record of testAlerts(config.probe, outside.nowMs())) {
      if (record.state === 'resolved' && notifier.resolved === false) continue
      const outcome = await receiver.send(record)
      const what = `${notifier.name} (${notifier.type}), ${record.state}`
      if (outcome.kind === 'delivered') {
        process.stdout.write(`${displayText(what)}: delivered\n`)
        continue
      }
      failed++
      process.stdout.write(`${displayText(what)}: ${outcome.kind === 'retry' ? 'failed' : 'refused'}\n`)
      process.stderr.write(`callprobe: ${displayText(outcome.reason)}\n`)
      break
    }
  }
  if (failed > 0)
    throw new CallprobeError(
      'NOTIFICATION_FAILED',
      `${failed} of ${chosen.length} notifiers did not take the test alert`,
      {
        hint: 'a running capture would try again until they do; check address, access and certificates',
      },
    )
}

function chooseNotifiers(
  all: readonly NotifierFile[],
  names: readonly string[] | undefined,
  path: string,
): readonly NotifierFile[] {
  if (all.length === 0)
    throw new CallprobeError('USAGE', `${path} has no notifiers`, {
      hint: 'add some under alerts.notifiers; docs/alerting.md has examples',
    })
  if (names === undefined) return all
  return names.map((name) => {
    const found = all.find((notifier) => notifier.name === name)
    if (found) return found
    const known = all.map((notifier) => notifier.name)
    throw new CallprobeError(
      'USAGE',
      `there is no notifier "${name}"${didYouMean(name, known)}; known: ${known.join(', ')}`,
    )
  })
}

function printRules({ config }: { config?: string }): void {
  const rules = allRules(loadConfig(config).alerts).map(withoutDefaults)
  process.stdout.write(
    stringify({ alerts: { shipped_rules: false, rules } }, { lineWidth: 110, aliasDuplicateObjects: false }),
  )
}

/** As somebody would write it. */
function withoutDefaults({ name, ...rule }: AlertRule): Record<string, unknown> {
  const defaults = new Map<string, unknown>(Object.entries(RULE_DEFAULTS))
  const own = Object.entries(rule).filter(
    ([key, value]) => value !== undefined && JSON.stringify(value) !== JSON.stringify(defaults.get(key)),
  )
  return { name, ...Object.fromEntries(own) }
}
