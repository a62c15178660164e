import type { SummaryRecord } from '../calls/records.js'

const UNITS: readonly (readonly [string, number])[] = [
  ['d', 86_400],
  ['h', 3600],
  ['min', 60],
  ['s', 1],
]

/** What to say when packet times ran backwards; undefined when they did not. */
export function timeStepWarning(
  summary: Pick<SummaryRecord, 'time_steps_back' | 'time_step_back_max_ms'>,
): string | undefined {
  const { time_steps_back: steps = 0, time_step_back_max_ms: largest = 0 } = summary
  if (steps === 0) return undefined
  const by = durationText(largest / 1000)
  const times = steps === 1 ? `once, by ${by}` : `${steps} times, by up to ${by}`
  return (
    `packet times go back ${times}: were captures joined in the wrong order? ` +
    'What lies around such a step is measured wrongly. Give the captures as separate files: they are read in order of time'
  )
}

/** The two largest units: "1 h 4 s". */
function durationText(seconds: number): string {
  let rest = Math.round(seconds)
  const parts: string[] = []
  for (const [unit, size] of UNITS) {
    const count = Math.floor(rest / size)
    rest -= count * size
    if (count > 0 && parts.length < 2) parts.push(`${count} ${unit}`)
  }
  return parts.join(' ')
}
