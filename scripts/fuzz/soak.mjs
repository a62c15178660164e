// Hours of generated traffic through the whole probe, looking at what memory is left after each round.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

const ROUND_S = 60
const BATCH_PACKETS = 4096
const BATCH_BYTES = 2 ** 21
/** Rounds in which tables fill, code is compiled, and the first calls time out. */
const WARM_UP_ROUNDS = 4
/** What the rounds after that may add, all together. */
const GROWTH_BYTES = 12 * 2 ** 20
const START_MS = Date.parse('2024-01-01T00:00:00Z')

/** Calls of every outcome, lost and disordered media, RTCP, requests outside of calls, and what is none of these. */
const SCENARIO = {
  calls: [
    { repeat: { count: 40, spacing_s: 1 }, duration_s: 15, rtcp: true },
    {
      repeat: { count: 12, spacing_s: 3 },
      duration_s: 12,
      hold: [{ at_s: 3, duration_s: 4 }],
      media: {
        both: { codec: 'PCMA', loss: { gilbert: { p: 0.02, q: 0.4 } }, jitter: { uniform_ms: 60 } },
        from_caller: { reorder: { every: 50 }, duplicates: { every: 70 }, ssrc_change: [{ at_s: 6 }] },
      },
    },
    { repeat: { count: 10, spacing_s: 4 }, duration_s: 8, sip: { transport: 'tcp' }, auth: 407, srtp: true },
    // No BYE: these end when they have been silent for long enough.
    { repeat: { count: 10, spacing_s: 5 }, duration_s: 5, ended_by: 'none' },
    { repeat: { count: 20, spacing_s: 2 }, status: 486 },
    { repeat: { count: 5, spacing_s: 9 }, status: 0 },
    { repeat: { count: 5, spacing_s: 9 }, cancel_after_ms: 3000 },
    { repeat: { count: 6, spacing_s: 8 }, duration_s: 6, link: { mtu: 400, vlan: 5, encapsulation: 'vlan' } },
  ],
  streams: [
    { repeat: { count: 6, spacing_s: 8 }, duration_s: 20, from: '10.9.0.1:4000', to: '10.9.0.2:5000' },
  ],
  registrations: [{ repeat: { count: 50, spacing_s: 1 }, auth: true }],
  options: [{ repeat: { count: 50, spacing_s: 1 } }],
  noise: [
    { kind: 'stun', duration_s: ROUND_S, packets_per_second: 20 },
    { kind: 'udp', duration_s: ROUND_S, packets_per_second: 50 },
    { kind: 'dns', duration_s: ROUND_S, packets_per_second: 20 },
  ],
}

/** Frames in one buffer, as a source of captures shows them. */
class Batch {
  constructor() {
    this.bytes = new Uint8Array(BATCH_BYTES)
    this.view = new DataView(this.bytes.buffer)
    this.frameOffset = new Int32Array(BATCH_PACKETS)
    this.capturedLength = new Int32Array(BATCH_PACKETS)
    this.wireLength = new Int32Array(BATCH_PACKETS)
    this.timeMs = new Float64Array(BATCH_PACKETS)
    this.linkType = new Uint16Array(BATCH_PACKETS).fill(1)
    this.clear()
  }

  clear() {
    this.first = 0
    this.end = 0
    this.used = 0
  }

  /** @returns {boolean} false when there is no room: the batch is to be taken first */
  add({ timeMs, frame, wireLength = frame.length }) {
    if (this.end === BATCH_PACKETS || this.used + frame.length > BATCH_BYTES) return false
    this.bytes.set(frame, this.used)
    this.frameOffset[this.end] = this.used
    this.capturedLength[this.end] = frame.length
    this.wireLength[this.end] = wireLength
    this.timeMs[this.end] = timeMs
    this.used += frame.length
    this.end++
    return true
  }
}

/**
 * Replays at least `megabytes` of generated frames as one run.
 * @param {number} megabytes
 * @param {(module: string) => Promise<Record<string, unknown>>} importModule
 * @param {(line: string) => void} print
 * @returns {Promise<boolean>} whether memory stayed where it was
 */
export async function soak(megabytes, importModule, print) {
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc')
  const { Probe } = await importModule('pipeline/probe.js')
  const { ScenarioRun } = await importModule('generate/generate.js')
  const { DEFAULT_CONFIG } = await importModule('config/config.js')
  const config = structuredClone(DEFAULT_CONFIG)
  Object.assign(config.timeouts, { stream_idle_s: 30, call_idle_s: 60, tcp_idle_s: 60 })
  config.limits.streams = 4096
  let records = 0
  const probe = new Probe(config, 'file', () => records++)
  const batch = new Batch()
  const heaps = []
  let bytes = 0
  for (let round = 0; bytes < megabytes * 2 ** 20 || round < WARM_UP_ROUNDS + 4; round++) {
    // Rounds overlap no more than their calls' last seconds do.
    const start = new Date(START_MS + round * ROUND_S * 1000).toISOString()
    bytes += replayRound(new ScenarioRun({ ...SCENARIO, start }, round + 1), batch, probe)
    collectGarbage()
    const { heapUsed, arrayBuffers, rss } = process.memoryUsage()
    heaps.push(heapUsed + arrayBuffers)
    const { calls, streams, packets } = probe.counts()
    print(
      `${megabyte(bytes)} MB, ${packets} packets, ${calls} calls, ${streams} streams, ${records} records: ` +
        `heap ${megabyte(heapUsed + arrayBuffers)} MB, resident ${megabyte(rss)} MB`,
    )
  }
  const settled = heaps.slice(WARM_UP_ROUNDS)
  const half = settled.length >> 1
  const growth = Math.min(...settled.slice(half)) - Math.min(...settled.slice(0, half))
  for (const _ of probe.finish()) continue
  const { active } = probe.meter.counters
  print(
    `Growth after the first ${WARM_UP_ROUNDS} rounds: ${megabyte(growth)} MB; ${active} streams left at the end`,
  )
  return growth < GROWTH_BYTES && active === 0
}

function replayRound(run, batch, probe) {
  let bytes = 0
  for (let packet = run.next(); packet; packet = run.next()) {
    bytes += packet.frame.length + 16
    if (batch.add(packet)) continue
    probe.onBatch(batch)
    batch.clear()
    batch.add(packet)
  }
  probe.onBatch(batch)
  batch.clear()
  return bytes
}

function megabyte(bytes) {
  return (bytes / 2 ** 20).toFixed(1)
}
