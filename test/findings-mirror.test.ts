import { describe, expect, it } from 'vitest'
import type { CallRecord, Finding, FindingCode } from '../src/calls/records.js'
import type { Scenario } from '../src/generate/scenario.js'
import { CaptureLosses } from '../src/calls/capture-losses.js'
import { MemorySource } from '../src/capture/memory-source.js'
import { DEFAULT_CONFIG } from '../src/config/config.js'
import { generateScenario } from '../src/generate/generate.js'
import { Probe } from '../src/pipeline/probe.js'
import { callByHand, Dialog, media, NOON, sdp } from './cases/hand-made.js'
import { only, pcapOf, replay, replayScenario, type Frame } from './helpers/replay.js'

async function callsOf(scenario: Scenario): Promise<CallRecord[]> {
  return (await replayScenario({ seed: 1, ...scenario })).calls
}

function codes(findings: readonly Finding[]): FindingCode[] {
  return findings.map(({ code }) => code)
}

describe('a fault of the mirror is not blamed on the network', () => {
  it.each(['from_caller', 'from_callee'] as const)(
    'a mirror that shows only what comes %s makes no call one-way',
    async (shown) => {
      const calls = await callsOf({
        mirror: { one_direction: shown },
        calls: [{ duration_s: 20, repeat: { count: 6, spacing_s: 7 } }],
      })
      expect(calls.length).toBeGreaterThanOrEqual(6)
      for (const { findings, quality } of calls) {
        expect(codes(findings)).toEqual(['mirror_one_direction'])
        expect(only(findings)).toMatchObject({ confidence: 'high', severity: 'critical' })
        // Of half a call nobody can say that it was good.
        expect(quality).toBe('unknown')
      }
    },
  )

  it('losses of the mirror withhold the losses', async () => {
    const [call] = await callsOf({
      mirror: { drop_percent: 4 },
      calls: [{ duration_s: 40, rtcp: { interval_s: 5 } }],
    })
    expect(new Set(codes(call.findings))).toEqual(new Set(['capture_unreliable']))
    expect(call.findings[0]).toMatchObject({ confidence: 'high' })
    expect(call.findings[0].evidence.mirror_loss).toBeGreaterThan(20)
  })

  it('losses of a mirror that also shows packets twice', async () => {
    const [call] = await callsOf({
      mirror: { drop_percent: 3 },
      calls: [
        {
          duration_s: 30,
          rtcp: { interval_s: 5 },
          media: { both: { duplicates: { every: 10, after_ms: 0.5, kind: 'mirror', vlan: 200 } } },
        },
      ],
    })
    expect(new Set(codes(call.findings))).toEqual(new Set(['capture_unreliable']))
  })

  it('a network that repeats packets hides losses from the receiver’s reports', async () => {
    const [call] = await callsOf({
      calls: [
        {
          duration_s: 40,
          rtcp: { interval_s: 5 },
          media: {
            from_caller: {
              loss: { random_percent: 4 },
              duplicates: { percent: 2, after_ms: 5, kind: 'network' },
            },
          },
        },
      ],
    })
    expect(codes(call.findings)).not.toContain('capture_unreliable')
    expect(codes(call.findings)).toContain('random_loss')
  })

  it('two packets that the mirror dropped are no reason to distrust it', async () => {
    const [call] = await callsOf({
      mirror: { drop_packets: [100, 400] },
      calls: [{ duration_s: 30, rtcp: { interval_s: 5 } }],
    })
    expect(call.findings).toEqual([])
  })

  it('losses of the network are the network’s, though the mirror dropped some too', async () => {
    const packets = Array.from({ length: 90 }, (_, k) => 100 + k * 11)
    const [call] = await callsOf({
      mirror: { drop_packets: [50, 61, 72] },
      calls: [{ duration_s: 40, rtcp: { interval_s: 5 }, media: { from_caller: { loss: { packets } } } }],
    })
    const found = call.findings.filter(({ direction }) => direction === 'from_caller')
    expect(codes(found)).toContain('random_loss')
    expect(codes(found)).not.toContain('capture_unreliable')
  })

  it('the receiver reports what the mirror never shows', async () => {
    const { packets } = await replayScenario({
      seed: 1,
      calls: [
        {
          duration_s: 30,
          rtcp: { interval_s: 5 },
          caller: { address: '192.0.2.10', media_port: 10_000 },
          callee: { address: '198.51.100.20', media_port: 20_000 },
        },
      ],
    })
    // RTP from port 20000 is gone from the capture; signalling and RTCP of both sides stay.
    const shown = packets.filter(({ frame }) => ((frame[34] << 8) | frame[35]) !== 20_000 || frame[23] !== 17)
    expect(shown.length).toBeLessThan(packets.length - 1000)
    const call = only((await replay(shown)).calls)
    expect(codes(call.findings)).toEqual(['mirror_one_direction'])
    expect(call.findings[0]).toMatchObject({ direction: 'from_callee' })
    expect(call.findings[0].evidence.receiver_reports).toBeGreaterThan(2)
  })
})

describe('what the capture itself dropped', () => {
  /** A call of 30 s that loses 4 %, while the kernel dropped so many packets in its tenth second. */
  async function live(drops: number, dropsAtS: number): Promise<Finding[]> {
    const scenario: Scenario = {
      seed: 1,
      start: '2024-05-01T12:00:00Z',
      calls: [{ duration_s: 30, rtcp: false, media: { from_caller: { loss: { random_percent: 4 } } } }],
    }
    const losses = new CaptureLosses()
    losses.add(NOON + dropsAtS * 1000, NOON + dropsAtS * 1000 + 500, drops, 0)
    const calls: CallRecord[] = []
    const probe = new Probe(
      DEFAULT_CONFIG,
      'kernel',
      (record) => void (record.type === 'call' && calls.push(record)),
      [],
      losses,
    )
    const source = new MemorySource(pcapOf(generateScenario(scenario).packets))
    for (let batch = await source.next(); batch !== null; batch = await source.next()) probe.onBatch(batch)
    for (const _ of probe.finish());
    return only(calls).findings
  }

  it('is not blamed on the network', async () => {
    const findings = await live(70, 10)
    expect(codes(findings)).toEqual(['capture_unreliable'])
    expect(findings[0]).toMatchObject({ confidence: 'medium', evidence: { capture_drops: 70 } })
  })

  it('before the call has nothing to do with it', async () => {
    expect(codes(await live(70, -60))).toEqual(['random_loss'])
  })
})

describe('one-way audio and its neighbours', () => {
  const answerMs = NOON + 500

  /** A call whose callee has its media elsewhere than its signalling; media of the callee only with `both`. */
  function call(n: number, both: boolean): Frame[] {
    const caller = `10.1.0.${n}`
    const dialog = new Dialog({ callId: `c${n}`, caller: `${caller}:5060`, callee: '10.9.0.1:5060' })
    const gateway = `10.9.1.${n}`
    return [
      ...dialog.setUp(NOON, sdp({ audio: `${caller}:10000` }), sdp({ audio: `${gateway}:20000` })),
      ...dialog.hangUp(answerMs + 20_000 + n * 100),
      ...media({
        from: `${caller}:10000`,
        to: `${gateway}:20000`,
        startMs: answerMs + 40,
        packets: 990,
        ssrc: n,
      }),
      ...(both
        ? media({
            from: `${gateway}:20000`,
            to: `${caller}:10000`,
            startMs: answerMs + 40,
            packets: 990,
            ssrc: 99 + n,
          })
        : []),
    ]
  }

  it('media one way between all addresses on the tap is the mirror', async () => {
    const { calls } = await replay([1, 2, 3, 4, 5].flatMap((n) => call(n, false)))
    for (const { findings } of calls) {
      expect(only(findings)).toMatchObject({ code: 'mirror_one_direction', confidence: 'medium' })
    }
  })

  it('one such call among calls with media both ways is one-way audio', async () => {
    const { calls } = await replay([1, 2, 3, 4, 5].flatMap((n) => call(n, n !== 3)))
    const bad = calls.filter(({ findings }) => findings.length > 0)
    expect(only(bad).call_id).toBe('c3')
    expect(only(only(bad).findings)).toMatchObject({ code: 'one_way_audio', direction: 'from_callee' })
  })

  it('a silent host whose signalling is seen on the media’s own way is no mirror fault', async () => {
    const frames = [1, 2, 3, 4, 5].flatMap((n) => {
      const dialog = new Dialog({ callId: `c${n}`, caller: `10.1.0.${n}:5060`, callee: '10.9.0.1:5060' })
      return [
        ...dialog.setUp(NOON, sdp({ audio: `10.1.0.${n}:10000` }), sdp({ audio: '10.9.0.1:20000' })),
        ...dialog.hangUp(answerMs + 20_000),
        ...media({
          from: `10.1.0.${n}:10000`,
          to: '10.9.0.1:20000',
          startMs: answerMs + 40,
          packets: 990,
          ssrc: n,
        }),
      ]
    })
    const { calls } = await replay(frames)
    for (const { findings } of calls) expect(codes(findings)).toEqual(['one_way_audio'])
  })

  it('two seconds are too short to be sure', async () => {
    const { frames } = callByHand({ durationMs: 2500 })
    const some = media({
      from: '192.0.2.10:10000',
      to: '198.51.100.20:20000',
      startMs: answerMs + 40,
      packets: 110,
    })
    const findings = only((await replay([...frames, ...some])).calls).findings
    expect(findings[0]).toMatchObject({ code: 'one_way_audio', confidence: 'low' })
  })
})
