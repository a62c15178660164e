// Puts the compiled modules (.build, by `tsc -p tsconfig.build.json`) together in dist, which is what is shipped.
//   npm run build
import { join } from 'node:path'
import { bundle, THREADS } from './lib/bundle.mjs'
import { ROOT } from './lib/run.mjs'

const modules = join(ROOT, '.build')
const entries = ['cli/main', ...THREADS].map((name) => [name, join(modules, `${name}.js`)])
// The page of the report is compiled by itself, into one file.
await bundle(modules, Object.fromEntries(entries), join(ROOT, 'dist'), ['report/page.js'])
