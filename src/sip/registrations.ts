import type { CallListener, SignallingCounters } from './call.js'
import type { SipMessage, SipPacket, SipResponse } from './message.js'
import { methodOf } from './tracker-counters.js'
import { TimedList, type TimedNode } from './tracker-list.js'
import { CHALLENGE_WAIT_MS } from './tracker-life.js'
import { DUPLICATE_WINDOW_MS, textHash, TRANSACTION_LIFETIME_MS } from './transactions.js'

/** Transactions followed at once; the oldest are given up. */
export const MAX_STANDALONE_TRANSACTIONS = 50_000
/** Failing addresses of record that are listed by name. */
export const MAX_REGISTRATION_FAILURES = 256

/** One REGISTER attempt, or one OPTIONS request. */
class Standalone implements TimedNode<Standalone> {
  previous: Standalone | undefined
  next: Standalone | undefined
  list: TimedList<Standalone> | undefined
  listedMs = 0
  /** Answered with a challenge, or a request for other parameters: another request is to follow. */
  retryStatus = 0
  done = false
  requestSeen = false
  /** Branch and sender of the request, and of the latest response. */
  requestHop = 0
  requestMs = 0
  responseHop = 0
  responseMs = 0
  readonly aor: string
  readonly realm: string
  readonly startMs: number
  readonly source: string
  readonly destination: string
  readonly vlan: number
  readonly unregisters: boolean
  challenges = 0
  constructor(
    readonly key: string,
    public cseq: number,
    { message, timeMs, sourceAddress, destinationAddress, vlan }: SipPacket,
  ) {
    this.aor = message.to.uriText
    this.realm = message.to.uri.host
    this.startMs = timeMs
    this.source = sourceAddress
    this.destination = destinationAddress
    this.vlan = vlan
    this.unregisters = key.startsWith('R') && removesBinding(message)
  }
}

/** Registrations of one address of record that failed with one status (0: no answer). */
export interface RegistrationFailure {
  /** To of the REGISTER. */
  aor: string
  status: number
  count: number
  lastMs: number
}

/** Counts REGISTER attempts and OPTIONS requests, each once over retransmissions, mirror copies and hops. */
export class StandaloneRequests {
  /** Of the last `MAX_REGISTRATION_FAILURES` addresses that failed, oldest first. */
  readonly failures: RegistrationFailure[] = []
  private readonly known = new Map<string, Standalone>()
  private readonly pending = new TimedList<Standalone>(TRANSACTION_LIFETIME_MS)
  private readonly challenged = new TimedList<Standalone>(CHALLENGE_WAIT_MS)
  private readonly finished = new TimedList<Standalone>(TRANSACTION_LIFETIME_MS)

  constructor(
    private readonly counters: SignallingCounters,
    private readonly listener?: CallListener,
  ) {}

  get size(): number {
    return this.known.size
  }

  onMessage(packet: SipPacket): void {
    const { message } = packet
    const register = methodOf(message) === 'REGISTER'
    // Registrations of one phone share a Call-ID (RFC 3261 10.2.4), OPTIONS are single transactions.
    const key = register ? `R${message.callId}` : `O${message.callId} ${message.cseq.number}`
    const known = this.known.get(key)
    if (message.kind === 'request') this.onRequest(packet, key, known, register)
    else if (known && known.cseq === message.cseq.number) this.onResponse(packet, message, known, register)
  }

  /** What is due: no answer within 32 s is a failure, as is a challenge that nobody answers. */
  expire(timeMs: number): void {
    for (const list of [this.pending, this.challenged]) {
      for (let attempt = list.due(timeMs); attempt; attempt = list.due(timeMs)) {
        if (attempt.key.startsWith('R')) this.fail(attempt, attempt.retryStatus, timeMs)
        else if (!attempt.done) this.tell(attempt, 0, timeMs)
        this.drop(attempt)
      }
    }
    for (let attempt = this.finished.due(timeMs); attempt; attempt = this.finished.due(timeMs))
      this.drop(attempt)
  }

  rebase(timeMs: number): void {
    for (const list of [this.pending, this.challenged, this.finished]) list.rebase(timeMs)
  }

  private onRequest(packet: SipPacket, key: string, known: Standalone | undefined, register: boolean): void {
    const { message, timeMs } = packet
    const hop = hopOf(packet)
    const number = message.cseq.number
    if (known && number <= known.cseq && known.requestSeen) {
      if (number < known.cseq || hop !== known.requestHop) return
      this.countRepeat(timeMs - known.requestMs)
      known.requestMs = timeMs
      return
    }
    let attempt = known
    if (!attempt || (attempt.cseq !== number && attempt.retryStatus === 0)) {
      // Another request while the first one has no answer yet: the client has given that up.
      if (attempt && !attempt.done && register) this.fail(attempt, 0, timeMs)
      if (attempt) this.drop(attempt)
      attempt = this.begin(key, packet, register)
    }
    attempt.cseq = number
    attempt.requestSeen = true
    attempt.requestHop = hop
    attempt.requestMs = timeMs
    attempt.retryStatus = 0
    this.pending.append(attempt, timeMs)
  }

  private begin(key: string, packet: SipPacket, register: boolean): Standalone {
    if (this.known.size >= MAX_STANDALONE_TRANSACTIONS) {
      const oldest = this.finished.first ?? this.pending.first ?? this.challenged.first
      if (oldest) {
        if (!oldest.done) this.counters.evictedRequests++
        this.drop(oldest)
      }
    }
    const attempt = new Standalone(key, packet.message.cseq.number, packet)
    this.known.set(key, attempt)
    this.pending.append(attempt, packet.timeMs)
    this.tell(attempt, undefined, packet.timeMs)
    if (!register) {
      this.counters.options.requests++
      return attempt
    }
    const { registrations } = this.counters
    registrations.attempts++
    if (attempt.unregisters) registrations.unregistrations = (registrations.unregistrations ?? 0) + 1
    return attempt
  }

  private onResponse(packet: SipPacket, message: SipResponse, attempt: Standalone, register: boolean): void {
    const { timeMs } = packet
    const hop = textHash(String(message.status), hopOf(packet))
    if (hop === attempt.responseHop) {
      this.countRepeat(timeMs - attempt.responseMs)
      attempt.responseMs = timeMs
      return
    }
    attempt.responseHop = hop
    attempt.responseMs = timeMs
    if (message.status < 200 || attempt.done || attempt.retryStatus !== 0) return
    if (!register) {
      this.counters.options.answered++
      this.tell(attempt, message.status, timeMs)
    } else if (message.status < 300) {
      this.counters.registrations.successful++
      this.tell(attempt, message.status, timeMs)
    } else if (asksAgain(message.status)) {
      if (message.status === 401 || message.status === 407) {
        this.counters.registrations.challenged++
        attempt.challenges++
      }
      attempt.retryStatus = message.status
      this.challenged.append(attempt, timeMs)
      return
    } else this.fail(attempt, message.status, timeMs)
    attempt.done = true
    this.finished.append(attempt, timeMs)
  }

  private countRepeat(elapsedMs: number): void {
    if (elapsedMs > DUPLICATE_WINDOW_MS) this.counters.retransmissions++
    else this.counters.duplicates = (this.counters.duplicates ?? 0) + 1
  }

  private fail(attempt: Standalone, status: number, timeMs: number): void {
    this.counters.registrations.failed++
    this.tell(attempt, status, timeMs)
    const known = this.failures.find((failure) => failure.aor === attempt.aor && failure.status === status)
    if (known) {
      known.count++
      known.lastMs = timeMs
      return
    }
    if (this.failures.length >= MAX_REGISTRATION_FAILURES) this.failures.shift()
    this.failures.push({ aor: attempt.aor, status, count: 1, lastMs: timeMs })
  }

  private tell(attempt: Standalone, status: number | undefined, timeMs: number): void {
    if (!this.listener?.onStandalone) return
    const { startMs, source, destination, vlan, realm, unregisters, challenges } = attempt
    const method = attempt.key.startsWith('R') ? 'REGISTER' : 'OPTIONS'
    const request = { method, status, startMs, endMs: timeMs, source, destination, vlan, realm } as const
    this.listener.onStandalone({ ...request, unregisters, challenges })
  }

  private drop(attempt: Standalone): void {
    attempt.list?.remove(attempt)
    if (this.known.get(attempt.key) === attempt) this.known.delete(attempt.key)
  }
}

/** Challenges, redirections and 423 Interval Too Brief ask for another REGISTER (RFC 3261 22, 8.1.3.4, 10.2.8). */
function asksAgain(status: number): boolean {
  return status === 401 || status === 407 || status === 423 || (status >= 300 && status < 400)
}

function removesBinding(message: SipMessage): boolean {
  if (message.header('expires')?.trim() === '0') return true
  return /;\s*expires\s*=\s*0\s*(?:;|,|$)/i.test(message.header('contact') ?? '')
}

function hopOf(packet: SipPacket): number {
  return textHash(`${packet.message.viaBranch} ${packet.sourceAddress}:${packet.sourcePort}`)
}
