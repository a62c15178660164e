import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  committedDashboards,
  dataPanels,
  fillIn,
  panelFrames,
  type Choices,
  type Dashboard,
  type Range,
} from '../../test/dashboards/grafana.js'
import { Influx } from '../../test/dashboards/influx.js'
import { liveProbe } from './live-probe.js'
import { htmlPage, type Shown } from './page.js'
import { COMPLAINT, config, HOUR_MS, scenario, START_MS } from './traffic.js'

/** `main traffic FOLDER`: scenario and configuration. `main pages FOLDER URL DATABASE`: the dashboards as HTML. */
const [task, folder, url, database] = process.argv.slice(2)

const NOTE =
  'Drawn by callprobe’s own script from the dashboard’s panels and queries, on generated traffic. Not a Grafana screenshot.'

async function draw(influx: Influx, dashboard: Dashboard, range: Range, choices: Choices): Promise<string> {
  const shown: Shown[] = []
  for (const panel of dataPanels(dashboard)) {
    // A panel with a range of its own shows the latest: here, of the time shown.
    const own = panel.timeFrom === undefined ? range : { fromMs: range.toMs - 120_000, toMs: range.toMs }
    shown.push({ panel, frames: await panelFrames(influx, dashboard, panel, own, choices) })
  }
  const marks: number[] = []
  for (const { query } of dashboard.annotations.list ?? [])
    for (const series of await influx.query(fillIn(query ?? '', dashboard, range, choices)))
      marks.push(...series.values.map(([timeMs]) => Number(timeMs)))
  return htmlPage(dashboard, shown, NOTE, { ...range, marks })
}

/** The range that a list's link to the call carries. */
async function rangeOfCall(influx: Influx, finder: Dashboard, range: Range): Promise<Range> {
  const list = dataPanels(finder).find(({ title }) => title === 'Latest calls')
  if (list === undefined) throw new Error('no list of calls')
  const [frame] = await panelFrames(influx, finder, list, range, { search: COMPLAINT })
  const row = Object.fromEntries(frame.columns.map((name, i) => [name, frame.rows[0][i]]))
  return { fromMs: Number(row.from_ms), toMs: Number(row.to_ms) }
}

if (task === 'traffic') {
  writeFileSync(join(folder, 'scenario.yaml'), JSON.stringify(scenario()))
  writeFileSync(join(folder, 'config.yaml'), JSON.stringify(config(join(folder, 'spool'))))
} else {
  await fetch(`${url}/write?db=${database}`, { method: 'POST', body: liveProbe() })
  const influx = new Influx(url, database)
  const pages = committedDashboards()
  const hour: Range = { fromMs: START_MS, toMs: START_MS + HOUR_MS }
  for (const [file, dashboard] of pages) {
    const finder = pages.get('finder.json')
    const isCall = file === 'call.json' && finder !== undefined
    const range = isCall ? await rangeOfCall(influx, finder, hour) : hour
    const html = await draw(influx, dashboard, range, { call_id: COMPLAINT })
    writeFileSync(join(folder, file.replace('.json', '.html')), html)
  }
}
