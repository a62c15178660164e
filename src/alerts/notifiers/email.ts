import { rootCertificates } from 'node:tls'
import type { AlertRecord } from '../../calls/records.js'
import type { EmailFile } from '../../config/alerts.js'
import { errorText } from '../../errors.js'
import type { Outcome, Outside, Receiver } from './receiver.js'
import { readCertificates, readSecret } from './secrets.js'
import { factsOf, titleOf } from './template.js'

const TIMEOUT_MS = 20_000
/** RFC 4954 and RFC 5321: replies that say something about access, not about the message. */
const ACCESS_REPLIES = new Set([530, 534, 535, 538])

/** E-mail by SMTP, plain text. */
export class EmailReceiver implements Receiver {
  private readonly ca: string[] | undefined

  /** @throws CallprobeError CONFIG_INVALID */
  constructor(
    private readonly config: EmailFile,
    private readonly outside: Outside,
  ) {
    const certificates = readCertificates(`notifier "${config.name}"`, config.ca_file)
    this.ca = certificates === undefined ? undefined : [...rootCertificates, certificates]
    this.password()
  }

  private password(): string | undefined {
    const { name, password_env, password_file } = this.config
    return readSecret(
      `notifier "${name}"`,
      'the password',
      { env: password_env, file: password_file },
      this.outside.environment,
    )
  }

  async send(record: AlertRecord): Promise<Outcome> {
    const { host, port, security = 'starttls', username, from, to } = this.config
    // Loaded when it is needed: most runs send no mail.
    const { createTransport } = await import('nodemailer')
    const transport = createTransport({
      host,
      port: port ?? { none: 25, starttls: 587, tls: 465 }[security],
      secure: security === 'tls',
      requireTLS: security === 'starttls',
      ignoreTLS: security === 'none',
      tls: { ca: this.ca },
      auth: username === undefined ? undefined : { user: username, pass: this.password() ?? '' },
      connectionTimeout: TIMEOUT_MS,
      greetingTimeout: TIMEOUT_MS,
      socketTimeout: TIMEOUT_MS,
    })
    const id = `<${record.alert_id}.${record.state}@${this.outside.hostname || 'callprobe'}>`
    const first = `<${record.alert_id}.firing@${this.outside.hostname || 'callprobe'}>`
    try {
      await transport.sendMail({
        from,
        to,
        // So that mail programs show the end of an alert beside its beginning, and a retry that did arrive only once.
        messageId: id,
        references: record.state === 'resolved' ? first : undefined,
        subject: titleOf(record),
        text: mailText(record),
        headers: { 'Auto-Submitted': 'auto-generated', 'X-Callprobe-Alert': record.alert_id },
      })
      return { kind: 'delivered' }
    } catch (error) {
      const reason = `${host}: ${errorText(error)}`
      const reply = replyCode(error)
      const isFinal = reply >= 500 && reply < 600 && !ACCESS_REPLIES.has(reply)
      return isFinal ? { kind: 'rejected', reason } : { kind: 'retry', reason }
    } finally {
      transport.close()
    }
  }
}

export function mailText(record: AlertRecord): string {
  const width = Math.max(...factsOf(record).map(([name]) => name.length))
  const lines = factsOf(record).map(([name, value]) => `${name.padEnd(width)}  ${value}`)
  return `${record.message}\n\n${lines.join('\n')}\n\n--\nAlert ${record.alert_id} of rule ${record.rule}, packet time ${record.time}\n`
}

/** 0 when the server did not get to reply. */
function replyCode(error: unknown): number {
  if (typeof error !== 'object' || error === null || !('responseCode' in error)) return 0
  return typeof error.responseCode === 'number' ? error.responseCode : 0
}
