import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { CallprobeError } from '../errors.js'
import { packagePath } from '../places.js'

/** What a report is made of beside its data. */
export interface ReportAssets {
  /** One classic script: the chart library and the page's own modules. */
  script: string
  style: string
}

/** The page's own modules, as `npm run build` leaves them, and its style. */
const BUILT = 'dist/report/page.js'
const STYLE = 'src/report/page/page.css'

/**
 * Modules of the page are compiled into one file of AMD definitions (src/report/page/tsconfig.json); these lines run
 * them. No module is fetched: all are in the file.
 */
const LOADER = `
const modules = new Map()
function define(name, dependencies, factory) { modules.set(name, { dependencies, factory, exports: undefined }) }
function load(name) {
  const module = modules.get(name)
  if (module.exports === undefined) {
    module.exports = {}
    module.factory(...module.dependencies.map((dependency) =>
      dependency === 'require' ? load : dependency === 'exports' ? module.exports : load(dependency)))
  }
  return module.exports
}`

/** Reads script and style from the installed package, or from the build when run from the sources. */
export function readAssets(): ReportAssets {
  const require = createRequire(import.meta.url)
  const uplotScript = readFileSync(require.resolve('uplot/dist/uPlot.iife.min.js'), 'utf8')
  const uplotStyle = readFileSync(require.resolve('uplot/dist/uPlot.min.css'), 'utf8')
  const page = readPart(BUILT)
  return {
    script: `${uplotScript}\n;(() => {'use strict'\n${LOADER}\n${page}\nload('main')\n})()`,
    style: `${uplotStyle}\n${readPart(STYLE)}`,
  }
}

function readPart(place: string): string {
  const path = packagePath(place)
  if (existsSync(path)) return readFileSync(path, 'utf8')
  throw new CallprobeError('WRITE_FAILED', 'the report cannot be made: a part of the program is missing', {
    hint: 'run `npm run build`, or install the package anew',
  })
}
