import type {
  Confidence,
  FindingCode,
  FindingDimension,
  Quality,
  RecordState,
  Severity,
} from '../calls/records.js'

/** What a rule looks at: seconds of streams, interval records, finished calls, call attempts, or the probe itself. */
export type AlertSource = 'seconds' | 'intervals' | 'calls' | 'call_starts' | 'probe'
export const ALERT_SOURCES: readonly AlertSource[] = ['seconds', 'intervals', 'calls', 'call_starts', 'probe']

export type AlertMeasure =
  | 'share_percent'
  | 'shared_percent'
  | 'count'
  | 'mean'
  | 'min'
  | 'max'
  | 'sum'
  | 'p50'
  | 'p95'
  | 'p99'
  | 'last'
  | 'increase'

export type AlertGroupKey =
  'path' | 'trunk' | 'site' | 'caller_site' | 'callee_site' | 'direction' | 'codec' | 'probe'

/** Tags that a sample must have; a list means any of them, `site` either end. */
export interface AlertScope {
  path?: string | string[]
  site?: string | string[]
  caller_site?: string | string[]
  callee_site?: string | string[]
  trunk?: string | string[]
  direction?: string | string[]
  codec?: string | string[]
}

/** Something that is true of a sample. Exactly one of metric (with above or below), finding, state or quality. */
export interface SampleCondition {
  metric?: string
  above?: number
  below?: number
  /** A list means any of them. */
  finding?: FindingCode | FindingCode[]
  /** Least confidence of the finding. */
  confidence?: Confidence
  state?: RecordState[]
  quality?: Quality[]
}

/** Deviation from what is usual at this hour of the week. */
export interface AlertBaseline {
  /** Standard deviations away from the usual mean. */
  deviations: number
  /** The threshold never comes closer to normal than this. */
  floor: number
}

/** For `shared_percent`: which traits bad calls may have in common, and how much one must stand out. */
export interface SharedTraitTest {
  by: Exclude<FindingDimension, 'time'>[]
  /** So many times as frequent among calls with the trait as among those without. */
  times: number
  /** At least so many percent of the calls with the trait are bad. */
  rate_percent: number
}

/** One rule as it is in force: every key of the file with its default. */
export interface AlertRule {
  name: string
  description: string
  enabled: boolean
  severity: Severity
  over: AlertSource
  scope: AlertScope
  group_by: AlertGroupKey[]
  /** What is a sample at all; all must hold. */
  where: SampleCondition[]
  /** All must hold for a sample to be bad. */
  bad: SampleCondition[]
  metric?: string
  measure: AlertMeasure
  /** For `shared_percent`. */
  shared: SharedTraitTest
  above?: number
  below?: number
  /** Hysteresis: calm again only at or on the good side of this. */
  clear?: number
  baseline?: AlertBaseline
  /** A stream counts as affected with so many separate bad stretches in the window. */
  repeats?: number
  /** A stream counts as affected with so many bad seconds in the window. */
  bad_seconds?: number
  /** Over seconds: a bad stretch counts when so many calls were bad within a second of each other. */
  together: number
  min_samples: number
  min_calls: number
  min_parties: number
  /** For absence: samples that the window usually has. */
  min_usual: number
  window_s: number
  for_s: number
  clear_after_s: number
  cooldown_s: number
  /** Alerts of this rule that may be open at once; more become one. */
  max_open: number
  /** While one of these rules fires for the same path, or for the probe, this one does not begin to. */
  inhibited_by: string[]
}

export type AlertRuleFile = Pick<AlertRule, 'name'> &
  Partial<Omit<AlertRule, 'shared'>> & { shared?: Partial<SharedTraitTest> }

export interface AlertSilence {
  /** Rules it is about; absent: all. */
  rules?: string[]
  scope?: AlertScope
  /** RFC 3339. */
  from: string
  until: string
  comment?: string
}

/** Which alerts a notifier is sent. */
export interface NotifierFilter {
  rules?: string[]
  least_severity?: Severity
  scope?: AlertScope
}

interface NotifierCommon {
  name: string
  only?: NotifierFilter
  /** False: only the beginning of an alert is sent. Default true. */
  resolved?: boolean
}

/** A secret is never in the file itself: an environment variable, or a file of its own. */
export interface HttpAccess {
  url?: string
  url_env?: string
  url_file?: string
  username?: string
  password_env?: string
  password_file?: string
  bearer_token_env?: string
  bearer_token_file?: string
  ca_file?: string
  timeout_s?: number
}

export type WebhookFormat = 'generic' | 'slack' | 'teams' | 'pagerduty'

export interface WebhookFile extends NotifierCommon, HttpAccess {
  type: 'webhook'
  format?: WebhookFormat
  /** JSON with {{placeholders}}; replaces `format`. */
  body?: unknown
  headers?: Record<string, string>
  /** What {{secret}} stands for in the body or a header. */
  secret_env?: string
  secret_file?: string
}

export interface AlertmanagerFile extends NotifierCommon, HttpAccess {
  type: 'alertmanager'
  /** How often an open alert is told again. */
  resend_s?: number
  labels?: Record<string, string>
}

export interface SyslogFile extends NotifierCommon {
  type: 'syslog'
  host: string
  port?: number
  transport?: 'udp' | 'tcp' | 'tls'
  facility?: number
  ca_file?: string
}

export interface EmailFile extends NotifierCommon {
  type: 'email'
  host: string
  port?: number
  security?: 'none' | 'starttls' | 'tls'
  username?: string
  password_env?: string
  password_file?: string
  ca_file?: string
  from: string
  to: string[]
}

export type NotifierFile = WebhookFile | AlertmanagerFile | SyslogFile | EmailFile

/** Something in the section `alerts` that its schema cannot say. `path` is from the section's root. */
export interface AlertsProblem {
  path: (string | number)[]
  message: string
}

/** The section `alerts`. Names are those of the file. */
export interface AlertsConfig {
  enabled: boolean
  /** The rules that come with the program are in force (each can be changed or disabled by its name). */
  shipped_rules: boolean
  rules: AlertRuleFile[]
  silences: AlertSilence[]
  notifiers: NotifierFile[]
  /** Folder for what waits to be sent, open alerts and baselines; '' keeps all in memory. */
  state_dir: string
  /** Hour of week of baselines is that of this zone (IANA name). */
  time_zone: string
  /** Notifications that may wait per notifier; beyond, the oldest are lost and counted. */
  queue_limit: number
}

export const DEFAULT_ALERTS: Readonly<AlertsConfig> = {
  enabled: true,
  shipped_rules: true,
  rules: [],
  silences: [],
  notifiers: [],
  state_dir: '',
  time_zone: 'UTC',
  queue_limit: 1000,
}
