import { describe, expect, it } from 'vitest'
import type { CallRecord, Finding, FindingCode } from '../src/calls/records.js'
import type { CallSpec } from '../src/generate/scenario.js'
import { callByHand, Dialog, media, NOON, sdp } from './cases/hand-made.js'
import { only, replay, replayScenario, type Frame } from './helpers/replay.js'

const ANSWER_MS = NOON + 500

async function findingsOf(call: CallSpec): Promise<Finding[]> {
  return only((await replayScenario({ seed: 1, calls: [call] })).calls).findings
}

function codes(findings: readonly Finding[]): FindingCode[] {
  return findings.map(({ code }) => code)
}

const CALLER_TO_CALLEE = { from: '192.0.2.10:10000', to: '198.51.100.20:20000', startMs: ANSWER_MS + 40 }
const CALLEE_TO_CALLER = {
  from: '198.51.100.20:20000',
  to: '192.0.2.10:10000',
  startMs: ANSWER_MS + 40,
  ssrc: 2,
}

describe('payload types', () => {
  async function sent(
    formats: string,
    attributes: string[],
    payloadType: number,
    more: Frame[] = [],
  ): Promise<Finding[]> {
    const { frames } = callByHand({
      offer: { audio: '192.0.2.10:10000', formats, attributes },
      answer: { audio: '198.51.100.20:20000', formats, attributes },
    })
    const own = media({ ...CALLER_TO_CALLEE, packets: 490, payloadType })
    const back = media({ ...CALLEE_TO_CALLER, packets: 490, payloadType: Number(formats.split(' ')[0]) })
    return only((await replay([...frames, ...own, ...back, ...more])).calls).findings
  }

  it('PCMA where only PCMU was agreed on', async () => {
    const findings = await sent('0', [], 8)
    expect(only(findings)).toMatchObject({
      code: 'payload_type_mismatch',
      severity: 'critical',
      confidence: 'high',
      direction: 'from_caller',
      evidence: { payload_type: 8, codec: 'PCMA', packets: 490, negotiated_payload_types: '0' },
    })
  })

  it('a dynamic type that nobody described', async () => {
    expect(codes(await sent('0', [], 97))).toEqual(['payload_type_mismatch'])
  })

  it.each<[string, Parameters<typeof sent>]>([
    ['what was agreed on', ['0 8', [], 8]],
    ['a dynamic type with its rtpmap', ['96', ['rtpmap:96 opus/48000/2'], 96]],
    [
      'comfort noise unasked',
      [
        '0',
        [],
        0,
        media({
          ...CALLER_TO_CALLEE,
          startMs: ANSWER_MS + 9850,
          packets: 12,
          payloadType: 13,
          sequence: 1490,
          timestamp: 16_000 + 490 * 160,
        }),
      ],
    ],
  ])('not for %s', async (_name, args) => {
    expect(codes(await sent(...args))).not.toContain('payload_type_mismatch')
  })

  it('a type numbered as in the sender’s own description is understood', async () => {
    const { frames } = callByHand({
      offer: { audio: '192.0.2.10:10000', formats: '97', attributes: ['rtpmap:97 G729/8000'] },
      answer: { audio: '198.51.100.20:20000', formats: '98', attributes: ['rtpmap:98 G729/8000'] },
    })
    const own = media({ ...CALLER_TO_CALLEE, packets: 490, payloadType: 97 })
    const back = media({ ...CALLEE_TO_CALLER, packets: 490, payloadType: 98 })
    expect(codes(only((await replay([...frames, ...own, ...back])).calls).findings)).toEqual([])
  })
})

describe('a codec that changes', () => {
  it('by re-INVITE is a remark', async () => {
    const findings = await findingsOf({ duration_s: 40, reinvite: [{ at_s: 15, codec: 'PCMA' }] })
    expect(new Set(codes(findings))).toEqual(new Set(['codec_changed']))
    expect(findings[0]).toMatchObject({ severity: 'info', confidence: 'high' })
    expect(findings[0].evidence.codecs).toBe('PCMA PCMU')
  })

  it('digits and comfort noise are no other codec', async () => {
    const findings = await findingsOf({
      duration_s: 20,
      media: {
        from_caller: {
          dtmf: [
            { at_s: 3, digit: '1', duration_ms: 400 },
            { at_s: 6, digit: '2', duration_ms: 400 },
          ],
        },
        from_callee: { dtx: { talk_s: 2, silence_s: 2, comfort_noise: true } },
      },
    })
    expect(codes(findings)).toEqual([])
  })
})

interface Leg {
  callId: string
  caller: string
  callee: string
  payloadType?: number
  dscp?: number
  delayMs?: number
  endMs?: number
}

/** One dialog with media both ways, from `caller` to `callee`, both for signalling and media. */
function leg({
  callId,
  caller,
  callee,
  payloadType = 0,
  dscp = 46,
  delayMs = 0,
  endMs = 20_000,
}: Leg): Frame[] {
  const dialog = new Dialog({ callId, caller: `${caller}:5060`, callee: `${callee}:5060` })
  const formats = String(payloadType)
  const startMs = ANSWER_MS + delayMs + 40
  const run = { startMs, packets: endMs / 20 - 10, payloadType, link: { dscp } }
  return [
    ...dialog.setUp(
      NOON + delayMs,
      sdp({ audio: `${caller}:10000`, formats }),
      sdp({ audio: `${callee}:20000`, formats }),
    ),
    ...dialog.hangUp(ANSWER_MS + delayMs + endMs),
    ...media({ from: `${caller}:10000`, to: `${callee}:20000`, ssrc: 10 + delayMs, ...run }),
    ...media({ from: `${callee}:20000`, to: `${caller}:10000`, ssrc: 20 + delayMs, ...run }),
  ]
}

describe('two legs of one call', () => {
  const first = { callId: 'leg-a', caller: '10.0.0.1', callee: '10.0.0.9' }
  const second = { callId: 'leg-b', caller: '10.0.0.9', callee: '10.0.0.2', delayMs: 30 }

  async function found(a: Leg, b: Leg): Promise<Finding[]> {
    const { calls } = await replay([...leg(a), ...leg(b)])
    return calls.flatMap(({ findings }: CallRecord) => findings)
  }

  it('with the same codec and DSCP have nothing to say', async () => {
    expect(codes(await found(first, second))).toEqual([])
  })

  it('PCMU on one and PCMA on the other: transcoding', async () => {
    const findings = await found(first, { ...second, payloadType: 8 })
    expect(codes(findings)).toEqual(['transcoding_suspected', 'transcoding_suspected'])
    expect(findings[0].evidence).toMatchObject({
      codec: 'PCMA',
      other_leg_codec: 'PCMU',
      other_leg_call_id: 'leg-a',
    })
  })

  it('DSCP 46 on one and 0 on the other: rewritten', async () => {
    const findings = await found(first, { ...second, dscp: 0 })
    expect(codes(findings)).toContain('dscp_rewritten')
    expect(findings.find(({ code }) => code === 'dscp_rewritten')?.evidence).toMatchObject({
      dscp: 0,
      other_leg_dscp: 46,
    })
  })

  it('of two calls that only pass the same host they are not legs', async () => {
    expect(codes(await found(first, { ...second, payloadType: 8, delayMs: 9000 }))).toEqual([])
    expect(codes(await found(first, { ...second, payloadType: 8, endMs: 12_000 }))).toEqual([])
  })

  it('a router that rewrites DSCP, seen on both its sides', async () => {
    const { frames } = callByHand()
    const run = { ...CALLER_TO_CALLEE, packets: 490, ssrc: 7 }
    const inside = media({ ...run, link: { dscp: 46 } })
    const outside = media({ ...run, from: '203.0.113.77:41000', startMs: run.startMs + 1, link: { dscp: 0 } })
    const back = media({ ...CALLEE_TO_CALLER, packets: 490 })
    const findings = only((await replay([...frames, ...inside, ...outside, ...back])).calls).findings
    expect(codes(findings)).toContain('dscp_rewritten')
  })
})

describe('dscp_unmarked', () => {
  it.each([
    [0, ['dscp_unmarked']],
    [46, []],
    [34, []],
    [8, []],
  ])('DSCP %i gives %j', async (dscp, expected) => {
    expect(codes(await findingsOf({ duration_s: 20, media: { from_caller: { dscp } } }))).toEqual(expected)
  })
})
