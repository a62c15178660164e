import type { PacketSource } from './batch.js'

/** What the capture itself missed, since it began. */
export interface CaptureLosses {
  /** Packets that the kernel had and found no room for in the ring. */
  kernelDrops: number
  /** Packets that the network card had no room for: rx_missed_errors or rx_fifo_errors of the interface. */
  interfaceDrops: number
  /** How often the ring was full. */
  freezes: number
  /** Time during which an interface was down or without carrier, ms. */
  downMs: number
  /** Until when that was last so; clock time, ms since the epoch. */
  downUntilMs: number
}

export interface InterfaceEvent {
  interfaceName: string
  /** `gone`: the interface itself was removed; `replaced`: another of its name came, which its rings cannot be bound to. */
  kind: 'down' | 'up' | 'gone' | 'replaced'
  /** Clock time, ms since the epoch. */
  timeMs: number
  /** For `up`: how long it had been away. */
  downMs?: number
}

/**
 * Packets as they arrive. `next` hands out an empty batch when nothing came for a while: then packet time has gone on
 * to `quietUntilMs` all the same. It ends (null) after `stop`, with every packet of before.
 */
export interface LiveSource extends PacketSource {
  readonly timestampSource: 'hardware' | 'kernel' | 'userspace'
  /** Every packet of before this packet time was handed out, after an empty batch; ms since the epoch. */
  readonly quietUntilMs: number
  /** undefined where the system does not tell. */
  losses(): CaptureLosses | undefined
  /** No packets from now on; those that arrived already still come. */
  stop(): void
  /** Packets received, those among them that the kernel dropped included. */
  readonly received: number
}
