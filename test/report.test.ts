import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { generateScenario } from '../src/generate/generate.js'
import {
  accessibilityProblems,
  expectQuiet,
  goToCall,
  launchBrowser,
  openReport,
  type WatchedPage,
} from './helpers/browser.js'
import { requirePrograms, sharedPath, ROOT } from './helpers/programs.js'
import { pcapOf } from './helpers/replay.js'
import { reportFolder, writeReport } from './helpers/report.js'

const folder = reportFolder()
const FIXTURES = readdirSync(join(ROOT, 'fixtures'))
  .filter((name) => name.endsWith('.pcap'))
  .sort()
  .map((name) => join(ROOT, 'fixtures', name))
/** Place of the call of baresip-pcmu-bursts.pcap: the last one in time. */
const BURSTS = 9

describe.skipIf(!requirePrograms('chromium'))('the report of the bundled captures', () => {
  const path = join(folder, 'fixtures.html')
  let browser: Browser
  let watched: WatchedPage

  beforeAll(async () => {
    await writeReport(path, FIXTURES)
    browser = await launchBrowser()
    watched = await openReport(browser, path)
  }, 60_000)
  afterAll(() => browser?.close())

  const rows = () => watched.page.locator('.calls tbody tr:not(.spacer, .none)')
  const toOverview = async (): Promise<void> => {
    await watched.page.evaluate(`location.hash = '#/'`)
    await watched.page.waitForSelector('html[data-ready="overview"]')
  }

  it('is one file for its owner only, under a policy that allows its own script and style and nothing else', () => {
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const html = readFileSync(path, 'utf8')
    const policy = /http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(html)?.[1] ?? ''
    expect(policy).toMatch(
      /^default-src 'none'; script-src 'sha256-[^' ]+'; style-src 'sha256-[^' ]+'; img-src data:/,
    )
    expect(policy).not.toContain('unsafe')
    expect(html).not.toMatch(/<(?:script|link|img|iframe)[^>]+(?:src|href)="(?!data:)/)
  })

  it('says first how many calls there are and what could not be seen', async () => {
    expect(await watched.page.locator('h1').innerText()).toBe('10 calls, 1 of them poor or broken')
    const headings = await watched.page.locator('h2').allInnerTexts()
    expect(headings[0]).toBe('What could not be seen')
    expect(await watched.page.locator('.all-seen').innerText()).toContain('Nothing')
  })

  it('lists the calls, worst first', async () => {
    expect(await rows().count()).toBe(10)
    const first = await rows().first().innerText()
    expect(first).toContain('broken')
    expect(first).toContain('2007')
  })

  it('finds calls by number, by state and by what was found', async () => {
    const search = watched.page.locator('#search')
    await search.fill('2003')
    expect(await rows().count()).toBe(1)
    await search.fill('busy here')
    expect(await rows().first().innerText()).toContain('2003')
    await search.fill('one way')
    expect(await rows().first().innerText()).toContain('2007')
    await search.fill('no such thing')
    expect(await watched.page.locator('.calls').innerText()).toContain('No call matches')
    expect(await watched.page.locator('.matches').innerText()).toBe('0 of 10 calls')
    await search.fill('')
    expect(await rows().count()).toBe(10)
  })

  it('narrows down to the calls of a bar, and back', async () => {
    await watched.page.locator('.legend button', { hasText: 'failed' }).click()
    expect(await rows().count()).toBe(2)
    await watched.page.locator('.chip.plain').click()
    expect(await rows().count()).toBe(10)
  })

  it('sorts by a column, one way and the other, and says so', async () => {
    const head = watched.page.locator('th.c-mos')
    await head.locator('button').click()
    expect(await head.getAttribute('aria-sort')).toBe('ascending')
    expect(await rows().first().innerText()).toContain('3.60')
    await head.locator('button').click()
    expect(await head.getAttribute('aria-sort')).toBe('descending')
    expect(await rows().first().innerText()).toContain('4.37')
  })

  it('opens a call, whose verdict says who heard what', async () => {
    await goToCall(watched.page, BURSTS)
    const verdict = await watched.page.locator('.verdict').innerText()
    expect(verdict).toContain('Bob heard alice with 3.5 % of the packets lost')
    expect(verdict).toContain('Alice heard bob well')
  })

  it('shows the messages of the call in a ladder, and each one raw on a click', async () => {
    await goToCall(watched.page, BURSTS)
    const steps = (await watched.page.locator('button.step').allInnerTexts()).join('\n')
    for (const title of ['INVITE', '180 Ringing', 'ACK', 'BYE', '200 OK']) expect(steps).toContain(title)
    await watched.page.locator('button.step').first().click()
    expect(await watched.page.locator('.message pre').innerText()).toMatch(/^INVITE sip:[^]*m=audio/)
    expect(await watched.page.locator('.sdp').first().innerText()).toContain('PCMU')
  })

  it('draws every chart with the same time axis, and zooms them all by dragging in one', async () => {
    await goToCall(watched.page, BURSTS)
    const charts = watched.page.locator('.chart-canvas .u-over')
    expect(await charts.count()).toBe(7)
    await charts.nth(1).scrollIntoViewIfNeeded()
    const box = await charts.nth(1).boundingBox()
    if (!box) throw new Error('the chart is not to be seen')
    const { mouse } = watched.page
    await mouse.move(box.x + box.width * 0.25, box.y + 40)
    await mouse.down()
    await mouse.move(box.x + box.width * 0.5, box.y + 42, { steps: 4 })
    await mouse.up()
    await expect.poll(() => watched.page.locator('.zoomed').innerText()).toMatch(/^0:03 to 0:0[67] of 0:13$/)
    await watched.page.locator('#zoom-reset').click()
    expect(await watched.page.locator('.zoomed').innerText()).toBe('')
  })

  it('reads numbers under the cursor, by keys as well', async () => {
    await goToCall(watched.page, BURSTS)
    await watched.page.locator('.chart-frame').focus()
    for (let k = 0; k < 4; k++) await watched.page.keyboard.press('ArrowRight')
    const readout = await watched.page.locator('.readout').innerText()
    // Second 3 of the capture: 12 of 50 packets are lost there (tshark: a gap of 12 sequence numbers).
    expect(readout).toMatch(/0:03 · 14:05:05 UTC/)
    expect(readout).toMatch(/alice\s+\S+\s+38\s+24\.0 %/)
    await watched.page.keyboard.press('+')
    expect(await watched.page.locator('.zoomed').innerText()).not.toBe('')
    await watched.page.keyboard.press('0')
  })

  it('explains a term in the words of docs/metrics.md, on focus', async () => {
    await goToCall(watched.page, BURSTS)
    const term = watched.page.locator('.glance .term', { hasText: 'MOS, conversational' })
    await term.focus()
    const tip = watched.page.locator(`#${await term.getAttribute('aria-describedby')}`)
    expect(await tip.isVisible()).toBe(true)
    expect(await tip.innerText()).toContain('Conversational quality: as mos_lq, with the delay.')
  })

  it('gives every number to be copied', async () => {
    await goToCall(watched.page, BURSTS)
    await watched.page.locator('summary', { hasText: 'Every number' }).click()
    const table = await watched.page.locator('.record').innerText()
    expect(table).toMatch(/media\.from_caller\.lost\s+21/)
  })

  it('switches between light and dark', async () => {
    await toOverview()
    const colour = (): Promise<string> =>
      watched.page.evaluate(`getComputedStyle(document.body).backgroundColor`)
    const before = await colour()
    await watched.page.locator('#theme').click()
    expect(await colour()).not.toBe(before)
    await watched.page.locator('#theme').click()
    expect(await colour()).toBe(before)
  })

  it('has no serious accessibility problem, in either theme, on either page', async () => {
    for (const theme of ['light', 'dark']) {
      await toOverview()
      if ((await watched.page.evaluate(`document.documentElement.dataset.theme`)) !== theme)
        await watched.page.locator('#theme').click()
      expect(await accessibilityProblems(watched.page), `overview, ${theme}`).toEqual([])
      await goToCall(watched.page, BURSTS)
      await watched.page.locator('button.step').first().click()
      expect(await accessibilityProblems(watched.page), `call, ${theme}`).toEqual([])
    }
    await watched.page.locator('#theme').click()
  }, 60_000)

  it('is printed to PDF with its charts, in light colours whatever the theme', async () => {
    await goToCall(watched.page, BURSTS)
    const pdf = await watched.page.pdf({ format: 'A4', printBackground: true })
    expect(pdf.subarray(0, 5).toString()).toBe('%PDF-')
    expect(pdf.length).toBeGreaterThan(20_000)
  })

  it('fits a phone: nothing is wider than the window', async () => {
    const phone = await openReport(browser, path, '', { viewport: { width: 390, height: 844 } })
    const overflow = (): Promise<number> =>
      phone.page.evaluate(`document.documentElement.scrollWidth - document.documentElement.clientWidth`)
    expect(await overflow()).toBe(0)
    await goToCall(phone.page, BURSTS)
    expect(await overflow()).toBe(0)
    expectQuiet(phone)
    await phone.page.close()
  })

  it('asked for nothing and complained about nothing', () => expectQuiet(watched))
})

const shared = requirePrograms('chromium') ? sharedPath('pcaps') : undefined

describe.skipIf(shared === undefined)('reports of captures from elsewhere', () => {
  const CAPTURES = [
    'pcaps__Forensic_challenge_4.pcap',
    'ISA__sip.pcap',
    't38faxcap__sample.pcap',
    'wireshark_samples__ctcloud_cvi.pcap',
    'sip_captures__voip1b.pcapng',
    'sipnab__DTMFsipinfo.pcap',
    'sip_captures__uac-uas-scenario-sipp.pcapng',
  ]
  let browser: Browser
  beforeAll(async () => {
    browser = await launchBrowser()
  })
  afterAll(() => browser?.close())

  it.each(CAPTURES)('%s: every call opens, without a complaint', async (name) => {
    const capture = join(shared ?? '', name)
    if (!existsSync(capture)) return
    const path = join(folder, `${name}.html`)
    const summary = await writeReport(path, [capture])
    const watched = await openReport(browser, path)
    const calls = Math.min(summary.calls, 12)
    for (let index = 0; index < calls; index++) {
      await goToCall(watched.page, index)
      expect((await watched.page.locator('.verdict').innerText()).length).toBeGreaterThan(10)
    }
    expectQuiet(watched)
    await watched.page.close()
  })
})

describe.skipIf(!requirePrograms('chromium'))('the page of a call whose score rests on less', () => {
  it('says so above everything else, and names what it was scored by', async () => {
    const { packets } = generateScenario({
      seed: 5,
      calls: [{ call_id: 'mine', duration_s: 12, srtp: true, media: { both: { codec: 'opus' } } }],
    })
    const capture = join(folder, 'srtp.pcap')
    const path = join(folder, 'srtp.html')
    writeFileSync(capture, pcapOf(packets))
    await writeReport(path, [capture])
    const browser = await launchBrowser()
    try {
      const { page, complaints } = await openReport(browser, path, '#/call/0')
      const said = await page.locator('.limitations li').allInnerTexts()
      expect(said).toHaveLength(3)
      expect(said[0]).toMatch(/^Its RTCP is encrypted/)
      expect(said[1]).toMatch(/^Its media are encrypted \(SRTP\)/)
      expect(said[2]).toMatch(/^The MOS is an estimate: the ITU-T publishes no impairment factors of OPUS\./)
      const scored = page.locator('.glance tr', { hasText: 'Scored by' }).locator('td')
      expect(await scored.allInnerTexts()).toEqual([
        expect.stringMatching(/^G\.107\.2 .*stand-in/),
        expect.stringMatching(/^G\.107\.2 .*stand-in/),
      ])
      expect(complaints).toEqual([])
    } finally {
      await browser.close()
    }
  })
})
