import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { bundle, THREADS } from '../scripts/lib/bundle.mjs'
import { ROOT } from './helpers/programs.js'

const scratch = mkdtempSync(join(tmpdir(), 'callprobe-bundle-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const PROGRAM = {
  'places.js': 'export const HERE = import.meta.url\n',
  'slots.js': 'export const SLOT = 40 + 2\nexport const WIDTH = 16\n',
  'main.js': `import { HERE } from './places.js'
    import { SLOT, WIDTH } from './slots.js'
    import { stringify } from 'yaml'
    export const place = HERE
    export function read(row) { return row[SLOT * WIDTH] + stringify(row) }
    export const later = async () => (await import('./seldom.js')).seldom()\n`,
  'seldom.js': `import { HERE } from './places.js'
    export function seldom() { return HERE }\n`,
}

/** Bundles modules, by name, and gives back the folder. */
async function bundled(name: string, modules: Record<string, string>, foreign?: string[]): Promise<string> {
  const from = join(scratch, name, 'modules')
  mkdirSync(from, { recursive: true })
  for (const [file, text] of Object.entries(modules)) writeFileSync(join(from, file), text)
  const folder = join(scratch, name, 'out')
  mkdirSync(folder, { recursive: true })
  await bundle(from, { 'cli/main': join(from, 'main.js') }, folder, foreign)
  return folder
}

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()
}

describe('the bundle', () => {
  it('has constants of other modules as literals, and names as they were', async () => {
    const folder = await bundled('literals', PROGRAM)
    const main = readFileSync(join(folder, 'cli/main.js'), 'utf8')
    expect(main).toMatch(/function read\(row\)/)
    expect(main).not.toMatch(/SLOT|WIDTH/)
    expect(main).toMatch(/row\[(672|42 \* 16)\]/)
  })

  it('leaves packages outside, and what is imported late in a file of its own', async () => {
    const folder = await bundled('lazy', PROGRAM)
    const main = readFileSync(join(folder, 'cli/main.js'), 'utf8')
    expect(main).toMatch(/from "yaml"/)
    expect(main).not.toMatch(/function seldom/)
    expect(filesOf(folder).filter((name) => /^chunks.seldom-.*\.js$/.test(name))).toHaveLength(1)
  })

  it('knows its place in a file that lies at its root, whoever asks', async () => {
    const folder = await bundled('places', PROGRAM)
    const main: { place: string; later: () => Promise<string> } = await import(join(folder, 'cli/main.js'))
    expect(main.place).toMatch(/\/out\/places\.js$/)
    expect(await main.later()).toBe(main.place)
  })

  it('is refused when another module asks for its own place, which would be that of a chunk', async () => {
    const modules = { ...PROGRAM, 'seldom.js': `export const seldom = () => new URL('x', import.meta.url)\n` }
    await expect(bundled('astray', modules)).rejects.toThrow(/chunks\/seldom-.*import\.meta/)
  })

  it('leaves nothing of a former one, touches no file that is the same, and spares what others put there', async () => {
    const folder = await bundled('again', PROGRAM, ['report/page.js'])
    const [seldom] = filesOf(folder).filter((name) => name.includes('seldom-'))
    const places = join(folder, 'places.js')
    utimesSync(places, 1000, 1000)
    for (const name of ['report/page.js', 'report/old.js', 'calls/old.js']) {
      mkdirSync(join(folder, dirname(name)), { recursive: true })
      writeFileSync(join(folder, name), '')
    }
    const changed = { ...PROGRAM, 'seldom.js': PROGRAM['seldom.js'].replace('return', 'return "at " +') }
    await bundled('again', changed, ['report/page.js'])
    const files = filesOf(folder)
    expect(files).toContain('report/page.js')
    expect(files.filter((name) => /old|calls/.test(name))).toEqual([])
    expect(files.filter((name) => name.includes('seldom-'))).not.toContain(seldom)
    expect(statSync(places).mtimeMs).toBe(1_000_000)
  })

  it('has a file for every thread that the sources start', () => {
    const started = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .flatMap((name) => [...readFileSync(join(ROOT, 'src', name), 'utf8').matchAll(/new Worker\(([^,]*)/g)])
      .map(([, module]) => module)
    expect(started.sort()).toEqual([...THREADS].map((name) => `threadModule('${name}')`).sort())
  })
})
