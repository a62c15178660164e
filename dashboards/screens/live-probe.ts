import { ProbeHealth } from '../../src/aggregates/probe-health.js'
import { DEFAULT_CONFIG } from '../../src/config/config.js'
import { toLine } from '../../src/sinks/influx/line-protocol.js'
import { HOUR_MS, START_MS } from './traffic.js'

/**
 * A replay knows nothing of drops, load and spool. So that their panels show something, the same hour has a second probe
 * that counts like a live one: 20,000 packets a second at a fifth of a core, and a moment at 09:52 when it was too slow.
 */
export function liveProbe(): string {
  const health = new ProbeHealth({ ...DEFAULT_CONFIG, probe: 'tap-2 (live)' })
  const lines: string[] = []
  let [packets, drops, cpuMs] = [0, 0, 0]
  for (let passed = 0; passed <= HOUR_MS; passed += 10_000) {
    const tenth = passed / 10_000
    const wave = 1 + 0.15 * Math.sin(tenth / 17) + 0.05 * Math.sin(tenth / 3)
    const tooSlow = passed >= 3_120_000 && passed < 3_150_000
    packets += Math.round(200_000 * wave)
    cpuMs += tooSlow ? 9700 : 2000 * wave
    if (tooSlow) drops += 310
    const point = health.sample(START_MS + passed, {
      packets,
      bytes: packets * 214,
      rtpPackets: Math.round(packets * 0.985),
      rtcpPackets: Math.round(packets * 0.008),
      sipMessages: Math.round(packets * 0.004),
      skipped: Math.round(packets * 0.003),
      evictions: 0,
      captureDrops: drops,
      interfaceDrops: 0,
      spoolLost: 0,
      pointsSent: Math.round(tenth * 430),
      pointsRejected: 0,
      seriesOther: 0,
      streams: Math.round(400 * wave),
      calls: Math.round(195 * wave),
      spoolBytes: Math.round(9000 * wave),
      memoryBytes: 182_000_000,
      cpuMs,
      clockMs: START_MS + passed + 40,
    })
    if (point) lines.push(toLine(point))
  }
  return lines.join('\n')
}
