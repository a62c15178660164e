import type { MosSegment, VoipMetricsBlock, XrBlock } from './xr-blocks.js'

/** What the receiving endpoint measured, from its latest XR blocks. Absent = not said. */
export interface EndpointMetrics {
  timeMs: number
  lossPercent?: number
  discardPercent?: number
  burstDensityPercent?: number
  gapDensityPercent?: number
  burstDurationMs?: number
  gapDurationMs?: number
  gmin?: number
  roundTripMs?: number
  endSystemDelayMs?: number
  signalLevelDbm?: number
  noiseLevelDbm?: number
  echoReturnLossDb?: number
  rFactor?: number
  externalRFactor?: number
  mosLq?: number
  mosCq?: number
  /** RFC 7266; which kind of MOS, its `algorithm` says. */
  mosSegments?: MosSegment[]
  bufferKind?: 'fixed' | 'adaptive'
  bufferNominalMs?: number
  bufferMaxMs?: number
  bufferAbsoluteMaxMs?: number
  /** Statistics summary (RFC 3611 4.6), of its own span. */
  duplicates?: number
  discardedPackets?: number
  discardedBytes?: number
  concealedMs?: number
  concealedSeconds?: number
  severelyConcealedSeconds?: number
}

/** Keeps the latest of each metric; older blocks of a kind give way to newer ones. */
export class EndpointView {
  private current: EndpointMetrics | undefined

  onBlock(block: XrBlock, timeMs: number): void {
    const found = metricsOf(block)
    if (found === undefined) return
    this.current = { ...this.current, ...found, timeMs }
  }

  metrics(): EndpointMetrics | undefined {
    return this.current
  }
}

function metricsOf(block: XrBlock): Partial<EndpointMetrics> | undefined {
  switch (block.type) {
    case 'voip_metrics':
      return voipMetrics(block)
    case 'statistics_summary':
      return block.duplicates === undefined ? undefined : { duplicates: block.duplicates }
    case 'delay':
      return present({ roundTripMs: block.meanRoundTripMs, endSystemDelayMs: block.endSystemDelayMs })
    case 'jitter_buffer':
      return present({
        bufferKind: block.adaptive ? 'adaptive' : 'fixed',
        bufferNominalMs: block.nominalMs,
        bufferMaxMs: block.maximumMs,
      })
    case 'discard_count':
      return block.reason === 'duplicate' ? undefined : present({ discardedPackets: block.packets })
    case 'bytes_discarded':
      return { discardedBytes: block.bytes }
    case 'mos':
      return { mosSegments: block.segments.filter((segment) => segment.mos !== undefined) }
    case 'loss_concealment':
      return present({ concealedMs: block.lossConcealedMs })
    case 'concealed_seconds':
      return present({
        concealedSeconds: block.concealedSeconds,
        severelyConcealedSeconds: block.severelyConcealedSeconds,
      })
    default:
      return undefined
  }
}

function voipMetrics(block: VoipMetricsBlock): Partial<EndpointMetrics> | undefined {
  return present({
    lossPercent: block.lossPercent,
    discardPercent: block.discardPercent,
    burstDensityPercent: block.burstDensityPercent,
    gapDensityPercent: block.gapDensityPercent,
    burstDurationMs: block.burstDurationMs,
    gapDurationMs: block.gapDurationMs,
    gmin: block.gmin,
    // Both are 0 where they were not measured: no way back takes no time, no phone plays out without delay.
    roundTripMs: block.roundTripMs || undefined,
    endSystemDelayMs: block.endSystemDelayMs || undefined,
    signalLevelDbm: block.signalLevelDbm,
    noiseLevelDbm: block.noiseLevelDbm,
    echoReturnLossDb: block.echoReturnLossDb,
    rFactor: block.rFactor,
    externalRFactor: block.externalRFactor,
    mosLq: block.mosLq,
    mosCq: block.mosCq,
    bufferKind: block.buffer === 'fixed' || block.buffer === 'adaptive' ? block.buffer : undefined,
    bufferNominalMs: block.bufferNominalMs,
    bufferMaxMs: block.bufferMaxMs,
    bufferAbsoluteMaxMs: block.bufferAbsoluteMaxMs,
  })
}

/** Without the fields that are undefined: they must not wipe out what an earlier block said. */
function present(metrics: Partial<EndpointMetrics>): Partial<EndpointMetrics> | undefined {
  const entries = Object.entries(metrics).filter(([, value]) => value !== undefined)
  return entries.length === 0 ? undefined : Object.fromEntries(entries)
}
