import type { SourceProgress } from '../capture/batch.js'

const EVERY_MS = 500
/** No progress line for work that is over before anybody wonders. */
const FIRST_AFTER_MS = 1500

/** One line on standard error that shows how far a long run is: only on a terminal. */
export class ProgressLine {
  private readonly startedMs = performance.now()
  private shownMs = this.startedMs + FIRST_AFTER_MS - EVERY_MS
  private shown = false

  constructor(private readonly stream: NodeJS.WriteStream) {}

  update(progress: SourceProgress, packets: number): void {
    if (!this.stream.isTTY) return
    const nowMs = performance.now()
    if (nowMs - this.shownMs < EVERY_MS) return
    this.shownMs = nowMs
    this.shown = true
    this.stream.write(`\r\u001b[K${progressText(progress, packets, (nowMs - this.startedMs) / 1000)}`)
  }

  clear(): void {
    if (this.shown) this.stream.write('\r\u001b[K')
    this.shown = false
  }
}

/** e.g. `42 %  1.2 GB of 2.9 GB  8.4 M packets  3.1 M/s  about 12 s left`. */
export function progressText(
  { bytesRead, bytesTotal }: SourceProgress,
  packets: number,
  seconds: number,
): string {
  const rate = packets / Math.max(seconds, 0.001)
  const parts = [`${scaled(packets)} packets`, `${scaled(rate)}/s`]
  if (bytesTotal > 0) {
    const share = Math.min(1, bytesRead / bytesTotal)
    parts.unshift(`${Math.floor(share * 100)} %`, `${scaled(bytesRead)}B of ${scaled(bytesTotal)}B`)
    if (share > 0.01) parts.push(`about ${Math.ceil((seconds / share) * (1 - share))} s left`)
  } else {
    parts.unshift(`${scaled(bytesRead)}B`)
  }
  return parts.join('  ')
}

function scaled(value: number): string {
  if (value >= 1e9) return `${(value / 1e9).toFixed(1)} G`
  if (value >= 1e6) return `${(value / 1e6).toFixed(1)} M`
  if (value >= 1e3) return `${(value / 1e3).toFixed(0)} k`
  return `${Math.round(value)} `
}
