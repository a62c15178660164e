import { open, readFile, writeFile } from 'node:fs/promises'
import { Command, InvalidArgumentError } from 'commander'
import { ScenarioError } from '../generate/errors.js'
import { ScenarioRun } from '../generate/generate.js'
import { parseScenario } from '../generate/load.js'
import { PcapEncoder } from '../generate/pcap-file.js'
import type { Scenario } from '../generate/scenario.js'

const FLUSH_BYTES = 512 * 1024
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

/** Where bytes go: a file (mode 0600) or standard output. */
interface Output {
  write(bytes: Uint8Array): Promise<void>
  close(): Promise<void>
}

async function openOutput(path: string): Promise<Output> {
  if (path !== '-') {
    const file = await open(path, 'w', 0o600)
    return {
      write: async (bytes) => {
        await file.writeFile(bytes)
      },
      close: () => file.close(),
    }
  }
  return {
    write: (bytes) =>
      new Promise((resolve, reject) => {
        process.stdout.write(bytes, (error) => (error ? reject(error) : resolve()))
      }),
    close: async () => {},
  }
}

async function readScenario(path: string): Promise<Scenario> {
  if (path !== '-') return parseScenario(await readFile(path, 'utf8'))
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk))
  return parseScenario(Buffer.concat(chunks).toString('utf8'))
}

async function writeCapture(run: ScenarioRun, snaplen: number, output: Output): Promise<void> {
  const encoder = new PcapEncoder(snaplen)
  const talk = process.stderr.isTTY === true
  for (let packet = run.next(); packet; packet = run.next()) {
    encoder.add(packet)
    if (encoder.pending >= FLUSH_BYTES) await output.write(encoder.take())
    if (talk && run.frames % PROGRESS_EVERY_FRAMES === 0)
      process.stderr.write(`\r${run.frames} frames, ${Math.round(run.elapsedMs / 1000)} s of traffic`)
  }
  await output.write(encoder.take())
  if (talk && run.frames >= PROGRESS_EVERY_FRAMES) process.stderr.write('\n')
}

async function generate(spec: string, out: string, options: GenerateOptions): Promise<void> {
  const truthPath = options.truth ?? (out === '-' ? undefined : `${out}.truth.json`)
  const scenario = await readScenario(spec)
  const run = new ScenarioRun(scenario, options.seed)
  const output = await openOutput(out)
  try {
    await writeCapture(run, scenario.link?.snaplen ?? 0, output)
  } finally {
    await output.close()
  }
  const truth = `${JSON.stringify(run.truth(), null, 2)}\n`
  if (truthPath === '-') process.stdout.write(truth)
  else if (truthPath !== undefined) await writeFile(truthPath, truth, { mode: 0o600 })
  if (process.stderr.isTTY === true) process.stderr.write(`${run.frames} frames to ${out}\n`)
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

/** `callprobe generate SPEC OUT`: labelled traffic with known impairments, and its truth. */
export function generateCommand(): Command {
  return new Command('generate')
    .description('write labelled SIP/RTP/RTCP traffic with known impairments, and its truth')
    .argument('<spec>', 'scenario file, or - for standard input')
    .argument('<out>', 'capture to write, or - for standard output')
    .option('--seed <n>', "seed of everything random, instead of the scenario's", parseSeed)
    .option('--truth <path>', 'where the truth goes, or - for standard output')
    .addHelpText('after', HELP)
    .action(async (spec: string, out: string, options: GenerateOptions) => {
      if (out === '-' && options.truth === '-') {
        process.stderr.write('callprobe generate: OUT and --truth cannot both be standard output\n')
        process.exitCode = 2
        return
      }
      try {
        await generate(spec, out, options)
      } catch (error) {
        if (!(error instanceof Error)) throw error
        const what = error instanceof ScenarioError ? `${spec}: ${error.message}` : error.message
        process.stderr.write(`callprobe generate: ${what}\n`)
        process.exitCode = 1
      }
    })
}
