/** Which server answers at `url`; `auto` asks it. */
export type InfluxServer = 'auto' | 'influxdb1' | 'influxdb2' | 'influxdb3' | 'victoriametrics'

/** Section `influx`: where records are written to, and how. Secrets are in files or in the environment. */
export interface InfluxConfig {
  url?: string
  server: InfluxServer
  org?: string
  username?: string
  password_file?: string
  token_file?: string
  ca_file?: string
  insecure_tls: boolean
  retention?: string
  measurements?: string[]
  series_limit: number
  timeout_s: number
  drain_timeout_s: number
}

/** Section `spool`: the records' place on the disk until a server has them. */
export interface SpoolConfig {
  directory?: string
  max_mb: number
}

export const DEFAULT_INFLUX: Readonly<InfluxConfig> = {
  server: 'auto',
  insecure_tls: false,
  series_limit: 100_000,
  timeout_s: 30,
  drain_timeout_s: 30,
}

export const DEFAULT_SPOOL: Readonly<SpoolConfig> = { max_mb: 1024 }
