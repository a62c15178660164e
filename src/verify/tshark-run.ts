import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { CallprobeError, systemErrorCode } from '../errors.js'

const INSTALL_HINT = 'install it, e.g. apt install tshark (Debian, Ubuntu) or brew install wireshark (macOS)'
/** Lines of tshark's own complaints that are kept for an error message. */
const MOST_COMPLAINTS = 20

/**
 * Runs tshark and yields its output line by line. Arguments go to the program as they are: no shell reads them.
 * tshark runs with its default settings, whatever profile the user has, so that two people see the same.
 * @throws CallprobeError TOOL_MISSING, TOOL_FAILED
 */
export async function* tsharkLines(args: readonly string[]): AsyncGenerator<string> {
  const child = spawn('tshark', args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, WIRESHARK_CONFIG_DIR: '/nonexistent/callprobe', LC_ALL: 'C' },
  })
  const complaints: string[] = []
  createInterface({ input: child.stderr }).on('line', (line) => {
    if (!isChatter(line) && complaints.length < MOST_COMPLAINTS) complaints.push(line)
  })
  const ended = new Promise<number | Error>((resolve) => {
    child.on('error', resolve)
    child.on('close', (code, signal) => resolve(code ?? new Error(`killed by ${signal ?? 'a signal'}`)))
  })
  try {
    for await (const line of createInterface({ input: child.stdout, crlfDelay: Infinity })) yield line
    const result = await ended
    if (result !== 0) throw failure(result, complaints)
  } finally {
    if (child.exitCode === null) child.kill()
  }
}

/** Everything that tshark prints for these arguments. */
export async function tsharkText(args: readonly string[]): Promise<string[]> {
  const lines: string[] = []
  for await (const line of tsharkLines(args)) lines.push(line)
  return lines
}

/** "4.0.17" of the tshark on PATH. */
export async function tsharkVersion(): Promise<string> {
  const [first] = await tsharkText(['--version'])
  return /(\d+\.\d+\.\d+)/.exec(first ?? '')?.[1] ?? 'unknown'
}

function isChatter(line: string): boolean {
  return line.trim() === '' || line.startsWith('Running as user')
}

function failure(result: number | Error, complaints: readonly string[]): CallprobeError {
  if (result instanceof Error && systemErrorCode(result) === 'ENOENT') {
    return new CallprobeError('TOOL_MISSING', 'tshark, which this command compares with, is not installed', {
      hint: INSTALL_HINT,
      cause: result,
    })
  }
  const why = result instanceof Error ? result.message : `exit code ${result}`
  return new CallprobeError('TOOL_FAILED', `tshark failed (${why})${said(complaints)}`, {
    hint: 'run tshark on the file by hand to see what it cannot read',
  })
}

function said(complaints: readonly string[]): string {
  return complaints.length === 0 ? '' : `: ${complaints.join(' ')}`
}
