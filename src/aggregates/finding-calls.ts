import type { CallRecord, Confidence, FindingCode, FindingDimension, Severity } from '../calls/records.js'
import { CONFIDENCES, FINDING_CODES, SEVERITIES } from '../calls/records.js'
import { codecTag, dscpClass, UNKNOWN } from './tags.js'

/** Calls looked back on; of a longer run the last ones. */
export const MOST_GROUPED_CALLS = 100_000
/** Different values (trunks, codecs, user agents, hosts, ...) that are told apart; further ones are in no group. */
const MOST_VALUES = 2048
/** Values of one call: its trunk, site pair, two codecs, two user agents, two DSCP classes, two hosts. */
const MOST_VALUES_OF_CALL = 10
const LONGEST_VALUE = 64
/** A first ring of this size grows when it is full. */
const FIRST_ROOM = 1024

/** Bit of calls with poor or broken quality, beside those of the codes. */
export const BAD_BIT = FINDING_CODES.length

export interface GroupValue {
  dimension: FindingDimension
  value: string
}

/** What grouping needs of each closed call, by number: small, as there are many. */
export class FindingCalls {
  /** Calls held; the oldest is overwritten when there is no more room. */
  count = 0
  /** Values that found no room. */
  overflow = 0
  readonly values: GroupValue[] = []
  private readonly ids = new Map<string, number>()
  private room = FIRST_ROOM
  private next = 0
  private startMs = new Float64Array(FIRST_ROOM)
  private closedMs = new Float64Array(FIRST_ROOM)
  private bits = new Int32Array(FIRST_ROOM)
  private valueIds = new Int16Array(FIRST_ROOM * MOST_VALUES_OF_CALL)
  private callIds: (string | undefined)[] = []
  /** Worst severity and highest confidence of each code so far, as places in SEVERITIES and CONFIDENCES. */
  private readonly worst = new Int8Array(FINDING_CODES.length).fill(-1)
  private readonly surest = new Int8Array(FINDING_CODES.length).fill(-1)

  add(record: CallRecord, closedMs: number): void {
    if (this.next === this.room && this.room < MOST_GROUPED_CALLS) this.grow()
    if (this.next === this.room) this.next = 0
    const at = this.next++
    this.count = Math.min(this.count + 1, this.room)
    let bits = isBad(record) ? 1 << BAD_BIT : 0
    for (const { code, severity, confidence } of record.findings) {
      const place = FINDING_CODES.indexOf(code)
      bits |= 1 << place
      this.worst[place] = Math.max(this.worst[place], SEVERITIES.indexOf(severity))
      this.surest[place] = Math.max(this.surest[place], CONFIDENCES.indexOf(confidence))
    }
    this.startMs[at] = Date.parse(record.start)
    this.closedMs[at] = closedMs
    this.bits[at] = bits
    this.callIds[at] = bits === 0 ? undefined : record.call_id
    const first = at * MOST_VALUES_OF_CALL
    this.valueIds.fill(-1, first, first + MOST_VALUES_OF_CALL)
    traitsOfRecord(record).forEach((value, k) => (this.valueIds[first + k] = this.idOf(value)))
  }

  severityOf(code: FindingCode): Severity {
    return SEVERITIES[Math.max(0, this.worst[FINDING_CODES.indexOf(code)])]
  }

  confidenceOf(code: FindingCode): Confidence {
    return CONFIDENCES[Math.max(0, this.surest[FINDING_CODES.indexOf(code)])]
  }

  /** Every call held, in no order. `values`: numbers of `this.values`. */
  forEach(
    visit: (startMs: number, closedMs: number, bits: number, values: Int16Array, callId?: string) => void,
  ): void {
    for (let at = 0; at < this.count; at++) {
      const first = at * MOST_VALUES_OF_CALL
      const values = this.valueIds.subarray(first, first + MOST_VALUES_OF_CALL)
      visit(this.startMs[at], this.closedMs[at], this.bits[at], values, this.callIds[at])
    }
  }

  private idOf({ dimension, value }: GroupValue): number {
    const key = `${dimension} ${value}`
    const known = this.ids.get(key)
    if (known !== undefined) return known
    if (this.values.length >= MOST_VALUES) {
      this.overflow++
      return -1
    }
    this.ids.set(key, this.values.length)
    this.values.push({ dimension, value })
    return this.values.length - 1
  }

  private grow(): void {
    this.room = Math.min(this.room * 4, MOST_GROUPED_CALLS)
    this.startMs = enlarged(this.startMs, new Float64Array(this.room))
    this.closedMs = enlarged(this.closedMs, new Float64Array(this.room))
    this.bits = enlarged(this.bits, new Int32Array(this.room))
    this.valueIds = enlarged(this.valueIds, new Int16Array(this.room * MOST_VALUES_OF_CALL))
  }
}

function enlarged<T extends Float64Array | Int32Array | Int16Array>(from: T, to: T): T {
  to.set(from)
  return to
}

export function isBad({ quality }: CallRecord): boolean {
  return quality === 'poor' || quality === 'broken'
}

/** Where a call's traits come from; what is not known is absent. */
export interface TraitSources {
  trunk?: string
  callerSite?: string
  calleeSite?: string
  /** Its directions with media. */
  media: readonly { codec?: string; dscp?: number }[]
  userAgents: readonly (string | undefined)[]
  /** Addresses that signal. */
  hosts: readonly (string | undefined)[]
}

/** What a call has in common with others. Places as configured come first, hosts last. */
export function traitsOf({
  trunk,
  callerSite,
  calleeSite,
  media,
  userAgents,
  hosts,
}: TraitSources): GroupValue[] {
  const found: GroupValue[] = []
  const add = (dimension: FindingDimension, value: string | undefined): void => {
    if (value === undefined || value === UNKNOWN || value === '') return
    const short = value.slice(0, LONGEST_VALUE)
    if (!found.some((known) => known.dimension === dimension && known.value === short))
      found.push({ dimension, value: short })
  }
  add('trunk', trunk)
  if (callerSite !== undefined && calleeSite !== undefined) add('site_pair', `${callerSite} → ${calleeSite}`)
  for (const { codec, dscp } of media) {
    add('codec', codecTag(codec))
    add('dscp', dscpClass(dscp))
  }
  for (const agent of userAgents) add('user_agent', agent)
  for (const host of hosts) add('host', host)
  return found
}

export function traitsOfRecord(record: CallRecord): GroupValue[] {
  const { from_caller, from_callee } = record.media
  const { user_agents } = record.sip ?? {}
  return traitsOf({
    trunk: record.trunk,
    callerSite: record.caller_site,
    calleeSite: record.callee_site,
    media: [from_caller, from_callee].flatMap((media) => (media && media.packets > 0 ? [media] : [])),
    userAgents: [user_agents?.caller, user_agents?.callee],
    hosts: [record.caller_address, record.callee_address],
  })
}
