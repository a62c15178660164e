import type { AlertRecord, Severity } from '../../calls/records.js'
import type { NotifierFilter } from '../../config/alerts.js'
import { inScope } from '../tags.js'
import type { Outcome, Outside, Receiver } from './receiver.js'
import type { WaitingAlerts } from './waiting-alerts.js'

const FIRST_RETRY_MS = 1000
const LONGEST_RETRY_MS = 300_000
const SEVERITIES: readonly Severity[] = ['info', 'warning', 'critical']

export interface NotifierCounters {
  delivered: number
  failedAttempts: number
  /** Understood and refused: not sent again. */
  rejected: number
  waiting: number
  /** Given up because too many waited. */
  lost: number
}

/** One receiver with its queue: sends in order, one at a time, and again until it is taken. */
export class Notifier {
  private delivered = 0
  private failedAttempts = 0
  private rejected = 0
  /** Attempts that failed in a row. */
  private failures = 0
  private busy?: Promise<void>
  private cancelRetry?: () => void
  private cancelResend?: () => void
  private open: readonly AlertRecord[] = []
  private closed = false
  private toldOfLoss = false

  constructor(
    readonly name: string,
    private receiver: Receiver,
    private readonly queue: WaitingAlerts,
    private readonly outside: Outside,
    private only: NotifierFilter = {},
    private tellsEnd = true,
  ) {
    // What an earlier process left.
    if (queue.size > 0) this.outside.log('info', `notifier "${name}": ${queue.size} alerts wait from before`)
    this.pump()
    this.planResend()
  }

  /** Its configuration changed: what waits goes to the new receiver, at once. An attempt on its way goes on. */
  retarget(receiver: Receiver, only: NotifierFilter, tellsEnd: boolean): void {
    this.receiver = receiver
    this.only = only
    this.tellsEnd = tellsEnd
    this.failures = 0
    this.cancelRetry?.()
    this.cancelRetry = undefined
    this.cancelResend?.()
    this.planResend()
    this.pump()
  }

  /** Takes in an alert. Never waits; sending goes on beside. */
  notify(record: AlertRecord): void {
    if (!this.wants(record) || (record.state === 'resolved' && !this.tellsEnd)) return
    const lostBefore = this.queue.lost
    this.queue.push(record)
    if (this.queue.lost > lostBefore && !this.toldOfLoss) {
      this.toldOfLoss = true
      this.outside.log('warn', `notifier "${this.name}": too many alerts wait; the oldest are lost`)
    }
    this.pump()
  }

  /** What is open now, for receivers that are told again and again. */
  setOpen(open: readonly AlertRecord[]): void {
    this.open = open
  }

  private wants(record: AlertRecord): boolean {
    if (record.silenced === true) return false
    const { rules, least_severity, scope } = this.only
    if (rules && !rules.includes(record.rule)) return false
    if (least_severity && SEVERITIES.indexOf(record.severity) < SEVERITIES.indexOf(least_severity))
      return false
    return !scope || inScope({ ...record, path: record.path ?? '' }, scope)
  }

  private pump(): void {
    if (this.busy || this.cancelRetry || this.closed) return
    this.busy = this.sendAll().finally(() => {
      this.busy = undefined
      // One that came as the last one left.
      if (this.queue.size > 0) this.pump()
    })
  }

  private async sendAll(): Promise<void> {
    for (let record = this.queue.next; record !== undefined && !this.closed; record = this.queue.next) {
      const outcome = await this.attempt(record)
      if (outcome.kind === 'retry') {
        this.retryLater(outcome)
        return
      }
      this.queue.remove(record)
      if (outcome.kind === 'delivered') this.succeeded()
      else {
        this.rejected++
        this.outside.log(
          'warn',
          `notifier "${this.name}" refuses alert ${record.alert_id}: ${outcome.reason}`,
        )
      }
    }
  }

  private async attempt(record: AlertRecord): Promise<Outcome> {
    try {
      return await this.receiver.send(record)
    } catch (error) {
      // A secret that went missing, or a mistake of ours: the alert waits rather than being lost.
      return { kind: 'retry', reason: error instanceof Error ? error.message : String(error) }
    }
  }

  private succeeded(): void {
    this.delivered++
    if (this.failures > 0)
      this.outside.log('info', `notifier "${this.name}" is back after ${this.failures} failed attempts`)
    this.failures = 0
    this.toldOfLoss = false
  }

  private retryLater({ reason, afterMs }: { reason: string; afterMs?: number }): void {
    this.failedAttempts++
    this.failures++
    // Said once per outage, not once per attempt.
    if (this.failures === 1)
      this.outside.log('warn', `notifier "${this.name}": ${reason}; alerts wait and are sent again`)
    const backoff = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(20, this.failures - 1))
    // Half of it at random, so that probes of one site do not come back all at once.
    const spread = backoff * (0.5 + 0.5 * this.outside.random())
    this.cancelRetry = this.outside.after(Math.max(spread, afterMs ?? 0), () => {
      this.cancelRetry = undefined
      this.pump()
    })
  }

  private planResend(): void {
    const { resendMs } = this.receiver
    if (resendMs === undefined || this.closed) return
    this.cancelResend = this.outside.after(resendMs, () => {
      void this.resendOpen().finally(() => this.planResend())
    })
  }

  /** What waits in the queue is told by the queue; an end that has not been told yet must not be overtaken. */
  private async resendOpen(): Promise<void> {
    const open = this.open.filter((record) => this.wants(record))
    if (open.length === 0 || this.queue.size > 0 || !this.receiver.resend) return
    try {
      const outcome = await this.receiver.resend(open)
      if (outcome.kind !== 'delivered') this.failedAttempts++
    } catch {
      this.failedAttempts++
    }
  }

  get counters(): NotifierCounters {
    const { delivered, failedAttempts, rejected, queue } = this
    return { delivered, failedAttempts, rejected, waiting: queue.size, lost: queue.lost }
  }

  /** Waits for the attempt that is on its way, at most so long; what still waits stays on disk. */
  async close(timeoutMs: number): Promise<void> {
    this.cancelResend?.()
    const deadline = new Promise<void>((resolve) => setTimeout(resolve, timeoutMs).unref())
    if (this.busy) await Promise.race([this.busy, deadline])
    this.closed = true
    this.cancelRetry?.()
  }
}
