import type { SenderInfo } from './packets.js'

/** What a sender said it had sent, at one time. */
export interface SenderCount {
  /** When the SR passed. */
  timeMs: number
  rtpTimestamp: number
  /** As reported, wraps of the 32-bit counters added. */
  packets: number
  octets: number
}

/** The stream's own sender's SRs: proof of what was sent, whatever the tap saw. */
export class SenderCounts {
  reports = 0
  /** The counts went backwards: the sender began anew, or another one uses its SSRC. */
  resets = 0
  first: SenderCount | undefined
  last: SenderCount | undefined
  private lastInfo: SenderInfo | undefined

  onSenderInfo(info: SenderInfo, timeMs: number): void {
    const before = this.lastInfo
    const last = this.last
    if (before === undefined || last === undefined) {
      this.begin(info, timeMs)
    } else {
      const packets = (info.packetCount - before.packetCount) | 0
      // A copy, or one overtaken by the next.
      if (packets <= 0 && !isLater(info, before)) return
      if (packets < 0) {
        this.resets++
        this.begin(info, timeMs)
      } else {
        this.last = {
          timeMs,
          rtpTimestamp: info.rtpTimestamp,
          packets: last.packets + packets,
          octets: last.octets + ((info.octetCount - before.octetCount) >>> 0),
        }
      }
    }
    this.reports++
    this.lastInfo = info
  }

  private begin(info: SenderInfo, timeMs: number): void {
    this.first = {
      timeMs,
      rtpTimestamp: info.rtpTimestamp,
      packets: info.packetCount,
      octets: info.octetCount,
    }
    this.last = this.first
  }
}

function isLater(a: SenderInfo, b: SenderInfo): boolean {
  return a.ntpSeconds > b.ntpSeconds || (a.ntpSeconds === b.ntpSeconds && a.ntpFraction > b.ntpFraction)
}
