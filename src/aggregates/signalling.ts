import type { CallEntry } from '../calls/call-entry.js'
import { realmOf } from '../calls/places.js'
import { isEmergency } from '../calls/emergency.js'
import { countedLeg } from '../calls/legs/linker.js'
import type { Config } from '../config/config.js'
import { NameMap } from '../config/networks.js'
import type { SipCall, StandaloneRequest } from '../sip/call.js'
import { callTimings } from '../sip/tracker-timings.js'
import { attemptOutcome } from './attempt-outcome.js'
import { SIGNALLING } from './fields.js'
import { CLOCK_STEP_MS, Levels } from './levels.js'
import type { MetricPoint } from './point.js'
import { SeriesTable, type Series } from './series.js'
import { SignallingSums } from './signalling-sums.js'
import { UNKNOWN } from './tags.js'

/** Without a packet for longer than this the probe saw nothing: nobody knows whether calls went on. */
const LONGEST_GAP_MS = 600_000
/** So long after the last call a trunk's points go on. */
const ZEROS_MS = 60_000

/** Calls that talk, and REGISTERs of the running second, of one series. */
interface Running {
  talking: number
  /** `talking` was added up until here. */
  settledMs: number
  /** The last time that somebody talked. */
  talkedMs: number
  registerSecond: number
  registers: number
}

/** What is remembered of a call. */
interface CallState {
  /** Stays what it was when the attempt was decided. */
  series: Series
  decided: boolean
  talking: boolean
}

/** Call set-ups, ends, registrations and OPTIONS per trunk: `voip_signalling` and its roll-ups. */
export class SignallingAggregator {
  readonly levels: Levels<SignallingSums>
  readonly series: SeriesTable
  private names: NameMap
  private emergencyNumbers: ReadonlySet<string>
  private readonly calls = new WeakMap<SipCall, CallState>()
  private readonly running = new Map<Series, Running>()
  private readonly intervalMs: number
  /** Packet time when the run began. */
  private startMs = -Infinity
  private nowMs = -Infinity
  private tick = -Infinity

  constructor(
    private readonly config: Config,
    emit: (points: MetricPoint[]) => void,
    onOverflow?: () => void,
  ) {
    this.intervalMs = config.interval_s * 1000
    this.names = new NameMap(config)
    this.emergencyNumbers = new Set(config.emergency_numbers)
    this.levels = new Levels(SIGNALLING, this.intervalMs, () => new SignallingSums(), emit)
    const budget = config.aggregates.series_budget
    this.series = new SeriesTable(config.probe, ['leg', 'trunk'], 1, 2, budget, onOverflow)
  }

  onTime(timeMs: number): void {
    if (this.startMs === -Infinity) this.startMs = timeMs
    if (timeMs < this.nowMs - CLOCK_STEP_MS) this.beginAnew(timeMs)
    this.nowMs = Math.max(this.nowMs, timeMs)
    const tick = Math.floor(timeMs / this.intervalMs)
    if (tick > this.tick) {
      this.tick = tick
      for (const [series, running] of this.running) {
        this.settle(series, running, timeMs)
        // A minute of zeros, so that the latest value does not stay what it was.
        if (running.talking === 0 && timeMs - running.talkedMs <= ZEROS_MS) this.levels.at(timeMs, series)
      }
    }
    this.levels.advance(timeMs)
  }

  /** The capture's clock was set back, or an older file follows. */
  private beginAnew(timeMs: number): void {
    for (const [series, running] of this.running) {
      this.closeSecond(series, running)
      running.settledMs = timeMs
      running.talkedMs = Math.min(running.talkedMs, timeMs)
    }
    this.startMs = Math.min(this.startMs, timeMs)
    this.nowMs = timeMs
    this.tick = -Infinity
  }

  /** Names of trunks may change while calls run; the rest is fixed. */
  reconfigure(config: Config): void {
    this.names = new NameMap(config)
    this.emergencyNumbers = new Set(config.emergency_numbers)
  }

  /** The 2xx. */
  onAnswered(call: CallEntry): void {
    const { sip } = call
    if (!sip) return
    const state = this.stateOf(sip, call)
    const timeMs = Math.max(sip.answerMs ?? this.nowMs, this.startMs)
    // Answered before this run began, which goes on where another ended: counted there.
    if (sip.answerMs !== undefined && sip.answerMs < this.startMs) state.decided = true
    this.decide(sip, state, timeMs)
    if (state.talking) return
    state.talking = true
    const running = this.runningOf(state.series, timeMs)
    this.settle(state.series, running, timeMs)
    running.talking++
    this.levels.at(timeMs, state.series).addTalking(running.talking, 0)
  }

  /** The end in signalling: BYE, refusal, CANCEL, timeout. */
  onEnded(call: CallEntry): void {
    const { sip } = call
    if (!sip) return
    const state = this.stateOf(sip, call)
    const timeMs = sip.endMs ?? this.nowMs
    this.hangUp(state, timeMs)
    // Given up for want of room: nothing is known of its end.
    if (sip.state === 'in_progress') return
    this.decide(sip, state, timeMs)
    const { answerMs, byeMs } = sip
    const whole = answerMs !== undefined && byeMs !== undefined
    this.levels.at(timeMs, state.series).addEnd({
      completed: whole,
      bye: byeMs !== undefined,
      durationMs: whole ? Math.max(0, byeMs - answerMs) : undefined,
      retransmissions: sip.retransmissions,
      referred: sip.referred,
    })
  }

  /** The record was written: what had no end in signalling has ended with it. */
  onClosed({ sip }: CallEntry): void {
    const state = sip && this.calls.get(sip)
    if (state) this.hangUp(state, this.nowMs)
  }

  onDisconnect(sip: SipCall): void {
    if (sip.byeMs === undefined) return
    const timeMs = sip.byeAnswerMs ?? this.nowMs
    const delayMs = sip.byeAnswerMs === undefined ? undefined : Math.max(0, sip.byeAnswerMs - sip.byeMs)
    this.levels.at(timeMs, this.stateOf(sip).series).addDisconnect(delayMs)
  }

  onStandalone(request: StandaloneRequest): void {
    const { source, destination, vlan, realm } = request
    const trunk =
      this.names.trunkOf(destination, vlan, realm) ?? this.names.trunkOf(source, vlan, realm) ?? UNKNOWN
    const series = this.series.get('first', trunk)
    if (request.status !== undefined) {
      const sums = this.levels.at(request.endMs, series)
      if (request.method === 'REGISTER') sums.addRegistration(request)
      else sums.addOptions(request)
    } else if (request.method === 'REGISTER') this.countRegister(series, request.startMs)
  }

  /** The run is over. */
  finish(): void {
    for (const [series, running] of this.running) {
      this.settle(series, running, this.nowMs)
      this.closeSecond(series, running)
    }
    this.levels.finish()
  }

  private stateOf(sip: SipCall, call?: CallEntry): CallState {
    const known = this.calls.get(sip)
    if (known) return known
    const { callerSignalling, calleeSignalling, vlan } = sip
    const realms = this.names.usesRealms ? [realmOf(sip.callerUri), realmOf(sip.calleeUri)] : ['', '']
    const trunk =
      this.names.trunkOf(calleeSignalling.address, vlan, realms[1]) ??
      this.names.trunkOf(callerSignalling.address, vlan, realms[0]) ??
      UNKNOWN
    const state = { series: this.series.get(countedLeg(call?.leg), trunk), decided: false, talking: false }
    this.calls.set(sip, state)
    return state
  }

  private decide(sip: SipCall, state: CallState, timeMs: number): void {
    // Of a call whose INVITE was not seen nobody can say what became of the attempt.
    if (state.decided || !sip.sawInvite) return
    state.decided = true
    const outcome = attemptOutcome(sip)
    const { pddMs, setupMs } = callTimings(sip)
    const progressed = sip.progressMs !== undefined || outcome.outcome === 'answered'
    this.levels.at(timeMs, state.series).addAttempt({
      ...outcome,
      pddMs,
      setupMs,
      requestDelay: progressed ? 'success' : outcome.outcome === 'redirected' ? undefined : 'failed',
      emergency: isEmergency(sip, this.emergencyNumbers),
    })
  }

  private hangUp(state: CallState, timeMs: number): void {
    if (!state.talking) return
    state.talking = false
    const running = this.runningOf(state.series, timeMs)
    this.settle(state.series, running, timeMs)
    running.talking--
  }

  private runningOf(series: Series, timeMs: number): Running {
    let running = this.running.get(series)
    if (!running) {
      running = { talking: 0, settledMs: timeMs, talkedMs: -Infinity, registerSecond: NaN, registers: 0 }
      this.running.set(series, running)
    }
    return running
  }

  /** Adds up talking time to `timeMs`, each interval its own. */
  private settle(series: Series, running: Running, timeMs: number): void {
    if (running.registerSecond * 1000 + 1000 <= timeMs) this.closeSecond(series, running)
    const from = running.settledMs
    if (timeMs <= from) return
    running.settledMs = timeMs
    if (running.talking === 0) return
    running.talkedMs = timeMs
    if (timeMs - from > LONGEST_GAP_MS) return
    for (let start = from; start < timeMs;) {
      const end = Math.min(timeMs, (Math.floor(start / this.intervalMs) + 1) * this.intervalMs)
      this.levels.at(start, series).addTalking(running.talking, end - start)
      start = end
    }
  }

  private countRegister(series: Series, timeMs: number): void {
    const running = this.runningOf(series, timeMs)
    const second = Math.floor(timeMs / 1000)
    if (second !== running.registerSecond) {
      this.closeSecond(series, running)
      running.registerSecond = second
    }
    running.registers++
  }

  private closeSecond(series: Series, running: Running): void {
    const { registers, registerSecond } = running
    if (registers > 0) {
      const isStorm = registers >= this.config.aggregates.registration_storm_per_s
      this.levels.at(registerSecond * 1000, series).addRegisterSecond(registers, isStorm)
    }
    running.registers = 0
    running.registerSecond = NaN
  }
}
