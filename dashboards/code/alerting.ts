import { UID } from './links.js'

/**
 * Alert rules for Grafana's own alerting, as its provisioning files hold them. The probe raises its own alerts (within two
 * seconds, with examples and a cause: docs/alerting.md); these are for those who alert from Grafana, and for the one thing
 * that no probe can tell: that it is gone.
 * https://grafana.com/docs/grafana/latest/alerting/set-up/provision-alerting-resources/file-provisioning/
 */
export const ALERT_FOLDER = 'callprobe'
export const DATASOURCE_UID = 'callprobe'

interface RelativeTimeRange {
  /** Seconds before now. */
  from: number
  to: number
}

interface RuleQuery {
  refId: string
  relativeTimeRange: RelativeTimeRange
  datasourceUid: string
  model: Record<string, unknown>
}

export interface AlertRule {
  uid: string
  title: string
  condition: string
  data: RuleQuery[]
  noDataState: 'OK' | 'Alerting' | 'NoData'
  execErrState: 'Error'
  for: string
  annotations: Record<string, string>
  labels: Record<string, string>
  isPaused: boolean
}

function influx(refId: string, query: string, seconds: number): RuleQuery {
  return {
    refId,
    relativeTimeRange: { from: seconds, to: 0 },
    datasourceUid: DATASOURCE_UID,
    model: {
      refId,
      datasource: { type: 'influxdb', uid: DATASOURCE_UID },
      query,
      rawQuery: true,
      resultFormat: 'time_series',
      intervalMs: 10_000,
      maxDataPoints: 43_200,
    },
  }
}

function expression(refId: string, model: Record<string, unknown>): RuleQuery {
  return {
    refId,
    relativeTimeRange: { from: 0, to: 0 },
    datasourceUid: '__expr__',
    model: { refId, datasource: { type: '__expr__', uid: '__expr__' }, ...model },
  }
}

/** The single value of each series. */
function latest(refId: string, of: string): RuleQuery {
  return expression(refId, { type: 'reduce', expression: of, reducer: 'last', settings: { mode: 'dropNN' } })
}

function math(refId: string, text: string): RuleQuery {
  return expression(refId, { type: 'math', expression: text })
}

const PATH = '"caller_site", "callee_site", "trunk", "direction"'
const PATH_TEXT =
  '{{ $labels.direction }} between {{ $labels.caller_site }} and {{ $labels.callee_site }} over {{ $labels.trunk }}'

/** Seconds of the window of the burst rule; the last half minute may not be written yet. */
export const BURST_WINDOW_S = 600
export const BURST_QUERY = `SELECT sum("burst_seconds") AS "bursts" FROM "voip_traffic" WHERE $timeFilter GROUP BY ${PATH}`
export const SPEECH_QUERY = `SELECT sum("media_s") AS "speech" FROM "voip_traffic" WHERE $timeFilter GROUP BY ${PATH}`

export const RULES: readonly AlertRule[] = [
  {
    uid: 'callprobe-burst-jitter',
    title: 'Burst jitter on a path',
    condition: 'E',
    data: [
      influx('A', BURST_QUERY, BURST_WINDOW_S),
      influx('B', SPEECH_QUERY, BURST_WINDOW_S),
      latest('C', 'A'),
      latest('D', 'B'),
      // At least ten bursts, in 3 % of the speech, of what at least two calls through the whole window would give.
      math('E', '$C >= 10 && $C / $D > 0.03 && $D >= 1200'),
    ],
    noDataState: 'OK',
    execErrState: 'Error',
    for: '1m',
    annotations: {
      summary: `Burst jitter ${PATH_TEXT}`,
      description:
        '{{ $values.C.Value }} seconds with bursts of delay variation in {{ $values.D.Value }} s of speech over ten minutes. A queue on this path fills up again and again: look for a full link, a missing priority queue, or a backup that runs.',
      __dashboardUid__: UID.sites,
    },
    labels: { severity: 'warning', source: 'callprobe' },
    isPaused: false,
  },
  {
    uid: 'callprobe-probe-drops',
    title: 'A probe drops packets',
    condition: 'C',
    data: [
      influx(
        'A',
        'SELECT sum("capture_drops") AS "drops" FROM "voip_probe" WHERE $timeFilter GROUP BY "probe"',
        300,
      ),
      latest('B', 'A'),
      math('C', '$B > 0'),
    ],
    noDataState: 'OK',
    execErrState: 'Error',
    for: '2m',
    annotations: {
      summary: 'Probe {{ $labels.probe }} drops packets',
      description:
        'Its kernel dropped {{ $values.B.Value }} packets within five minutes. Loss and jitter that it reports now may be its own.',
      __dashboardUid__: UID.probes,
    },
    labels: { severity: 'warning', source: 'callprobe' },
    isPaused: false,
  },
  {
    uid: 'callprobe-probe-silent',
    title: 'A probe is silent',
    condition: 'C',
    data: [
      influx(
        'A',
        // Over three minutes, of which the latest has just begun.
        'SELECT moving_average(count("packets"), 3) AS "reports" FROM "voip_probe" WHERE $timeFilter GROUP BY time(1m), "probe" fill(0)',
        900,
      ),
      latest('B', 'A'),
      math('C', '$B == 0'),
    ],
    noDataState: 'Alerting',
    execErrState: 'Error',
    for: '1m',
    annotations: {
      summary: 'No reports from probe {{ $labels.probe }}',
      description:
        'It reported within the last quarter of an hour and is silent now. Its graphs are empty, not good. Without a probe name: no probe reports at all.',
      __dashboardUid__: UID.probes,
    },
    labels: { severity: 'critical', source: 'callprobe' },
    isPaused: false,
  },
]

/** The file under provisioning/alerting. */
export function ruleFile(): unknown {
  return {
    apiVersion: 1,
    groups: [{ orgId: 1, name: 'callprobe', folder: ALERT_FOLDER, interval: '30s', rules: RULES }],
  }
}
