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
  private notifiers: readonly Notifier[] = []
  /** By name, as they are in force. */
  private configs = new Map<string, NotifierFile>()
  private open: readonly AlertRecord[] = []

  /** @throws CallprobeError CONFIG_INVALID, or WRITE_FAILED when the state folder cannot be used */
  constructor(
    private readonly config: Pick<AlertsConfig, 'notifiers' | 'state_dir' | 'queue_limit'>,
    private readonly outside: Outside,
  ) {
    this.reconfigure(config.notifiers)
  }

  /**
   * Those that stayed go on as they are; changed ones keep what waits, and so does the folder of those that are gone.
   * @throws CallprobeError CONFIG_INVALID, WRITE_FAILED; then nothing has changed
   */
  reconfigure(after: readonly NotifierFile[]): void {
    const { state_dir, queue_limit } = this.config
    const known = new Map(this.notifiers.map((notifier) => [notifier.name, notifier]))
    const isSame = (config: NotifierFile): boolean =>
      JSON.stringify(this.configs.get(config.name)) === JSON.stringify(config)
    // Whatever can fail comes first.
    const planned = after.map((config) => {
      const before = known.get(config.name)
      if (before && isSame(config)) return { config, before }
      const receiver = openReceiver(config, this.outside)
      const folder = state_dir === '' ? '' : join(state_dir, 'waiting', config.name)
      return { config, before, receiver, queue: before ? undefined : new WaitingAlerts(folder, queue_limit) }
    })
    this.notifiers = planned.map(({ config, before, receiver, queue }) => {
      known.delete(config.name)
      const { name, only = {}, resolved = true } = config
      if (receiver && queue) return new Notifier(name, receiver, queue, this.outside, only, resolved)
      if (!before) throw new Error(`notifier ${name} is neither new nor known`)
      if (receiver) before.retarget(receiver, only, resolved)
      return before
    })
    for (const gone of known.values()) void gone.close(0)
    this.configs = new Map(after.map((config) => [config.name, config]))
    this.setOpen(this.open)
  }

  /** Never throws, never waits. */
  notify(record: AlertRecord): void {
    for (const notifier of this.notifiers) notifier.notify(record)
  }

  setOpen(open: readonly AlertRecord[]): void {
    this.open = open
    for (const notifier of this.notifiers) notifier.setOpen(open)
  }

  get counters(): Readonly<Record<string, NotifierCounters>> {
    return Object.fromEntries(this.notifiers.map((notifier) => [notifier.name, notifier.counters]))
  }

  async close(timeoutMs: number): Promise<void> {
    await Promise.all(this.notifiers.map((notifier) => notifier.close(timeoutMs)))
  }
}
