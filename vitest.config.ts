import { defineConfig } from 'vitest/config'

/**
 * Tests of code alone. Their modules are loaded once for all of them, which takes half the time; but what measures long
 * scenarios is twice as fast where the compiler has seen nothing else.
 */
const TESTS_OF_CODE = ['test/cases/**/*.test.ts', 'test/reference/**/*.test.ts', 'test/findings*.test.ts']
/** Of code that keeps something for the life of a process: the one batch that is described. */
const APART = ['src/rtp/described-batch.test.ts']

export default defineConfig({
  test: {
    testTimeout: 30_000,
    pool: 'forks',
    projects: [
      {
        extends: true,
        test: {
          name: 'code',
          include: ['src/**/*.test.ts', ...TESTS_OF_CODE],
          exclude: APART,
          isolate: false,
        },
      },
      {
        extends: true,
        test: { name: 'whole', include: ['test/**/*.test.ts', ...APART], exclude: TESTS_OF_CODE },
      },
    ],
  },
})
