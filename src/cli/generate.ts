/** `callprobe generate`: labelled traffic with known impairments, and its truth. */
import { readFile, rm, writeFile } from 'node:fs/promises'
import { Command, InvalidArgumentError } from 'commander'
import { PcapFileWriter } from '../capture/pcap-writer.js'
import { CallprobeError, errorText, systemErrorCode } from '../errors.js'
import { ScenarioError } from '../generate/errors.js'
import { ScenarioRun } from '../generate/generate.js'
import { parseScenario } from '../generate/load.js'

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
    const code = systemErrorCode(error) === 'ENOENT' ? 'FILE_NOT_FOUND' : 'FILE_NOT_READABLE'
    throw new CallprobeError(code, `cannot read ${path}: ${errorText(error)}`, { cause: error })
  }
}

function writeCapture(run: ScenarioRun, path: string): void {
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
    throw new CallprobeError('WRITE_FAILED', `cannot write ${path}: ${errorText(error)}`, { cause: error })
  }
}

async function generate(spec: string, out: string, options: GenerateOptions): Promise<void> {
  try {
    const run = new ScenarioRun(parseScenario(await readText(spec)), options.seed)
    writeCapture(run, out)
    const truthPath = options.truth ?? (out === '-' ? undefined : `${out}.truth.json`)
    if (truthPath !== undefined) await writeTruth(run, truthPath)
  } catch (error) {
    if (!(error instanceof ScenarioError)) throw error
    // Half a capture without its truth would only mislead.
    if (out !== '-') await rm(out, { force: true })
    const place = spec === '-' ? 'the scenario' : spec
    throw new ScenarioError(`${place}: ${error.message}`, { hint: error.hint, cause: error })
  }
}

const HELP = `
SPEC is a YAML or JSON file (docs/generate.md, schemas/scenario.schema.json); "-" reads standard input.
OUT is a classic pcap with nanoseconds; "-" writes it to standard output.
The truth goes to OUT.truth.json, or nowhere when OUT is "-", unless --truth says otherwise.

Examples:
  callprobe generate fixtures/scenarios/random-loss.yaml loss.pcap
  callprobe generate --seed 7 --truth truth.json scenario.yaml out.pcap
  callprobe generate scenario.yaml - | callprobe replay -

Exit codes: 0 done, 1 failed, 2 wrong usage`

/** `callprobe generate SPEC OUT`. Failures are thrown as CallprobeError. */
export function generateCommand(): Command {
  return new Command('generate')
    .description('write labelled SIP/RTP/RTCP traffic with known impairments, and its truth')
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
