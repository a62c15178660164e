import type { AlertRecord } from '../../calls/records.js'
import type { AlertmanagerFile } from '../../config/alerts.js'
import { JsonPoster } from './http-post.js'
import type { Outcome, Outside, Receiver } from './receiver.js'
import { factsOf } from './template.js'

const DEFAULT_RESEND_S = 60
/** An alert that is not told again ends by itself after so many times without (a probe that died). */
const MISSED_RESENDS = 4

/** As Alertmanager's API v2 takes it: POST /api/v2/alerts, a list of these. */
export interface PostableAlert {
  labels: Record<string, string>
  annotations: Record<string, string>
  startsAt: string
  endsAt: string
}

/**
 * Alertmanager, API v2. Labels make the identity of an alert there, so they are those that do not change from firing to
 * resolved; it groups, silences and routes by them. What is open is told again and again, as Prometheus does.
 */
export class AlertmanagerReceiver implements Receiver {
  readonly resendMs: number
  private readonly poster: JsonPoster

  /** @throws CallprobeError CONFIG_INVALID */
  constructor(
    private readonly config: AlertmanagerFile,
    private readonly outside: Outside,
  ) {
    this.resendMs = (config.resend_s ?? DEFAULT_RESEND_S) * 1000
    this.poster = new JsonPoster(`notifier "${config.name}"`, config, outside, '/api/v2/alerts')
  }

  send(record: AlertRecord): Promise<Outcome> {
    return this.poster.post([this.alertOf(record)])
  }

  resend(open: readonly AlertRecord[]): Promise<Outcome> {
    return this.poster.post(open.map((record) => this.alertOf(record)))
  }

  private alertOf(record: AlertRecord): PostableAlert {
    const { caller_site, callee_site, trunk, direction, path } = record
    const optional = { path, caller_site, callee_site, trunk, direction }
    const known = Object.entries(optional).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    )
    const facts = factsOf(record).map(([name, value]) => [name.toLowerCase().replaceAll(' ', '_'), value])
    const nowMs = this.outside.nowMs()
    // An end in the past is what tells Alertmanager that it is over.
    const endMs =
      record.state === 'resolved'
        ? Math.min(Date.parse(record.end ?? record.time), nowMs)
        : nowMs + MISSED_RESENDS * this.resendMs
    return {
      labels: {
        alertname: record.rule,
        severity: record.severity,
        probe: record.probe,
        ...Object.fromEntries(known),
        ...this.config.labels,
      },
      annotations: {
        summary: record.message,
        alert_id: record.alert_id,
        ...Object.fromEntries(facts),
      },
      startsAt: record.start,
      endsAt: new Date(Math.max(endMs, Date.parse(record.start))).toISOString(),
    }
  }
}
