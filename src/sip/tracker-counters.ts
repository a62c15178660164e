import type { SignallingCounters } from './call.js'
import type { SipMessage } from './message.js'

/** IANA's SIP methods; anything else counts as OTHER, so that noise cannot grow the counters. */
const METHODS = new Set([
  'ACK',
  'BYE',
  'CANCEL',
  'INFO',
  'INVITE',
  'MESSAGE',
  'NOTIFY',
  'OPTIONS',
  'PRACK',
  'PUBLISH',
  'REFER',
  'REGISTER',
  'SUBSCRIBE',
  'UPDATE',
])

export function createCounters(): SignallingCounters {
  return {
    messages: 0,
    requests: {},
    responses: {},
    retransmissions: 0,
    duplicates: 0,
    registrations: { attempts: 0, successful: 0, failed: 0, challenged: 0, unregistrations: 0 },
    options: { requests: 0, answered: 0 },
    malformed: 0,
    evictedCalls: 0,
    evictedRequests: 0,
  }
}

/** Counts a message by its method or status, repeated ones included. */
export function countMessage(counters: SignallingCounters, message: SipMessage): void {
  counters.messages++
  if (message.kind === 'request') {
    const method = METHODS.has(message.method) ? message.method : 'OTHER'
    counters.requests[method] = (counters.requests[method] ?? 0) + 1
    return
  }
  const status = message.status >= 100 && message.status <= 699 ? String(message.status) : 'OTHER'
  counters.responses[status] = (counters.responses[status] ?? 0) + 1
}

/** Method of a request, or of the request that a response answers. */
export function methodOf(message: SipMessage): string {
  return message.kind === 'request' ? message.method : message.cseq.method
}
