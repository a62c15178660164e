import { createHash } from 'node:crypto'
import type { ReportAssets } from './assets.js'
import type { Overview } from './page/data.js'

const ROWS_AT_ONCE = 1000

/**
 * The report's file, piece by piece. Nothing from the wire is in the markup: data stand in scripts of type
 * application/json, which the browser does not run, and the page writes them as text. The policy allows this one script
 * and this one style by their hashes, and nothing else: no request of any kind, no frame, no form.
 */
export function* pageHtml(
  assets: ReportAssets,
  overview: Omit<Overview, 'rows'>,
  rows: readonly string[],
  blocks: readonly Uint8Array[],
): Generator<string> {
  const style = scriptSafe(assets.style)
  const script = scriptSafe(assets.script)
  const policy = [
    "default-src 'none'",
    `script-src '${hashOf(script)}'`,
    `style-src '${hashOf(style)}'`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
  yield `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta name="generator" content="callprobe">
<link rel="icon" href="data:,">
<title>Call quality report</title>
<!-- Charts: uPlot, https://github.com/leeoniya/uPlot, MIT License, Copyright (c) 2022 Leon Sorokin -->
<style>${style}</style>
</head>
<body>
<noscript><p>This report is drawn by the script inside this file. Allow scripts to see it; it sends nothing anywhere.</p></noscript>
<div id="app"></div>
<script type="application/json" id="overview">`
  yield `${jsonSafe(JSON.stringify(overview)).slice(0, -1)},"rows":[`
  for (let from = 0; from < rows.length; from += ROWS_AT_ONCE)
    yield (from > 0 ? ',' : '') + jsonSafe(rows.slice(from, from + ROWS_AT_ONCE).join())
  yield ']}</script>\n'
  for (const [index, { buffer, byteOffset, byteLength }] of blocks.entries()) {
    const base64 = Buffer.from(buffer, byteOffset, byteLength).toString('base64')
    yield `<script type="application/octet-stream" id="block-${index}">${base64}</script>\n`
  }
  yield `<script>${script}</script>\n</body>\n</html>\n`
}

/** No `<` that could end the script or open a comment, no line separator that older parsers choke on. */
export function jsonSafe(json: string): string {
  return json
    .replaceAll('<', '\\u003c')
    .replaceAll('>', '\\u003e')
    .replaceAll('&', '\\u0026')
    .replaceAll('\u2028', '\\u2028')
    .replaceAll('\u2029', '\\u2029')
}

/** Code of our own: it must not hold the two sequences that HTML reads inside scripts. */
function scriptSafe(code: string): string {
  if (/<\/(?:script|style)|<!--/i.test(code)) throw new Error('the page script holds an HTML end tag')
  return code
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text, 'utf8').digest('base64')}`
}
