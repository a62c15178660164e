import type { ProbeCounters } from '../aggregates/probe-health.js'
import type { CaptureLosses } from '../calls/capture-losses.js'
import { RECORD_SCHEMA, type SummaryRecord } from '../calls/records.js'
import type { LiveSource } from '../capture/live.js'
import type { Config } from '../config/config.js'
import { formatJitterBufferSpec } from '../config/jitter-buffer.js'
import type { CaptureLoop } from '../live/capture-loop.js'
import type { CaptureHealth } from '../live/self-metrics.js'
import type { Probe } from '../pipeline/probe.js'

/** For voip_probe: what the probe counts of itself, beside the quality that it measures. */
export function countersOf(source: LiveSource, probe: Probe): ProbeCounters {
  const missed = source.losses()
  const { user, system } = process.cpuUsage()
  return {
    ...probe.health(),
    captureDrops: missed?.kernelDrops,
    interfaceDrops: missed?.interfaceDrops,
    memoryBytes: process.memoryUsage.rss(),
    cpuMs: (user + system) / 1000,
    clockMs: Date.now(),
  }
}

/** For Prometheus. */
export function healthOf(
  source: LiveSource,
  probe: Probe,
  loop: CaptureLoop,
  losses: CaptureLosses,
  load: number,
  outputDropped: number,
): Omit<CaptureHealth, 'workerRestarts' | 'workerHoldUps'> {
  const counts = probe.counts()
  const missed = source.losses()
  return {
    packets: counts.packets,
    bytes: counts.bytes,
    kernelDrops: missed?.kernelDrops ?? 0,
    interfaceDrops: missed?.interfaceDrops ?? 0,
    ringFreezes: missed?.freezes ?? 0,
    interfaceDownMs: missed?.downMs ?? 0,
    clockSteps: loop.clockWatch.steps,
    clockSynchronized: losses.clockSynchronized,
    rtpPackets: counts.rtp_packets ?? 0,
    rtcpPackets: counts.rtcp_packets ?? 0,
    sipMessages: counts.sip_messages ?? 0,
    calls: counts.calls,
    openCalls: probe.open.calls,
    openStreams: probe.open.streams,
    load,
    skipped: counts.skipped,
    evictions: counts.evictions,
    sipUnreadable: counts.sip_unreadable ?? {},
    outputDropped,
  }
}

export function summaryOf(
  probe: Probe,
  config: Config,
  drops: number | undefined,
  interfaces: number,
  processingMs: number,
): SummaryRecord {
  return {
    type: 'summary',
    schema: RECORD_SCHEMA,
    probe: config.probe,
    ...probe.counts(),
    ...probe.groupedFindings(),
    processing_ms: processingMs,
    files: interfaces,
    capture_drops: drops,
    truncated_files: [],
    jitter_buffer: formatJitterBufferSpec(config.jitter_buffer),
  }
}
