// How modules are put together for shipping, the same for the program and for what is measured of it.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, isAbsolute, join, sep } from 'node:path'
import { rolldown } from 'rolldown'
import { ROOT } from './run.mjs'

/** Modules that `new Worker` is given by name (src/places.ts): each is a file of its own, where its name says. */
export const THREADS = [
  'report/packing-thread',
  'pipeline/media/media-thread',
  'pipeline/reader/reader-thread',
]

/** Knows from its own place where the bundle lies, and so has to be a file of its own as well. */
const PLACES = 'places'

/** What begins every run, and what most go on with: its modules are one file, since each file takes its time to load. */
const BEGIN = 'cli/main'
const USUAL = 'cli/replay'

/**
 * Bundles compiled modules. Packages stay outside, dynamic imports stay lazy, names stay readable. Constants that
 * modules import from one another become literals: V8 compiles each to a load and a check otherwise.
 * @param {string} modules folder of the modules, with `places.js`
 * @param {Record<string, string>} entries name of a written file, without its ending -> path of its module
 * @param {string} folder where the bundle goes. Nothing else is left there, but for `foreign`
 * @param {readonly string[]} foreign files that others put into the folder
 */
export async function bundle(modules, entries, folder, foreign = []) {
  const places = join(modules, `${PLACES}.js`)
  const imports = new Map()
  const reachable = (names) =>
    reach(
      names.map((name) => join(modules, `${name}.js`)),
      imports,
    )
  const usualOnly = () => {
    const others = reachable([...THREADS, PLACES, BEGIN])
    return new Set([...reachable([USUAL])].filter((id) => !others.has(id)))
  }
  let usual
  const build = await rolldown({
    input: entries,
    plugins: [{ name: 'imports', moduleParsed: ({ id, importedIds }) => void imports.set(id, importedIds) }],
    cwd: ROOT,
    platform: 'node',
    tsconfig: false,
    preserveEntrySignatures: 'allow-extension',
    external: (id) => !id.startsWith('.') && !isAbsolute(id),
    optimization: { inlineConst: { mode: 'all', pass: 3 } },
    onLog(level, log) {
      throw new Error(`${level}: ${log.message}`)
    },
  })
  const { output } = await build.generate({
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: ({ name }) => (name === PLACES ? '[name].js' : 'chunks/[name]-[hash].js'),
    codeSplitting: {
      includeDependenciesRecursively: false,
      groups: [
        { name: PLACES, test: (id) => id === places },
        { name: 'usual', test: (id) => (usual ??= usualOnly()).has(id) },
      ],
    },
    comments: { legal: true, annotation: false, jsdoc: false },
    keepNames: true,
    minify: false,
  })
  await build.close()
  for (const { fileName, code } of output) {
    // Packages are found from any file below the root; for everything else a chunk is the wrong place to start.
    const others = code.replaceAll('createRequire(import.meta.url)', '')
    if (fileName !== `${PLACES}.js` && others.includes('import.meta'))
      throw new Error(
        `${fileName}: import.meta is for createRequire; places of the package are in src/places.ts`,
      )
  }
  write(folder, output, foreign)
}

/** These modules and all that they import, but for what they load later. */
function reach(ids, imports, reached = new Set()) {
  for (const id of ids) {
    if (reached.has(id) || !imports.has(id)) continue
    reached.add(id)
    reach(imports.get(id), imports, reached)
  }
  return reached
}

/**
 * Writes files whole and only where they differ, what others import first, and then removes those of a former bundle:
 * a program that is started meanwhile finds one or the other. Entries are written in any case, as the time of the build.
 */
function write(folder, output, foreign) {
  const entriesLast = [...output].sort((a, b) => Number(a.isEntry) - Number(b.isEntry))
  for (const { fileName, code, isEntry } of entriesLast) {
    const path = join(folder, fileName)
    if (!isEntry && existsSync(path) && readFileSync(path, 'utf8') === code) continue
    mkdirSync(dirname(path), { recursive: true })
    const fresh = `${path}.${process.pid}`
    writeFileSync(fresh, code)
    renameSync(fresh, path)
  }
  const kept = new Set([...output.map(({ fileName }) => fileName), ...foreign])
  const folders = new Set([...kept].flatMap((name) => foldersOf(name)))
  for (const entry of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const name = entry.split(sep).join('/')
    if (!kept.has(name) && !folders.has(name)) rmSync(join(folder, entry), { recursive: true, force: true })
  }
}

/** `['a', 'a/b']` of `a/b/c.js`. */
function foldersOf(name) {
  const parts = name.split('/')
  return parts.slice(1).map((_, depth) => parts.slice(0, depth + 1).join('/'))
}
