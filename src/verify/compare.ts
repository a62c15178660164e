import type { Config } from '../config/config.js'
import { whyNoStream } from './admission.js'
import { agrees, COLUMNS, Recomputation, type Column, type Figures } from './explain.js'
import { placePackets } from './order.js'
import { ourStreams, type OurStream } from './our-streams.js'
import { readPackets, type PacketRows, type RtpPacket } from './packets.js'
import { counted, reason, type Reason } from './reasons.js'
import { HEURISTICS, tsharkStreams, type TsharkStream } from './tshark-streams.js'

/** `explained`: the packets yield both figures, each by its own definition. `unexplained`: they do not. */
export type Verdict = 'equal' | 'explained' | 'unexplained'
export type VerdictCounts = Record<Verdict, number>

export interface ColumnComparison {
  column: Column
  callprobe: number | undefined
  tshark: number | undefined
  verdict: Verdict
  reasons: Reason[]
  /** Both figures as recomputed from the packets, where they differ without explanation. */
  recomputed?: { callprobe: number | undefined; tshark: number | undefined }
}

export interface StreamComparison {
  key: string
  ours: OurStream | undefined
  tshark: TsharkStream | undefined
  verdict: Verdict
  columns: ColumnComparison[]
  /** Why only one of the two has the stream, or not all of its packets. */
  reasons: Reason[]
}

export interface FileComparison {
  file: string
  streams: StreamComparison[]
  /** Packets beyond those that are kept for recomputation. */
  packetsNotKept: number
  /** Ports beyond those that tshark was told to take for RTP: their streams may lack an explanation. */
  portsNotTold: number
}

/** Ports that tshark can be told to take for RTP in one run. */
const MOST_PORTS = 100

/**
 * Replays a capture, has tshark list its RTP streams, and compares the two, stream by stream.
 * @param heuristics whether tshark looks for RTP that no signalling announced
 * @throws CallprobeError when the file cannot be read, TOOL_MISSING, TOOL_FAILED
 */
export async function compareFile(
  file: string,
  config: Config,
  heuristics: boolean,
): Promise<FileComparison> {
  const ours = await ourStreams(file, config)
  const options = heuristics ? HEURISTICS : []
  const theirs = await tsharkStreams(file, options)
  const rows = await readPackets(file, options)
  const ports = portsToTell(ours, rows)
  // What the heuristics find need not be told; the rest may be more than tshark is told in one run.
  const toldPorts = ports.slice(0, MOST_PORTS)
  const told =
    ports.length === 0 ? undefined : await readPackets(file, [...HEURISTICS, ...decodeAs(toldPorts)])
  const named = new Set(theirs.map((stream) => stream.key))
  const onlyOurs = [...ours.values()].filter((stream) => !named.has(stream.key))
  return {
    file,
    streams: [
      ...theirs.map((stream) => compareStream(ours.get(stream.key), stream, rows, told)),
      ...onlyOurs.map((stream) => compareStream(stream, undefined, rows, told)),
    ],
    portsNotTold: ports.length - toldPorts.length,
    packetsNotKept: rows.dropped + (told?.dropped ?? 0),
  }
}

/** Destination ports of streams of which we count other packets than tshark. */
function portsToTell(ours: ReadonlyMap<string, OurStream>, rows: PacketRows): number[] {
  const ports = new Set<number>()
  for (const stream of ours.values()) {
    const seen = rows.streams.get(stream.key)?.length ?? 0
    if (seen < stream.packets + stream.duplicates) ports.add(stream.records[0].destination_port)
  }
  return [...ports]
}

function decodeAs(ports: readonly number[]): string[] {
  return ports.flatMap((port) => ['-d', `udp.port==${port},rtp`])
}

function compareStream(
  ours: OurStream | undefined,
  tshark: TsharkStream | undefined,
  rows: PacketRows,
  told: PacketRows | undefined,
): StreamComparison {
  const key = ours?.key ?? tshark?.key ?? ''
  const packets = rows.streams.get(key) ?? []
  if (ours === undefined) {
    const why = whyNoStream(packets)
    const reasons = why === undefined ? [] : [why]
    return { key, ours, tshark, verdict: why ? 'explained' : 'unexplained', columns: [], reasons }
  }
  const all = morePackets(packets, told?.streams.get(key), ours)
  const recomputation = recompute(packets, all, ours)
  const reasons = all.length === packets.length ? [] : [notTaken(packets, all, ours)]
  const figures = { ours: figuresOfOurs(ours), tshark: tshark && figuresOfTshark(tshark) }
  const columns = COLUMNS.map((column) =>
    compareColumn(
      column,
      figures.ours[column],
      figures.tshark?.[column],
      recomputation,
      tshark !== undefined,
    ),
  )
  return { key, ours, tshark, verdict: worst(columns, reasons), columns, reasons }
}

/** tshark's packets, or those that it takes when told, where these are the ones that we counted. */
function morePackets(
  packets: readonly RtpPacket[],
  told: readonly RtpPacket[] | undefined,
  ours: OurStream,
): readonly RtpPacket[] {
  return told !== undefined && packets.length < ours.packets + ours.duplicates ? told : packets
}

function notTaken(packets: readonly RtpPacket[], all: readonly RtpPacket[], ours: OurStream): Reason {
  const taken = new Set(packets.map(({ frame }) => frame))
  const missed = all.filter(({ frame }) => !taken.has(frame)).map(({ frame }) => frame)
  const port = ours.records[0].destination_port
  return reason(
    'not_taken',
    `tshark takes ${packets.length} of ${counted(all.length, 'packet', 'packets')} for RTP; told that it is (-d udp.port==${port},rtp) it takes all`,
    missed,
  )
}

function recompute(packets: readonly RtpPacket[], all: readonly RtpPacket[], ours: OurStream): Recomputation {
  const placed = placePackets(all)
  const same = all === packets
  const [first] = all
  const startMs = Date.parse(ours.records[0].start)
  return new Recomputation(same ? placed : placePackets(packets), placed, {
    clockRateHz: ours.clockRateHz,
    splitsMs: ours.records
      .slice(1)
      .map((record) => Date.parse(record.start) - startMs + (first?.timeMs ?? 0)),
  })
}

function compareColumn(
  column: Column,
  callprobe: number | undefined,
  tshark: number | undefined,
  recomputation: Recomputation,
  listed: boolean,
): ColumnComparison {
  const base = { column, callprobe, tshark }
  if (listed && agrees(column, callprobe, tshark)) return { ...base, verdict: 'equal', reasons: [] }
  const { checked, reasons, recomputed } = recomputation.explain(column, callprobe, tshark, listed)
  if (checked) return { ...base, verdict: 'explained', reasons }
  const { ours, tshark: theirs } = recomputed
  return { ...base, verdict: 'unexplained', reasons, recomputed: { callprobe: ours, tshark: theirs } }
}

function worst(columns: readonly ColumnComparison[], reasons: readonly Reason[]): Verdict {
  if (columns.some(({ verdict }) => verdict === 'unexplained')) return 'unexplained'
  return reasons.length > 0 || columns.some(({ verdict }) => verdict === 'explained') ? 'explained' : 'equal'
}

function figuresOfOurs(stream: OurStream): Figures {
  return {
    packets: stream.packets,
    lost: stream.lost,
    max_delta_ms: stream.longestGapMs,
    mean_jitter_ms: stream.meanJitterMs,
    max_jitter_ms: stream.maxJitterMs,
  }
}

function figuresOfTshark(stream: TsharkStream): Figures {
  return {
    packets: stream.packets,
    lost: stream.lost,
    max_delta_ms: stream.maxDeltaMs,
    mean_jitter_ms: stream.meanJitterMs,
    max_jitter_ms: stream.maxJitterMs,
  }
}
