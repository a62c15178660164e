const DEFAULT_SEED = 20_240_601

/** A whole number from the environment, or undefined; anything else there is an error, so that a typo is noticed. */
function fromEnvironment(name: string): number | undefined {
  const text = process.env[name]
  if (text === undefined || text === '') return undefined
  if (!/^-?\d+$/.test(text)) throw new Error(`${name}=${text} is not a whole number`)
  return Number(text)
}

/**
 * Parameters for `fc.assert`: `numRuns` cases of a fixed seed, so that a test gives the same verdict each time.
 * FUZZ_SEED and FUZZ_RUNS overrule them: `FUZZ_SEED=$RANDOM FUZZ_RUNS=20000 npm run unit -- src/sip` looks further.
 */
export function propertyRuns(numRuns: number): { seed: number; numRuns: number } {
  return {
    seed: fromEnvironment('FUZZ_SEED') ?? DEFAULT_SEED,
    numRuns: fromEnvironment('FUZZ_RUNS') ?? numRuns,
  }
}
