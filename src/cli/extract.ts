import { statSync } from 'node:fs'
import { Command } from 'commander'
import { expandPaths } from '../capture/expand-paths.js'
import { loadConfig } from '../config/load.js'
import { CallprobeError } from '../errors.js'
import { extractCalls, type Extracted } from '../extract/extract.js'
import { openPseudonyms, privacyKeyOption } from './privacy.js'
import { ProgressLine } from './progress.js'
import { warningText } from './warning-text.js'
import { displayText } from './table-text.js'

interface ExtractCommandOptions {
  callId: string[]
  output: string
  related?: true
  payload?: true
  keepSecrets?: true
  config?: string
  privacyKey?: string
}

const EXAMPLES = `
What is written: the call's SIP (UDP, TCP, WebSocket), RTCP and ICMP errors
whole, RTP up to its payload. Frames stay as they were captured, tunnels and
VLAN tags included; a cut frame keeps its length on the wire, so that Wireshark
and callprobe still see it. Keys (a=crypto), credentials and digits dialled by
INFO are written over with x, same length, unless --keep-secrets. Numbers, names
and addresses stay: they are needed to find the call.

Examples:
  $ callprobe extract day-*.pcap.gz --call-id 3c26700857a87f84@10.0.0.1 -o call.pcap
  $ callprobe extract call.pcap --call-id 3c26700857a87f84@10.0.0.1 --related -o - | wireshark -k -i -
  $ callprobe extract day.pcap --call-id c-9f86d081884c7d65 --privacy-key key -o call.pcap    # a pseudonym

Exit codes: 0 done, 1 failed (no such call), 2 wrong usage.`

export function extractCommand(): Command {
  return new Command('extract')
    .description('Write the packets of one call, out of any number of captures, to a small capture file.')
    .argument('<file...>', 'capture files or patterns (not standard input: they are read twice)')
    .requiredOption('--call-id <id>', 'call_id of its record; may be repeated', collect)
    .requiredOption('-o, --output <path>', 'capture to write (.pcapng for that format), or -')
    .option('--related', 'with the calls that its record names as related')
    .option('--payload', 'with the RTP payload: what was said, and digits sent as RTP events')
    .option('--keep-secrets', 'leave keys, credentials and dialled digits in SIP')
    .option('--config <file>', 'configuration (YAML or JSON)')
    .addOption(privacyKeyOption())
    .addHelpText('after', EXAMPLES)
    .action(extract)
}

function collect(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), value]
}

/** A Call-ID that `--privacy` made up. */
const PSEUDONYM =
  /^(?:c-[0-9a-f]{16}|media-[0-9a-f]{20}|.*@(?:h-[0-9a-f]{10}\.invalid|[0-9.]+|\[.*\])(?::[0-9]+)?)$/

async function extract(files: string[], options: ExtractCommandOptions): Promise<void> {
  const config = loadConfig(options.config)
  await checkPaths(files, options.output)
  const key = options.privacyKey ?? config.privacy_key_file ?? process.env.CALLPROBE_PRIVACY_KEY
  const byPseudonym = key !== undefined && options.callId.some((id) => PSEUDONYM.test(id))
  const names = byPseudonym ? openPseudonyms('hash', config, options) : undefined
  const progress = new ProgressLine(process.stderr)
  try {
    const extracted = await extractCalls(files, {
      config,
      callIds: options.callId,
      pseudonymOf: names && ((callId) => names.callId(callId)),
      related: options.related === true,
      payload: options.payload === true,
      keepSecrets: options.keepSecrets === true,
      output: options.output,
      onProgress: (read, packets) => progress.update(read, packets),
    })
    progress.clear()
    for (const warning of extracted.warnings) process.stderr.write(`callprobe: ${warningText(warning)}\n`)
    process.stderr.write(`callprobe: ${displayText(summaryText(extracted, options))}\n`)
  } finally {
    progress.clear()
  }
}

/** Inputs are read twice, so they must be files, and the output none of them. */
async function checkPaths(files: readonly string[], output: string): Promise<void> {
  const target = output === '-' ? undefined : statSync(output, { throwIfNoEntry: false })
  for (const { path, live } of await expandPaths(files)) {
    if (path === '-' || live) {
      throw new CallprobeError('USAGE', `${path === '-' ? 'standard input' : path} cannot be read twice`, {
        hint: 'write it to a file first',
      })
    }
    const stat = target && statSync(path, { throwIfNoEntry: false })
    if (target && stat && stat.ino === target.ino && stat.dev === target.dev) {
      throw new CallprobeError('USAGE', `${output} is one of the captures that are read`, {
        hint: 'name another file after -o',
      })
    }
  }
}

function summaryText(extracted: Extracted, { output, payload }: ExtractCommandOptions): string {
  const { counts, callIds, redacted, cut, forgotten } = extracted
  const kinds = [
    `${counts.sip} with SIP`,
    `${counts.rtp} RTP${payload === true || counts.rtp === 0 ? '' : ' (headers)'}`,
    `${counts.rtcp} RTCP`,
    ...(counts.icmp > 0 ? [`${counts.icmp} ICMP`] : []),
  ]
  const parts = [
    `${counts.packets} packets to ${output === '-' ? 'standard output' : output}: ${kinds.join(', ')}`,
  ]
  if (callIds.length > 1) parts.push(`of ${callIds.length} calls`)
  if (redacted > 0) parts.push(`${redacted} SIP messages have their secrets written over`)
  if (cut > 0) parts.push(`${cut} were cut: their secrets could not be told apart`)
  if (forgotten > 0) parts.push(`${forgotten} packets may be missing: too many fragments or segments at once`)
  return parts.join('; ')
}
