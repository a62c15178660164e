import type { SenderInfo } from './packets.js'

/** What a sender said it had sent, at one time. */
export interface SenderCount {
  /** When the SR passed. */
  timeMs: number
  rtpTimestamp: number
  /** Since the SR counts were first seen here, wraps of the 32-bit counters added. */
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
      if (
        info.ntpSeconds === before.ntpSeconds &&
        info.ntpFraction === before.ntpFraction &&
        !moved(before, info)
      )
        return
      const packets = (info.packetCount - before.packetCount) | 0
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

function moved(a: SenderInfo, b: SenderInfo): boolean {
  return a.packetCount !== b.packetCount || a.rtpTimestamp !== b.rtpTimestamp
}
