import type { CallListener, SipCall } from './call.js'
import { MAX_HOLDS } from './holds.js'
import { LADDER_START_MS, ladderPacket } from './tracker-ladder.js'
import { MAX_DEFECTS, MAX_RELATED_CALLS } from './tracker-call.js'
import { MAX_MEDIA_HISTORY } from './tracker-media.js'
import { callTimings } from './tracker-timings.js'
import { SignallingTracker } from './tracker.js'

const MAX_CALLS = 3
/** Bytes of the input per message. */
const STEP_BYTES = 8

const HOSTS = ['alice>bob', 'bob>alice', 'alice>proxy', 'proxy>alice', 'proxy>bob', 'bob>proxy', 'carol>bob']
const WHAT = [
  ...['INVITE', 'ACK', 'BYE', 'CANCEL', 'PRACK', 'UPDATE', 'REFER', 'INFO', 'REGISTER', 'OPTIONS', 'NOTIFY'],
  ...['100 INVITE', '180 INVITE', '183 INVITE', '200 INVITE', '302 INVITE', '401 INVITE', '407 INVITE'],
  ...[
    '486 INVITE',
    '487 INVITE',
    '488 INVITE',
    '200 BYE',
    '481 BYE',
    '200 CANCEL',
    '200 PRACK',
    '200 UPDATE',
  ],
  ...['491 UPDATE', '401 REGISTER', '200 REGISTER', '423 REGISTER', '200 OPTIONS'],
]
const TAGS = ['a>', 'a>b', 'a>c', 'b>a', 'c>a', '->', '->b', 'b>', 'c>b']
const EXTRAS = [
  '',
  'sdp=10.0.0.1:4000',
  'sdp=10.0.0.2:5000:sendonly',
  'sdp=10.0.0.2:5002:inactive',
  'sdp=0.0.0.0:4004',
  'sdp=10.0.0.1:4006:sendrecv:image',
  'Replaces:call-2;to-tag=1',
  'Refer-To:<sip:x@y?Replaces=call-3%3Bto-tag%3D%>',
]
/** ms to the next message; the last ones go past every timeout, and back. */
const PAUSES = [0, 1, 10, 60, 500, 2_100, 33_000, 200_000, -5, -100_000]

function pick<T>(choices: readonly T[], byte: number): T {
  return choices[byte % choices.length]
}

/** Checks what must hold for each event, whatever the messages. */
class Invariants implements CallListener {
  private readonly open = new Set<SipCall>()
  private readonly keys = new Set<string>()

  onCallStart(call: SipCall): void {
    if (this.keys.has(call.key)) throw new Error(`key ${call.key} was given twice`)
    this.keys.add(call.key)
    this.open.add(call)
  }

  onMediaChange(call: SipCall): void {
    this.mustBeOpen(call)
  }

  onAnswer(call: SipCall): void {
    this.mustBeOpen(call)
    if (call.answerMs === undefined) throw new Error('answered without a time')
  }

  onCallEnd(call: SipCall): void {
    this.mustBeOpen(call)
    this.open.delete(call)
    if (call.state !== 'in_progress' && call.endMs === undefined)
      throw new Error(`${call.state} without an end`)
    if (call.state === 'failed' && (call.finalStatus ?? 0) < 300) throw new Error('failed without a failure')
    this.check(call)
  }

  check(call: SipCall): void {
    if (call.mediaHistory.length > MAX_MEDIA_HISTORY) throw new Error('mediaHistory over its bound')
    if (call.defects.length > MAX_DEFECTS) throw new Error('defects over their bound')
    if (call.relatedCallIds.length > MAX_RELATED_CALLS) throw new Error('relatedCallIds over their bound')
    if (call.holds.length > MAX_HOLDS) throw new Error('holds over their bound')
    for (const hold of call.holds) {
      if (hold.endMs !== undefined && hold.endMs < hold.startMs) throw new Error('hold ends before it starts')
    }
    for (const value of Object.values(callTimings(call))) if (value < 0) throw new Error('negative timing')
  }

  private mustBeOpen(call: SipCall): void {
    if (!this.open.has(call)) throw new Error('event of a call that is not open')
  }
}

/**
 * Reads `data` as a row of messages from a few hosts, dialogs and Call-IDs in any order, with pauses in between.
 * Whatever they are, the tracker must not throw, keep its bounds, and tell each call's story in order.
 */
export function fuzzTrackerOne(data: Uint8Array): void {
  const invariants = new Invariants()
  const tracker = new SignallingTracker(invariants, { maxCalls: MAX_CALLS })
  let timeMs = 0
  for (let at = 0; at + STEP_BYTES <= data.length; at += STEP_BYTES) {
    const [what, hosts, tags, cseq, branch, extra, call, pause] = data.subarray(at, at + STEP_BYTES)
    timeMs += pick(PAUSES, pause)
    const line = [
      timeMs,
      pick(HOSTS, hosts),
      pick(WHAT, what),
      cseq % 4,
      pick(TAGS, tags),
      `z${branch % 5}`,
      pick(EXTRAS, extra),
      `call=call-${call % 5}`,
    ]
    const packet = ladderPacket(line.join(' '))
    tracker.onTime(packet.timeMs)
    tracker.onMessage(packet)
    // The media of some calls say that they go on, or that they are over.
    const [open] = tracker.openCalls()
    if (open && call >= 250) tracker.expire(open)
    else if (open && call >= 240) tracker.touch(open, packet.timeMs)
    if (tracker.size > MAX_CALLS) throw new Error(`${tracker.size} calls are held`)
    for (const held of tracker.openCalls()) invariants.check(held)
  }
  tracker.finish(LADDER_START_MS + timeMs)
  for (const { state } of tracker.openCalls())
    if (state !== 'in_progress') throw new Error(`open but ${state}`)
  // All timeouts, then the time that ended calls are kept.
  for (const laterMs of [1_000_000, 2_000_000]) tracker.onTime(LADDER_START_MS + timeMs + laterMs)
  for (const call of tracker.openCalls()) tracker.expire(call)
  if (tracker.size > 0) throw new Error(`${tracker.size} calls are left behind`)
}
