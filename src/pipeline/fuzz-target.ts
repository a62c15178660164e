import { MemorySource } from '../capture/memory-source.js'
import { RECORD_SCHEMA, type MediaFields, type ProbeRecord } from '../calls/records.js'
import { validateRecord } from '../calls/validate.js'
import { DEFAULT_CONFIG, type Config } from '../config/config.js'
import { CallprobeError } from '../errors.js'
import { Probe } from './probe.js'

/** Few of everything, so that the bounds are met. */
const CONFIG: Config = {
  ...DEFAULT_CONFIG,
  limits: { streams: 12, calls: 8, early_packets: 64, fragments: 8, tcp_connections: 4 },
}
const BATCH_CAPACITY = 32

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(`pipeline broke a promise: ${what}`)
}

/** Values that are not over each other in this order, where they are known. */
const ORDERS: readonly (readonly (keyof MediaFields)[])[] = [
  ['jitter_mean_ms', 'jitter_max_ms'],
  ['jitter_p95_ms', 'jitter_p99_ms', 'jitter_max_ms'],
  ['pdv_p50_ms', 'pdv_p95_ms', 'pdv_p99_ms', 'pdv_max_ms'],
  ['delay_p50_ms', 'delay_p95_ms', 'delay_p99_ms'],
  ['reordered', 'packets'],
  ['late', 'packets'],
  ['mos_cq_min', 'mos_cq_p5'],
]
/** Maxima are kept in 32-bit floats, means and percentiles are not. */
const PRECISION = 1e-6

function checkMedia(media: MediaFields): void {
  for (const order of ORDERS) {
    let before = -Infinity
    for (const name of order) {
      const value = media[name]
      if (typeof value !== 'number') continue
      if (value < before * (1 - PRECISION) - PRECISION)
        throw new Error(`pipeline broke a promise: ${name} is ${value}, under ${before}`)
      before = value
    }
  }
  if (media.loss_percent !== undefined)
    check(media.loss_percent >= 0 && media.loss_percent <= 100, `loss of ${media.loss_percent} %`)
}

function checkRecord(record: ProbeRecord): void {
  // As it is written: what is undefined is absent, what is no number is null.
  const wrong = validateRecord(JSON.parse(JSON.stringify(record)))
  if (wrong.length > 0) throw new Error(`${record.type}: ${wrong.join('; ')}: ${JSON.stringify(record)}`)
  if (record.type === 'stream' || record.type === 'interval') checkMedia(record)
  if (record.type === 'call') {
    if (record.media.from_caller) checkMedia(record.media.from_caller)
    if (record.media.from_callee) checkMedia(record.media.from_callee)
  }
}

/**
 * Replays `data` as a capture through the whole probe. Whatever the bytes: nothing but a CallprobeError comes out,
 * every record keeps to its published schema (numbers are finite, times are times), and the summary's counts are
 * those of the records.
 */
export async function fuzzPipelineOne(data: Uint8Array): Promise<void> {
  const seen = { call: 0, stream: 0, interval: 0, alert: 0, summary: 0 }
  const probe = new Probe(CONFIG, 'file', (record) => {
    seen[record.type]++
    checkRecord(record)
  })
  const source = new MemorySource(data, { batchCapacity: BATCH_CAPACITY })
  let packets = 0
  try {
    for (let batch = await source.next(); batch !== null; batch = await source.next()) {
      packets += batch.end - batch.first
      probe.onBatch(batch)
    }
  } catch (error) {
    if (!(error instanceof CallprobeError)) throw error
  } finally {
    await source.close()
  }
  for (const _ of probe.finish()) continue
  const counts = probe.counts()
  checkRecord({ type: 'summary', schema: RECORD_SCHEMA, probe: CONFIG.probe, truncated_files: [], ...counts })
  check(counts.packets === packets, `${counts.packets} packets counted, ${packets} read`)
  check(counts.calls === seen.call, `${counts.calls} calls counted, ${seen.call} written`)
  check(counts.streams === seen.stream, `${counts.streams} streams counted, ${seen.stream} written`)
}
