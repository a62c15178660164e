import dgram from 'node:dgram'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SMTPServer } from 'smtp-server'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Notifiers } from '../src/alerts/notifiers/notifiers.js'
import { CallprobeError } from '../src/errors.js'
import type { NotifierFile } from '../src/config/alerts.js'
import { freePort } from './helpers/databases.js'
import { requirePrograms } from './helpers/programs.js'
import {
  Alertmanager,
  alertRecord,
  resolvedRecord,
  TcpReceiver,
  TestOutside,
  until,
  WebReceiver,
} from './helpers/receivers.js'

let folder = ''
/** Closed after each test, last opened first. */
let open: (() => Promise<unknown> | void)[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'callprobe-notifiers-'))
})
afterEach(async () => {
  for (const close of open.toReversed()) await close()
  open = []
  rmSync(folder, { recursive: true, force: true })
})

function notifiersOf(
  config: NotifierFile | NotifierFile[],
  outside: TestOutside,
  more: { state_dir?: string; queue_limit?: number } = {},
): Notifiers {
  const notifiers = new Notifiers(
    { notifiers: [config].flat(), state_dir: '', queue_limit: 1000, ...more },
    outside,
  )
  open.push(() => notifiers.close(0))
  return notifiers
}

async function webReceiver(port = 0): Promise<WebReceiver & { url: string }> {
  const receiver = new WebReceiver()
  const url = `http://127.0.0.1:${await receiver.listen(port)}/hook`
  open.push(() => receiver.close())
  return Object.assign(receiver, { url })
}

function ids(receiver: WebReceiver): unknown[] {
  return receiver.bodies.map((body) => (body as { alert_id: string; state: string }).alert_id)
}

describe('a webhook', () => {
  it('is sent the record as NDJSON has it, with headers and a secret from a file', async () => {
    const receiver = await webReceiver()
    const secret = join(folder, 'secret')
    writeFileSync(secret, 'geheim\n')
    const notifiers = notifiersOf(
      {
        type: 'webhook',
        name: 'hook',
        url: receiver.url,
        headers: { 'X-Token': 'k {{secret}}' },
        secret_file: secret,
      },
      new TestOutside(),
    )
    notifiers.notify(alertRecord())
    await until(() => receiver.bodies.length === 1)
    expect(receiver.bodies[0]).toEqual(alertRecord())
    expect(receiver.headers[0]).toMatchObject({ 'x-token': 'k geheim', 'content-type': 'application/json' })
  })

  it('that is down loses no alert: they come in order once it is back, with growing waits between', async () => {
    const port = await freePort()
    const outside = new TestOutside()
    const notifiers = notifiersOf(
      { type: 'webhook', name: 'hook', url: `http://127.0.0.1:${port}/hook` },
      outside,
    )
    for (const k of [1, 2, 3]) notifiers.notify(alertRecord({ alert_id: `alert-${k}` }))
    for (let attempt = 1; attempt <= 4; attempt++) {
      await until(() => notifiers.counters.hook.failedAttempts === attempt)
      outside.advance(300_000)
    }
    expect(outside.waits.slice(0, 4)).toEqual([1000, 2000, 4000, 8000])
    const receiver = await webReceiver(port)
    await until(() => {
      outside.advance(300_000)
      return receiver.bodies.length === 3
    })
    expect(ids(receiver)).toEqual(['alert-1', 'alert-2', 'alert-3'])
    expect(notifiers.counters.hook).toMatchObject({ delivered: 3, waiting: 0, lost: 0 })
    // An outage is said once, and its end.
    expect(outside.messages.filter((line) => line.startsWith('warn'))).toHaveLength(1)
    expect(outside.messages.at(-1)).toContain('is back')
  })

  it('that answers 500, 503 and 429 loses no alert, and is waited for as long as it asks', async () => {
    const receiver = await webReceiver()
    receiver.answers = [500, 503, 429, 200]
    receiver.answerHeaders = { 'retry-after': '90' }
    const outside = new TestOutside()
    const notifiers = notifiersOf({ type: 'webhook', name: 'hook', url: receiver.url }, outside)
    notifiers.notify(alertRecord())
    for (const failed of [1, 2, 3]) {
      await until(() => notifiers.counters.hook.failedAttempts === failed)
      outside.advance(89_999)
      await new Promise((resolve) => setTimeout(resolve, 30))
      expect(receiver.requests).toBe(failed)
      outside.advance(1)
    }
    await until(() => receiver.bodies.length === 1)
    expect(notifiers.counters.hook).toMatchObject({ delivered: 1, waiting: 0 })
  })

  it('that is slow loses no alert, and holds up no other receiver', async () => {
    const slow = await webReceiver()
    slow.answers = ['hang', 200]
    const quick = await webReceiver()
    const outside = new TestOutside()
    const notifiers = notifiersOf(
      [
        { type: 'webhook', name: 'slow', url: slow.url, timeout_s: 0.2 },
        { type: 'webhook', name: 'quick', url: quick.url },
      ],
      outside,
    )
    notifiers.notify(alertRecord())
    await until(() => quick.bodies.length === 1)
    await until(() => notifiers.counters.slow.failedAttempts === 1)
    expect(outside.messages[0]).toContain('no answer within 0.2 s')
    outside.advance(1000)
    await until(() => slow.bodies.length === 1)
  })

  it('that refuses one message for good (400) does not block the next', async () => {
    const receiver = await webReceiver()
    receiver.answers = [400, 200]
    const outside = new TestOutside()
    const notifiers = notifiersOf({ type: 'webhook', name: 'hook', url: receiver.url }, outside)
    notifiers.notify(alertRecord({ alert_id: 'refused' }))
    notifiers.notify(alertRecord({ alert_id: 'taken' }))
    await until(() => receiver.bodies.length === 1)
    expect(ids(receiver)).toEqual(['taken'])
    expect(notifiers.counters.hook.rejected).toBe(1)
    expect(outside.messages[0]).toContain('refuses alert refused')
  })

  it('that is down when the process ends is told by the next one', async () => {
    const port = await freePort()
    const config: NotifierFile = { type: 'webhook', name: 'hook', url: `http://127.0.0.1:${port}/hook` }
    const first = notifiersOf(config, new TestOutside(), { state_dir: folder })
    first.notify(alertRecord())
    first.notify(resolvedRecord())
    await until(() => first.counters.hook.failedAttempts === 1)
    await first.close(0)
    const files = readdirSync(join(folder, 'waiting', 'hook'))
    expect(files).toHaveLength(2)
    expect(statSync(join(folder, 'waiting', 'hook', files[0])).mode & 0o777).toBe(0o600)
    // One more that a crash cut short.
    writeFileSync(join(folder, 'waiting', 'hook', '000000000099.json'), '{"type":"alert","sch')

    const receiver = await webReceiver(port)
    const second = notifiersOf(config, new TestOutside(), { state_dir: folder })
    await until(() => receiver.bodies.length === 2)
    expect(receiver.bodies).toMatchObject([{ state: 'firing' }, { state: 'resolved' }])
    await until(() => second.counters.hook.waiting === 0)
    expect(readdirSync(join(folder, 'waiting', 'hook'))).toEqual(['000000000099.json'])
  })

  it('keeps the newest alerts when more wait than may, and counts the others', async () => {
    const port = await freePort()
    const outside = new TestOutside()
    const config: NotifierFile = { type: 'webhook', name: 'hook', url: `http://127.0.0.1:${port}/hook` }
    const notifiers = notifiersOf(config, outside, { state_dir: folder, queue_limit: 3 })
    for (const k of [1, 2, 3, 4, 5]) notifiers.notify(alertRecord({ alert_id: `alert-${k}` }))
    expect(notifiers.counters.hook).toMatchObject({ waiting: 3, lost: 2 })
    expect(readdirSync(join(folder, 'waiting', 'hook'))).toHaveLength(3)
    await until(() => notifiers.counters.hook.failedAttempts === 1)
    const receiver = await webReceiver(port)
    outside.advance(300_000)
    await until(() => receiver.bodies.length === 3)
    expect(ids(receiver)).toEqual(['alert-3', 'alert-4', 'alert-5'])
  })

  it('is not told of silenced alerts, nor of those that it did not ask for', async () => {
    const receiver = await webReceiver()
    const notifiers = notifiersOf(
      {
        type: 'webhook',
        name: 'hook',
        url: receiver.url,
        resolved: false,
        only: { least_severity: 'warning', scope: { trunk: 'carrier-*' } },
      },
      new TestOutside(),
    )
    notifiers.notify(alertRecord({ alert_id: 'silenced', silenced: true }))
    notifiers.notify(alertRecord({ alert_id: 'mild', severity: 'info' }))
    notifiers.notify(alertRecord({ alert_id: 'elsewhere', trunk: 'other' }))
    notifiers.notify(resolvedRecord({ alert_id: 'over' }))
    notifiers.notify(alertRecord({ alert_id: 'wanted' }))
    await until(() => receiver.bodies.length > 0)
    expect(ids(receiver)).toEqual(['wanted'])
  })

  it('has bodies for Slack, Teams and PagerDuty', async () => {
    const receiver = await webReceiver()
    const notifiers = notifiersOf(
      (['slack', 'teams', 'pagerduty'] as const).map((format) => ({
        type: 'webhook',
        name: format,
        format,
        url_env: 'HOOK_URL',
        secret_env: 'ROUTING_KEY',
      })),
      new TestOutside({ HOOK_URL: receiver.url, ROUTING_KEY: 'r0ut1ngk3y' }),
    )
    notifiers.notify(alertRecord())
    await until(() => receiver.bodies.length === 3)
    const bodies = receiver.bodies as Record<string, unknown>[]
    const slack = bodies.find((body) => 'text' in body)
    expect(slack?.text).toContain('CRITICAL burst_jitter: berlin → carrier-a')
    expect(slack?.text).toContain('&lt;b&gt;&amp;&lt;/b&gt;')
    const card = JSON.stringify(bodies.find((body) => body.type === 'message'))
    expect(card).toContain('"contentType":"application/vnd.microsoft.card.adaptive"')
    expect(card).toContain('{"title":"Calls","value":"12"}')
    // developer.pagerduty.com: required are routing_key, event_action, payload.summary, source and severity.
    expect(bodies.find((body) => 'routing_key' in body)).toMatchObject({
      routing_key: 'r0ut1ngk3y',
      event_action: 'trigger',
      dedup_key: 'burst_jitter-0011223344556677',
      payload: { summary: alertRecord().message, source: 'hq-1', severity: 'critical' },
    })
  })

  it('takes a body of its own: values stay within their place, and what is unknown is left out', async () => {
    const receiver = await webReceiver()
    const body = {
      n: '{{calls_affected}}',
      text: 'on {{path}}: {{message}}',
      none: '{{baseline}}',
      list: ['{{rule}}'],
    }
    const notifiers = notifiersOf(
      { type: 'webhook', name: 'hook', url: receiver.url, body },
      new TestOutside(),
    )
    notifiers.notify(alertRecord())
    await until(() => receiver.bodies.length === 1)
    expect(receiver.bodies[0]).toEqual({
      n: 12,
      text: `on berlin → carrier-a: ${alertRecord().message}`,
      list: ['burst_jitter'],
    })
  })
})

describe('secrets', () => {
  const config: NotifierFile = { type: 'webhook', name: 'chat', url_env: 'CHAT_URL' }

  it('that are missing are said at the start, by name and not by value', () => {
    expect(() => notifiersOf(config, new TestOutside())).toThrow(
      'notifier "chat": the address should be in the environment variable CHAT_URL, which is not set',
    )
  })

  it('in an address do not appear in what is logged', async () => {
    const port = await freePort()
    const outside = new TestOutside({ CHAT_URL: `http://127.0.0.1:${port}/services/T00/s3cr3t?token=s3cr3t` })
    const notifiers = notifiersOf(config, outside)
    notifiers.notify(alertRecord())
    await until(() => notifiers.counters.chat.failedAttempts === 1)
    expect(outside.messages[0]).toContain(`127.0.0.1:${port}`)
    expect(outside.messages.join('\n')).not.toContain('s3cr3t')
  })

  it('may be a token or a password, which a request carries', async () => {
    const receiver = await webReceiver()
    const file = join(folder, 'password')
    writeFileSync(file, 'pässword\n')
    const notifiers = notifiersOf(
      [
        { type: 'webhook', name: 'token', url: receiver.url, bearer_token_env: 'TOKEN' },
        { type: 'webhook', name: 'basic', url: receiver.url, username: 'me', password_file: file },
      ],
      new TestOutside({ TOKEN: 'abc' }),
    )
    notifiers.notify(alertRecord())
    await until(() => receiver.bodies.length === 2)
    const sent = receiver.headers.map(({ authorization }) => authorization).sort()
    expect(sent).toEqual([`Basic ${Buffer.from('me:pässword').toString('base64')}`, 'Bearer abc'])
  })

  it('refuses a body with a placeholder that stands for nothing', () => {
    const body = { text: '{{mesage}}' }
    expect(() =>
      notifiersOf({ type: 'webhook', name: 'x', url: 'http://127.0.0.1:1/', body }, new TestOutside()),
    ).toThrow(CallprobeError)
  })
})

describe('syslog', () => {
  /** RFC 5424 6: the parts of a message. */
  const MESSAGE =
    /^<(?<pri>\d{1,3})>1 (?<time>\S+) (?<host>\S+) (?<app>\S+) (?<proc>\S+) (?<msgid>\S+) \[(?<id>\S+)(?<params>(?: \w+="(?:[^"\\\]]|\\.)*")+)\] \ufeff(?<msg>.*)$/

  it('by UDP is one RFC 5424 message a datagram', async () => {
    const socket = dgram.createSocket('udp4')
    const received: string[] = []
    socket.on('message', (message) => received.push(message.toString('utf8')))
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
    open.push(() => new Promise<void>((resolve) => socket.close(() => resolve())))
    const notifiers = notifiersOf(
      { type: 'syslog', name: 'log', host: '127.0.0.1', port: socket.address().port },
      new TestOutside(),
    )
    notifiers.notify(alertRecord())
    notifiers.notify(resolvedRecord())
    await until(() => received.length === 2)
    const groups = MESSAGE.exec(received[0])?.groups
    // local0 (16) x 8 + critical (2)
    expect(groups).toMatchObject({
      pri: '130',
      time: '2026-03-02T09:59:50.100Z',
      host: 'probe.example.org',
      app: 'callprobe',
      proc: '-',
      msgid: 'burst_jitter',
      id: 'callprobe@32473',
      msg: alertRecord().message,
    })
    expect(groups?.params).toContain(' path="berlin → carrier-a"')
    // An alert that is over is a notice (5).
    expect(MESSAGE.exec(received[1])?.groups?.pri).toBe('133')
  })

  it('escapes what would end a parameter', async () => {
    const receiver = new TcpReceiver()
    const port = await receiver.listen()
    open.push(() => receiver.close())
    const notifiers = notifiersOf(
      { type: 'syslog', name: 'log', host: '127.0.0.1', port, transport: 'tcp', facility: 4 },
      new TestOutside(),
    )
    notifiers.notify(alertRecord({ path: 'a"b]c\\d' }))
    await until(() => receiver.received.length === 1)
    // RFC 6587 3.4.1: the length in octets, a space, the message.
    const [, length, message] = /^(\d+) (.*)$/s.exec(receiver.received[0]) ?? []
    expect(Buffer.byteLength(message)).toBe(Number(length))
    expect(MESSAGE.exec(message)?.groups).toMatchObject({ pri: '34' })
    expect(message).toContain(' path="a\\"b\\]c\\\\d"')
  })

  it('by TCP waits for a receiver that is down', async () => {
    const port = await freePort()
    const outside = new TestOutside()
    const notifiers = notifiersOf(
      { type: 'syslog', name: 'log', host: '127.0.0.1', port, transport: 'tcp' },
      outside,
    )
    notifiers.notify(alertRecord())
    await until(() => notifiers.counters.log.failedAttempts === 1)
    const receiver = new TcpReceiver()
    await receiver.listen(port)
    open.push(() => receiver.close())
    outside.advance(1000)
    await until(() => receiver.received.length === 1)
    expect(notifiers.counters.log.delivered).toBe(1)
  })
})

describe('e-mail', () => {
  interface Mail {
    from: string
    to: string[]
    text: string
    user: string
  }

  async function mailServer(refusals: number[] = [], port = 0): Promise<{ port: number; mails: Mail[] }> {
    const mails: Mail[] = []
    const server = new SMTPServer({
      authOptional: true,
      allowInsecureAuth: true,
      disabledCommands: ['STARTTLS'],
      onAuth: ({ username, password }, _, done) =>
        password === 'pw' ? done(null, { user: username }) : done(new Error('wrong password')),
      onMailFrom: (_address, _session, done) => {
        const refusal = refusals.shift()
        if (refusal === undefined) done()
        else done(Object.assign(new Error('not now'), { responseCode: refusal }))
      },
      onData: (stream, session, done) => {
        const chunks: Buffer[] = []
        stream.on('data', (chunk: Buffer) => chunks.push(chunk))
        stream.on('end', () => {
          mails.push({
            from: session.envelope.mailFrom ? session.envelope.mailFrom.address : '',
            to: session.envelope.rcptTo.map(({ address }) => address),
            text: Buffer.concat(chunks).toString('utf8'),
            user: String(session.user ?? ''),
          })
          done()
        })
      },
    })
    server.on('error', () => {})
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', () => resolve()))
    open.push(() => new Promise<void>((resolve) => server.close(() => resolve())))
    const address = server.server.address()
    return { port: typeof address === 'object' && address ? address.port : 0, mails }
  }

  const mail = {
    type: 'email',
    name: 'mail',
    host: '127.0.0.1',
    from: 'probe@example.org',
    to: ['noc@example.org', 'oncall@example.org'],
    security: 'none',
  } as const

  it('reaches a real SMTP server, beginning and end as one conversation', async () => {
    const { port, mails } = await mailServer()
    const notifiers = notifiersOf(
      { ...mail, port, to: [...mail.to], username: 'probe', password_env: 'MAIL_PASSWORD' },
      new TestOutside({ MAIL_PASSWORD: 'pw' }),
    )
    notifiers.notify(alertRecord({ path: 'berlin to carrier-a' }))
    notifiers.notify(resolvedRecord({ path: 'berlin to carrier-a' }))
    await until(() => mails.length === 2)
    expect(mails[0]).toMatchObject({ from: mail.from, to: mail.to, user: 'probe' })
    expect(mails[0].text).toContain('Subject: CRITICAL burst_jitter: berlin to carrier-a')
    expect(mails[0].text).toMatch(/Auto-Submitted: auto-generated/i)
    const id = /Message-ID: (<\S+>)/i.exec(mails[0].text)?.[1] ?? '?'
    expect(mails[1].text).toContain(`References: ${id}`)
    expect(mails[1].text).toContain('Subject: RESOLVED burst_jitter')
  })

  it('is sent again after a server that says "not now" (451), and given up at "never" (553)', async () => {
    const { port, mails } = await mailServer([451, 553])
    const outside = new TestOutside()
    const notifiers = notifiersOf({ ...mail, port, to: [...mail.to] }, outside)
    notifiers.notify(alertRecord({ alert_id: 'never' }))
    notifiers.notify(alertRecord({ alert_id: 'well' }))
    await until(() => notifiers.counters.mail.failedAttempts === 1)
    outside.advance(1000)
    await until(() => mails.length === 1 && notifiers.counters.mail.waiting === 0)
    expect(notifiers.counters.mail).toMatchObject({ delivered: 1, rejected: 1, waiting: 0 })
    expect(mails[0].text).toContain('X-Callprobe-Alert: well')
  })

  it('with a wrong password waits until somebody puts it right', async () => {
    const { port, mails } = await mailServer()
    const outside = new TestOutside()
    const file = join(folder, 'password')
    writeFileSync(file, 'wrong')
    const notifiers = notifiersOf(
      { ...mail, port, to: [...mail.to], username: 'probe', password_file: file },
      outside,
    )
    notifiers.notify(alertRecord())
    await until(() => notifiers.counters.mail.failedAttempts === 1)
    writeFileSync(file, 'pw')
    outside.advance(1000)
    await until(() => mails.length === 1)
  })
})

describe('a real Alertmanager', () => {
  it.skipIf(!requirePrograms('prometheus-alertmanager'))(
    'receives, groups, is told again, and resolves',
    async () => {
      const hook = await webReceiver()
      const manager = await Alertmanager.start(hook.url)
      open.push(() => manager.stop())
      const outside = new TestOutside()
      outside.now = Date.now()
      const iso = (ms: number): string => new Date(ms).toISOString()
      const start = iso(outside.now - 30_000)
      const config: NotifierFile = {
        type: 'alertmanager',
        name: 'am',
        url: manager.url,
        resend_s: 60,
        labels: { team: 'voice' },
      }
      const notifiers = notifiersOf(config, outside)
      const berlin = alertRecord({ start, time: iso(outside.now) })
      const hamburg = alertRecord({
        start,
        time: iso(outside.now),
        alert_id: 'other',
        path: 'hamburg → carrier-a',
        caller_site: 'hamburg',
      })
      notifiers.notify(berlin)
      notifiers.notify(hamburg)
      notifiers.setOpen([berlin, hamburg])
      await until(async () => (await manager.alerts()).length === 2)
      const [group] = await manager.groups()
      expect(group.labels).toEqual({ alertname: 'burst_jitter' })
      expect(group.alerts).toHaveLength(2)
      const alerts = await manager.alerts()
      expect(alerts.map(({ labels }) => labels.path).sort()).toEqual([
        'berlin → carrier-a',
        'hamburg → carrier-a',
      ])
      expect(alerts[0].labels).toMatchObject({
        alertname: 'burst_jitter',
        severity: 'critical',
        probe: 'hq-1',
        trunk: 'carrier-a',
        team: 'voice',
      })
      expect(alerts[0].annotations.summary).toBe(berlin.message)
      expect(alerts[0].annotations.in_common).toBe(
        '14 of 15 bad calls cross trunk carrier-a since 09:59 (14 of 54 calls there, 1 of 81 elsewhere)',
      )
      expect(alerts[0].annotations.example_calls).toBe(berlin.call_ids?.[0])
      await until(() => hook.bodies.length >= 1)

      // Told again: its end moves on, and it stays one alert.
      const endsAt = async (): Promise<string[]> =>
        (await manager.alerts()).map((alert) => (alert as unknown as { endsAt: string }).endsAt)
      const before = await endsAt()
      outside.advance(60_000)
      await until(async () => (await endsAt()).every((end, i) => end > before[i]))
      expect(await manager.alerts()).toHaveLength(2)

      outside.now = Date.now()
      const over = { state: 'resolved', end: iso(Date.now() - 1000), time: iso(Date.now()) } as const
      notifiers.setOpen([])
      notifiers.notify({ ...berlin, ...over })
      notifiers.notify({ ...hamburg, ...over })
      const isResolved = (body: unknown): boolean => (body as { status: string }).status === 'resolved'
      await until(() => hook.bodies.some(isResolved))
      const last = hook.bodies.findLast(isResolved) as { alerts: { status: string }[] }
      expect(last.alerts.map(({ status }) => status)).toEqual(['resolved', 'resolved'])
      expect(await manager.alerts()).toEqual([])
    },
  )
})

describe('the record of what waits', () => {
  it('is the alert record itself', async () => {
    const port = await freePort()
    const notifiers = notifiersOf(
      { type: 'webhook', name: 'hook', url: `http://127.0.0.1:${port}/` },
      new TestOutside(),
      { state_dir: folder },
    )
    notifiers.notify(alertRecord())
    const [file] = readdirSync(join(folder, 'waiting', 'hook'))
    expect(JSON.parse(readFileSync(join(folder, 'waiting', 'hook', file), 'utf8'))).toEqual(alertRecord())
  })
})
