import type { Confidence } from '../calls/records.js'
import type { AlertFacts } from './open-alert.js'
import type { Reading, SharedTraits } from './reading.js'
import { traitName } from './shared-text.js'

export interface LikelyCause {
  text: string
  confidence: Confidence
}

/** Loss in bursts of jitter from which the queue did not only fill but overflow, percent. */
const OVERFLOW_LOSS_PERCENT = 1
/** Affected calls from which a share says something about the path. */
const MANY_CALLS = 10
const SOME_CALLS = 5

/** What is most likely behind an alert. Never more sure than the number of calls allows; nothing where nothing is known. */
export function causeOf(facts: AlertFacts, reading: Reading | undefined): LikelyCause | undefined {
  const text = textOf(facts, reading)
  if (text === undefined) return undefined
  return { text, confidence: confidenceOf(facts) }
}

function textOf({ rule, place, shared }: AlertFacts, reading: Reading | undefined): string | undefined {
  const evidence = reading?.evidence
  const trait = shared && placeOf(shared)
  const where = trait === undefined ? 'a link that these calls share' : `what these calls share (${trait})`
  switch (rule.name) {
    case 'burst_jitter':
      return (evidence?.lossPercent ?? 0) >= OVERFLOW_LOSS_PERCENT
        ? `a queue that overflows on ${where}: delay and loss come together`
        : `a queue that fills and drains on ${where}: delay without loss`
    case 'loss_bursts':
      return (evidence?.latePercent ?? 0) >= OVERFLOW_LOSS_PERCENT
        ? `a queue that overflows on ${where}`
        : `short interruptions, policing or a bad line on ${where}: loss without delay before it`
    case 'mos_drop':
      return driverText(reading)
    case 'one_way_audio':
      return `a firewall, NAT or media relay ${place === '' ? '' : `on ${place} `}that lets one direction through only`
    case 'setup_failures':
      return `${failureText(evidence?.failure)}${place === '' ? '' : ` (${place})`}`
    case 'bad_calls_shared':
      return shared && `something about ${traitName(shared.groups[0])}${findingText(reading)}`
    case 'no_calls':
      return 'signalling is down, goes another way, or no longer reaches the mirror'
    case 'capture_drops':
      return 'more packets than this probe can take: too little CPU, a ring that is too small, or traffic that a filter should cut'
    case 'spool_growing':
      return 'the database is down, too slow, or refuses what is sent'
    case 'mirror_quiet':
      return 'the mirror session ended, its link is down, or it was pointed elsewhere'
    default:
      return driverText(reading)
  }
}

/** By the class that most of the failures have (`setup_failed` in docs/findings.md). */
function failureText(failure: string | undefined): string {
  switch (failure) {
    case 'codec_negotiation':
      return 'no codec or media in common (488, 415, 606): the codec list or SRTP setting of one side was changed'
    case 'server':
      return 'a server of the far end, or on the way to it, fails (5xx)'
    case 'timeout':
    case 'no_response':
      return 'the far end, or what routes to it, does not answer: it is down or cannot be reached'
    default:
      return 'the far end, or what routes to it, refuses or does not answer'
  }
}

function findingText(reading: Reading | undefined): string {
  const finding = reading?.evidence?.finding
  return finding === undefined ? '' : `: most of the bad calls have ${finding}`
}

/** Where packets pass: a codec or product has no queue. */
function placeOf({ groups }: SharedTraits): string | undefined {
  const place = groups.find(({ dimension }) => ['trunk', 'site_pair', 'host'].includes(dimension))
  return place && traitName(place)
}

function driverText(reading: Reading | undefined): string | undefined {
  switch (reading?.evidence?.mosDriver) {
    case 'loss':
      return 'packet loss lowers the score the most'
    case 'late':
      return 'packets too late for the jitter buffer lower the score the most'
    case 'delay':
      return 'delay lowers the score the most'
    case 'codec':
      return 'the codec itself limits the score: the network adds little'
    default:
      return undefined
  }
}

function confidenceOf({ rule, callsAffected, shared }: AlertFacts): Confidence {
  // What the probe knows of itself needs no statistics; the reasons for it do.
  if (rule.over === 'probe' || rule.over === 'call_starts') return 'medium'
  if (callsAffected >= MANY_CALLS && shared !== undefined) return 'high'
  return callsAffected >= SOME_CALLS ? 'medium' : 'low'
}
