/** A scenario that cannot be generated. The message names the place in the file and what to do. */
export class ScenarioError extends Error {
  readonly code = 'SCENARIO_INVALID'

  constructor(message: string) {
    super(message)
    this.name = 'ScenarioError'
  }
}
