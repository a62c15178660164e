import { defineConfig } from 'vitest/config'

/** Tests of code alone. No module keeps anything from one to the next: loaded once, they take half the time. */
const OF_CODE = [
  'src/**/*.test.ts',
  'test/cases/**/*.test.ts',
  'test/differential/**/*.test.ts',
  'test/reference/**/*.test.ts',
  'test/findings*.test.ts',
]

export default defineConfig({
  test: {
    testTimeout: 30_000,
    pool: 'forks',
    projects: [
      { extends: true, test: { name: 'code', include: OF_CODE, isolate: false } },
      { extends: true, test: { name: 'whole', include: ['test/**/*.test.ts'], exclude: OF_CODE } },
    ],
  },
})
