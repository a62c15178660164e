// Takes the pictures of the report for README and docs, of calls that are all generated: node scripts/report-screenshots.mjs [FOLDER]
// Needs a build and Debian's chromium. FOLDER gets every picture, also the ones for a look at narrow screens and the
// dark theme (default: docs/images, with the pictures of the documentation only).
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { chromium } from 'playwright-core'
import { findProgram } from './lib/programs.mjs'
import { ROOT, run } from './lib/run.mjs'

const folder = process.argv[2]
if (folder === '--help') {
  console.log('node scripts/report-screenshots.mjs [FOLDER]')
  process.exit(0)
}
const target = folder ?? join(ROOT, 'docs/images')

/** name, part of the page, width, theme, only for a look */
const PICTURES = [
  ['report-overview', '#/', 1280, 'light', false],
  ['report-call', '#/call/1', 1280, 'light', false],
  ['report-call-dark', '#/call/1', 1280, 'dark', true],
  ['report-overview-dark', '#/', 1280, 'dark', true],
  ['report-overview-narrow', '#/', 390, 'light', true],
  ['report-call-narrow', '#/call/1', 390, 'light', true],
]

function callprobe(...args) {
  const code = run(process.execPath, [join(ROOT, 'bin/callprobe'), ...args])
  if (code !== 0) throw new Error(`callprobe ${args[0]} ended with ${code}`)
}

async function main() {
  const scratch = mkdtempSync(join(tmpdir(), 'callprobe-pictures-'))
  const examples = join(ROOT, 'docs/examples')
  const capture = join(scratch, 'afternoon.pcap')
  const report = join(scratch, 'report.html')
  try {
    callprobe('generate', join(examples, 'report.yaml'), capture)
    callprobe(
      ...['replay', capture, '--config', join(examples, 'report-config.yaml')],
      ...['--output', join(scratch, 'table.txt'), '--report', report],
    )
    mkdirSync(target, { recursive: true })
    const browser = await chromium.launch({ executablePath: findProgram('chromium'), args: ['--no-sandbox'] })
    try {
      for (const [name, hash, width, colorScheme, onlyToLook] of PICTURES) {
        if (onlyToLook && folder === undefined) continue
        const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme })
        await page.goto(`${pathToFileURL(report)}${hash}`)
        await page.waitForSelector('html[data-ready]')
        await page.waitForTimeout(300)
        // The whole page to look at; for the documentation what fits on two screens.
        const clip = onlyToLook ? {} : { clip: { x: 0, y: 0, width, height: hash === '#/' ? 1500 : 1760 } }
        await page.screenshot({ path: join(target, `${name}.png`), fullPage: true, ...clip })
        await page.close()
      }
    } finally {
      await browser.close()
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

await main()
