import { Command, Option } from 'commander'
import { expandPaths } from '../capture/expand-paths.js'
import { loadConfig } from '../config/load.js'
import { CallprobeError } from '../errors.js'
import { compareFile, type FileComparison, type VerdictCounts } from '../verify/compare.js'
import { tsharkVersion } from '../verify/tshark-run.js'
import { EXIT_FAILED } from './exit-codes.js'
import { finish, styleFor, type TableStyle } from './table-style.js'
import { displayText, wrap } from './table-text.js'
import { comparisonJson } from './verify-json.js'
import { renderComparison } from './verify-table.js'

interface VerifyOptions {
  format: 'table' | 'json'
  heuristics: boolean
  differences?: true
  config?: string
}

const EXAMPLES = `
Examples:
  $ callprobe verify call.pcapng
  $ callprobe verify --differences monday.pcap tuesday.pcap
  $ callprobe verify --no-heuristics call.pcap    only streams that tshark knows from SDP
  $ callprobe verify --format json call.pcap | jq '.streams[] | select(.verdict != "equal")'

tshark (Wireshark's command line program) has to be installed. Where the two
differ, the packets are counted again by tshark's definition and by ours; a
difference counts as explained when that yields both figures.

Exit codes: 0 all figures agree or are explained, 1 not so, or failed, 2 wrong
usage.`

/** The command for the program to add. */
export function verifyCommand(): Command {
  return new Command('verify')
    .description(
      'Compare every RTP stream of capture files with tshark: figures side by side, differences explained.',
    )
    .argument('<file...>', 'capture files or patterns, compared one by one')
    .addOption(new Option('--format <format>', 'what to print').choices(['table', 'json']).default('table'))
    .option('--no-heuristics', 'let tshark take for RTP only what SDP announces')
    .option('--differences', 'show only the streams that differ')
    .option('--config <file>', 'configuration of the replay (YAML or JSON)')
    .addHelpText('after', EXAMPLES)
    .action(async (files: string[], options: VerifyOptions) => {
      if (!(await verify(files, options))) process.exitCode = EXIT_FAILED
    })
}

/** True when every difference in every file is explained. */
async function verify(files: readonly string[], options: VerifyOptions): Promise<boolean> {
  const captures = await expandPaths(files)
  const live = captures.find((capture) => capture.live)
  if (live !== undefined) {
    throw new CallprobeError(
      'USAGE',
      `${live.path} can be read only once, and verify reads its captures twice`,
      {
        hint: 'save it to a file first',
      },
    )
  }
  const version = await tsharkVersion()
  const config = loadConfig(options.config)
  const style = styleFor(process.stdout, process.env)
  let good = true
  for (const { path } of captures) {
    const comparison = await compareFile(path, config, options.heuristics)
    const counts = countVerdicts(comparison)
    if (counts.unexplained > 0) good = false
    const run = { tsharkVersion: version, heuristics: options.heuristics, counts }
    const text =
      options.format === 'json'
        ? `${comparisonJson(comparison, run)}\n`
        : fileText(comparison, run, options.differences === true, style)
    await new Promise<void>((resolve) => process.stdout.write(text, () => resolve()))
  }
  return good
}

function countVerdicts(comparison: FileComparison): VerdictCounts {
  const counts: VerdictCounts = { equal: 0, explained: 0, unexplained: 0 }
  for (const { verdict } of comparison.streams) counts[verdict]++
  return counts
}

function fileText(
  comparison: FileComparison,
  run: { tsharkVersion: string; heuristics: boolean; counts: VerdictCounts },
  onlyDifferences: boolean,
  style: TableStyle,
): string {
  const { equal, explained, unexplained } = run.counts
  const shown = comparison.streams.filter(({ verdict }) => !onlyDifferences || verdict !== 'equal')
  const table =
    onlyDifferences && shown.length === 0
      ? ''
      : `${renderComparison({ ...comparison, streams: shown }, style)}\n`
  const total = comparison.streams.length
  const lines = [
    `${displayText(comparison.file)}: ${total} ${total === 1 ? 'stream' : 'streams'}; ${equal} agree, ` +
      `${explained} differ by definition, ${unexplained} without explanation`,
    `(tshark ${run.tsharkVersion}, heuristics ${run.heuristics ? 'on' : 'off'})`,
  ]
  if (comparison.packetsNotKept > 0)
    lines.push(`${comparison.packetsNotKept} packets beyond the limit were not counted again`)
  if (comparison.portsNotTold > 0)
    lines.push(`${comparison.portsNotTold} ports were more than tshark was told to take for RTP`)
  return `${table}${finish(
    lines.flatMap((line) => wrap(line, style.width)),
    style,
  )}\n`
}
