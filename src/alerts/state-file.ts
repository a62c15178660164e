import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { CallprobeError, errorText, systemErrorCode } from '../errors.js'
import type { BaselineState } from './baseline.js'
import type { EngineState } from './engine.js'
import { isAlert } from './notifiers/waiting-alerts.js'

/** In `alerts.state_dir`. */
export const STATE_FILE = 'alerts.json'

/**
 * What an earlier process left: open alerts and baselines. undefined when there is nothing; what cannot be read is left
 * out.
 * @throws CallprobeError FILE_NOT_READABLE
 */
export function readState(path: string): EngineState | undefined {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined
    throw new CallprobeError(
      'FILE_NOT_READABLE',
      `cannot read the state of alerts, ${path}: ${errorText(error)}`,
      {
        hint: 'it may be removed: open alerts and baselines begin anew then',
        cause: error,
      },
    )
  }
  return stateOf(parsed(text))
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function stateOf(value: unknown): EngineState | undefined {
  if (!isObject(value) || value.version !== 1) return undefined
  const open = Array.isArray(value.open) ? value.open : []
  const groups =
    isObject(value.baselines) && Array.isArray(value.baselines.groups) ? value.baselines.groups : []
  return {
    version: 1,
    timeMs: typeof value.timeMs === 'number' ? value.timeMs : NaN,
    open: open.flatMap((one: unknown) =>
      isObject(one) && typeof one.group === 'string' && isAlert(one.record)
        ? [{ group: one.group, record: one.record }]
        : [],
    ),
    baselines: { version: 1, groups: groups.flatMap(baselineOf) },
  }
}

function baselineOf(value: unknown): EngineState['baselines']['groups'] {
  if (!isObject(value) || typeof value.rule !== 'string' || typeof value.group !== 'string') return []
  const hours = Array.isArray(value.hours) ? value.hours : []
  return [{ rule: value.rule, group: value.group, hours: hours.filter(isHour) }]
}

function isHour(value: unknown): value is [number, number, number, number] {
  return Array.isArray(value) && value.length === 4 && value.every((part) => Number.isFinite(part))
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

/**
 * What live capture learnt, for a replay: read, never written.
 * @param path the state folder, or the file in it
 * @throws CallprobeError FILE_NOT_READABLE
 */
export function readBaselines(path: string): BaselineState {
  const file =
    statSync(path, { throwIfNoEntry: false })?.isDirectory() === true ? join(path, STATE_FILE) : path
  const state = readState(file)
  if (state) return state.baselines
  throw new CallprobeError('FILE_NOT_READABLE', `${file} has no baselines`, {
    hint: 'give the alerts.state_dir of a capture, or a copy of its alerts.json; one is written within a minute',
  })
}

/** Written aside, flushed and renamed: a crash leaves the old state or the new one. @throws CallprobeError WRITE_FAILED */
export function writeState(path: string, state: EngineState): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    const descriptor = openSync(`${path}.new`, 'w', 0o600)
    try {
      writeSync(descriptor, JSON.stringify(state))
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
    renameSync(`${path}.new`, path)
  } catch (error) {
    throw new CallprobeError(
      'WRITE_FAILED',
      `cannot write the state of alerts, ${path}: ${errorText(error)}`,
      {
        cause: error,
      },
    )
  }
}
