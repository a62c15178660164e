import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core'
import { expect } from 'vitest'
import { findProgram } from './programs.js'

/** Debian's Chromium. Callers check `requirePrograms('chromium')` first. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: findProgram('chromium'), args: ['--no-sandbox'] })
}

/** A page, and everything that it must not do: complain, or ask for anything from outside its file. */
export interface WatchedPage {
  page: Page
  /** Console messages of level warning and up, uncaught errors, requests. */
  complaints: string[]
}

/** Opens a report and waits until it is drawn. */
export async function openReport(
  browser: Browser,
  path: string,
  hash = '',
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, ...options })
  const complaints: string[] = []
  const url = pathToFileURL(path).href
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('request', (request) => {
    if (request.url().split('#')[0] !== url && !request.url().startsWith('data:'))
      complaints.push(request.url())
  })
  await page.goto(url + hash)
  await page.waitForSelector('html[data-ready]')
  return { page, complaints }
}

/** Goes to a call's page by its place in the file. */
export async function goToCall(page: Page, index: number): Promise<void> {
  await page.evaluate(`location.hash = '#/call/${index}'`)
  await page.waitForSelector(`html[data-ready="call-${index}"]`)
}

interface AxeViolation {
  id: string
  impact: string | null
  nodes: { html: string; target: string[] }[]
}

/** Serious and critical problems that axe-core finds, as lines. */
export async function accessibilityProblems(page: Page): Promise<string[]> {
  const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
  // Evaluated by the debugger, to which the page's policy does not apply.
  await page.evaluate(source)
  const { checked, violations }: { checked: number; violations: AxeViolation[] } = await page.evaluate(
    `axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'] }).then((result) => ({
      checked: result.passes.length,
      violations: result.violations.map(({ id, impact, nodes }) => ({
        id, impact, nodes: nodes.map(({ html, target }) => ({ html, target })),
      })),
    }))`,
  )
  expect(checked).toBeGreaterThan(20)
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(
      ({ id, impact, nodes }) =>
        `${impact} ${id}: ${nodes[0].target.join(' ')} ${nodes[0].html.slice(0, 160)}`,
    )
}

/** The page asked for nothing and complained about nothing. */
export function expectQuiet({ complaints }: WatchedPage): void {
  expect(complaints).toEqual([])
}
