export interface CaptureStatus {
  packetsPerSecond: number
  calls: number
  streams: number
  drops: number
  /** Share of one processor, 0..1. */
  load: number
}

/** One line on standard error that shows how a capture is doing: only on a terminal. */
export class StatusLine {
  private shown = false

  constructor(private readonly stream: NodeJS.WriteStream) {}

  update(status: CaptureStatus): void {
    if (!this.stream.isTTY) return
    this.shown = true
    this.stream.write(`\r\u001b[K${statusText(status)}`)
  }

  clear(): void {
    if (this.shown) this.stream.write('\r\u001b[K')
    this.shown = false
  }
}

/** e.g. `12.3 k packets/s  84 calls  168 streams  0 dropped  load 23 %`. */
export function statusText({ packetsPerSecond, calls, streams, drops, load }: CaptureStatus): string {
  const rate =
    packetsPerSecond >= 1e6
      ? `${(packetsPerSecond / 1e6).toFixed(2)} M`
      : packetsPerSecond >= 1e4
        ? `${(packetsPerSecond / 1e3).toFixed(1)} k`
        : `${Math.round(packetsPerSecond)} `
  const counted = (count: number, one: string): string => `${count} ${one}${count === 1 ? '' : 's'}`
  return [
    `${rate}${rate.endsWith(' ') ? '' : ' '}packets/s`.replace(/ {2,}/, ' '),
    counted(calls, 'call'),
    counted(streams, 'stream'),
    `${drops} dropped`,
    `load ${Math.round(load * 100)} %`,
  ].join('  ')
}
