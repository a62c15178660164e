import { readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Document, LineCounter, Node } from 'yaml'
import { CallprobeError, errorText, systemErrorCode } from '../errors.js'
import { DEFAULT_CONFIG, type Config, type ConfigFile } from './config.js'
import { parseJitterBufferSpec } from './jitter-buffer.js'
import { checkConfig, type ConfigProblem } from './validate.js'

const require = createRequire(import.meta.url)

/** Loaded at the first use: a run without a configuration file has none to parse. */
function yaml(): typeof import('yaml') {
  return require('yaml')
}

/** Largest configuration file that is read. */
const MOST_BYTES = 4 * 1024 * 1024
/** Problems listed in one message. */
const MOST_PROBLEMS = 20

/**
 * Reads a configuration file (YAML 1.2; JSON is a part of it) over the defaults; without a path, the defaults.
 * @throws CallprobeError CONFIG_NOT_READABLE, or CONFIG_INVALID with file, line and column of every problem
 */
export function loadConfig(path?: string): Config {
  return path === undefined ? withDefaults({}) : parseConfig(readConfigFile(path), path)
}

/**
 * Parses the text of a configuration file; `name` is how messages call it.
 * @throws CallprobeError CONFIG_INVALID
 */
export function parseConfig(text: string, name: string): Config {
  const { LineCounter: Lines, parseDocument } = yaml()
  const lines = new Lines()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  if (document.errors.length > 0)
    throw invalid(
      name,
      document.errors.map((error) => ({ at: lines.linePos(error.pos[0]), message: error.message })),
    )
  const checked = checkConfig(valueOf(document, name))
  if ('file' in checked) return withDefaults(checked.file)
  throw invalid(
    name,
    checked.problems.map((problem) => ({
      at: positionOf(document, lines, problem),
      message: problem.message,
    })),
  )
}

function readConfigFile(path: string): string {
  try {
    const size = statSync(path).size
    if (size > MOST_BYTES)
      throw new CallprobeError(
        'CONFIG_NOT_READABLE',
        `${path} is ${size} bytes: too long for a configuration`,
        {
          hint: 'is it the right file? A configuration is a YAML file of a few kilobytes',
        },
      )
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof CallprobeError) throw error
    throw new CallprobeError(
      'CONFIG_NOT_READABLE',
      `cannot read the configuration ${path}: ${reasonOf(error)}`,
      {
        hint: 'check the path after --config; `callprobe config schema` shows what the file may hold',
        cause: error,
      },
    )
  }
}

function reasonOf(error: unknown): string {
  switch (systemErrorCode(error)) {
    case 'ENOENT':
      return 'there is no such file'
    case 'EACCES':
      return 'permission denied'
    case 'EISDIR':
      return 'it is a directory'
    default:
      return errorText(error)
  }
}

/** The document as plain values; an empty one is an empty configuration. */
function valueOf(document: Document, name: string): unknown {
  try {
    const value: unknown = document.toJS()
    return value ?? {}
  } catch (error) {
    // An alias that has no anchor, or so many aliases that the document would explode.
    throw new CallprobeError('CONFIG_INVALID', `${name}: ${errorText(error)}`, { cause: error })
  }
}

interface Position {
  line: number
  col: number
}

function positionOf(document: Document, lines: LineCounter, problem: ConfigProblem): Position | undefined {
  const path = [...problem.path]
  if (problem.atKey) {
    const key = path.pop()
    const parent: unknown = path.length === 0 ? document.contents : document.getIn(path, true)
    const node = keyNode(parent, key)
    if (node !== undefined) return startOf(node, lines)
  }
  // A value that a required key lacks has no node of its own: point at what holds it.
  for (;;) {
    const node: unknown = path.length === 0 ? document.contents : document.getIn(path, true)
    if (yaml().isNode(node)) return startOf(node, lines)
    if (path.pop() === undefined) return undefined
  }
}

function keyNode(parent: unknown, key: unknown): Node | undefined {
  const { isNode } = yaml()
  if (!isNode(parent) || !('items' in parent) || !Array.isArray(parent.items)) return undefined
  for (const pair of parent.items as unknown[]) {
    if (typeof pair !== 'object' || pair === null || !('key' in pair)) continue
    if (isNode(pair.key) && 'value' in pair.key && String(pair.key.value) === String(key)) return pair.key
  }
  return undefined
}

function startOf(node: Node, lines: LineCounter): Position | undefined {
  const start = node.range?.[0]
  return start === undefined ? undefined : lines.linePos(start)
}

function invalid(name: string, problems: readonly { at?: Position; message: string }[]): CallprobeError {
  const shown = problems.slice(0, MOST_PROBLEMS).map(({ at, message }) => {
    const place = at === undefined || at.line === 0 ? name : `${name}:${at.line}:${at.col}`
    return `${place}: ${message}`
  })
  const rest = problems.length - shown.length
  if (rest > 0) shown.push(`... and ${rest} more`)
  return new CallprobeError('CONFIG_INVALID', shown.join('\n'), {
    hint: '`callprobe config schema` prints every key with its meaning',
  })
}

function withDefaults(file: ConfigFile): Config {
  return {
    ...DEFAULT_CONFIG,
    ...file,
    jitter_buffer:
      file.jitter_buffer === undefined
        ? DEFAULT_CONFIG.jitter_buffer
        : parseJitterBufferSpec(file.jitter_buffer),
    quality: { ...DEFAULT_CONFIG.quality, ...file.quality },
    burst_second: { ...DEFAULT_CONFIG.burst_second, ...file.burst_second },
    findings: { ...DEFAULT_CONFIG.findings, ...file.findings },
    limits: { ...DEFAULT_CONFIG.limits, ...file.limits },
    timeouts: { ...DEFAULT_CONFIG.timeouts, ...file.timeouts },
    sip_ports: [...(file.sip_ports ?? DEFAULT_CONFIG.sip_ports)],
    sites: [...(file.sites ?? DEFAULT_CONFIG.sites)],
    trunks: [...(file.trunks ?? DEFAULT_CONFIG.trunks)],
    emergency_numbers: [...(file.emergency_numbers ?? DEFAULT_CONFIG.emergency_numbers)],
    aggregates: { ...DEFAULT_CONFIG.aggregates, ...file.aggregates },
    influx: { ...DEFAULT_CONFIG.influx, ...file.influx },
    spool: { ...DEFAULT_CONFIG.spool, ...file.spool },
    alerts: { ...DEFAULT_CONFIG.alerts, ...file.alerts },
  }
}
