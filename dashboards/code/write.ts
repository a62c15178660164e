import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { generatedFiles } from './files.js'

/** Writes the generated files below the folder that is named, and removes dashboards that are no more. */
const folder = process.argv[2]
if (folder === undefined) throw new Error('usage: write FOLDER')
const files = generatedFiles()
for (const [path, text] of files) {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), text)
}
for (const name of readdirSync(join(folder, 'json')))
  if (!files.has(`json/${name}`)) rmSync(join(folder, 'json', name))
console.log(`${files.size} files written to ${folder}`)
