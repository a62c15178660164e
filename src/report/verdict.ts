import type { CallRecord, Direction, DirectionRecord } from '../calls/records.js'

/** One or two sentences that say how the call went, for somebody who knows no metric. */
export function verdictOf(call: CallRecord): string {
  switch (call.state) {
    case 'failed':
      return failed(call)
    case 'cancelled':
      return 'The caller gave up before the call was answered.' + early(call)
    case 'timeout':
      if (call.duration_s === undefined && mediaPackets(call) === 0)
        return 'The call was never answered, and no end of it was seen.'
      break
    default:
  }
  const silent = silentDirections(call)
  const heard = DIRECTIONS.filter((direction) => (call.media[direction]?.packets ?? 0) > 0)
  if (heard.length === 0) return noMedia(call, silent.length > 0)
  const sentences: string[] = []
  for (const direction of silent) {
    const { from, to } = parties(call, direction)
    sentences.push(`Nothing from ${from} was seen, so ${to} heard silence.`)
  }
  const troubled = heard.filter((direction) => isTroubled(call.media[direction]))
  const fine = heard.filter((direction) => !troubled.includes(direction))
  for (const direction of troubled) sentences.push(trouble(call, direction))
  if (troubled.length === 0 && fine.length === 2)
    sentences.push(`Both sides heard each other well${mosText(call.mos_cq_min, 'MOS', 'at worst')}.`)
  else
    for (const direction of fine) {
      const { from, to } = parties(call, direction)
      sentences.push(`${capital(to)} heard ${from} well${mosText(call.media[direction]?.mos_cq, 'MOS')}.`)
    }
  if (call.state === 'in_progress') sentences.push('The capture ends before the call does.')
  return capital(sentences.join(' '))
}

const DIRECTIONS: readonly Direction[] = ['from_caller', 'from_callee']

/** Up to here neither loss nor lateness is worth a word. */
const WORTH_PERCENT = 0.5
const WORTH_MOS = 4

function isTroubled(media: DirectionRecord | undefined): boolean {
  if (!media) return false
  const gone = (media.loss_percent ?? 0) + (media.late_percent ?? 0)
  return gone >= WORTH_PERCENT || (media.mos_cq_min ?? 5) < WORTH_MOS || (media.burst_seconds ?? 0) > 2
}

function silentDirections(call: CallRecord): Direction[] {
  return DIRECTIONS.filter(
    (direction) => call.media[direction]?.expected && call.media[direction]?.packets === 0,
  )
}

function trouble(call: CallRecord, direction: Direction): string {
  const media = call.media[direction]
  const { from, to } = parties(call, direction)
  const what: string[] = []
  const loss = media?.loss_percent ?? 0
  const late = media?.late_percent ?? 0
  if (loss >= WORTH_PERCENT / 2) what.push(`${percent(loss)} of the packets lost${inRuns(media)}`)
  if (late >= WORTH_PERCENT / 2) what.push(`${percent(late)} too late to be played`)
  if (what.length === 0 && (media?.burst_seconds ?? 0) > 0)
    what.push(`bursts of jitter in ${media?.burst_seconds} seconds`)
  if (what.length === 0 && (media?.delay_p50_ms ?? 0) > 250)
    what.push(`a delay of ${Math.round(media?.delay_p50_ms ?? 0)} ms`)
  const how = what.length > 0 ? ` with ${what.join(' and ')}` : ' not as well as it should'
  return `${capital(to)} heard ${from}${how}${mosText(media?.mos_cq_min, 'MOS', 'at worst')}.`
}

function inRuns(media: DirectionRecord | undefined): string {
  const runs = media?.loss_runs
  if (!runs) return ''
  const longest = runs.findLastIndex((count) => count > 0) + 1
  if (longest < 2) return ', one at a time'
  return longest >= 10 ? ', in runs of 10 and more' : `, up to ${longest} in a row`
}

function noMedia(call: CallRecord, expected: boolean): string {
  if (expected) return 'The call was answered, but no audio was seen in either direction.'
  const { state, duration_s: duration } = call
  if (state === 'in_progress') return 'The capture ends before the call was answered or its media were seen.'
  if (duration !== undefined && duration < 1) return 'The call ended within a second of its answer.'
  return 'No audio was seen, and signalling alone does not tell whether there was any.'
}

function failed(call: CallRecord): string {
  const { status, reason, setup_ms: setup } = call.sip ?? {}
  if (status === undefined) return 'The call failed; its final response was not seen.'
  const name = [status, reason].filter((part) => part !== undefined && part !== '').join(' ')
  const after = setup === undefined ? '' : ` after ${(setup / 1000).toFixed(1)} s`
  const why = REASONS[status]
  return `The call was not set up: ${name}${after}${why === undefined ? '' : ` (${why})`}.` + early(call)
}

const REASONS: Readonly<Record<number, string>> = {
  403: 'not allowed',
  404: 'no such number',
  408: 'nothing answered the request',
  415: 'no codec or body that both understand',
  480: 'not reachable at the moment',
  486: 'busy',
  487: 'ended before it was answered',
  488: 'no codec that both have',
  503: 'the server or trunk is out of service or overloaded',
  603: 'declined',
}

function early(call: CallRecord): string {
  return mediaPackets(call) > 0 ? ' Early media was seen.' : ''
}

function mediaPackets(call: CallRecord): number {
  return (call.media.from_caller?.packets ?? 0) + (call.media.from_callee?.packets ?? 0)
}

function parties(call: CallRecord, direction: Direction): { from: string; to: string } {
  const caller = named(call.caller, call.caller_address, 'the caller')
  const callee = named(call.callee, call.callee_address, 'the callee')
  return direction === 'from_caller' ? { from: caller, to: callee } : { from: callee, to: caller }
}

/** A party by its name, as far as that is short. */
function named(party: string | undefined, address: string | undefined, role: string): string {
  const name = party ?? address ?? ''
  if (name === '') return role
  return name.length > 40 ? `${name.slice(0, 39)}…` : name
}

function mosText(mos: number | undefined, label: string, when = ''): string {
  return mos === undefined ? '' : ` (${label} ${mos.toFixed(2)}${when === '' ? '' : ` ${when}`})`
}

function percent(value: number): string {
  return `${value >= 10 ? value.toFixed(0) : value.toFixed(1)} %`
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1)
}
