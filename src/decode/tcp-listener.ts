import type { DecodedPacket } from './packet.js'
import type { TcpConnection } from './tcp-connection.js'

/** Why a connection ended: its own FIN or RST, a new SYN on the same ports, a bound, or the end of the run. */
export type TcpEndReason = 'fin' | 'reset' | 'reused' | 'idle' | 'evicted' | 'end_of_capture'

/** Called in stream order. `direction` 0 is from the side whose packet was seen first. */
export interface TcpListener<User> {
  /** `bytes` are valid during the call only. */
  onData(connection: TcpConnection<User>, direction: 0 | 1, bytes: Uint8Array, timeMs: number): void
  /** `missing` bytes will not come (0: unknown how many). What follows does not continue what came before. */
  onGap(connection: TcpConnection<User>, direction: 0 | 1, missing: number, timeMs: number): void
  onEnd(connection: TcpConnection<User>, reason: TcpEndReason, timeMs: number): void
}

export interface TcpOptions {
  /** Follow this connection? Asked for each packet with payload or SYN of a connection not followed yet. */
  accept?: (packet: DecodedPacket) => boolean
  /** Most connections followed; the one longest quiet gives way. Default 16,384. */
  maxConnections?: number
  /** A connection quiet for longer is forgotten, in ms of packet time. Default 900,000. */
  idleMs?: number
  /** Most bytes held for one direction while a segment is missing. Default 262,144. */
  maxHeldBytes?: number
  /** Most segments held for one direction. Default 256. */
  maxHeldSegments?: number
  /** Most bytes held in all. Default 32 MiB. */
  maxTotalHeldBytes?: number
  /** Longest wait for a missing segment, in ms of packet time. Default 3000 (a sender repeats within about 1 s). */
  gapMs?: number
}

/** Everything counted since the start. */
export interface TcpCounters {
  connections: number
  connectionsEvicted: number
  connectionsIdle: number
  segments: number
  /** Segments that brought nothing new (retransmissions, mirror copies, keepalive probes). */
  repeatedSegments: number
  outOfOrderSegments: number
  /** Gaps given up on, and the bytes missing in them where known. */
  gaps: number
  gapBytes: number
  /** Gaps given up on early because a bound on held bytes or segments was reached. */
  holdLimitReached: number
}
