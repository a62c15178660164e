// Coverage without a tool: a copy of the compiled program in which every block counts how often it ran.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import ts from 'typescript'
import { ROOT } from '../lib/run.mjs'

/** Below node_modules: packages resolve from there, and no tool looks into it. */
const CACHE = join(ROOT, 'node_modules/.cache')
const PREFIX = 'callprobe-fuzz-'
const FOLDER = join(CACHE, `${PREFIX}${process.pid}`)
/** Rooms that no target runs. */
const LEFT_OUT = ['generate', 'cli', 'report', 'verify', 'sinks']

/**
 * Writes the instrumented copy of `.build`. Its modules count in `globalThis.__callprobeBlocks`, a Uint8Array with one
 * counter per block.
 * @returns {{ folder: string, files: { name: string, first: number, end: number }[], blocks: number }}
 *   the copy's modules, and each file's range of counters
 */
export function instrumentModules() {
  removeLeftovers()
  mkdirSync(FOLDER, { recursive: true })
  writeFileSync(join(FOLDER, 'package.json'), '{ "type": "module" }\n')
  cpSync(join(ROOT, 'schemas'), join(FOLDER, 'schemas'), { recursive: true })
  const files = []
  let blocks = 0
  for (const name of filesBelow(join(ROOT, '.build'))) {
    const source = readFileSync(join(ROOT, '.build', name), 'utf8')
    const to = join(FOLDER, 'modules', name)
    mkdirSync(dirname(to), { recursive: true })
    if (!name.endsWith('.js') || LEFT_OUT.includes(name.split(/[/\\]/)[0]) || /fuzz/.test(name)) {
      writeFileSync(to, source)
      continue
    }
    const done = instrument(source, name, blocks)
    writeFileSync(to, done.text)
    files.push({ name, first: blocks, end: done.next })
    blocks = done.next
  }
  return { folder: join(FOLDER, 'modules'), files, blocks }
}

/** Copies whose process was killed. */
function removeLeftovers() {
  if (!existsSync(CACHE)) return
  for (const name of readdirSync(CACHE).filter((entry) => entry.startsWith(PREFIX))) {
    try {
      process.kill(Number(name.slice(PREFIX.length)), 0)
    } catch {
      rmSync(join(CACHE, name), { recursive: true, force: true })
    }
  }
}

function filesBelow(folder, prefix = '') {
  return readdirSync(join(folder, prefix), { withFileTypes: true }).flatMap((entry) => {
    const name = join(prefix, entry.name)
    return entry.isDirectory() ? filesBelow(folder, name) : [name]
  })
}

/**
 * Adds counters to one module: at the start of every function, in every branch (also those that the source leaves
 * out), loop body, case and right side of `&&`, `||`, `??`. Lines keep their numbers.
 * @param {string} source JavaScript
 * @param {string} name of the file
 * @param {number} first number of the first counter
 * @returns {{ text: string, next: number }} `next`: the number after the last counter
 */
export function instrument(source, name, first) {
  const file = ts.createSourceFile(name, source, ts.ScriptTarget.ES2023, true, ts.ScriptKind.JS)
  /** @type {Map<ts.Node, [string, string]>} */
  const wraps = new Map()
  let next = first + 1
  const count = () => `__blocks[${next++}]++`
  const statement = (node) => wraps.set(node, [`{${count()};`, '}'])
  const expression = (node) => wraps.set(node, [`(${count()},`, ')'])
  const plan = (node) => {
    if (ts.isFunctionLike(node) && node.body) {
      if (ts.isBlock(node.body)) functionBody(node.body)
      else expression(node.body)
    } else if (ts.isIfStatement(node)) {
      statement(node.thenStatement)
      if (node.elseStatement) statement(node.elseStatement)
      else appendElse(node.thenStatement)
    } else if (ts.isIterationStatement(node, false)) {
      statement(node.statement)
    } else if (ts.isCaseOrDefaultClause(node) && node.statements.length > 0) {
      const begin = node.statements[0]
      const [before, after] = wraps.get(begin) ?? ['', '']
      wraps.set(begin, [`${count()};${before}`, after])
    } else if (ts.isCatchClause(node)) {
      functionBody(node.block)
    } else if (ts.isConditionalExpression(node)) {
      expression(node.whenTrue)
      expression(node.whenFalse)
    } else if (ts.isBinaryExpression(node) && isShortCircuit(node.operatorToken.kind)) {
      expression(node.right)
    }
    ts.forEachChild(node, plan)
  }
  /** The counter goes inside the braces: a body is no statement of its own. */
  const functionBody = (block) => wraps.set(block, [null, `${count()};`])
  const appendElse = (node) => {
    const [before, after] = wraps.get(node)
    wraps.set(node, [before, `${after}else{${count()};}`])
  }
  plan(file)
  const render = (node) => {
    let text = ''
    let at = node.getStart(file)
    const wrap = wraps.get(node)
    if (wrap?.[0] === null) {
      text += `{${wrap[1]}`
      at += 1
    }
    ts.forEachChild(node, (child) => {
      const begin = child.getStart(file)
      if (begin < at) return
      text += source.slice(at, begin) + render(child)
      at = child.end
    })
    text += source.slice(at, node.end)
    return wrap && wrap[0] !== null ? wrap[0] + text + wrap[1] : text
  }
  const head = `const __blocks=globalThis.__callprobeBlocks;__blocks[${first}]++;`
  return { text: head + source.slice(0, file.getStart(file)) + render(file) + source.slice(file.end), next }
}

function isShortCircuit(kind) {
  return (
    kind === ts.SyntaxKind.AmpersandAmpersandToken ||
    kind === ts.SyntaxKind.BarBarToken ||
    kind === ts.SyntaxKind.QuestionQuestionToken
  )
}
