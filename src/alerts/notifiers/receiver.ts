import type { AlertRecord } from '../../calls/records.js'

/** What became of one attempt. */
export type Outcome =
  | { kind: 'delivered' }
  /** Not now: down, slow, overloaded, or access that someone may put right. */
  | { kind: 'retry'; reason: string; afterMs?: number }
  /** Never: the receiver understood and refuses this message. */
  | { kind: 'rejected'; reason: string }

/** One place that alerts are sent to. `send` never throws for what the receiver does. */
export interface Receiver {
  send(record: AlertRecord): Promise<Outcome>
  /** Tells open alerts once more, for receivers that forget; the first time after this long, then as often. */
  readonly resendMs?: number
  resend?(open: readonly AlertRecord[]): Promise<Outcome>
}

/** The world outside, so that tests can have another one. */
export interface Outside {
  nowMs: () => number
  /** Calls back once; the result cancels. */
  after: (ms: number, run: () => void) => () => void
  /** 0..1, to spread retries. */
  random: () => number
  environment: Readonly<Record<string, string | undefined>>
  hostname: string
  log: (level: 'info' | 'warn', message: string) => void
}
