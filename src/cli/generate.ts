/** `callprobe generate`: labelled traffic with known impairments, and its truth. */
import { readFile, rm, stat, writeFile } from 'node:fs/promises'
import { Command, InvalidArgumentError } from 'commander'
import { PcapFileWriter } from '../capture/pcap-writer.js'
import { CallprobeError, errorText, systemErrorCode } from '../errors.js'
import { ScenarioError } from '../generate/errors.js'
import { ScenarioRun } from '../generate/generate.js'
import { parseScenario } from '../generate/load.js'
import { writeError } from '../sinks/ndjson.js'

const PROGRESS_EVERY_FRAMES = 100_000

interface GenerateOptions {
  seed?: number
  truth?: string
}

function parseSeed(text: string): number {
  const seed = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(seed))
    throw new InvalidArgumentError('It has to be an integer of 0 or more.')
  return seed
}

async function readText(path: string): Promise<string> {
  if (path === '-') {
    const chunks: Buffer[] = []
    for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk))
    return Buffer.concat(chunks).toString('utf8')
  }
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    const reason = systemErrorCode(error)
    if (reason === 'ENOENT')
      throw new CallprobeError('FILE_NOT_FOUND', `${path}: no such file`, {
        hint: `looked in ${process.cwd()}`,
        cause: error,
      })
    const why = reason === 'EISDIR' ? 'it is a directory' : errorText(error)
    throw new CallprobeError('FILE_NOT_READABLE', `cannot read ${path}: ${why}`, { cause: error })
  }
}

/** False when the reader of the pipe has seen enough. */
function writeCapture(run: ScenarioRun, path: string): boolean {
  try {
    writeFrames(run, path)
    return true
  } catch (error) {
    if (!(error instanceof CallprobeError) || error.code !== 'WRITE_FAILED') throw error
    if (path === '-' && systemErrorCode(error.cause) === 'EPIPE') return false
    throw writeError(path === '-' ? 'standard output' : path, error.cause)
  }
}

function writeFrames(run: ScenarioRun, path: string): void {
  const writer = new PcapFileWriter(path, { nanoseconds: true })
  const talk = process.stderr.isTTY === true
  try {
    for (let packet = run.next(); packet; packet = run.next()) {
      writer.write(packet.timeMs, packet.frame, packet.wireLength)
      if (talk && run.frames % PROGRESS_EVERY_FRAMES === 0)
        process.stderr.write(`\r${run.frames} frames, ${Math.round(run.elapsedMs / 1000)} s of traffic`)
    }
  } finally {
    writer.close()
  }
  if (talk) process.stderr.write(`${run.frames >= PROGRESS_EVERY_FRAMES ? '\r' : ''}${run.frames} frames\n`)
}

async function writeTruth(run: ScenarioRun, path: string): Promise<void> {
  const text = `${JSON.stringify(run.truth(), null, 2)}\n`
  if (path === '-') {
    process.stdout.write(text)
    return
  }
  try {
    await writeFile(path, text, { mode: 0o600 })
  } catch (error) {
    throw writeError(path, error)
  }
}

async function generate(spec: string, out: string, options: GenerateOptions): Promise<void> {
  let begun = false
  try {
    const run = new ScenarioRun(parseScenario(await readText(spec)), options.seed)
    begun = true
    if (!writeCapture(run, out)) return
    const truthPath = options.truth ?? (out === '-' ? undefined : `${out}.truth.json`)
    if (truthPath !== undefined) await writeTruth(run, truthPath)
  } catch (error) {
    if (!(error instanceof ScenarioError)) throw error
    // Half a capture without its truth would only mislead. What was there before a wrong scenario was read stays.
    if (begun && out !== '-' && (await stat(out)).isFile()) await rm(out)
    const place = spec === '-' ? 'the scenario' : spec
    throw new ScenarioError(`${place}: ${error.message}`, { hint: error.hint, cause: error })
  }
}

const HELP = `
SPEC is a YAML or JSON file (docs/generate.md, schemas/scenario.schema.json).
OUT is a classic pcap with nanoseconds. The truth goes to OUT.truth.json, or
nowhere when OUT is "-", unless --truth says otherwise.

Examples:
  $ callprobe generate fixtures/scenarios/random-loss.yaml loss.pcap
  $ callprobe generate --seed 7 --truth truth.json scenario.yaml out.pcap
  $ callprobe generate scenario.yaml - | callprobe replay -

Exit codes: 0 done, 1 failed, 2 wrong usage`

/** `callprobe generate SPEC OUT`. Failures are thrown as CallprobeError. */
export function generateCommand(): Command {
  return new Command('generate')
    .description('Write labelled SIP, RTP and RTCP traffic with known impairments, and its truth.')
    .argument('<spec>', 'scenario file, or - for standard input')
    .argument('<out>', 'capture to write, or - for standard output')
    .option('--seed <n>', "seed of everything random, instead of the scenario's", parseSeed)
    .option('--truth <path>', 'where the truth goes, or - for standard output')
    .addHelpText('after', HELP)
    .action(async (spec: string, out: string, options: GenerateOptions, command: Command) => {
      if (out === '-' && options.truth === '-') {
        const message = 'error: OUT and --truth cannot both be standard output'
        command.error(message, { exitCode: 2, code: 'callprobe.usage' })
      }
      await generate(spec, out, options)
    })
}
