import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The project's root folder: two above this file. */
export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

/**
 * Runs a program in the project's root with this terminal's output and no standard input.
 * @returns {number} its exit code; 127 when it could not be started, 128 + signal number is not told apart: 128
 */
export function run(program, args, env = {}) {
  const done = spawnSync(program, args, {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: process.platform === 'win32' && program === 'npm',
  })
  if (done.error) {
    console.error(`${program}: ${done.error.message}`)
    return 127
  }
  return done.status ?? 128
}

/** Runs a program's JavaScript from node_modules with this Node, so that neither npx nor a shell is needed. */
export function runModule(script, args, env) {
  return run(process.execPath, [join(ROOT, 'node_modules', script), ...args], env)
}
