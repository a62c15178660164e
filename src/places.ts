import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/**
 * The folder that modules' names are relative to: `src`, or what it is built to. This module keeps its place in a build
 * (an entry of scripts/lib/bundle.mjs), while others end up in files of any folder.
 */
const MODULES = new URL('./', import.meta.url)

/** The package's folder: the nearest above with a package.json. */
const ROOT = ((): URL => {
  let folder = new URL('../', MODULES)
  while (!existsSync(new URL('package.json', folder))) {
    const above = new URL('../', folder)
    if (above.href === folder.href) throw new Error(`no package.json above ${fileURLToPath(MODULES)}`)
    folder = above
  }
  return folder
})()

/** A file or folder of the package: `packageFile('schemas/call.schema.json')`. */
export function packageFile(path: string): URL {
  return new URL(path, ROOT)
}

/** As `packageFile`, as a path of the file system. */
export function packagePath(path: string): string {
  return fileURLToPath(packageFile(path))
}

/** What a thread is started with; `path` is its module's, below `src` and without an ending. */
export function threadModule(path: string): URL {
  return new URL(`${path}.js`, MODULES)
}
