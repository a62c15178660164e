import { stringify } from 'yaml'
import { ruleFile } from './alerting.js'
import { buildAll } from './all.js'
import { buildPage } from './page.js'
import { victoria } from './victoria.js'

const GENERATED = 'Written by `npm run dashboards` from dashboards/code; change it there.'

/** Every generated file: path below `dashboards/`, and its text. */
export function generatedFiles(): Map<string, string> {
  const files = new Map<string, string>()
  for (const [name, dashboard] of buildAll())
    files.set(`json/${name}`, `${JSON.stringify(dashboard, null, 2)}\n`)
  // Apart from the others: their data source is another one, and few have it.
  files.set('victoriametrics/overview.json', `${JSON.stringify(buildPage(victoria), null, 2)}\n`)
  files.set(
    'provisioning/alerting/callprobe.yaml',
    `# ${GENERATED}\n${stringify(ruleFile(), { lineWidth: 0 })}`,
  )
  return files
}
