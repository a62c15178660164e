import type { Log } from './log.js'

/** What goes on for long is told of this often. */
const TELL_MS = 60_000

/** What is counted at a bound, and the key of the configuration that moves it. */
const BOUNDS: Readonly<Record<string, readonly [string, string?]>> = {
  calls: ['calls closed early to make room for others', 'limits.calls'],
  streams: ['RTP streams without a call, ended early to make room for those of calls', 'limits.streams'],
  stream_packets_without_room: ['packets of RTP streams, not measured', 'limits.streams'],
  stream_candidates_without_room: ['packets of what may have been new RTP streams, not looked at'],
  early_packets: [
    'packets before the description of their call, counted without jitter',
    'limits.early_packets',
  ],
  output_records: ['records dropped because their reader is too slow or their file cannot be written'],
  requests_outside_calls: ['REGISTER and OPTIONS requests forgotten before they were answered'],
  fragmented_datagrams: ['datagrams in fragments, given up before they were whole', 'limits.fragments'],
  tcp_connections: ['TCP connections with SIP, forgotten', 'limits.tcp_connections'],
}

/** Says in the log when a bound of the probe costs something: a flood, or a configuration too small for the traffic. */
export class LimitWatch {
  private readonly told = new Map<string, { count: number; atMs: number }>()

  constructor(private readonly log: Log) {}

  /**
   * @param evictions so far, by bound
   * @param nowMs a clock that never steps
   */
  look(evictions: Readonly<Record<string, number>>, nowMs: number): void {
    for (const [bound, count] of Object.entries(evictions)) {
      const told = this.told.get(bound) ?? { count: 0, atMs: -Infinity }
      if (count <= told.count || nowMs - told.atMs < TELL_MS) continue
      const more = count - told.count
      const [meaning, key] = BOUNDS[bound] ?? [`bound on ${bound}, times`]
      this.log.warn(`a limit was reached: ${meaning}: ${more}${key === undefined ? '' : ` (${key})`}`, {
        bound,
        count: more,
      })
      this.told.set(bound, { count, atMs: nowMs })
    }
  }
}
