import { readFileSync } from 'node:fs'

/**
 * Packets that the network card lost before the kernel saw them (linux/if_link.h): `missed` where the host gave it no
 * buffers, `fifo` where its own overflowed. Drivers count one event under either or both names: the larger is taken.
 */
export class InterfaceDrops {
  private base: number | undefined

  constructor(
    private readonly interfaceName: string,
    private readonly folder = '/sys/class/net',
  ) {
    this.base = this.read()
  }

  /** Since construction, or since the interface was made anew. 0 where the system does not tell. */
  count(): number {
    const now = this.read()
    if (now === undefined) return 0
    if (this.base === undefined || now < this.base) this.base = now
    return now - this.base
  }

  private read(): number | undefined {
    const missed = this.counter('rx_missed_errors')
    const fifo = this.counter('rx_fifo_errors')
    return missed === undefined && fifo === undefined ? undefined : Math.max(missed ?? 0, fifo ?? 0)
  }

  private counter(name: string): number | undefined {
    try {
      const value = Number(readFileSync(`${this.folder}/${this.interfaceName}/statistics/${name}`, 'latin1'))
      return Number.isFinite(value) ? value : undefined
    } catch {
      return undefined
    }
  }
}
