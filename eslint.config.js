import tseslint from 'typescript-eslint'

export default tseslint.config(
  {
    ignores: [
      'dist/**',
      '.build/**',
      'build/**',
      'prebuilds/**',
      'node_modules/**',
      'coverage/**',
      'fixtures/**',
      'bench/.cache/**',
      'bench/.build/**',
      'dashboards/.build/**',
    ],
  },
  ...tseslint.configs.recommended,
  {
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      eqeqeq: 'error',
    },
  },
)
