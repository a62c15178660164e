// npm run dashboards: writes dashboards/json and the alert rules from dashboards/code (TypeScript, typed by Grafana's
// Foundation SDK).
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT, run } from './lib/run.mjs'

const folder = join(ROOT, 'dashboards')
const build = join(folder, '.build')

function main() {
  const compiled = run(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', folder])
  if (compiled !== 0) return compiled
  return run(process.execPath, [join(build, 'dashboards/code/write.js'), folder])
}

try {
  process.exitCode = main()
} finally {
  rmSync(build, { recursive: true, force: true })
}
