/** Green: fine. Amber: works, with limits that the finding names. Red: what is measured would be wrong, or nothing. */
export type Level = 'green' | 'amber' | 'red'

/** One thing that was looked at. */
export interface Check {
  name: string
  level: Level
  /** What was found. */
  finding: string
  /** What to do about it. */
  advice?: string
}

export function green(name: string, finding: string): Check {
  return { name, level: 'green', finding }
}

export function amber(name: string, finding: string, advice: string): Check {
  return { name, level: 'amber', finding, advice }
}

export function red(name: string, finding: string, advice: string): Check {
  return { name, level: 'red', finding, advice }
}
