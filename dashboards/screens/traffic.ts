/** An hour at a small company: four sites, two trunks, a queue that fills up, a lossy line and a trunk that refuses. */
export const START_MS = Date.UTC(2024, 2, 5, 9, 0, 0)
export const HOUR_MS = 3_600_000
/** The call whose page is drawn. */
export const COMPLAINT = 'complaint-4711'

const SITE = {
  hq: '198.51.100.1',
  berlin: '198.51.100.65',
  london: '198.51.100.129',
  depot: '198.51.100.193',
}
const TRUNK = { alpha: '203.0.113.10', beta: '203.0.113.74' }

type Place = keyof typeof SITE | keyof typeof TRUNK

function address(place: Place): string {
  return place === 'alpha' || place === 'beta' ? TRUNK[place] : SITE[place]
}

interface Group {
  from: Place
  to: Place
  count: number
  spacing_s: number
  at_s: number
  duration_s?: number
  more?: Record<string, unknown>
}

let series = 0

function calls({ from, to, count, spacing_s, at_s, duration_s, more }: Group): Record<string, unknown> {
  const number = 100 + series++
  return {
    call_id: `${number}-{n}@example.com`,
    at_s,
    repeat: { count, spacing_s },
    ...(duration_s === undefined ? {} : { duration_s }),
    caller: { user: `+4930${number}{n}`, address: address(from) },
    callee: { user: `+4420${number}{n}`, address: address(to) },
    network: { caller_leg_rtt_ms: 12 + (number % 5) * 7, callee_leg_rtt_ms: 20 + (number % 7) * 11 },
    media: { both: { codec: 'PCMA', jitter: { uniform_ms: 3 } } },
    ...more,
  }
}

const good = (codec: string, uniform_ms: number) => ({ media: { both: { codec, jitter: { uniform_ms } } } })
const BURSTS = {
  media: {
    from_callee: {
      codec: 'PCMA',
      jitter: { uniform_ms: 8, spikes: { every_s: 3, size_ms: 150, packets: 5 }, preserve_order: true },
    },
    from_caller: { codec: 'PCMA', jitter: { uniform_ms: 4 } },
  },
}
const LOSSY = {
  media: {
    from_caller: { codec: 'G722', loss: { gilbert: { p: 0.012, q: 0.25 } } },
    from_callee: { codec: 'G722', loss: { random_percent: 0.4 } },
  },
}

/** A scenario for `callprobe generate`. */
export function scenario(): unknown {
  return {
    seed: 17,
    start: new Date(START_MS).toISOString().replace('.000', ''),
    calls: [
      calls({ from: 'hq', to: 'berlin', count: 34, spacing_s: 103, at_s: 4, duration_s: 80 }),
      calls({ from: 'berlin', to: 'hq', count: 27, spacing_s: 131, at_s: 20, duration_s: 75 }),
      calls({
        from: 'depot',
        to: 'hq',
        count: 20,
        spacing_s: 175,
        at_s: 31,
        duration_s: 60,
        more: good('PCMU', 6),
      }),
      calls({
        from: 'hq',
        to: 'alpha',
        count: 50,
        spacing_s: 71,
        at_s: 9,
        duration_s: 64,
        more: good('PCMU', 4),
      }),
      calls({ from: 'berlin', to: 'alpha', count: 36, spacing_s: 97, at_s: 41, duration_s: 55 }),
      calls({
        from: 'hq',
        to: 'beta',
        count: 42,
        spacing_s: 83,
        at_s: 15,
        duration_s: 70,
        more: good('G729', 5),
      }),
      calls({
        from: 'london',
        to: 'hq',
        count: 6,
        spacing_s: 110,
        at_s: 50,
        duration_s: 85,
        more: good('G722', 3),
      }),
      calls({ from: 'london', to: 'hq', count: 8, spacing_s: 95, at_s: 700, duration_s: 85, more: LOSSY }),
      calls({
        from: 'london',
        to: 'hq',
        count: 17,
        spacing_s: 125,
        at_s: 1460,
        duration_s: 85,
        more: good('G722', 3),
      }),
      calls({
        from: 'london',
        to: 'beta',
        count: 34,
        spacing_s: 29,
        at_s: 1690,
        duration_s: 75,
        more: BURSTS,
      }),
      calls({
        from: 'berlin',
        to: 'beta',
        count: 24,
        spacing_s: 40,
        at_s: 1720,
        duration_s: 70,
        more: BURSTS,
      }),
      calls({
        from: 'depot',
        to: 'alpha',
        count: 2,
        spacing_s: 900,
        at_s: 1200,
        duration_s: 40,
        more: { media: { from_callee: { no_media: true } } },
      }),
      calls({
        from: 'hq',
        to: 'alpha',
        count: 14,
        spacing_s: 33,
        at_s: 2170,
        more: { status: 503, answer_delay_ms: 60 },
      }),
      calls({ from: 'hq', to: 'alpha', count: 15, spacing_s: 233, at_s: 60, more: { status: 486 } }),
      calls({
        from: 'berlin',
        to: 'beta',
        count: 7,
        spacing_s: 480,
        at_s: 90,
        more: { status: 404, answer_delay_ms: 70 },
      }),
      calls({
        from: 'hq',
        to: 'beta',
        count: 11,
        spacing_s: 310,
        at_s: 130,
        more: { cancel_after_ms: 18_000, answer_delay_ms: 40_000 },
      }),
      {
        call_id: COMPLAINT,
        at_s: 1750,
        duration_s: 300,
        caller: { user: '+442071234711', address: SITE.london, user_agent: 'Desk Phone 7.1' },
        callee: { user: '+493055500100', address: TRUNK.beta, user_agent: 'Carrier SBC 9' },
        network: { caller_leg_rtt_ms: [18, 20, 24, 40, 30, 22], callee_leg_rtt_ms: [40, 44, 60, 90, 70, 46] },
        media: {
          from_caller: {
            codec: 'PCMA',
            jitter: { uniform_ms: 5 },
            loss: { random_percent: 1.2, where: 'after_tap' },
          },
          from_callee: {
            codec: 'PCMA',
            jitter: { uniform_ms: 6, queueing: { every_s: 11, stall_ms: 190, drain_ms: 3 } },
            loss: { gilbert: { p: 0.004, q: 0.22 }, outages: [{ at_s: 171, duration_s: 3 }] },
          },
        },
      },
    ],
    registrations: [{ user: 'phone{n}', address: SITE.hq, repeat: { count: 110, spacing_s: 32 } }],
    options: [{ from: `${SITE.hq}:5060`, to: `${TRUNK.alpha}:5060`, repeat: { count: 118, spacing_s: 30 } }],
  }
}

export function config(spool: string): unknown {
  return {
    probe: 'tap-1',
    sites: [
      { name: 'hq', networks: ['198.51.100.0/26'] },
      { name: 'berlin', networks: ['198.51.100.64/26'] },
      { name: 'london', networks: ['198.51.100.128/26'] },
      { name: 'depot', networks: ['198.51.100.192/26'] },
    ],
    trunks: [
      { name: 'alpha', addresses: ['203.0.113.0/26'] },
      { name: 'beta', addresses: ['203.0.113.64/26'] },
    ],
    spool: { directory: spool },
  }
}
