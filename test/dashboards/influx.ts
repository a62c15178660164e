/** One row set as InfluxDB 1.x answers it. */
export interface Series {
  name?: string
  tags?: Record<string, string>
  columns: string[]
  values: (string | number | boolean | null)[][]
}

interface Statement {
  series?: Series[]
  error?: string
}

/** Asks as Grafana does. */
export class Influx {
  constructor(
    readonly url: string,
    readonly database: string,
  ) {}

  /** The series of one statement, times in ms; an error of the database is thrown with the statement. */
  async query(statement: string): Promise<Series[]> {
    const body = new URLSearchParams({ q: statement, db: this.database, epoch: 'ms' })
    const answer = await fetch(`${this.url}/query`, { method: 'POST', body })
    const parsed: unknown = await answer.json()
    const problem = errorOf(parsed)
    if (problem !== undefined) throw new Error(`${problem}\nin: ${statement}`)
    return statementsOf(parsed).flatMap(({ series }) => series ?? [])
  }
}

function statementsOf(answer: unknown): Statement[] {
  if (answer === null || typeof answer !== 'object' || !('results' in answer)) return []
  return Array.isArray(answer.results) ? answer.results : []
}

function errorOf(answer: unknown): string | undefined {
  if (answer !== null && typeof answer === 'object' && 'error' in answer) return String(answer.error)
  return statementsOf(answer).find(({ error }) => error !== undefined)?.error
}
