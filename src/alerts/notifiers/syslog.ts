import dgram from 'node:dgram'
import net from 'node:net'
import tls, { rootCertificates } from 'node:tls'
import type { AlertRecord, Severity } from '../../calls/records.js'
import type { SyslogFile } from '../../config/alerts.js'
import { errorText } from '../../errors.js'
import type { Outcome, Outside, Receiver } from './receiver.js'
import { readCertificates } from './secrets.js'

/** local0 */
const DEFAULT_FACILITY = 16
const TIMEOUT_MS = 10_000
/** Severities of RFC 5424 6.2.1; an alert that is over is a notice. */
const SEVERITY: Record<Severity, number> = { critical: 2, warning: 4, info: 6 }
const NOTICE = 5
/** A receiver must take 480 octets and should take 2048 (RFC 5424 6.1); datagrams should fit one Ethernet frame. */
const MOST_UDP_BYTES = 1400
/** RFC 5612: an enterprise number for examples; there is none of our own. */
const SD_ID = 'callprobe@32473'

/** Fields that structured data carries beside the message. */
const SD_FIELDS = [
  'rule',
  'state',
  'severity',
  'alert_id',
  'start',
  'end',
  'path',
  'trunk',
  'calls_affected',
  'value',
  'threshold',
  'mos_cq',
  'cause',
] as const

/**
 * One RFC 5424 message:
 * `<PRI>1 TIMESTAMP HOSTNAME APP-NAME PROCID MSGID [SD-ID PARAM="VALUE"...] BOM MSG`
 */
export function syslogMessage(
  record: AlertRecord,
  { facility, hostname }: { facility: number; hostname: string },
): string {
  const severity = record.state === 'resolved' ? NOTICE : SEVERITY[record.severity]
  const fields: [string, unknown][] = SD_FIELDS.map((name) => [name, record[name]])
  const [shared] = record.shared ?? []
  if (shared) fields.push(['shared_dimension', shared.dimension], ['shared', shared.value])
  const params = fields
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}="${sdValue(String(value))}"`)
    .join('')
  const head = `<${facility * 8 + severity}>1 ${record.time} ${headerField(hostname, 255)} callprobe - ${headerField(record.rule, 32)}`
  return `${head} [${SD_ID}${params}] \ufeff${record.message.replace(/[\u0000-\u001f\u007f]/g, ' ')}`
}

/** RFC 5424 6.3.3: these three are escaped. */
function sdValue(text: string): string {
  return text.replace(/["\\\]]/g, '\\$&').replace(/[\u0000-\u001f\u007f]/g, ' ')
}

/** PRINTUSASCII, `-` when there is nothing. */
function headerField(text: string, most: number): string {
  const printable = text.replace(/[^!-~]/g, '').slice(0, most)
  return printable === '' ? '-' : printable
}

/** Syslog over UDP (RFC 5426), TCP (RFC 6587, octet counting) or TLS (RFC 5425). */
export class SyslogReceiver implements Receiver {
  private readonly ca: string[] | undefined
  private readonly port: number

  /** @throws CallprobeError CONFIG_INVALID */
  constructor(
    private readonly config: SyslogFile,
    private readonly outside: Outside,
  ) {
    const certificates = readCertificates(`notifier "${config.name}"`, config.ca_file)
    this.ca = certificates === undefined ? undefined : [...rootCertificates, certificates]
    this.port = config.port ?? (config.transport === 'tls' ? 6514 : 514)
  }

  async send(record: AlertRecord): Promise<Outcome> {
    const { facility = DEFAULT_FACILITY, transport = 'udp', host } = this.config
    const message = Buffer.from(syslogMessage(record, { facility, hostname: this.outside.hostname }))
    try {
      if (transport === 'udp')
        await this.sendDatagram(message.subarray(0, wholeCharacters(message, MOST_UDP_BYTES)))
      else await this.sendStream(Buffer.concat([Buffer.from(`${message.length} `), message]), transport)
      return { kind: 'delivered' }
    } catch (error) {
      return { kind: 'retry', reason: `${host}:${this.port}: ${errorText(error)}` }
    }
  }

  /** UDP answers nothing; all that can be known is that the system took it. */
  private sendDatagram(message: Buffer): Promise<void> {
    const { host } = this.config
    const socket = dgram.createSocket(net.isIPv6(host) ? 'udp6' : 'udp4')
    return new Promise((resolve, reject) => {
      const done = (error?: Error | null): void => {
        socket.close()
        if (error) reject(error)
        else resolve()
      }
      socket.once('error', done)
      socket.send(message, this.port, host, (error) => done(error))
    })
  }

  /** A connection of its own per message, closed by both: a write into a connection that died would go unnoticed. */
  private sendStream(message: Buffer, transport: 'tcp' | 'tls'): Promise<void> {
    const { host } = this.config
    const { port, ca } = this
    return new Promise((resolve, reject) => {
      const socket =
        transport === 'tls'
          ? tls.connect({ host, port, ca, servername: net.isIP(host) ? undefined : host })
          : net.connect({ host, port })
      let isSent = false
      const timer = setTimeout(
        () => socket.destroy(new Error(`nothing taken within ${TIMEOUT_MS / 1000} s`)),
        TIMEOUT_MS,
      )
      socket.once(transport === 'tls' ? 'secureConnect' : 'connect', () => {
        socket.end(message, () => (isSent = true))
      })
      // Receivers send nothing back; reading lets their end of the connection be seen.
      socket.resume()
      socket.once('error', reject)
      socket.once('close', () => {
        clearTimeout(timer)
        if (isSent) resolve()
        else reject(new Error('the connection was closed before the message was taken'))
      })
    })
  }
}

/** Longest prefix of at most so many bytes that does not cut a UTF-8 character. */
function wholeCharacters(bytes: Buffer, most: number): number {
  if (bytes.length <= most) return bytes.length
  let end = most
  while (end > 0 && (bytes[end] & 0xc0) === 0x80) end--
  return end
}
