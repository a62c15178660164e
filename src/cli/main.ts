import { Command, CommanderError } from 'commander'
import { CallprobeError, type ErrorCode } from '../errors.js'
import { COMMANDS } from './commands.js'
import { EXIT_DONE, EXIT_FAILED, EXIT_USAGE } from './exit-codes.js'
import { standardOutputFailed, tell, watchStandardOutput } from './standard-output.js'
import { version } from './version.js'

/**
 * The program with its commands.
 * @param only the one command to load; the others are names for the help. Default: all are loaded
 */
export async function createProgram(only?: string): Promise<Command> {
  const program = new Command('callprobe')
    .description(
      'Passive quality probe for voice calls: follows SIP calls and RTP streams, measures each direction.',
    )
    .version(version())
    .showHelpAfterError('(run with --help for usage and examples)')
    .showSuggestionAfterError()
    .configureHelp({ showGlobalOptions: false })
  for (const { name, description, load } of COMMANDS) {
    const isWanted = only === undefined || only === name
    program.addCommand(isWanted ? await load() : new Command(name).description(description))
  }
  for (const command of program.commands) useProgramSettings(command)
  program.exitOverride()
  return program
}

/** The command that a command line is about: `help replay` is about replay. */
function commandOf(argv: readonly string[]): string {
  const [first = '', second = ''] = argv.slice(2)
  return first === 'help' ? second : first
}

function useProgramSettings(command: Command): void {
  command.exitOverride()
  command.showHelpAfterError('(run with --help for usage and examples)')
  command.showSuggestionAfterError()
  for (const child of command.commands) useProgramSettings(child)
}

/** What the user wrote cannot be used: on the command line or in a file named there. */
const WRONG_USAGE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'USAGE',
  'EXPRESSION_INVALID',
  'CONFIG_NOT_READABLE',
  'CONFIG_INVALID',
  'SPEC_INVALID',
  'PRIVACY_KEY',
])

/**
 * Runs the command line.
 * @returns exit code: 0 done, 1 failed, 2 wrong usage, 3 --fail-on matched
 */
export async function main(argv: readonly string[]): Promise<number> {
  watchStandardOutput()
  const code = await run(argv)
  return code === EXIT_DONE && standardOutputFailed() ? EXIT_FAILED : code
}

async function run(argv: readonly string[]): Promise<number> {
  const program = await createProgram(commandOf(argv))
  try {
    await program.parseAsync([...argv])
    return typeof process.exitCode === 'number' ? process.exitCode : EXIT_DONE
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return EXIT_DONE
      return EXIT_USAGE
    }
    if (error instanceof CallprobeError) {
      tell(error)
      return WRONG_USAGE.has(error.code) ? EXIT_USAGE : EXIT_FAILED
    }
    process.stderr.write(`callprobe: unexpected error, please report it: ${stackOf(error)}\n`)
    return EXIT_FAILED
  }
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
