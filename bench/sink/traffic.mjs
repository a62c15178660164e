// What the sink benchmark measures on: a scenario for `callprobe generate`, and the configuration that names its sites.

/** Calls that share start, site pair, trunk, codec and impairment. */
const GROUP_CALLS = 100
const SITES = 12
const TRUNKS = 4
const CODECS = ['PCMA', 'PCMU', 'G722', 'G729']
/** Mean length of a call once as many end as begin. */
export const MEAN_CALL_S = 180
/**
 * Packets are sparse and short: 20,000 calls of 20 ms are 2 million packets a second, more than a core measures, and what
 * goes to the database depends on calls and intervals, not on packets.
 */
const PACKET_MS = 200
const PAYLOAD_BYTES = 20

const IMPAIRMENTS = [
  {},
  { jitter: { uniform_ms: 4 } },
  { jitter: { uniform_ms: 12 }, loss: { random_percent: 0.5 } },
  { jitter: { uniform_ms: 6, spikes: { every_s: 7, size_ms: 90, packets: 2 } } },
  { loss: { gilbert: { p: 0.01, q: 0.3 } } },
]

/** A number that looks random, the same for the same `n`. */
function scattered(n, below) {
  return ((Math.imul(n + 1, 2654435761) >>> 0) >>> 8) % below
}

function group(number, atS, endS, totalS) {
  const from = scattered(number, SITES)
  const to = scattered(number * 3 + 1, SITES)
  const ends = endS < totalS
  const callsPerRow = 250
  const host = `${Math.floor(number / callsPerRow)}.${(number % callsPerRow) + 1}`
  const setupS = 0.6
  return {
    call_id: `g${number}`,
    at_s: atS,
    repeat: { count: GROUP_CALLS, spacing_s: 0.001 },
    answer_delay_ms: setupS * 1000 - 100,
    duration_s: Math.max(1, (ends ? endS : totalS) - atS - setupS),
    ended_by: ends ? 'caller' : 'none',
    caller: { user: `+49301${number}{n}`, address: `10.${from + 1}.${host}` },
    callee: {
      user: `+49302${number}{n}`,
      address: `10.${to + 1}.${128 + Math.floor(number / callsPerRow)}.${(number % callsPerRow) + 1}`,
    },
    link: { vlan: 100 + scattered(number * 5 + 2, TRUNKS) },
    media: {
      both: {
        codec: CODECS[scattered(number * 7 + 3, CODECS.length)],
        ptime_ms: PACKET_MS,
        payload_bytes: PAYLOAD_BYTES,
      },
      from_callee: IMPAIRMENTS[number % IMPAIRMENTS.length],
    },
  }
}

/**
 * `calls` begin within `rampS`; from then on as many end as begin, so that `calls` are up until the end at `totalS`.
 * @returns a scenario
 */
export function scenario({ calls, rampS, totalS }) {
  const groups = Math.ceil(calls / GROUP_CALLS)
  const everyS = MEAN_CALL_S / groups
  const list = []
  for (let i = 0; i < groups; i++) {
    const endS = rampS + (i + 1) * everyS
    list.push(group(list.length, (i * rampS) / groups, endS, totalS))
    if (endS + 2 < totalS) list.push(group(list.length, endS, Infinity, totalS))
  }
  return { seed: 5, start: '2026-01-05T09:00:00Z', calls: list }
}

export function configuration(spoolFolder) {
  const sites = Array.from({ length: SITES }, (_, i) => ({
    name: `site-${i + 1}`,
    networks: [`10.${i + 1}.0.0/16`],
  }))
  const trunks = Array.from({ length: TRUNKS }, (_, i) => ({ name: `trunk-${i + 1}`, vlans: [100 + i] }))
  return { probe: 'bench', sites, trunks, spool: { directory: spoolFolder } }
}
