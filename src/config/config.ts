import { DEFAULT_ALERTS, type AlertsConfig } from './alerts.js'
import { DEFAULT_THRESHOLDS, type FindingThresholds } from './finding-thresholds.js'
import { DEFAULT_INFLUX, DEFAULT_SPOOL, type InfluxConfig, type SpoolConfig } from './influx.js'
import { DEFAULT_JITTER_BUFFER, type JitterBufferSpec } from './jitter-buffer.js'

export type PrivacyMode = 'none' | 'mask' | 'hash'
export const PRIVACY_MODES: readonly PrivacyMode[] = ['none', 'mask', 'hash']

/** Thresholds of a call's quality; see the schema for each. */
export interface QualityThresholds {
  good: number
  fair: number
  broken_percent: number
}

export interface BurstSecond {
  pdv_ms: number
  packets: number
}

export interface Limits {
  streams: number
  calls: number
  early_packets: number
  fragments: number
  tcp_connections: number
}

/** All in seconds of packet time. */
export interface Timeouts {
  stream_idle_s: number
  call_idle_s: number
  setup_s: number
  tcp_idle_s: number
  fragment_s: number
}

export interface SiteConfig {
  name: string
  networks?: string[]
  vlans?: number[]
  realms?: string[]
}

export interface AggregatesConfig {
  series_budget: number
  registration_storm_per_s: number
}

export interface TrunkConfig {
  name: string
  addresses?: string[]
  vlans?: number[]
  realms?: string[]
}

/** The file as its author wrote it: `schemas/config.schema.json`. */
export interface ConfigFile {
  probe?: string
  jitter_buffer?: string
  assumed_network_delay_ms?: number
  interval_s?: number
  g711_plc?: boolean
  quality?: Partial<QualityThresholds>
  burst_second?: Partial<BurstSecond>
  findings?: Partial<FindingThresholds>
  limits?: Partial<Limits>
  timeouts?: Partial<Timeouts>
  sip_ports?: number[]
  sites?: SiteConfig[]
  trunks?: TrunkConfig[]
  emergency_numbers?: string[]
  aggregates?: Partial<AggregatesConfig>
  privacy?: PrivacyMode
  influx?: Partial<InfluxConfig>
  spool?: Partial<SpoolConfig>
  alerts?: Partial<AlertsConfig>
  privacy_key_file?: string
}

/** The configuration in force: the file's keys over the defaults. Names are those of the file. */
export interface Config {
  probe: string
  jitter_buffer: JitterBufferSpec
  assumed_network_delay_ms: number
  interval_s: number
  g711_plc: boolean
  quality: QualityThresholds
  burst_second: BurstSecond
  findings: FindingThresholds
  limits: Limits
  timeouts: Timeouts
  sip_ports: number[]
  sites: SiteConfig[]
  trunks: TrunkConfig[]
  emergency_numbers: string[]
  aggregates: AggregatesConfig
  privacy: PrivacyMode
  influx: InfluxConfig
  spool: SpoolConfig
  alerts: AlertsConfig
  privacy_key_file?: string
}

/** The defaults. A test holds them to the `default` of each key in the schema. */
export const DEFAULT_CONFIG: Readonly<Config> = {
  probe: 'callprobe',
  jitter_buffer: DEFAULT_JITTER_BUFFER,
  assumed_network_delay_ms: 25,
  interval_s: 10,
  g711_plc: true,
  quality: { good: 4, fair: 3.6, broken_percent: 50 },
  burst_second: { pdv_ms: 60, packets: 3 },
  findings: DEFAULT_THRESHOLDS,
  limits: {
    streams: 200_000,
    calls: 100_000,
    early_packets: 1_000_000,
    fragments: 4096,
    tcp_connections: 16_384,
  },
  timeouts: { stream_idle_s: 120, call_idle_s: 1800, setup_s: 180, tcp_idle_s: 3600, fragment_s: 30 },
  sip_ports: [],
  sites: [],
  trunks: [],
  emergency_numbers: [],
  aggregates: { series_budget: 10_000, registration_storm_per_s: 100 },
  privacy: 'none',
  influx: DEFAULT_INFLUX,
  spool: DEFAULT_SPOOL,
  alerts: DEFAULT_ALERTS,
}
