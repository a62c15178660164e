import type { QualityMetrics } from '../rtcp/quality-metrics.js'
import type { QualityReport } from '../rtcp/quality-report.js'
import type { CallEntry } from './call-entry.js'
import { DIRECTIONS, type Direction, type MediaFields } from './records.js'

/** The direction of which a report's own metrics speak: what the reporting endpoint received. */
export function reportedDirection(
  report: QualityReport,
  call: CallEntry,
  senderAddress: string,
): Direction | undefined {
  for (const direction of DIRECTIONS) {
    const { ssrcs } = call.directions[direction]
    if (report.remote?.ssrc !== undefined && ssrcs.includes(report.remote.ssrc)) return direction
    if (report.local?.ssrc !== undefined && ssrcs.includes(report.local.ssrc)) return opposite(direction)
  }
  const { sip } = call
  if (!sip) return undefined
  const addresses = [report.local?.address, senderAddress]
  for (const address of addresses) {
    const isCaller =
      sip.callerMedia?.media.some((m) => m.address === address) || sip.callerSignalling.address === address
    const isCallee =
      sip.calleeMedia?.media.some((m) => m.address === address) || sip.calleeSignalling.address === address
    if (isCaller !== isCallee) return isCaller ? 'from_callee' : 'from_caller'
  }
  return undefined
}

/** Files a report with its call: each side's metrics with the direction that side received. */
export function fileReport(report: QualityReport, call: CallEntry, senderAddress: string): boolean {
  const received = reportedDirection(report, call, senderAddress)
  if (received === undefined) return false
  if (report.localMetrics) setFields(call, received, endpointFields(report.localMetrics))
  // An endpoint's own report is worth more than what the other one repeats of it.
  if (report.remoteMetrics && !call.endpointFields[opposite(received)])
    setFields(call, opposite(received), endpointFields(report.remoteMetrics))
  return true
}

function setFields(call: CallEntry, direction: Direction, fields: Partial<MediaFields>): void {
  call.endpointFields = { ...call.endpointFields, [direction]: fields }
}

function endpointFields(metrics: QualityMetrics): Partial<MediaFields> {
  return {
    endpoint_loss_percent: metrics.lossPercent,
    endpoint_discard_percent: metrics.discardPercent,
    endpoint_burst_density_percent: metrics.burstDensityPercent,
    endpoint_burst_duration_ms: metrics.burstDurationMs,
    endpoint_gap_density_percent: metrics.gapDensityPercent,
    endpoint_gap_duration_ms: metrics.gapDurationMs,
    endpoint_rtt_ms: metrics.roundTripMs,
    endpoint_system_delay_ms: metrics.endSystemDelayMs,
    endpoint_one_way_delay_ms: metrics.oneWayDelayMs ?? metrics.symmetricOneWayDelayMs,
    endpoint_jitter_ms: metrics.interarrivalJitterMs,
    endpoint_mean_absolute_jitter_ms: metrics.meanAbsoluteJitterMs,
    endpoint_buffer_delay_ms: metrics.bufferNominalMs,
    endpoint_r_lq: metrics.rLq,
    endpoint_r_cq: metrics.rCq,
    endpoint_mos_lq: metrics.mosLq,
    endpoint_mos_cq: metrics.mosCq,
  }
}

function opposite(direction: Direction): Direction {
  return direction === 'from_caller' ? 'from_callee' : 'from_caller'
}
