import { describe, expect, it } from 'vitest'
import {
  directionOf,
  expectNear,
  expectTruth,
  only,
  replay,
  replayScenario,
  type Frame,
} from '../helpers/replay.js'
import { ALICE_AUDIO, BOB_AUDIO, Dialog, media, NOON, sdp, segment } from './hand-made.js'

const CALLER = '192.0.2.10:33333'
const CALLEE = '198.51.100.20:5060'

/** The text of a whole call's messages over TCP, by side, with their times. */
function messages() {
  const dialog = new Dialog({ callId: 'over-tcp', caller: CALLER, callee: CALLEE })
  const over = (text: string): string => text.replaceAll('SIP/2.0/UDP', 'SIP/2.0/TCP')
  const answerMs = NOON + 500
  return {
    answerMs,
    invite: over(dialog.inviteText(sdp({ audio: ALICE_AUDIO }))),
    trying: over(dialog.responseText(100, 'Trying', '', '')),
    ringing: over(dialog.responseText(180, 'Ringing')),
    ok: over(dialog.responseText(200, 'OK', sdp({ audio: BOB_AUDIO }))),
    ack: over(dialog.ackText()),
    bye: over(dialog.byeText()),
    byeOk: over(dialog.byeOkText()),
  }
}

/** Writes one side's bytes as segments. */
class Side {
  private sequence: number

  constructor(
    private readonly from: string,
    private readonly to: string,
    initial: number,
  ) {
    this.sequence = initial
  }

  send(timeMs: number, text: string): Frame {
    const frame = segment(timeMs, this.from, this.to, this.sequence, text)
    this.sequence = (this.sequence + Buffer.byteLength(text)) >>> 0
    return frame
  }

  bytewise(timeMs: number, text: string, size: number): Frame[] {
    const frames: Frame[] = []
    for (let at = 0; at < text.length; at += size)
      frames.push(this.send(timeMs + frames.length * 0.01, text.slice(at, at + size)))
    return frames
  }
}

function rtpOf(answerMs: number): Frame[] {
  const run = { startMs: answerMs + 40, packets: 300 }
  return [
    ...media({ ...run, from: ALICE_AUDIO, to: BOB_AUDIO }),
    ...media({ ...run, from: BOB_AUDIO, to: ALICE_AUDIO, ssrc: 2 }),
  ]
}

function expectWholeCall(call: Awaited<ReturnType<typeof replay>>['calls'][number]): void {
  expect(call).toMatchObject({
    call_id: 'over-tcp',
    state: 'completed',
    duration_s: 6.5,
    quality: 'good',
    caller_address: '192.0.2.10',
    callee_address: '198.51.100.20',
    sip: { transport: 'tcp', status: 200, setup_ms: 500, retransmissions: 0 },
  })
  expect(directionOf(call, 'from_caller').packets).toBe(300)
  expect(directionOf(call, 'from_callee').packets).toBe(300)
}

describe('case 24: SIP over TCP', () => {
  it('without a handshake, with keepalives in between (double CRLF, its CRLF answer)', async () => {
    const m = messages()
    const a = new Side(CALLER, CALLEE, 1000)
    const b = new Side(CALLEE, CALLER, 9000)
    const { calls } = await replay([
      a.send(NOON - 100, '\r\n\r\n'),
      b.send(NOON - 90, '\r\n'),
      a.send(NOON, m.invite),
      b.send(NOON + 5, m.trying),
      b.send(NOON + 100, m.ringing),
      a.send(NOON + 200, '\r\n\r\n'),
      b.send(NOON + 210, '\r\n'),
      b.send(m.answerMs, m.ok),
      a.send(m.answerMs + 20, m.ack),
      ...rtpOf(m.answerMs),
      a.send(m.answerMs + 6500, m.bye),
      b.send(m.answerMs + 6510, m.byeOk),
    ])
    expectWholeCall(only(calls))
  })

  it('several messages in one segment', async () => {
    const m = messages()
    const a = new Side(CALLER, CALLEE, 0xffffff00)
    const b = new Side(CALLEE, CALLER, 9000)
    const { calls } = await replay([
      a.send(NOON, m.invite),
      b.send(NOON + 15, m.trying),
      b.send(m.answerMs, m.ringing + '\r\n\r\n' + m.ok),
      a.send(m.answerMs + 20, m.ack),
      ...rtpOf(m.answerMs),
      a.send(m.answerMs + 6500, m.bye),
      b.send(m.answerMs + 6510, m.byeOk),
    ])
    expectWholeCall(only(calls))
  })

  it.each([2, 7, 64])('one message over many segments of %d bytes', async (size) => {
    const m = messages()
    const a = new Side(CALLER, CALLEE, 0xfffffff0)
    const b = new Side(CALLEE, CALLER, 9000)
    const ok = b.bytewise(m.answerMs - 20, m.ok, size)
    // The message is there when its last byte is.
    ok[ok.length - 1] = { ...ok[ok.length - 1], timeMs: m.answerMs }
    const { calls } = await replay([
      ...a.bytewise(NOON, m.invite, 4000),
      ...ok,
      ...a.bytewise(m.answerMs + 20, m.ack, size),
      ...rtpOf(m.answerMs),
      a.send(m.answerMs + 6500, m.bye),
      b.send(m.answerMs + 6510, m.byeOk),
    ])
    expectWholeCall(only(calls))
  })

  it('segments out of order, and one seen twice', async () => {
    const m = messages()
    const a = new Side(CALLER, CALLEE, 77)
    const b = new Side(CALLEE, CALLER, 9000)
    const [one, two, ...rest] = a.bytewise(NOON - 80, m.invite, 150)
    // The second segment comes last: the INVITE is there at NOON, when the gap is filled.
    const swapped = [one, ...rest, { ...rest[0], timeMs: NOON - 40 }, { ...two, timeMs: NOON }]
    const { calls } = await replay([
      ...swapped,
      b.send(m.answerMs, m.ok),
      a.send(m.answerMs + 20, m.ack),
      ...rtpOf(m.answerMs),
      a.send(m.answerMs + 6500, m.bye),
      b.send(m.answerMs + 6510, m.byeOk),
    ])
    expectWholeCall(only(calls))
  })

  it.each([
    ['whole, with a handshake', {}],
    ['in small segments', { tcp_segment_bytes: 100 }],
    ['without a handshake', { tcp_handshake: false }],
    ['with compact headers', { compact_headers: true, tcp_segment_bytes: 333 }],
  ])('a generated call %s', async (_, sip) => {
    const { calls, truth } = await replayScenario({
      calls: [
        {
          duration_s: 10,
          rtcp: false,
          sip: { transport: 'tcp', ...sip },
          hold: [{ at_s: 3, duration_s: 2 }],
          media: { both: { loss: { random_percent: 2 } } },
        },
      ],
    })
    const call = only(calls)
    // A message is there with its last segment: these follow each other within a millisecond.
    expectNear(call.duration_s, 10, 0.001)
    expectNear(call.hold_ms, truth.calls[0].hold_ms, 1)
    expect(call).toMatchObject({
      state: 'completed',
      call_id: truth.calls[0].call_id,
      caller: 'alice',
      callee: 'bob',
      sip: { transport: 'tcp', status: 200 },
    })
    for (const name of ['from_caller', 'from_callee'] as const)
      expectTruth(directionOf(call, name), truth.calls[0].media[name])
  })

  it('a lost segment costs the messages in it, and no other', async () => {
    const m = messages()
    const a = new Side(CALLER, CALLEE, 77)
    const b = new Side(CALLEE, CALLER, 9000)
    const invite = a.send(NOON, m.invite)
    b.send(NOON + 5, m.trying)
    const { calls } = await replay([
      invite,
      // 100 was not captured.
      b.send(NOON + 100, m.ringing),
      b.send(m.answerMs, m.ok),
      a.send(m.answerMs + 20, m.ack),
      ...rtpOf(m.answerMs),
      a.send(m.answerMs + 6500, m.bye),
      b.send(m.answerMs + 6510, m.byeOk),
    ])
    expect(only(calls)).toMatchObject({ state: 'completed', quality: 'good', sip: { status: 200 } })
    expect(directionOf(only(calls), 'from_callee').packets).toBe(300)
  })
})
