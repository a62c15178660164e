// Writes fixtures/NAME.expected.json: what a capture holds, told by others than callprobe.
//   node scripts/expect-fixtures.mjs NAME...        run by record-fixtures.sh after each recording
// Streams are tshark's (-z rtp,streams). What became of each call is what the user agents logged about themselves
// (out/recording), with Call-ID, users and times from tshark's fields. What the faulty wire dropped is its own log.
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './lib/run.mjs'

const LOGS = join(ROOT, 'out/recording')

function tshark(capture, args) {
  return execFileSync('tshark', ['-n', '-r', capture, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    maxBuffer: 1 << 26,
  })
}

function tsharkRows(capture, filter, fields) {
  const args = ['-Y', filter, '-T', 'fields', ...fields.flatMap((field) => ['-e', field])]
  const lines = tshark(capture, args).split('\n')
  return lines.filter((line) => line !== '').map((line) => line.split('\t'))
}

/** One line of `-z rtp,streams`: start end src port dst port ssrc payload... packets lost (percent) 3 deltas 3 jitters. */
const STREAM_LINE =
  /^\s*[\d.]+\s+[\d.]+\s+(\S+)\s+(\d+)\s+(\S+)\s+(\d+)\s+0x([0-9A-F]{8})\s+(\S+(?:, \S+)*)\s+(\d+)\s+(-?\d+) \(\S+\)\s+\S+\s+\S+\s+\S+\s+\S+\s+([\d.]+)\s+([\d.]+)/

/**
 * Packets that came after one with a higher sequence number, by stream; a plain count over tshark's fields, since
 * -z rtp,streams has none. The recordings are too short for more than one wrap of the sequence.
 */
function reorderedOf(capture) {
  const fields = ['ip.src', 'ipv6.src', 'udp.srcport', 'rtp.ssrc', 'rtp.seq']
  const highest = new Map()
  const reordered = new Map()
  for (const [ip, ipv6, port, ssrc, text] of tsharkRows(capture, 'rtp', fields)) {
    const stream = [ip || ipv6, port, ssrc.toLowerCase()].join(' ')
    const sequence = Number(text)
    const ahead = (sequence - (highest.get(stream) ?? sequence - 1)) & 0xffff
    if (ahead < 0x8000) highest.set(stream, sequence)
    else reordered.set(stream, (reordered.get(stream) ?? 0) + 1)
  }
  return reordered
}

function streamsOf(capture) {
  const streams = []
  const reordered = reorderedOf(capture)
  for (const line of tshark(capture, ['-q', '-z', 'rtp,streams']).split('\n')) {
    const found = STREAM_LINE.exec(line)
    if (!found) continue
    streams.push({
      source_address: found[1],
      source_port: Number(found[2]),
      destination_address: found[3],
      destination_port: Number(found[4]),
      ssrc: `0x${found[5].toLowerCase()}`,
      codec_in_tshark: found[6],
      packets: Number(found[7]),
      lost: Number(found[8]),
      jitter_mean_ms: Number(found[9]),
      jitter_max_ms: Number(found[10]),
    })
  }
  for (const stream of streams) stream.reordered = reordered.get(key(stream)) ?? 0
  return streams.sort((a, b) => key(a).localeCompare(key(b)))
}

function key(stream) {
  return [stream.source_address, stream.source_port, stream.ssrc].join(' ')
}

/** Final status of the INVITE and how the call ended, from the short message log that the calling sipp wrote. */
function sippCalls(name) {
  return readdirSync(LOGS)
    .filter((file) => file.startsWith(`${name}.`) && file.endsWith('.uac.csv') && !file.includes('register'))
    .map((file) => {
      const rows = readFileSync(join(LOGS, file), 'utf8').trim().split('\n')
      const messages = rows.map((row) => row.split('\t').slice(-4))
      const statuses = messages
        .filter(([way, , cseq, line]) => way === 'R' && cseq.endsWith('INVITE') && line.startsWith('SIP/2.0'))
        .map(([, , , line]) => Number(line.split(' ')[1]))
        .filter((status) => status >= 200 && status !== 401 && status !== 407)
      const sent = (method) =>
        messages.some(([way, , , line]) => way === 'S' && line.startsWith(`${method} `))
      const status = statuses[0]
      const state = status < 300 ? 'completed' : sent('CANCEL') ? 'cancelled' : 'failed'
      return { call_id: messages[0][1], state, status }
    })
}

/** What both baresip phones said when the call was over. */
function baresipPhone(name, user) {
  const log = readFileSync(join(LOGS, `${name}.${user}.log`), 'utf8')
  const pair = (label) =>
    new RegExp(`^${label}:\\s+([\\d.]+)\\s+([\\d.]+)`, 'm').exec(log)?.slice(1).map(Number)
  const [sent, received] = pair('packets') ?? []
  const [, lost] = pair('lost') ?? []
  const [, jitter] = pair('jitter') ?? []
  return {
    established: /Call established/.test(log),
    duration_s: Number(/terminated \(duration: (\d+) sec/.exec(log)?.[1]),
    packets_sent: sent,
    packets_received: received,
    lost_when_it_last_reported: lost,
    jitter_ms_when_it_last_reported: jitter,
  }
}

function callsOf(name, capture) {
  const invites = tsharkRows(capture, 'sip.Method == INVITE', [
    'sip.Call-ID',
    'sip.from.user',
    'sip.to.user',
    'frame.time_epoch',
  ])
  const outcomes = name.startsWith('sipp-')
    ? sippCalls(name)
    : [{ call_id: invites[0][0], ...baresipOutcome(baresipPhone(name, 'alice')) }]
  const answers = tsharkRows(capture, 'sip.CSeq.method == INVITE && sip.Status-Code == 200', [
    'sip.Call-ID',
    'frame.time_epoch',
  ])
  const byes = tsharkRows(capture, 'sip.Method == BYE', ['sip.Call-ID', 'frame.time_epoch'])
  return [...new Map(invites.map((row) => [row[0], row])).values()].map(([callId, from, to]) => {
    const outcome = outcomes.find((entry) => entry.call_id === callId)
    if (!outcome) throw new Error(`${name}: no user agent's log tells of call ${callId}`)
    const answer = answers.find((row) => row[0] === callId)?.[1]
    const bye = byes.find((row) => row[0] === callId)?.[1]
    const talked = answer && bye ? { duration_s: Math.round((bye - answer) * 1e6) / 1e6 } : {}
    return { ...outcome, caller: from, callee: to, ...talked }
  })
}

function baresipOutcome(phone) {
  if (!phone.established) throw new Error('baresip did not establish the call')
  return { state: 'completed', status: 200 }
}

function expected(name) {
  const capture = join(ROOT, 'fixtures', `${name}.pcap`)
  const wireLog = join(LOGS, `${name}.wire.json`)
  const phones = name.startsWith('baresip-')
    ? { caller: baresipPhone(name, 'alice'), callee: baresipPhone(name, 'bob') }
    : undefined
  return {
    capture: `${name}.pcap`,
    calls: callsOf(name, capture),
    streams: streamsOf(capture),
    ...(phones ? { user_agents: phones } : {}),
    ...(existsSync(wireLog) ? { wire: JSON.parse(readFileSync(wireLog, 'utf8')) } : {}),
  }
}

for (const name of process.argv.slice(2)) {
  writeFileSync(
    join(ROOT, 'fixtures', `${name}.expected.json`),
    `${JSON.stringify(expected(name), null, 2)}\n`,
  )
  console.log(`fixtures/${name}.expected.json`)
}
