import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard'
import { call } from './call.js'
import { finder } from './finder.js'
import { overview } from './overview.js'
import { buildPage, type Page } from './page.js'
import { probes } from './probes.js'
import { signalling } from './signalling.js'
import { sites } from './sites.js'
import { trunks } from './trunks.js'

export const PAGES: readonly Page[] = [overview, sites, trunks, finder, call, signalling, probes]

/** Every dashboard by the name of its file. */
export function buildAll(): Map<string, Dashboard> {
  return new Map(PAGES.map((page) => [`${page.name}.json`, buildPage(page)]))
}
