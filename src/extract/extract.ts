import type { PacketBatch, SourceProgress, SourceWarning } from '../capture/batch.js'
import { openFiles } from '../capture/open.js'
import type { CallRecord } from '../calls/records.js'
import type { Config } from '../config/config.js'
import { CallprobeError } from '../errors.js'
import { Probe } from '../pipeline/probe.js'
import { openCaptureOutput } from './capture-output.js'
import { FramePlans } from './frame-plan.js'
import { FrameSelector, planFragmentedMedia, type SelectionCounts } from './frame-selector.js'
import { MediaCollector } from './media-collector.js'
import { RelatedCalls } from './related-calls.js'
import { SignallingScanner } from './signalling-scanner.js'

export interface ExtractOptions {
  config: Config
  /** Call-IDs, as records have them. */
  callIds: readonly string[]
  /** What a record with pseudonyms shows of a Call-ID: it is accepted too. */
  pseudonymOf?: (callId: string) => string
  /** Other legs, transfers and the like, as `related_calls` of the records name them. */
  related: boolean
  /** RTP payload too. */
  payload: boolean
  /** Keys, credentials and dialled digits in SIP stay. */
  keepSecrets: boolean
  /** File, or `-` for standard output. */
  output: string
  onProgress?: (progress: SourceProgress, packets: number) => void
}

export interface Extracted {
  counts: SelectionCounts
  /** Every Call-ID that was looked for, related ones included. */
  callIds: string[]
  calls: CallRecord[]
  /** Messages whose secrets were written over, and those that were cut because of them. */
  redacted: number
  cut: number
  /** What bounds cost. */
  forgotten: number
  warnings: readonly SourceWarning[]
}

/** How far off a time in float64 milliseconds may be from a whole microsecond that it stands for. */
const MICROSECOND_SLACK = 0.15
/** Call-IDs named when one was not found. */
const MOST_SUGGESTIONS = 5

/** What has to be known of all frames before one is written. */
class FrameSurvey {
  readonly linkTypes = new Set<number>()
  microseconds = true

  onBatch({ linkType, timeMs, first, end }: PacketBatch): void {
    for (let k = first; k < end; k++) {
      this.linkTypes.add(linkType[k])
      const us = timeMs[k] * 1000
      if (Math.abs(us - Math.round(us)) > MICROSECOND_SLACK) this.microseconds = false
    }
  }
}

/**
 * Writes the packets of calls to a capture file. Reads the captures twice: first to learn what belongs to the calls, as a
 * replay would bind it, then to copy it; with `related` once more before, to find the other calls. Nothing is written
 * when no packet belongs to them.
 * @throws CallprobeError CALL_NOT_FOUND, READ_FAILED, WRITE_FAILED and those of `openFiles`
 */
export async function extractCalls(files: readonly string[], options: ExtractOptions): Promise<Extracted> {
  const { config, output, related, payload, keepSecrets, onProgress } = options
  const wanted = new Set(options.callIds)
  if (related) {
    const relations = new RelatedCalls()
    const probe = new Probe(config, 'file', (record) => relations.record(record))
    await readAll(files, [probe], onProgress)
    for (const _ of probe.finish());
    for (const id of relations.around(matcher(wanted, options.pseudonymOf))) wanted.add(id)
  }
  const isWanted = matcher(wanted, options.pseudonymOf)
  const plans = new FramePlans()
  const scanner = new SignallingScanner(plans, { config, isWanted, redact: !keepSecrets })
  const collector = new MediaCollector(isWanted)
  const survey = new FrameSurvey()
  const probe = new Probe(config, 'file', () => {}, [collector])
  const warnings = await readAll(files, [survey, scanner, probe], onProgress)
  for (const _ of probe.finish());
  scanner.finish()
  planFragmentedMedia(plans, scanner.fragmentedMedia, collector.flows, { payload })
  scanner.planAgents(collector.flows, payload)
  if (plans.size === 0 && collector.flows.size === 0) throw notFound(options.callIds, collector)
  const linkTypes = [...survey.linkTypes]
  const writer = openCaptureOutput(output, { linkTypes, microseconds: survey.microseconds })
  const selector = new FrameSelector(writer, plans, collector.flows, { payload })
  try {
    await readAll(files, [selector], onProgress)
    selector.finish()
  } finally {
    writer.close()
  }
  return {
    counts: selector.counts,
    callIds: [...wanted],
    calls: collector.calls,
    redacted: scanner.redacted,
    cut: scanner.cut,
    forgotten: scanner.forgotten,
    warnings,
  }
}

/** Whether a Call-ID is wanted, by its own name or by its pseudonym. */
function matcher(
  wanted: ReadonlySet<string>,
  pseudonymOf: ((callId: string) => string) | undefined,
): (callId: string) => boolean {
  if (pseudonymOf === undefined) return (callId) => wanted.has(callId)
  const known = new Map<string, boolean>()
  return (callId) => {
    let found = known.get(callId)
    if (found === undefined) {
      if (known.size >= MOST_MATCHES) known.clear()
      known.set(callId, (found = wanted.has(callId) || wanted.has(pseudonymOf(callId))))
    }
    return found
  }
}

const MOST_MATCHES = 100_000

async function readAll(
  files: readonly string[],
  readers: readonly { onBatch(batch: PacketBatch): void }[],
  onProgress: ExtractOptions['onProgress'],
): Promise<readonly SourceWarning[]> {
  const source = await openFiles(files)
  let packets = 0
  try {
    for (let batch = await source.next(); batch !== null; batch = await source.next()) {
      for (const reader of readers) reader.onBatch(batch)
      packets += batch.end - batch.first
      onProgress?.(source.progress(), packets)
    }
    return source.warnings
  } finally {
    await source.close()
  }
}

function notFound(callIds: readonly string[], { seen, seenCalls }: MediaCollector): CallprobeError {
  const wanted = callIds.map((id) => `"${id}"`).join(', ')
  const near = seen.filter((id) => callIds.some((text) => id.includes(text) || text.includes(id)))
  const calls = `${seenCalls} ${seenCalls === 1 ? 'call' : 'calls'}`
  const hint =
    near.length > 0
      ? `did you mean ${near.slice(0, MOST_SUGGESTIONS).join(' or ')}?`
      : 'list them with: callprobe replay --format ndjson FILE | jq -r \'select(.type == "call") | .call_id\''
  return new CallprobeError('CALL_NOT_FOUND', `no packet of call ${wanted} among ${calls}`, { hint })
}
