import { shortNtpToMs } from './words.js'

/** A round trip between the tap and the one who sent the report, and back. */
export interface RttSample {
  /** Whose leg this is: the report's sender. */
  reporterSsrc: number
  /** Whose SR (or, for `rrtr`, whose receiver reference time) was answered. */
  aboutSsrc: number
  /** 0 or more. */
  rttMs: number
  /** When the report passed. */
  timeMs: number
  via: 'sr' | 'rrtr'
}

/** Why a report gave no sample, and what else was seen. */
export interface RttCounters {
  samples: number
  /** LSR (or LRR) 0: the reporter had no SR yet. */
  zeroReference: number
  /** The SR named was not seen here, or is no longer remembered. */
  unknownReference: number
  /** The SR named passed longer ago than `maxAgeMs`. */
  tooOld: number
  /**
   * The same reference with the same delay: a mirror's copy of a report, or a sender whose DLSR stands still. Either
   * way its time would be counted as network delay.
   */
  repeatedReports: number
  /** Less than -1 ms: the DLSR is longer than the time between SR and report. */
  negative: number
  /** More than `maxRttMs`. */
  implausible: number
  /** The same NTP time again: copies, or a sender whose clock stands still. */
  repeatedReferences: number
  /** Sources forgotten for others. */
  sourcesEvicted: number
}

export interface RttOptions {
  /** SRs remembered per source; default 16. */
  outstanding?: number
  /** Sources remembered; default 32. */
  sources?: number
  /** Default 60,000. */
  maxAgeMs?: number
  /** Default 60,000. */
  maxRttMs?: number
}

/** Copies of a packet that a mirror makes arrive within this. */
const COPY_MS = 50

/** The last references (SR or RRTR) of one source, in a ring, and who answered last. */
class Source {
  readonly times: Float64Array
  readonly references: Uint32Array
  private used = 0
  private next = 0

  constructor(size: number) {
    this.times = new Float64Array(size)
    this.references = new Uint32Array(size)
  }

  /** Returns false when it was there already. */
  remember(reference: number, timeMs: number): boolean {
    const known = this.find(reference)
    if (known >= 0) {
      // The receiver counts its delay from the last one it got; a copy, though, is not sent again to it.
      if (timeMs - this.times[known] > COPY_MS) this.times[known] = timeMs
      return false
    }
    this.references[this.next] = reference
    this.times[this.next] = timeMs
    this.next = (this.next + 1) % this.times.length
    if (this.used < this.times.length) this.used++
    return true
  }

  find(reference: number): number {
    for (let i = 0; i < this.used; i++) if (this.references[i] === reference) return i
    return -1
  }
}

/**
 * Round-trip times at a point between two RTP endpoints (as RFC 3550 6.4.1 measures them at the sender): an SR of X
 * seen passing at t1, then a report of Y about X whose LSR names that SR, at t2: (t2 - t1) - DLSR is the way from
 * here to Y and back. One clock, the tap's, is all it takes. XR does the same for those who send no media (RFC 3611
 * 4.4, 4.5). One instance per call; both directions go into it. Memory is bounded by `sources` x `outstanding`.
 */
export class RttMeter {
  readonly counters: RttCounters = {
    samples: 0,
    zeroReference: 0,
    unknownReference: 0,
    tooOld: 0,
    repeatedReports: 0,
    negative: 0,
    implausible: 0,
    repeatedReferences: 0,
    sourcesEvicted: 0,
  }
  private readonly senders = new Map<number, Source>()
  private readonly receivers = new Map<number, Source>()
  /** Per reporter and stream: the last reference and delay used. */
  private readonly answers = new Map<string, { reference: number; delay: number }>()
  private readonly outstanding: number
  private readonly sources: number
  private readonly maxAgeMs: number
  private readonly maxRttMs: number

  constructor(options: RttOptions = {}) {
    this.outstanding = Math.max(1, options.outstanding ?? 16)
    this.sources = Math.max(1, options.sources ?? 32)
    this.maxAgeMs = options.maxAgeMs ?? 60_000
    this.maxRttMs = options.maxRttMs ?? 60_000
  }

  /** An SR passed. `lsrMiddle32`: the middle 32 bits of its NTP time (`sender.ntpMiddle32`). */
  onSenderReport(ssrc: number, lsrMiddle32: number, timeMs: number): void {
    this.remember(this.senders, ssrc, lsrMiddle32, timeMs)
  }

  /** A report block of an SR or RR passed. `dlsr` in 1/65536 s. */
  onReportBlock(
    reporterSsrc: number,
    aboutSsrc: number,
    lsr: number,
    dlsr: number,
    timeMs: number,
  ): RttSample | undefined {
    return this.answer(this.senders, 'sr', reporterSsrc, aboutSsrc, lsr, dlsr, timeMs)
  }

  /** An XR receiver reference time (block 4) passed. */
  onReceiverReferenceTime(ssrc: number, ntpMiddle32: number, timeMs: number): void {
    this.remember(this.receivers, ssrc, ntpMiddle32, timeMs)
  }

  /** One sub-block of an XR DLRR (block 5) passed. `dlrr` in 1/65536 s. */
  onDlrr(
    reporterSsrc: number,
    aboutSsrc: number,
    lrr: number,
    dlrr: number,
    timeMs: number,
  ): RttSample | undefined {
    return this.answer(this.receivers, 'rrtr', reporterSsrc, aboutSsrc, lrr, dlrr, timeMs)
  }

  private remember(sources: Map<number, Source>, ssrc: number, reference: number, timeMs: number): void {
    if (reference === 0) return
    let source = sources.get(ssrc)
    if (source === undefined) {
      if (sources.size >= this.sources) this.evict(sources)
      source = new Source(this.outstanding)
    } else {
      sources.delete(ssrc)
    }
    // Last in the map: the first one is the one quiet longest.
    sources.set(ssrc, source)
    if (!source.remember(reference, timeMs)) this.counters.repeatedReferences++
  }

  private evict(sources: Map<number, Source>): void {
    const oldest = sources.keys().next()
    if (oldest.done) return
    sources.delete(oldest.value)
    this.counters.sourcesEvicted++
  }

  private answer(
    sources: Map<number, Source>,
    via: RttSample['via'],
    reporterSsrc: number,
    aboutSsrc: number,
    reference: number,
    delay: number,
    timeMs: number,
  ): RttSample | undefined {
    if (reference === 0) return this.discard('zeroReference')
    const source = sources.get(aboutSsrc)
    const index = source === undefined ? -1 : source.find(reference)
    if (source === undefined || index < 0) return this.discard('unknownReference')
    const elapsedMs = timeMs - source.times[index]
    if (elapsedMs > this.maxAgeMs) return this.discard('tooOld')
    if (this.isRepeated(`${via}/${reporterSsrc}/${aboutSsrc}`, reference, delay))
      return this.discard('repeatedReports')
    const rttMs = elapsedMs - shortNtpToMs(delay)
    // Both times are rounded, and the tap's may jitter: a little below zero is zero.
    if (rttMs < -1) return this.discard('negative')
    if (rttMs > this.maxRttMs) return this.discard('implausible')
    this.counters.samples++
    return { reporterSsrc, aboutSsrc, rttMs: Math.max(0, rttMs), timeMs, via }
  }

  private isRepeated(key: string, reference: number, delay: number): boolean {
    const last = this.answers.get(key)
    if (last !== undefined && last.reference === reference && last.delay === delay) return true
    this.answers.delete(key)
    if (this.answers.size >= 4 * this.sources) {
      const oldest = this.answers.keys().next()
      if (!oldest.done) this.answers.delete(oldest.value)
    }
    this.answers.set(key, { reference, delay })
    return false
  }

  private discard(reason: Exclude<keyof RttCounters, 'samples'>): undefined {
    this.counters[reason]++
    return undefined
  }
}
