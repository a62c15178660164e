// System packages: what is missing, and how to get it.
//   node scripts/system-packages.mjs [--check | --install] [--for test|fixtures|bench|all]
// Exit codes: 0 nothing is missing (any more), 1 something is, 2 wrong usage.
import { existsSync, readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { missingPrograms } from './lib/programs.mjs'
import { run } from './lib/run.mjs'

const USES = ['test', 'fixtures', 'bench', 'all']

/** True on Debian, Ubuntu and what derives from them. */
export function isDebian() {
  if (!existsSync('/usr/bin/apt-get') || !existsSync('/etc/os-release')) return false
  return /^(ID|ID_LIKE)=.*\b(debian|ubuntu)\b/m.test(readFileSync('/etc/os-release', 'utf8'))
}

function packageNames(missing) {
  return [...new Set(missing.map((entry) => entry.debian))]
}

function describe(missing) {
  return missing.map((entry) => `  ${entry.program} (Debian: ${entry.debian}): ${entry.purpose}`).join('\n')
}

/** The command a person would type. */
export function installCommand(missing) {
  if (!isDebian())
    return `install ${missing.map((entry) => entry.program).join(', ')} with your package manager`
  const sudo = process.getuid?.() === 0 ? '' : 'sudo '
  return `${sudo}apt-get install -y --no-install-recommends ${packageNames(missing).join(' ')}`
}

function aptInstall(packages) {
  const args = [
    'install',
    '-y',
    '-q',
    '--no-install-recommends',
    '-o',
    'DPkg::Lock::Timeout=120',
    ...packages,
  ]
  return run('apt-get', args, { DEBIAN_FRONTEND: 'noninteractive' })
}

/**
 * Installs what is missing where that can be done without asking (root on Debian or Ubuntu), else says how.
 * @param {string} use one of USES
 * @returns {ReturnType<typeof missingPrograms>} what is still missing
 */
export function installMissing(use) {
  const missing = missingPrograms(use)
  if (missing.length === 0) return missing
  console.log(`Programs missing:\n${describe(missing)}`)
  if (!isDebian() || process.getuid?.() !== 0) {
    console.log(`To have them: ${installCommand(missing)}`)
    return missing
  }
  const packages = packageNames(missing)
  console.log(`Installing system packages: ${packages.join(' ')}`)
  // The package lists are often absent in containers, or name versions that are gone: fetch them only then.
  if (aptInstall(packages) !== 0) {
    console.log('Refreshing the package lists: apt-get update')
    if (run('apt-get', ['update', '-q']) === 0) aptInstall(packages)
  }
  const still = missingPrograms(use)
  if (still.length > 0) console.log(`Could not be installed:\n${describe(still)}`)
  return still
}

function main(args) {
  const forAt = args.indexOf('--for')
  const use = forAt < 0 ? 'test' : args[forAt + 1]
  const rest = forAt < 0 ? args : args.toSpliced(forAt, 2)
  const mode = rest[0] ?? '--check'
  if (!USES.includes(use) || rest.length > 1 || !['--check', '--install'].includes(mode)) {
    console.error(`usage: node scripts/system-packages.mjs [--check | --install] [--for ${USES.join('|')}]`)
    return 2
  }
  if (mode === '--install') return installMissing(use).length === 0 ? 0 : 1
  const missing = missingPrograms(use)
  if (missing.length === 0) {
    console.log('No program is missing.')
    return 0
  }
  console.log(`Programs missing:\n${describe(missing)}\nTo have them: ${installCommand(missing)}`)
  return 1
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  process.exitCode = main(process.argv.slice(2))
