import { openFiles } from '../capture/open.js'
import type { StreamRecord } from '../calls/records.js'
import type { Config } from '../config/config.js'
import { Probe } from '../pipeline/probe.js'
import { streamKey } from './tshark-streams.js'

/** One stream as the replay measured it. A long silence may have split it into several records. */
export interface OurStream {
  key: string
  /** In order of their start. */
  records: StreamRecord[]
  packets: number
  lost: number
  duplicates: number
  longestGapMs: number
  meanJitterMs: number | undefined
  maxJitterMs: number | undefined
  clockRateHz: number | undefined
}

/** Replays a capture file and returns its streams by streamKey, in the order in which they began. */
export async function ourStreams(file: string, config: Config): Promise<Map<string, OurStream>> {
  const records: StreamRecord[] = []
  const source = await openFiles([file])
  const probe = new Probe(config, 'file', (record) => {
    if (record.type === 'stream') records.push(record)
  })
  try {
    for (let batch = await source.next(); batch !== null; batch = await source.next()) probe.onBatch(batch)
    for (const _ of probe.finish()) continue
  } finally {
    await source.close()
  }
  return byKey(records)
}

function byKey(records: readonly StreamRecord[]): Map<string, OurStream> {
  const groups = new Map<string, StreamRecord[]>()
  for (const record of [...records].sort((a, b) => Date.parse(a.start) - Date.parse(b.start))) {
    const key = keyOf(record)
    const group = groups.get(key)
    if (group) group.push(record)
    else groups.set(key, [record])
  }
  return new Map([...groups].map(([key, group]) => [key, merge(key, group)]))
}

function keyOf(record: StreamRecord): string {
  return streamKey({
    sourceAddress: record.source_address,
    sourcePort: record.source_port,
    destinationAddress: record.destination_address,
    destinationPort: record.destination_port,
    ssrc: record.ssrc,
  })
}

function merge(key: string, records: StreamRecord[]): OurStream {
  const sum = (field: 'packets' | 'lost' | 'duplicates'): number =>
    records.reduce((total, record) => total + (record[field] ?? 0), 0)
  const known = (field: 'jitter_max_ms' | 'jitter_mean_ms' | 'longest_gap_ms' | 'clock_rate_hz'): number[] =>
    records.map((record) => record[field]).filter((value): value is number => value !== undefined)
  const means = known('jitter_mean_ms')
  const packets = sum('packets')
  return {
    key,
    records,
    packets,
    lost: sum('lost'),
    duplicates: sum('duplicates'),
    longestGapMs: Math.max(0, ...known('longest_gap_ms')),
    meanJitterMs:
      means.length === 0
        ? undefined
        : records.reduce((total, record) => total + (record.jitter_mean_ms ?? 0) * record.packets, 0) /
          packets,
    maxJitterMs: means.length === 0 ? undefined : Math.max(...known('jitter_max_ms')),
    clockRateHz: known('clock_rate_hz')[0],
  }
}
