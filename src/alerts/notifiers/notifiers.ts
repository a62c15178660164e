import { join } from 'node:path'
import type { AlertRecord } from '../../calls/records.js'
import type { AlertsConfig, NotifierFile } from '../../config/alerts.js'
import { AlertmanagerReceiver } from './alertmanager.js'
import { EmailReceiver } from './email.js'
import { Notifier, type NotifierCounters } from './notifier.js'
import type { Outside, Receiver } from './receiver.js'
import { SyslogReceiver } from './syslog.js'
import { WaitingAlerts } from './waiting-alerts.js'
import { WebhookReceiver } from './webhook.js'

/** @throws CallprobeError CONFIG_INVALID when a secret, certificate or address is missing */
export function openReceiver(config: NotifierFile, outside: Outside): Receiver {
  switch (config.type) {
    case 'webhook':
      return new WebhookReceiver(config, outside)
    case 'alertmanager':
      return new AlertmanagerReceiver(config, outside)
    case 'syslog':
      return new SyslogReceiver(config, outside)
    case 'email':
      return new EmailReceiver(config, outside)
  }
}

/** Everybody who is told. Each has a queue of its own, so that one that is down holds up no other. */
export class Notifiers {
  private readonly notifiers: readonly Notifier[]

  /** @throws CallprobeError CONFIG_INVALID, or WRITE_FAILED when the state folder cannot be used */
  constructor(
    { notifiers, state_dir, queue_limit }: Pick<AlertsConfig, 'notifiers' | 'state_dir' | 'queue_limit'>,
    outside: Outside,
  ) {
    this.notifiers = notifiers.map((config) => {
      const folder = state_dir === '' ? '' : join(state_dir, 'waiting', config.name)
      const queue = new WaitingAlerts(folder, queue_limit)
      return new Notifier(
        config.name,
        openReceiver(config, outside),
        queue,
        outside,
        config.only,
        config.resolved ?? true,
      )
    })
  }

  /** Never throws, never waits. */
  notify(record: AlertRecord): void {
    for (const notifier of this.notifiers) notifier.notify(record)
  }

  setOpen(open: readonly AlertRecord[]): void {
    for (const notifier of this.notifiers) notifier.setOpen(open)
  }

  get counters(): Readonly<Record<string, NotifierCounters>> {
    return Object.fromEntries(this.notifiers.map((notifier) => [notifier.name, notifier.counters]))
  }

  async close(timeoutMs: number): Promise<void> {
    await Promise.all(this.notifiers.map((notifier) => notifier.close(timeoutMs)))
  }
}
