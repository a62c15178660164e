import type { ColumnComparison, FileComparison, StreamComparison, VerdictCounts } from '../verify/compare.js'

/** A comparison for other programs: one object per file, names as in records. */
export function comparisonJson(
  comparison: FileComparison,
  run: { tsharkVersion: string; heuristics: boolean; counts: VerdictCounts },
): string {
  return JSON.stringify({
    type: 'verify',
    schema: 1,
    file: comparison.file,
    tshark_version: run.tsharkVersion,
    heuristics: run.heuristics,
    ...run.counts,
    streams: comparison.streams.map(streamJson),
  })
}

function streamJson(stream: StreamComparison): object {
  const [source, sourcePort, destination, destinationPort, ssrc] = stream.key.split(' ')
  return {
    source_address: source,
    source_port: Number(sourcePort),
    destination_address: destination,
    destination_port: Number(destinationPort),
    ssrc,
    found_by: stream.ours && stream.tshark ? 'both' : stream.ours ? 'callprobe' : 'tshark',
    codec: stream.ours?.records[0].codec,
    tshark_payload: stream.tshark?.payload,
    tshark_packets: stream.tshark?.packets,
    verdict: stream.verdict,
    reasons: stream.reasons,
    figures: Object.fromEntries(stream.columns.map((column) => [column.column, figureJson(column)])),
  }
}

function figureJson({ callprobe, tshark, verdict, reasons, recomputed }: ColumnComparison): object {
  return { callprobe, tshark, verdict, reasons, recomputed }
}
