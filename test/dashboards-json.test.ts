import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { generatedFiles } from '../dashboards/code/files.js'
import { RULES } from '../dashboards/code/alerting.js'
import { MEASUREMENTS } from '../src/aggregates/fields.js'
import {
  committedDashboards,
  dataPanels,
  victoriaDashboard,
  type Dashboard,
  type Panel,
} from './dashboards/grafana.js'
import { schemaProblems } from './dashboards/grafana-types.js'
import { ROOT } from './helpers/programs.js'

const DASHBOARDS = new Map([...committedDashboards(), ['victoriametrics', victoriaDashboard()]])
const BY_UID = new Map([...DASHBOARDS.values()].map((dashboard) => [dashboard.uid, dashboard]))

function eachPanel(files = [...DASHBOARDS.keys()]): [name: string, panel: Panel, dashboard: Dashboard][] {
  return files.flatMap((file) => {
    const dashboard = DASHBOARDS.get(file)
    if (dashboard === undefined) throw new Error(file)
    return dataPanels(dashboard).map((panel): [string, Panel, Dashboard] => [
      `${file}: ${panel.title}`,
      panel,
      dashboard,
    ])
  })
}

/** Those that ask InfluxDB. */
function influxPanels() {
  return eachPanel([...committedDashboards().keys()])
}

/** Every address in a panel, from wherever it is kept. */
function panelLinks(panel: Panel): string[] {
  const found: string[] = []
  JSON.stringify(panel.fieldConfig, (key, value) => {
    if (key === 'url' && typeof value === 'string') found.push(value)
    return value
  })
  return found
}

const IMPORT = "import type { Dashboard, AnnotationQuery } from './dashboard'"

/** Queries are each data source's own; Grafana's schema says nothing of their inside. */
function dashboardSource(dashboard: Dashboard): string {
  const json = JSON.stringify(
    dashboard,
    (key, value) => (key === 'targets' ? [] : key === 'target' ? undefined : value),
    1,
  )
  return `${IMPORT}
type Own = { query?: string; textColumn?: string; tagsColumn?: string }
type Page = Omit<Dashboard, 'annotations'> & { annotations: { list?: (AnnotationQuery & Own)[] } }
export const page: Page = ${json}`
}

function panelSource(panel: Panel): string {
  const { options, fieldConfig } = Object(panel)
  const own = ['table', 'timeseries'].includes(panel.type)
  return `import type { Options${own ? ', FieldConfig' : ''} } from './${panel.type}'
export const options: Options = ${JSON.stringify(options)}
${own ? `export const custom: FieldConfig = ${JSON.stringify(fieldConfig.defaults.custom)}` : ''}`
}

describe('the committed files', () => {
  it('are what `npm run dashboards` writes', () => {
    for (const [path, text] of generatedFiles())
      expect(readFileSync(join(ROOT, 'dashboards', path), 'utf8'), `${path}: run npm run dashboards`).toBe(
        text,
      )
    expect([...generatedFiles().keys()].filter((path) => path.endsWith('.json'))).toHaveLength(
      DASHBOARDS.size,
    )
  })

  describe('against the schema that Grafana publishes', () => {
    const BAD: [json: string, says: string][] = [
      ['{ "schemaVersion": 39, "refersh": "10s", "templating": {}, "annotations": {} }', 'refersh'],
      ['{ "schemaVersion": 39, "annotations": {} }', 'templating'],
      ['{ "schemaVersion": 39, "graphTooltip": 3, "templating": {}, "annotations": {} }', "Type '3'"],
    ]
    let problems: string[] = []
    beforeAll(() => {
      const sources = new Map<string, string>()
      for (const [file, dashboard] of DASHBOARDS) sources.set(`page-${file}`, dashboardSource(dashboard))
      for (const [name, panel] of eachPanel()) sources.set(`panel-${name}`, panelSource(panel))
      for (const [i, [json]] of BAD.entries())
        sources.set(`bad-${i}`, `${IMPORT}\nexport const bad: Dashboard = ${json}`)
      problems = schemaProblems(sources)
    }, 120_000)

    it('dashboards hold, and so do the options of every panel', () => {
      expect(problems.filter((problem) => !problem.startsWith('check-bad'))).toEqual([])
    })

    it('a field misspelt, one missing and one of another type would not', () => {
      for (const [i, [, says]] of BAD.entries()) {
        const found = problems.filter((problem) => problem.startsWith(`check-bad-${i}`))
        expect(found).toHaveLength(1)
        expect(found[0]).toContain(says)
      }
    })
  })

  it('are of the format of Grafana 11, which later versions read', () => {
    for (const dashboard of DASHBOARDS.values()) expect(dashboard.schemaVersion).toBe(39)
  })
})

describe('every panel', () => {
  it('has a unit, and a description that says what the number means', () => {
    for (const [name, panel] of eachPanel()) {
      expect(panel.fieldConfig?.defaults.unit, name).toMatch(/\w/)
      expect(panel.description?.length, name).toBeGreaterThan(60)
    }
  })

  it('has a unit for each column of a table', () => {
    for (const [name, panel] of eachPanel())
      for (const { matcher, properties } of panel.type === 'table'
        ? (panel.fieldConfig?.overrides ?? [])
        : [])
        expect(
          properties.some(({ id, value }) => id === 'unit' && value !== ''),
          `${name}: ${matcher.options}`,
        ).toBe(true)
  })

  it('has an id of its own, a title of its own and a place that no other has', () => {
    for (const [file, dashboard] of DASHBOARDS) {
      const { panels } = dashboard
      expect(new Set(panels.map(({ id }) => id)).size, file).toBe(panels.length)
      const titles = dataPanels(dashboard).map(({ title }) => title)
      expect(new Set(titles).size, file).toBe(titles.length)
      const taken = new Set<string>()
      for (const { gridPos, title } of panels) {
        expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24)
        for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
          for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
            expect(taken.has(`${x} ${y}`), `${file}: ${title}`).toBe(false)
            taken.add(`${x} ${y}`)
          }
      }
    }
  })

  it('asks for fields that the probe writes', () => {
    for (const [name, panel] of influxPanels())
      for (const { query } of panel.targets ?? []) {
        const measurement = /FROM (?:"(voip_\w+?)"|\/\^(voip_\w+?)_1\[)/.exec(query)
        const table = MEASUREMENTS[measurement?.[1] ?? measurement?.[2] ?? '']
        if (table === undefined) continue
        const names = [...query.matchAll(/(?:sum|max|min|mean|last|count)\("(\w+)"\)/g)].map(
          ([, field]) => field,
        )
        const own = new Set([...query.matchAll(/AS "([^"]+)"/g)].map(([, alias]) => alias))
        for (const field of names)
          if (!own.has(field) || table.fields[field])
            expect(table.fields, `${name}: ${field}`).toHaveProperty(field)
        for (const [, tags] of query.matchAll(/GROUP BY ((?:"\w+"(?:, )?)+)/g))
          for (const [, tag] of tags.matchAll(/"(\w+)"/g))
            expect(table.tags, `${name}: ${tag}`).toContain(tag)
      }
  })
})

describe('queries', () => {
  it('use only the InfluxQL that InfluxDB 3 has as well', () => {
    // https://docs.influxdata.com/influxdb3/core/reference/influxql/feature-support/
    const missing = /\b(SLIMIT|SOFFSET|SHOW SERIES|INTO|integral\(|sample\(|holt_winters)/i
    for (const [name, panel] of influxPanels())
      for (const { query } of panel.targets ?? []) expect(query, name).not.toMatch(missing)
  })

  it('are bound to the time shown, everywhere', () => {
    for (const [name, panel] of influxPanels())
      for (const { query } of panel.targets ?? []) expect(query, name).toContain('$timeFilter')
    for (const { annotations } of DASHBOARDS.values())
      for (const { query } of annotations.list ?? []) expect(query).toContain('$timeFilter')
  })

  it('of traffic and signalling read a roll-up, so that 30 days are quick', () => {
    const raw = influxPanels().filter(([, { targets }]) =>
      targets?.some(({ query }) => /"voip_(traffic|signalling|interval)"/.test(query)),
    )
    const allowed = raw.map(([name]) => name).filter((name) => !name.startsWith('call.json'))
    // The latest point of each series: the database reads one block of each.
    expect(allowed).toEqual(['overview.json: Calls now'])
  })

  it('escape what a user types or chooses before it becomes part of a query', () => {
    for (const [name, panel] of influxPanels())
      for (const { query } of panel.targets ?? [])
        for (const [reference, variable] of query.matchAll(/\$\{?(\w+)[^}\s)/]*\}?/g))
          if (!['timeFilter', 'step', '__interval'].includes(variable))
            expect(reference, name).toBe(`\${${variable}:regex}`)
  })
})

describe('links', () => {
  const variablesOf = (dashboard: Dashboard) => dashboard.templating.list.map(({ name }) => name)

  it('lead to dashboards that exist, with variables that these have', () => {
    for (const [name, panel, dashboard] of eachPanel())
      for (const url of panelLinks(panel)) {
        const target = BY_UID.get(/^\/d\/([\w-]+)/.exec(url)?.[1] ?? '')
        expect(target, `${name}: ${url}`).toBeDefined()
        if (target === undefined) continue
        for (const [, variable] of url.matchAll(/var-(\w+)=/g))
          expect(variablesOf(target), `${name}: ${url}`).toContain(variable)
        for (const [, variable] of url.matchAll(/\$\{(\w+):queryparam\}/g))
          expect(variablesOf(dashboard), `${name}: ${url}`).toContain(variable)
      }
  })

  it('carry a time range: the one shown, or the call’s own', () => {
    for (const [name, panel] of eachPanel())
      for (const url of panelLinks(panel)) expect(url, name).toMatch(/\$\{__url_time_range\}|from=.+&to=/)
  })

  it('to a call carry its Call-ID, start and end, out of columns that the query returns', () => {
    const toCall = eachPanel().filter(([, panel]) =>
      panelLinks(panel).some((url) => url.startsWith('/d/callprobe-call?')),
    )
    expect(toCall.length).toBeGreaterThan(4)
    for (const [name, panel] of toCall) {
      const url = panelLinks(panel).find((link) => link.startsWith('/d/callprobe-call?'))
      expect(url, name).toContain('var-call_id=${__data.fields["call_id"]:percentencode}')
      expect(url, name).toContain('from=${__data.fields["from_ms"].numeric}')
      expect(url, name).toContain('to=${__data.fields["to_ms"].numeric}')
      for (const { query } of panel.targets ?? [])
        expect(query, name).toMatch(
          /"call_id".*"start_ms" - 60000 AS "from_ms", "end_ms" \+ 10000 AS "to_ms"/,
        )
    }
  })

  it('at the top of each dashboard lead to all others but the call, and take time and choices along', () => {
    for (const [file, dashboard] of DASHBOARDS) {
      if (!dashboard.links.length) continue
      const others = [...BY_UID.keys()].filter((uid) => uid !== dashboard.uid && uid !== 'callprobe-call')
      expect(dashboard.links.map(({ url }) => url.slice(3)).sort(), file).toEqual(
        others.filter((uid) => uid !== 'callprobe-victoria').sort(),
      )
      for (const link of dashboard.links) expect(link).toMatchObject({ keepTime: true, includeVars: true })
    }
  })
})

describe('the alert rules', () => {
  it('have queries, conditions and links that exist', () => {
    for (const rule of RULES) {
      const names = rule.data.map(({ refId }) => refId)
      expect(names).toContain(rule.condition)
      expect(new Set(names).size).toBe(names.length)
      for (const { model } of rule.data)
        for (const [, name] of String(model.expression ?? '').matchAll(/\$([A-Z])\b/g))
          expect(names).toContain(name)
      expect(BY_UID.has(rule.annotations.__dashboardUid__)).toBe(true)
      expect(rule.uid.length).toBeLessThanOrEqual(40)
    }
  })
})
