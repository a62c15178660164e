import type { CaptureLosses } from '../calls/capture-losses.js'
import type { Config } from '../config/config.js'
import { errorText } from '../errors.js'
import type { Log } from '../live/log.js'
import { saveCalls, takeSavedCalls } from '../live/saved-calls.js'
import type { Probe } from '../pipeline/probe.js'
import type { CaptureOptions } from './capture-options.js'

/** Calls that the last run left open go on. */
export function resume(
  probe: Probe,
  losses: CaptureLosses,
  config: Config,
  { state }: CaptureOptions,
  log: Log,
): void {
  if (state === undefined) return
  const nowMs = Date.now()
  const saved = takeSavedCalls(state, nowMs, config.timeouts.call_idle_s * 1000)
  if ('problem' in saved) {
    log.warn(saved.problem, { state })
    return
  }
  for (const { callId, lastMs } of saved) losses.resume(callId, lastMs)
  probe.resume(saved, nowMs)
  if (saved.length > 0)
    log.info(
      `${saved.length} ${saved.length === 1 ? 'call was' : 'calls were'} open when the last run ended`,
      { calls: saved.length },
    )
}

/** Keeps the calls that are open for the next start. False when that failed. */
export function save(state: string, probe: Probe, log: Log): boolean {
  const calls = probe.tracker.openCalls().filter((call) => call.state === 'in_progress')
  try {
    saveCalls(state, calls, Date.now())
    return true
  } catch (error) {
    log.error(`open calls could not be kept in ${state}: ${errorText(error)}`, { state })
    return false
  }
}
