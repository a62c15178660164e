import type { ProbeRecord } from '../calls/records.js'
import { RECORD_CLASSES, type FieldClass, type FieldClasses } from './field-classes.js'
import { redactText } from './free-text.js'
import type { Pseudonyms } from './pseudonyms.js'

/** Parties of calls past, for texts that name them later (alerts, the summary). The oldest are forgotten. */
const MOST_REMEMBERED = 10_000

/** Numbers and names as plain values of a record; made of what the class says of the field that holds them. */
type Value = unknown

/**
 * Makes the copy of a record that may be shown: each field as its class says (`field-classes.ts`). A field of no class
 * is treated as a phrase from the wire, so that what is new is rather too well hidden.
 */
export class RecordPrivacy {
  private readonly remembered = new Map<string, string>()

  constructor(private readonly names: Pseudonyms) {}

  record<T extends ProbeRecord>(record: T): T {
    const known = this.knownIn(record)
    // The copy has the record's own fields, and strings where it had strings.
    return this.fields(record, RECORD_CLASSES[record.type], known) as T
  }

  /** A sentence that is no record: a warning, a title. */
  text(text: string): string {
    return redactText(text, 'message', this.names, this.remembered)
  }

  /** A phrase that a party sent, as in a status line. */
  phrase(text: string): string {
    return redactText(text, 'wire', this.names, this.remembered)
  }

  /** What a text of this record may name. */
  private knownIn(record: ProbeRecord): ReadonlyMap<string, string> {
    if (record.type === 'alert' || record.type === 'summary') {
      const ids = record.type === 'alert' ? [record.call_id ?? '', ...(record.call_ids ?? [])] : []
      return new Map([...this.remembered, ...ids.map((id) => [id, this.names.callId(id)] as const)])
    }
    if (record.type !== 'call') return NOTHING
    const known = new Map<string, string>([[record.call_id, this.names.callId(record.call_id)]])
    for (const id of record.related_calls ?? []) known.set(id, this.names.callId(id))
    for (const party of [record.caller, record.callee]) {
      if (party === undefined) continue
      const shown = this.names.party(party)
      known.set(party, shown)
      this.remember(party, shown)
    }
    return known
  }

  private remember(party: string, shown: string): void {
    this.remembered.delete(party)
    this.remembered.set(party, shown)
    if (this.remembered.size <= MOST_REMEMBERED) return
    for (const oldest of this.remembered.keys()) {
      this.remembered.delete(oldest)
      break
    }
  }

  private fields(value: object, classes: FieldClasses, known: ReadonlyMap<string, string>): object {
    const shown: Record<string, Value> = {}
    for (const [name, field] of Object.entries(value)) {
      const kind = Object.hasOwn(classes, name) ? classes[name] : 'wire'
      shown[name] = kind === 'kept' ? field : this.value(field, kind, known)
    }
    return shown
  }

  private value(value: Value, kind: FieldClass, known: ReadonlyMap<string, string>): Value {
    if (Array.isArray(value)) return value.map((item) => this.value(item, kind, known))
    if (typeof value === 'object' && value !== null) {
      if (kind === 'evidence') return this.evidence(value, known)
      return this.fields(value, typeof kind === 'object' ? kind : {}, known)
    }
    return typeof value === 'string' ? this.string(value, kind, known) : value
  }

  /** Evidence goes by names: addresses end in `_address`, and so on. */
  private evidence(value: object, known: ReadonlyMap<string, string>): object {
    return Object.fromEntries(
      Object.entries(value).map(([name, field]) => [name, this.value(field, evidenceClass(name), known)]),
    )
  }

  private string(text: string, kind: FieldClass, known: ReadonlyMap<string, string>): string {
    switch (kind) {
      case 'kept':
        return text
      case 'party':
        return this.names.party(text)
      case 'address':
        return this.names.address(text) ?? this.names.host(text)
      case 'call_id':
        return this.names.callId(text)
      case 'message':
      case 'agent':
        return redactText(text, kind, this.names, known)
      case 'file':
        // The folder tells where somebody keeps things; the name may tell a number or an address.
        return redactText(text.replace(/^.*[/\\]/s, ''), 'wire', this.names, this.remembered)
      default:
        return redactText(text, 'wire', this.names, known)
    }
  }
}

const NOTHING: ReadonlyMap<string, string> = new Map()

function evidenceClass(name: string): FieldClass {
  if (/(?:^|_)address(?:es)?$/.test(name)) return 'address'
  if (/(?:^|_)call_ids?$/.test(name)) return 'call_id'
  if (/(?:^|_)(?:caller|callee|user|number)$/.test(name)) return 'party'
  if (/(?:^|_)user_agents?$/.test(name)) return 'agent'
  return 'wire'
}
