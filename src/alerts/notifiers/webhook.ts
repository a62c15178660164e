import type { AlertRecord } from '../../calls/records.js'
import { ALERT_FIELDS } from '../../calls/record-fields.js'
import type { WebhookFile } from '../../config/alerts.js'
import { CallprobeError } from '../../errors.js'
import { JsonPoster } from './http-post.js'
import type { Outcome, Outside, Receiver } from './receiver.js'
import { readSecret } from './secrets.js'
import { fill, PLACEHOLDERS, templateValues, unknownPlaceholders } from './template.js'
import { WEBHOOK_FORMATS } from './webhook-formats.js'

/** Posts each alert as JSON. */
export class WebhookReceiver implements Receiver {
  private readonly poster: JsonPoster
  private readonly template: unknown

  /** @throws CallprobeError CONFIG_INVALID */
  constructor(
    private readonly config: WebhookFile,
    private readonly outside: Outside,
  ) {
    const of = `notifier "${config.name}"`
    this.template = config.body ?? WEBHOOK_FORMATS[config.format ?? 'generic']
    const unknown = unknownPlaceholders(this.template, new Set([...PLACEHOLDERS, ...ALERT_FIELDS]))
    if (unknown.length > 0)
      throw new CallprobeError(
        'CONFIG_INVALID',
        `${of}: body has unknown placeholders: ${unknown.join(', ')}`,
        {
          hint: 'a placeholder is a field of the alert record, or one that docs/alerting.md lists',
        },
      )
    this.poster = new JsonPoster(of, config, outside)
    this.secret()
  }

  private secret(): string | undefined {
    const { name, secret_env, secret_file } = this.config
    return readSecret(
      `notifier "${name}"`,
      'the secret',
      { env: secret_env, file: secret_file },
      this.outside.environment,
    )
  }

  send(record: AlertRecord): Promise<Outcome> {
    const values = templateValues(record, this.secret())
    const headers = Object.fromEntries(
      Object.entries(this.config.headers ?? {}).map(([name, value]) => [
        name,
        String(fill(value, values) ?? ''),
      ]),
    )
    return this.poster.post(fill(this.template, values), headers)
  }
}
