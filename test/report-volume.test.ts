import { statSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CallEntry } from '../src/calls/call-entry.js'
import { EXAMPLE_CALL, EXAMPLE_SUMMARY } from '../src/calls/record-examples.js'
import { QUALITIES, type CallRecord } from '../src/calls/records.js'
import { MediaSecond } from '../src/calls/second-watch.js'
import { StreamEntry } from '../src/calls/stream-entry.js'
import { bucketOf, jitterBucketOf } from '../src/rtp/histogram.js'
import { readAssets } from '../src/report/assets.js'
import { LIMITS } from '../src/report/limits.js'
import { PLAIN_TEXT } from '../src/report/report-text.js'
import { Report } from '../src/report/report.js'
import { ladderPackets } from '../src/sip/tracker-ladder.js'
import { goToCall, launchBrowser, openReport, type WatchedPage } from './helpers/browser.js'
import { requirePrograms } from './helpers/programs.js'
import { readReport, reportFolder } from './helpers/report.js'

const folder = reportFolder()
const CALLS = 10_000
const SECONDS = 60

/** A call's messages, some 700 bytes each. */
const MESSAGES = ladderPackets(`
  0    alice>bob  INVITE      1 a>   z1 sdp=10.0.0.1:4000
  20   bob>alice  100 INVITE  1 a>   z1
  100  bob>alice  180 INVITE  1 a>b  z1
  2000 bob>alice  200 INVITE  1 a>b  z1 sdp=10.0.0.2:5000
  2010 alice>bob  ACK         1 a>b  z2
  9000 alice>bob  BYE         2 a>b  z3
  9010 bob>alice  200 BYE     2 a>b  z3`)

/** Deterministic noise in 0..1. */
function noise(seed: number): number {
  const x = Math.sin(seed * 12.9898) * 43_758.5453
  return x - Math.floor(x)
}

function stream(n: number): StreamEntry {
  const word: [number, number, number, number] = [0x0a000001, 0, 0, 0]
  const ends = { ipVersion: 4, source: word, destination: word, sourcePort: 4000, destinationPort: 5000 }
  return new StreamEntry(n, { ...ends, ssrc: n, vlan: -1, firstArrival: 0, firstSequence: 0 })
}

/** As a network has it: a few ms of jitter, now and then a spike or a loss. */
function fill(second: MediaSecond, startMs: number, seed: number): void {
  second.pdv.fill(0)
  second.jitter.fill(0)
  Object.assign(second, {
    startMs,
    lastPacketMs: startMs + 980,
    payloadType: 0,
    ptimeMs: 20,
    depthMs: 40,
    pdvMax: 0,
  })
  second.lost = noise(seed) > 0.95 ? Math.floor(noise(seed + 1) * 6) : 0
  second.packets = second.measured = second.jitterUpdates = 50 - second.lost
  second.jitterSum = 0
  for (let k = 0; k < second.packets; k++) {
    const pdv = noise(seed * 50 + k) * 8 + (noise(seed + 2) > 0.97 ? 90 * noise(seed + k) : 0)
    second.pdv[bucketOf(pdv)]++
    second.jitter[jitterBucketOf(1 + pdv / 4)]++
    second.jitterSum += 1 + pdv / 4
    second.pdvMax = Math.max(second.pdvMax, pdv)
  }
}

/** A report of calls of a minute each, fed as the correlator feeds it. */
async function writeVolume(path: string, calls: number): Promise<Report> {
  const report = new Report({
    files: ['day.pcap'],
    version: 'test',
    scoring: { fixedBufferMs: undefined, networkDelayMs: 25 },
    thresholds: { good: 4, fair: 3.6 },
    shown: PLAIN_TEXT,
  })
  const second = new MediaSecond()
  // Different seconds, used again: making noise is not what is looked at.
  const start = Date.UTC(2026, 2, 1)
  for (let n = 0; n < calls; n++) {
    const call = new CallEntry(`call-${n}@example.com`)
    for (const packet of MESSAGES) report.collector.onSipMessage(call, packet, 'new')
    for (const direction of ['from_caller', 'from_callee'] as const) {
      const entry = stream(2 * n + (direction === 'from_caller' ? 0 : 1))
      for (let s = 0; s < SECONDS; s++) {
        if (n % 100 === 0) fill(second, 0, n + s)
        second.startMs = start + (n + s) * 1000
        report.collector.onSecond(call, direction, entry, second, undefined)
      }
    }
    report.collector.onCallClosed(call)
    const record: CallRecord = {
      ...EXAMPLE_CALL,
      call_id: call.callId,
      caller: `+4930${n}`,
      callee: `+4989${n % 500}`,
      start: new Date(start + n * 1000).toISOString(),
      quality: QUALITIES[n % 5],
      mos_cq_min: 1 + (n % 350) / 100,
      findings: n % 3 === 0 ? EXAMPLE_CALL.findings : [],
    }
    report.addCall(record)
    await report.ready()
  }
  await report.write(path, EXAMPLE_SUMMARY, readAssets())
  return report
}

describe.skipIf(!requirePrograms('chromium'))('a report of 10,000 calls', () => {
  const path = join(folder, 'volume.html')
  let browser: Browser
  let watched: WatchedPage
  let report: Report

  beforeAll(async () => {
    report = await writeVolume(path, CALLS)
    browser = await launchBrowser()
    watched = await openReport(browser, path)
  }, 120_000)
  afterAll(() => browser?.close())

  it('is a file of less than 30 MB that has every call', () => {
    expect(statSync(path).size).toBeLessThan(30e6)
    expect(report.collector.cuts.callsNotListed + report.collector.cuts.callsWithoutDetails).toBe(0)
  })

  it('is painted within 2 s', async () => {
    const times: number[] = []
    for (let run = 0; run < 3; run++) {
      const { page } = await openReport(browser, path)
      times.push(
        await page.evaluate(
          `performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Infinity`,
        ),
      )
      await page.close()
    }
    // The best of three: other work on the machine is not the page's.
    expect(Math.min(...times)).toBeLessThan(2000)
  }, 60_000)

  it('filters and sorts within 100 ms, as the reader types', async () => {
    const took = await watched.page.evaluate(`(async () => {
      const search = document.getElementById('search')
      const times = []
      for (const text of ['+', '+49', '+4930', '+4930999', '+4930999 broken', 'burst', '', 'x', '']) {
        search.value = text
        const from = performance.now()
        search.dispatchEvent(new Event('input'))
        document.body.getBoundingClientRect()
        times.push(performance.now() - from)
        await new Promise((resolve) => setTimeout(resolve, 30))
      }
      const head = document.querySelector('th.c-mos button')
      const from = performance.now()
      head.click()
      document.body.getBoundingClientRect()
      return [...times, performance.now() - from].sort((a, b) => a - b)
    })()`)
    const times = took as number[]
    expect(times).toHaveLength(10)
    // One of them may have met other work on the machine.
    expect(times[8]).toBeLessThan(100)
  })

  it('holds only the rows in sight, and shows the last one when scrolled to', async () => {
    const { page } = watched
    expect(await page.locator('.calls tbody tr').count()).toBeLessThan(100)
    await page.evaluate(`document.querySelector('.calls-scroll').scrollTop = 1e9`)
    await expect.poll(() => page.locator(`.calls tbody tr[aria-rowindex="${CALLS + 1}"]`).count()).toBe(1)
  })

  it('opens any of them', async () => {
    for (const index of [0, 4999, CALLS - 1]) {
      await goToCall(watched.page, index)
      expect(await watched.page.locator('h1').innerText()).toContain(`+4930${index}`)
      expect(await watched.page.locator('button.step').count()).toBe(7)
    }
  })
})

describe('limits of a report', () => {
  it('keep no more characters of a call than they say, and count what is cut', async () => {
    const report = new Report({
      files: [],
      version: 'test',
      scoring: { fixedBufferMs: undefined, networkDelayMs: 25 },
      thresholds: { good: 4, fair: 3.6 },
      shown: PLAIN_TEXT,
    })
    const call = new CallEntry('flood')
    const [invite] = MESSAGES
    for (let n = 0; n < LIMITS.messages + 10; n++) {
      const message = Object.create(invite.message, {
        raw: { value: 'x'.repeat(LIMITS.messageCharacters + 5) },
      })
      report.collector.onSipMessage(call, { ...invite, message }, 'new')
    }
    report.collector.onCallClosed(call)
    report.addCall(EXAMPLE_CALL)
    expect(report.collector.cuts.messagesLeftOut).toBe(10)
    const path = join(folder, 'flood.html')
    await report.write(path, EXAMPLE_SUMMARY, readAssets())
    expect(readReport(path).details.match(/x{5,}/g)?.join('')).toHaveLength(LIMITS.callCharacters)
  })
})
