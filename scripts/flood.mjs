// npm run flood [-- --calls N] [--streams N] [--workers N]
// What a flood does to a live capture with default limits: spoofed INVITEs and spoofed RTP streams fill the tables, then
// real calls come. Their records have to be those of a replay, the tables bounded, every packet in an account, and the log
// has to tell. Root and Linux; network namespaces of its own. Ends with 1 when something is not so.
import { execFileSync } from 'node:child_process'
import { createReadStream, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { residentOf, says, sentBy, Tap } from '../bench/live/tap.mjs'
import { findProgram } from './lib/programs.mjs'
import { ROOT } from './lib/run.mjs'

const { values: options } = parseArgs({
  options: {
    calls: { type: 'string', default: '100000' },
    streams: { type: 'string', default: '200000' },
    workers: { type: 'string', default: '1' },
    help: { type: 'boolean', default: false },
  },
})
if (options.help) {
  console.log('npm run flood [-- --calls N] [--streams N] [--workers N]')
  process.exit(0)
}
const calls = Number(options.calls)
const streams = Number(options.streams)
/** A stream counts from its fifth packet. */
const PACKETS_OF_STREAM = 7
const RTP_PER_S = 150_000
const INVITES_PER_S = 25_000
const REAL = join(ROOT, 'fixtures/sipp-g711.pcap')
const RING_MIB = 256
/** 2.5 KB for a stream, and what a call without media takes. */
const MOST_BYTES_OF_STREAM = 5000
const MOST_BYTES_OF_CALL = 12_000
const BASE_BYTES = 600 * 2 ** 20

/** Classic pcap: INVITEs of as many calls, each from an address of its own. */
function invites() {
  const parts = [Buffer.from('d4c3b2a1020004000000000000000000000004000100000000', 'hex').subarray(0, 24)]
  parts[0].writeUInt32LE(1, 20)
  for (let i = 0; i < calls; i++) {
    const text = Buffer.from(
      `INVITE sip:x@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.1;branch=z9hG4bK${i}\r\nFrom: <sip:a@198.51.100.1>;tag=${i}\r\n` +
        `To: <sip:x@192.0.2.1>\r\nCall-ID: flood-${i}\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n`,
      'latin1',
    )
    const head = Buffer.alloc(16 + 42)
    const length = 42 + text.length
    head.writeUInt32LE(1 + Math.floor(i / INVITES_PER_S), 0)
    head.writeUInt32LE(Math.floor(((i % INVITES_PER_S) * 1e6) / INVITES_PER_S), 4)
    head.writeUInt32LE(length, 8)
    head.writeUInt32LE(length, 12)
    head.write('020000000002020000000001080045000000000000004011', 16, 'hex')
    head.writeUInt16BE(length - 14, 32)
    head.writeUInt32BE(0xc6330000 + (i & 0xffff), 42)
    head.writeUInt32BE(0xc0000201, 46)
    head.writeUInt16BE(5060, 50)
    head.writeUInt16BE(5060, 52)
    head.writeUInt16BE(8 + text.length, 54)
    parts.push(head, text)
  }
  return Buffer.concat(parts)
}

const tap = new Tap('flood')

async function replay(file, ...more) {
  const child = tap.start('tcpreplay', '-q', '-i', 'in0', ...more, file)
  await child.ended
  return Number(/Successful packets:\s+(\d+)/.exec(child.said)?.[1])
}

/** What of a call's record does not depend on when it was, nor on how punctual the player is. */
function identityOf({ call_id, state, media }) {
  const counts = Object.entries(media ?? {}).map(([direction, { packets, lost, duplicates, codec }]) => ({
    ...{ direction, packets, lost, duplicates, codec },
  }))
  return JSON.stringify({ call_id, state, counts })
}

async function recordsOf(file) {
  const real = []
  let spoofed = 0
  let summary
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    if (line.startsWith('{"type":"call"')) {
      if (line.includes('"call_id":"flood-')) spoofed++
      else {
        const call = JSON.parse(line)
        if (call.state !== 'media_only') real.push(identityOf(call))
      }
    } else if (line.startsWith('{"type":"summary"')) summary = JSON.parse(line)
  }
  return { real, spoofed, summary }
}

async function main() {
  if (process.platform !== 'linux' || process.getuid() !== 0) throw new Error('the flood needs root on Linux')
  for (const program of ['cc', 'ip', 'tcpreplay'])
    if (!findProgram(program))
      throw new Error(`${program} is missing: node scripts/system-packages.mjs --install`)
  tap.open()
  const flood = join(tap.scratch, 'invites.pcap')
  writeFileSync(flood, invites())
  const config = join(tap.scratch, 'limits.yaml')
  writeFileSync(config, `limits: { calls: ${calls}, streams: ${streams} }\n`)
  const output = join(tap.scratch, 'flood.ndjson')
  const probe = tap.start(
    ...[process.execPath, join(ROOT, 'bin/callprobe'), 'capture', '-i', 'tap0', '--ring', String(RING_MIB)],
    ...['--workers', options.workers, '--config', config],
    ...['--format', 'ndjson', '--output', output, '--log-format', 'text'],
  )
  await says(probe, /capturing on/)
  const seconds = (streams * PACKETS_OF_STREAM) / RTP_PER_S
  const rtp = sentBy(tap.start(tap.blast, ...['in0', RTP_PER_S, seconds, streams].map(String)))
  const invited = replay(flood, '--preload-pcap', `--pps=${INVITES_PER_S}`)
  const [{ sent: rtpSent }, invitesSent] = await Promise.all([rtp, invited])
  await sleep(1000)
  const realSent = await replay(REAL)
  await sleep(2500)
  const resident = residentOf(probe.pid)
  const beganMs = Date.now()
  probe.kill('SIGTERM')
  await probe.ended
  const flushMs = Date.now() - beganMs
  const { real, spoofed, summary } = await recordsOf(output)
  const file = join(tap.scratch, 'real.ndjson')
  execFileSync(process.execPath, [
    ...[join(ROOT, 'bin/callprobe'), 'replay', REAL, '--format', 'ndjson', '--output', file],
  ])
  const expected = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('{"type":"call"'))
    .map((line) => identityOf(JSON.parse(line)))
  const sent = rtpSent + invitesSent + realSent
  const drops = summary.capture_drops ?? 0
  for (const [name, value] of [
    [
      'sent',
      `${rtpSent} RTP packets of ${streams} streams, ${invitesSent} INVITEs, ${realSent} of real calls`,
    ],
    ['workers', options.workers],
    ['measured', summary.packets],
    ['dropped by the ring', drops],
    ['limits reached', JSON.stringify(summary.evictions)],
    ['memory', `${(resident / 2 ** 20).toFixed(0)} MiB`],
    ['written at the end', `${summary.calls} calls in ${(flushMs / 1000).toFixed(1)} s`],
  ])
    console.log(`${name}: ${value}`)
  const problems = []
  if (sent !== summary.packets + drops)
    problems.push(`${sent - summary.packets - drops} packets are in no account`)
  if (drops === 0 && spoofed !== calls) problems.push(`${spoofed} records of ${calls} spoofed calls`)
  if (real.sort().join('\n') !== expected.sort().join('\n'))
    problems.push(`the real calls differ:\n${real.join('\n')}\nshould be\n${expected.join('\n')}`)
  if (!/a limit was reached: \d+ (packets of (what may have been new )?)?RTP streams/.test(probe.said))
    problems.push(`the log is silent: ${probe.said}`)
  const most = BASE_BYTES + streams * MOST_BYTES_OF_STREAM + calls * MOST_BYTES_OF_CALL
  if (resident > most) problems.push(`memory is over ${(most / 2 ** 20).toFixed(0)} MiB`)
  console.log(problems.length === 0 ? 'flood: ok' : `flood: ${problems.join('; ')}`)
  return problems.length === 0
}

try {
  if (!(await main())) process.exitCode = 1
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
} finally {
  tap.close()
}
