import { CallprobeError } from '../errors.js'

/** A scenario that cannot be generated. The message names the place in the file. */
export class ScenarioError extends CallprobeError {
  constructor(message: string, options: { hint?: string; cause?: unknown } = {}) {
    super('SPEC_INVALID', message, options)
    this.name = 'ScenarioError'
  }
}
