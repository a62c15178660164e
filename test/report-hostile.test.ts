import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectQuiet, goToCall, launchBrowser, openReport, type WatchedPage } from './helpers/browser.js'
import { requirePrograms } from './helpers/programs.js'
import { pcapOf, type Frame } from './helpers/replay.js'
import { reportFolder, udpFrame, writeReport } from './helpers/report.js'

const folder = reportFolder()
const START_MS = Date.UTC(2026, 2, 1, 12)
const CALLER = ['192.0.2.1', 5060] as const
const CALLEE = ['192.0.2.2', 5060] as const

const SCRIPT = '</script><script>window.pwned=1</script><img src=x onerror=window.pwned=2>'
const BIDI = 'caf\u202e\u2066gnp.exe'
/** What a spreadsheet or a database would act on. */
const INJECTIONS = ["=cmd|'/C calc'!A0", 'voip_call,host=evil value=1 1']

interface Hostile {
  user: string
  display: string
  callId: string
  reason: string
  extra: Uint8Array
}

/** INVITE and 486 of one call, with whatever its author liked in them. */
function refusedCall(at: number, { user, display, callId, reason, extra }: Hostile): Frame[] {
  const head = (start: string): string =>
    [
      start,
      `Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK${at}`,
      `From: "${display}" <sip:${user}@example.com>;tag=a${at}`,
      'To: <sip:bob@example.com>' + (start.startsWith('SIP') ? `;tag=b${at}` : ''),
      `Call-ID: ${callId}`,
      'CSeq: 1 INVITE',
      `Subject: ${INJECTIONS.join(' ')}`,
      `User-Agent: ${SCRIPT}`,
    ].join('\r\n')
  const invite = Buffer.concat([
    Buffer.from(`${head('INVITE sip:bob@example.com SIP/2.0')}\r\nX-Extra: `),
    extra,
    Buffer.from('\r\nContent-Length: 0\r\n\r\n'),
  ])
  const answer = Buffer.from(`${head(`SIP/2.0 486 ${reason}`)}\r\nContent-Length: 0\r\n\r\n`)
  return [
    { timeMs: START_MS + at, frame: udpFrame(CALLER, CALLEE, invite) },
    { timeMs: START_MS + at + 20, frame: udpFrame(CALLEE, CALLER, answer) },
  ]
}

const plain: Hostile = {
  user: 'alice',
  display: 'Alice',
  callId: 'plain',
  reason: 'Busy Here',
  extra: Buffer.from('x'),
}

describe.skipIf(!requirePrograms('chromium'))('SIP that attacks the reader of the report', () => {
  let browser: Browser
  let watched: WatchedPage

  beforeAll(async () => {
    const frames = [
      ...refusedCall(0, { ...plain, user: SCRIPT, display: SCRIPT, callId: `1${SCRIPT}`, reason: SCRIPT }),
      ...refusedCall(1000, { ...plain, user: BIDI, display: BIDI, callId: `2${BIDI}`, reason: BIDI }),
      ...refusedCall(2000, { ...plain, callId: '3', extra: Buffer.alloc(63_000, 'A') }),
      ...refusedCall(3000, {
        ...plain,
        callId: '4',
        extra: Uint8Array.of(0xff, 0xfe, 0xc3, 0x28, 0x80, 0x00, 0x1b),
      }),
      ...refusedCall(4000, { ...plain, user: INJECTIONS[0], callId: `5${INJECTIONS[1]}` }),
    ]
    const path = join(folder, 'hostile.html')
    await writeReport(path, pcapOf(frames))
    browser = await launchBrowser()
    watched = await openReport(browser, path)
  }, 60_000)
  afterAll(() => browser?.close())

  const calls = (): Promise<number> => watched.page.locator('.calls tbody tr').count()
  const textOf = (selector: string): Promise<string> => watched.page.locator(selector).innerText()

  it('shows every call', async () => {
    expect(await calls()).toBe(5)
  })

  it('shows markup in numbers, names and reasons as the text that it is', async () => {
    expect(await watched.page.locator('#app img, #app script, #app svg, #app iframe').count()).toBe(0)
    for (const index of [0, 1, 2, 3, 4]) await goToCall(watched.page, index)
    expect(await watched.page.evaluate(`'pwned' in window`)).toBe(false)
    await goToCall(watched.page, 0)
    expect(await textOf('main')).toContain('<script>')
  })

  it('shows the raw message of an attacker as text', async () => {
    await goToCall(watched.page, 0)
    await watched.page.locator('button.step').first().click()
    const message = await textOf('.message pre')
    expect(message).toContain(`User-Agent: ${SCRIPT}`)
    expect(message).toContain(INJECTIONS[0])
    expect(await watched.page.evaluate(`'pwned' in window`)).toBe(false)
  })

  it('writes marks out that would turn the direction of the text', async () => {
    await goToCall(watched.page, 1)
    const text = await textOf('main')
    expect(text).toContain('caf‹U+202E›')
    expect(text).not.toMatch(/[\u202a-\u202e\u2066-\u2069]/)
    await watched.page.locator('button.step').first().click()
    expect(await textOf('.message pre')).not.toMatch(/[\u202a-\u202e\u2066-\u2069]/)
  })

  it('cuts a header of 63,000 bytes and says so', async () => {
    await goToCall(watched.page, 2)
    await watched.page.locator('button.step').first().click()
    expect((await textOf('.message pre')).length).toBeLessThan(25_000)
    expect(await textOf('.message')).toMatch(/[\d,]+ more characters are not kept/)
  })

  it('shows bytes that are no text without losing its way', async () => {
    await goToCall(watched.page, 3)
    await watched.page.locator('button.step').first().click()
    const message = await textOf('.message pre')
    expect(message).toContain('X-Extra: ÿþÃ(‹U+0080›‹U+0000›‹U+001B›')
  })

  it('asked for nothing and complained about nothing', () => expectQuiet(watched))
})
