import { mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import ts from 'typescript'
import { ROOT } from './programs.js'

const IMPORT = /(?:from\s+|import\s*\(\s*|import\s+)['"](\.{1,2}\/[^'"]+)\.js['"]/g

/**
 * Makes sources runnable by a child process as they are now, without touching dist: every file that the entries import,
 * without its types, in a folder laid out as the project.
 * @param entries paths from the project's root, such as `src/cli/main.ts`
 * @returns the folder; an entry is at the same path with `.js`. The caller removes it
 */
export function transpile(entries: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'callprobe-transpiled-'))
  for (const name of ['node_modules', 'schemas', 'package.json'])
    symlinkSync(join(ROOT, name), join(folder, name))
  const todo = entries.map((entry) => resolve(ROOT, entry))
  const done = new Set<string>()
  for (let path = todo.pop(); path !== undefined; path = todo.pop()) {
    if (done.has(path)) continue
    done.add(path)
    const source = readFileSync(path, 'utf8')
    const { outputText } = ts.transpileModule(source, {
      compilerOptions: {
        target: ts.ScriptTarget.ES2023,
        module: ts.ModuleKind.ESNext,
        verbatimModuleSyntax: true,
      },
    })
    const out = join(folder, relative(ROOT, path).replace(/\.ts$/, '.js'))
    mkdirSync(dirname(out), { recursive: true })
    writeFileSync(out, outputText)
    for (const [, specifier] of outputText.matchAll(IMPORT))
      todo.push(resolve(dirname(path), `${specifier}.ts`))
  }
  return folder
}
