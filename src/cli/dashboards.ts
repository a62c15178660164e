/** `callprobe dashboards`: the Grafana dashboards that come with the package, to a folder or into a Grafana. */
import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { CallprobeError, errorText } from '../errors.js'
import { bundledDashboards, bundledRuleGroups, copyKit } from './dashboard-kit.js'
import { GrafanaClient, parseGrafanaUrl } from './grafana-client.js'

interface ExportOptions {
  force?: true
}

interface PushOptions {
  tokenFile?: string
  folder: string
  datasource: string
  alerts?: true
}

const EXPORT_EXAMPLES = `
Writes json/ (dashboards), provisioning/ (data source, folder, alert rules),
docker-compose.yml and env.example. Needs no network.

Examples:
  $ callprobe dashboards export grafana
  $ cd grafana && cp env.example .env && docker compose up -d      # passwords in .env first`

const PUSH_EXAMPLES = `
The token of a service account with the role Editor comes from --token-file or
the environment (CALLPROBE_GRAFANA_TOKEN). Dashboards are overwritten by their
uid; your own copies under other names stay. The data source has to exist and
speak InfluxQL: docs/grafana.md.

Examples:
  $ callprobe dashboards push https://grafana.example.net --token-file grafana.token
  $ CALLPROBE_GRAFANA_TOKEN=... callprobe dashboards push http://127.0.0.1:3000 --datasource voip --alerts`

export function dashboardsCommand(): Command {
  return new Command('dashboards')
    .description('Grafana dashboards: write them to a folder, or put them into a Grafana.')
    .addCommand(
      new Command('export')
        .description('Write dashboards, provisioning and a docker-compose file to a folder.')
        .argument('<folder>', 'where to; made when it does not exist')
        .option('--force', 'write over files that differ')
        .addHelpText('after', EXPORT_EXAMPLES)
        .action(exportKit),
    )
    .addCommand(
      new Command('push')
        .description('Put the dashboards into a Grafana by its HTTP API.')
        .argument('<url>', "Grafana's address, with the path that it is served under, if any")
        .option('--token-file <file>', 'file that holds the token of a service account')
        .option('--folder <name>', 'folder in Grafana; made when it does not exist', 'callprobe')
        .option('--datasource <uid>', 'uid of the InfluxDB data source', 'callprobe')
        .option('--alerts', 'also the alert rules (burst jitter, probe drops, probe silent)')
        .addHelpText('after', PUSH_EXAMPLES)
        .action(push),
    )
}

function exportKit(folder: string, options: ExportOptions): void {
  const { written, unchanged } = copyKit(folder, options.force === true)
  const same = unchanged === 0 ? '' : `, ${unchanged} were the same already`
  process.stdout.write(`${written} files written to ${folder}${same}\n`)
}

async function push(address: string, options: PushOptions): Promise<void> {
  const client = new GrafanaClient(parseGrafanaUrl(address), token(options.tokenFile))
  await client.check()
  const folderUid = await client.ensureFolder(options.folder)
  for (const { title, dashboard } of bundledDashboards(options.datasource)) {
    const url = await client.putDashboard(dashboard, folderUid)
    process.stdout.write(`${title}: ${url}\n`)
  }
  if (options.alerts !== true) return
  for (const group of bundledRuleGroups(options.datasource)) {
    await client.putRuleGroup(group, folderUid)
    process.stdout.write(`alert rules: ${group.rules.map(({ title }) => title).join(', ')}\n`)
  }
}

/** Never from the command line, where everybody on the machine could read it. */
function token(file: string | undefined): string {
  const text = file === undefined ? (process.env.CALLPROBE_GRAFANA_TOKEN ?? '') : readToken(file)
  const value = text.trim()
  if (value === '')
    throw new CallprobeError(
      'USAGE',
      file === undefined ? 'no token for Grafana' : `${file}: no token in it`,
      {
        hint: 'make a service account with the role Editor in Grafana (Administration, Users and access), and name a file with its token: --token-file FILE, or set CALLPROBE_GRAFANA_TOKEN',
      },
    )
  // A line feed in a header would be an error without a reason to see.
  if (/[^\x21-\x7e]/.test(value))
    throw new CallprobeError('USAGE', 'the token for Grafana holds characters that no token has', {
      hint: 'the file should hold the token and nothing else',
    })
  return value
}

function readToken(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new CallprobeError('FILE_NOT_READABLE', `cannot read ${file}: ${errorText(error)}`, {
      cause: error,
    })
  }
}
