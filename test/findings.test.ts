import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { FINDING_CODES, type CallRecord, type Finding, type FindingCode } from '../src/calls/records.js'
import { DEFAULT_THRESHOLDS } from '../src/config/finding-thresholds.js'
import type { CallSpec, DirectionSpec, Scenario } from '../src/generate/scenario.js'
import { callByHand, media, NOON } from './cases/hand-made.js'
import { ROOT } from './helpers/programs.js'
import { only, replay, replayScenario } from './helpers/replay.js'

const START = '2024-03-01T12:00:00Z'

async function callsOf(scenario: Scenario): Promise<CallRecord[]> {
  return (await replayScenario({ seed: 1, start: START, ...scenario })).calls
}

async function findingsOf(call: CallSpec, scenario: Scenario = {}): Promise<Finding[]> {
  return only(await callsOf({ ...scenario, calls: [call] })).findings
}

function codes(findings: readonly Finding[]): FindingCode[] {
  return findings.map(({ code }) => code)
}

function fromCaller(media: DirectionSpec, durationS = 40): CallSpec {
  return { duration_s: durationS, media: { from_caller: media } }
}

/** Every `every`-th second has a burst of so many packets that are 100 ms late. */
const SPIKES: DirectionSpec = {
  jitter: { spikes: { every_s: 4, size_ms: 100, packets: 5 }, preserve_order: true },
}

describe('a call without a fault has no findings', () => {
  it.each<[string, CallSpec]>([
    ['G.711 with RTCP', { duration_s: 30 }],
    ['without RTCP', { duration_s: 30, rtcp: false }],
    ['an ordinary jitter of 10 ms', fromCaller({ jitter: { uniform_ms: 10, preserve_order: true } })],
    ['a loss of 0.3 %', fromCaller({ loss: { packets: [200, 500, 900, 1100, 1500, 1800] } })],
    ['silence suppression', fromCaller({ dtx: { talk_s: 2, silence_s: 4, comfort_noise: true } })],
    ['silence suppression without comfort noise', fromCaller({ dtx: { talk_s: 3, silence_s: 6 } })],
    [
      'digits',
      fromCaller({
        dtmf: [
          { at_s: 3, digit: '5' },
          { at_s: 8, digit: '#' },
        ],
      }),
    ],
    ['a hold in the middle', { duration_s: 60, hold: [{ at_s: 10, duration_s: 20, by: 'callee' }] }],
    ['a hold to the end', { duration_s: 40, hold: [{ at_s: 10, duration_s: 60, by: 'caller' }] }],
    ['early media', { duration_s: 20, early_media: true }],
    ['a new SSRC', fromCaller({ ssrc_change: [{ at_s: 10 }] })],
    ['a sequence that begins anew', fromCaller({ sequence_reset: [{ at_s: 10 }] })],
    ['packets that overtake each other', fromCaller({ reorder: { percent: 2 } })],
    [
      'a mirror that shows packets twice',
      fromCaller({ duplicates: { percent: 100, kind: 'mirror', after_ms: 1 } }),
    ],
    ['an answer that takes 6 s to ring', { duration_s: 20, ring_delay_ms: 6000, answer_delay_ms: 9000 }],
    ['credentials asked for', { duration_s: 20, auth: 407 }],
    ['one repeated INVITE', { duration_s: 20, sip: { invite_retransmissions: 1 } }],
    ['a re-INVITE that changes nothing', { duration_s: 20, reinvite: [{ at_s: 5 }] }],
    ['a port changed by re-INVITE', { duration_s: 20, reinvite: [{ at_s: 5, media_port: 41000 }] }],
    ['a refused T.38', { duration_s: 20, reinvite: [{ at_s: 5, t38: true }] }],
    ['media through a proxy', { duration_s: 20, sip: { proxy: '203.0.113.9' } }],
    ['encrypted media', { duration_s: 20, srtp: true }],
    ['a forked call', { duration_s: 20, fork: [{ address: '198.51.100.33', early_media: true }] }],
    [
      'a noisy but ordinary network',
      {
        duration_s: 60,
        media: { both: { jitter: { uniform_ms: 25, preserve_order: true }, loss: { random_percent: 0.2 } } },
      },
    ],
    [
      'two late spikes',
      fromCaller({
        jitter: { late: { packets: [600, 601, 602, 603, 1400, 1401, 1402, 1403], delay_ms: 120 } },
      }),
    ],
    [
      'silence suppression and spikes of one packet',
      fromCaller({ dtx: { talk_s: 2, silence_s: 2 }, jitter: { spikes: { every_s: 5, size_ms: 80 } } }),
    ],
    ['a clock that is 80 ppm fast', fromCaller({ skew_ppm: 80 }, 120)],
    ['AMR, whose packets are cut by silence', fromCaller({ codec: 'AMR', dtx: { talk_s: 1, silence_s: 3 } })],
    ['packets of 30 ms throughout', { duration_s: 30, media: { both: { codec: 'iLBC' } } }],
    ['NAT that gives media another port', fromCaller({ address_change: [] }, 20)],
    [
      'a long call that ends right after a hold',
      { duration_s: 50, hold: [{ at_s: 20, duration_s: 26, by: 'caller', mode: 'inactive' }] },
    ],
    ['a delay of 200 ms', { duration_s: 30, network: { caller_leg_rtt_ms: 20, callee_leg_rtt_ms: 250 } }],
    ['an answer after ringing for 40 s', { duration_s: 20, answer_delay_ms: 40_000 }],
    ...[30, 45, 60, 90, 150].flatMap((ms): [string, CallSpec][] =>
      [true, false].map((preserve_order) => [
        `delays of 0 to ${ms} ms, each for itself${preserve_order ? ', in order' : ''}`,
        fromCaller({ jitter: { uniform_ms: ms, preserve_order } }, 30),
      ]),
    ),
    ['media that ends 4 s before BYE', fromCaller({ media_stop_s: 26 }, 30)],
    ['media that begins late on both sides', { duration_s: 30, media: { both: { start_delay_ms: 1500 } } }],
    ['a call of 6 s', { duration_s: 6 }],
    ['an INVITE sent three times', { duration_s: 20, sip: { invite_retransmissions: 2 } }],
    ['a loss of 0.5 % behind the tap', fromCaller({ loss: { random_percent: 0.5, where: 'after_tap' } })],
    [
      'seven packets lost in a row, once',
      fromCaller({ loss: { outages: [{ at_s: 10, duration_s: 0.14 }] } }),
    ],
    ['four codecs offered, one used', { duration_s: 20, offer: ['PCMA', 'G722', 'G729'] }],
    ['a source that changes twice', fromCaller({ ssrc_change: [{ at_s: 9 }, { at_s: 18 }] })],
    [
      'a BYE 1.5 s after a start without media',
      { duration_s: 5.5, media: { both: { start_delay_ms: 1500 } } },
    ],
    ['a single late spike', fromCaller({ jitter: { late: { packets: [600], delay_ms: 150 } } })],
    ['media 1.5 s after BYE', fromCaller({ media_after_bye_ms: 1500 })],
    [
      'one direction wanted only',
      { duration_s: 20, hold: [{ at_s: 1, duration_s: 30, music: true, mode: 'sendonly' }] },
    ],
  ])('%s', async (_name, call) => {
    expect(await findingsOf(call)).toEqual([])
  })

  it.each<[string, CallSpec]>([
    ['busy', { status: 486 }],
    ['busy everywhere', { status: 600 }],
    ['declined', { status: 603 }],
    ['unwanted', { status: 607 }],
    ['a wrong number', { status: 404 }],
    ['a number that is gone', { status: 410 }],
    ['a number that is not complete', { status: 484 }],
    ['not allowed', { status: 403 }],
    ['moved', { status: 302 }],
    ['nobody answers: 480 after ringing', { status: 480, answer_delay_ms: 6000 }],
    ['nobody answers: 408 after ringing', { status: 408, answer_delay_ms: 6000 }],
    ['the caller gives up', { cancel_after_ms: 3000, answer_delay_ms: 9000 }],
  ])('%s is no failure', async (_name, call) => {
    expect(codes(await findingsOf(call))).toEqual([])
  })
})

describe('each fault has its finding, and no other', () => {
  it.each<[FindingCode[], string, CallSpec, Partial<Finding>]>([
    [
      ['no_media'],
      'neither side sends',
      { duration_s: 20, media: { both: { no_media: true } } },
      { severity: 'critical' },
    ],
    [
      ['one_way_audio'],
      'the callee never sends',
      { duration_s: 20, media: { from_callee: { no_media: true } } },
      { severity: 'critical', direction: 'from_callee', confidence: 'high' },
    ],
    [
      ['one_way_audio'],
      'the caller never sends, and there is no RTCP',
      { duration_s: 20, rtcp: false, media: { from_caller: { no_media: true } } },
      { direction: 'from_caller' },
    ],
    [
      ['media_stopped'],
      'the caller stops 10 s before the end',
      fromCaller({ media_stop_s: 20 }, 30),
      { direction: 'from_caller', severity: 'critical' },
    ],
    [
      ['media_stopped'],
      'both stop',
      { duration_s: 40, media: { both: { media_stop_s: 30 } } },
      { direction: undefined, confidence: 'high' },
    ],
    [
      ['burst_loss', 'loss_before_tap'],
      'an outage of 2 s that ends',
      fromCaller({ loss: { outages: [{ at_s: 10, duration_s: 2 }] } }),
      {},
    ],
    [
      ['burst_loss', 'loss_before_tap'],
      'losses in runs',
      fromCaller({ loss: { gilbert: { p: 0.01, q: 0.25 } } }),
      { confidence: 'high' },
    ],
    [
      ['random_loss', 'loss_before_tap'],
      'losses one by one',
      fromCaller({ loss: { random_percent: 3 } }),
      { confidence: 'high' },
    ],
    [
      ['random_loss'],
      'the same, rtcp off',
      { ...fromCaller({ loss: { random_percent: 3 } }), rtcp: false },
      { confidence: 'medium' },
    ],
    [
      ['random_loss', 'loss_before_tap'],
      'heavy losses one by one',
      fromCaller({ loss: { random_percent: 15 } }),
      { severity: 'critical' },
    ],
    [
      ['loss_after_tap'],
      'losses behind the tap',
      fromCaller({ loss: { random_percent: 4, where: 'after_tap' } }),
      { direction: 'from_caller', confidence: 'high' },
    ],
    [['burst_jitter'], 'spikes', fromCaller(SPIKES), { direction: 'from_caller' }],
    [
      ['queueing'],
      'a queue that stands for a second',
      fromCaller({ jitter: { queueing: { every_s: 15, stall_ms: 1200, drain_ms: 5 } } }),
      { direction: 'from_caller' },
    ],
    [['clock_skew'], 'a fast clock', fromCaller({ skew_ppm: 180 }, 120), { direction: 'from_caller' }],
    [['clock_skew'], 'a slow clock', fromCaller({ skew_ppm: -300 }, 120), { severity: 'warning' }],
    [
      ['timestamp_jump'],
      'timestamps that jump',
      fromCaller({ timestamp_jump: [{ at_s: 8, by_ms: 5000 }] }),
      {},
    ],
    [
      ['high_delay'],
      'a satellite',
      { duration_s: 30, network: { caller_leg_rtt_ms: 20, callee_leg_rtt_ms: 600 } },
      { confidence: 'high' },
    ],
    [
      ['dscp_unmarked'],
      'media without priority',
      fromCaller({ dscp: 0 }),
      { severity: 'info', direction: 'from_caller' },
    ],
    [
      ['ptime_changed'],
      '20 ms, then 40',
      { duration_s: 40, reinvite: [{ at_s: 15, codec: 'PCMU', ptime_ms: 40 }] },
      { severity: 'info' },
    ],
    [
      ['ptime_changed'],
      'the callee changes, long after a jitter of the caller',
      {
        duration_s: 70,
        media: { from_caller: { jitter: { late: { packets: [100, 101, 102], delay_ms: 90 } } } },
        reinvite: [{ at_s: 45, codec: 'PCMU', ptime_ms: 30 }],
      },
      { evidence: { ptime_ms: 20, changed_ptime_ms: 30 } },
    ],
    [['setup_failed'], '503', { status: 503 }, { severity: 'critical', confidence: 'high' }],
    [['setup_failed'], '488', { status: 488 }, { severity: 'warning' }],
    [['setup_failed'], '606', { status: 606 }, { severity: 'warning' }],
    [['setup_failed'], '604', { status: 604 }, {}],
    [
      ['setup_failed'],
      '480 at once',
      { status: 480, ring_delay_ms: 3000, answer_delay_ms: 300 },
      { confidence: 'low' },
    ],
    [
      ['setup_failed'],
      '408 without ringing',
      { status: 408, ring_delay_ms: 9000, answer_delay_ms: 7000 },
      {},
    ],
    [['slow_setup'], '9 s of silence', { duration_s: 20, ring_delay_ms: 9000, answer_delay_ms: 12_000 }, {}],
    [['short_call'], 'hung up at once', { duration_s: 3 }, { severity: 'info' }],
    [
      ['retransmissions'],
      'an INVITE sent four times',
      { duration_s: 20, sip: { invite_retransmissions: 3 } },
      {},
    ],
  ])('%j: %s', async (expected, _name, call, like) => {
    const findings = await findingsOf(call)
    const found = [...new Set(codes(findings))]
    expect(found, JSON.stringify(findings)).toEqual(expected)
    const first: Partial<Record<string, unknown>> = { ...findings[0] }
    for (const [key, value] of Object.entries(like))
      expect(first[key], key).toEqual(typeof value === 'object' ? expect.objectContaining(value) : value)
  })
})

describe('what only the rest of the traffic shows', () => {
  it('an INVITE that nothing answers within 32 s failed', async () => {
    const calls = await callsOf({ calls: [{ status: 0 }], options: [{ at_s: 60 }] })
    expect(only(only(calls).findings)).toMatchObject({
      code: 'setup_failed',
      evidence: { class: 'no_response' },
    })
  })

  it('calls without media are no fault on a tap that sees signalling only', async () => {
    const calls = await callsOf({
      calls: [{ duration_s: 20, rtcp: false, repeat: { count: 5 }, media: { both: { no_media: true } } }],
    })
    expect(calls.flatMap(({ findings }) => findings)).toEqual([])
  })

  it('a call without media is sure to be one when others on its path have media', async () => {
    const silent: CallSpec = { at_s: 60, duration_s: 20, rtcp: false, media: { both: { no_media: true } } }
    const calls = await callsOf({ calls: [{ duration_s: 10, repeat: { count: 4, spacing_s: 5 } }, silent] })
    const found = calls.flatMap(({ findings }) => findings)
    expect(only(found)).toMatchObject({ code: 'no_media', confidence: 'high' })
  })

  it('media that stops 30 s after the answer on every call names the timer', async () => {
    const calls = await callsOf({
      calls: [
        {
          duration_s: 45,
          repeat: { count: 4, spacing_s: 50 },
          media: { from_callee: { media_stop_s: 30 } },
        },
      ],
    })
    const alike = calls.map(({ findings }) => only(findings).evidence.other_calls_stopped_alike)
    expect(alike).toEqual([0, 1, 2, 3])
    const last = only(calls[3].findings)
    expect(last).toMatchObject({ code: 'media_stopped', confidence: 'high' })
    expect(last.message).toMatch(/timer or a UDP mapping/)
    expect(last.evidence.stopped_after_s).toBeCloseTo(30, 0)
  })

  it('a sender that says itself that it sends no more may be muted: a guess, not an alarm', async () => {
    const muted = { from_caller: { dtx: { talk_s: 8, silence_s: 55, comfort_noise: false } } }
    const found = only(await findingsOf({ duration_s: 60, media: muted }))
    expect(found).toMatchObject({ code: 'media_stopped', confidence: 'low', evidence: { sender_idle: true } })
    expect(found.message).toContain('muted')
    const untold = only(await findingsOf({ duration_s: 60, rtcp: false, media: muted }))
    expect(untold).toMatchObject({ code: 'media_stopped', confidence: 'medium' })
    expect(untold.evidence).not.toHaveProperty('sender_idle')
  })

  it('a sender that counts on while nothing passes is lost on the way, and not muted', async () => {
    const cut = { from_caller: { loss: { outages: [{ at_s: 20, duration_s: 100 }] } } }
    const found = await findingsOf({ duration_s: 60, media: cut })
    expect(codes(found)).toEqual(['media_stopped', 'loss_before_tap'])
    expect(found[0]).toMatchObject({ confidence: 'medium' })
    expect(found[0].evidence).not.toHaveProperty('sender_idle')
  })

  it('media that stops at another time on each call names none', async () => {
    const calls = await callsOf({
      calls: [8, 14, 22, 31].map((stop, k) => ({
        at_s: k * 60,
        duration_s: 45,
        media: { from_callee: { media_stop_s: stop } },
      })),
    })
    expect(calls.map(({ findings }) => only(findings).evidence.other_calls_stopped_alike)).toEqual([
      0, 0, 0, 0,
    ])
  })
})

describe('a delay that rises', () => {
  const answerMs = NOON + 500

  async function delayed(delay: (n: number) => number): Promise<Finding[]> {
    const { frames } = callByHand({ durationMs: 40_000 })
    const run = { startMs: answerMs + 40, packets: 1990 }
    const own = media({ ...run, from: '192.0.2.10:10000', to: '198.51.100.20:20000', ssrc: 1, delay })
    const back = media({ ...run, from: '198.51.100.20:20000', to: '192.0.2.10:10000', ssrc: 2 })
    return only((await replay([...frames, ...own, ...back])).calls).findings
  }

  it('all the time is a sender that is too slow', async () => {
    const findings = await delayed((n) => n * 5)
    expect(only(findings)).toMatchObject({ code: 'clock_skew', direction: 'from_caller' })
    expect(findings[0].evidence.skew_ppm).toBeCloseTo(-200_000, -4)
  })

  it('once, and stays, may be another route', async () => {
    const findings = await delayed((n) => (n < 900 ? 0 : 70))
    expect(only(findings)).toMatchObject({ code: 'queueing', confidence: 'low' })
    expect(findings[0].message).toMatch(/another route/)
  })

  it('and falls again, again and again, is a queue', async () => {
    const findings = await delayed((n) => (n % 500 < 400 ? 0 : Math.max(0, 600 - (n % 100) * 6)))
    expect(only(findings)).toMatchObject({ code: 'queueing', confidence: 'high' })
  })

  it('and is different for each packet is no queue', async () => {
    const findings = await delayed((n) => (Math.imul(n, 0x9e3779b1) >>> 16) % 90)
    expect(codes(findings)).not.toContain('clock_skew')
    expect(findings.filter(({ code, confidence }) => code === 'queueing' && confidence === 'high')).toEqual(
      [],
    )
  })
})

describe('loss has a place', () => {
  it('the sender counted what never passed the tap', async () => {
    const findings = await findingsOf({
      duration_s: 60,
      rtcp: { interval_s: 5 },
      media: { from_caller: { loss: { random_percent: 6 } } },
    })
    expect(codes(findings)).toEqual(['random_loss', 'loss_before_tap'])
  })

  it('jitter that rises before loss is a queue, loss without jitter is not', async () => {
    const queue = await findingsOf({
      duration_s: 60,
      media: {
        from_caller: {
          jitter: { queueing: { every_s: 5, stall_ms: 900, drain_ms: 6 } },
          loss: {
            packets: [
              100, 103, 106, 109, 350, 353, 356, 359, 600, 603, 606, 609, 850, 853, 856, 859, 1100, 1103,
              1106, 1109, 1350, 1353, 1356, 1359, 1600, 1603, 1606, 1609, 1850, 1853,
            ],
          },
        },
      },
    })
    expect(codes(queue)).toContain('queueing')
    expect(queue.find(({ code }) => code === 'queueing')?.evidence.lost_while_queueing).toBeGreaterThan(20)
    const loss = queue.find(({ code }) => code === 'random_loss')
    expect(loss?.message).toMatch(/delay rises first/)
    const bare = await findingsOf(fromCaller({ loss: { random_percent: 4 } }))
    expect(bare[0].message).toMatch(/without a rise of the delay/)
  })
})

describe('docs/findings.md', () => {
  const page = readFileSync(join(ROOT, 'docs/findings.md'), 'utf8')

  it.each(FINDING_CODES)('explains %s', (code) => {
    expect(page).toContain(`### \`${code}\``)
  })

  it('names no finding that there is not', () => {
    const named = [...page.matchAll(/^### `(\w+)`$/gm)].map(([, code]) => code)
    expect(named.toSorted()).toEqual(FINDING_CODES.toSorted())
  })

  it.each(Object.keys(DEFAULT_THRESHOLDS))('names the limit %s', (key) => {
    expect(page).toContain(`\`${key}\``)
  })
})
