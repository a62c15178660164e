import type { CallRecord } from '../calls/records.js'
import { didYouMean, nearestName } from '../config/nearest.js'
import { KIND_TEXT, callFields, exampleFor, type FieldInfo } from './expression-fields.js'
import { expressionError, tokenize, type Token } from './expression-lexer.js'
import {
  MIRRORED,
  compare,
  containsText,
  isComparison,
  matchesRegex,
  timeOf,
  valuesOf,
  type Comparison,
  type Value,
} from './expression-values.js'

/** A compiled expression over call records. */
export interface Expression {
  readonly text: string
  test(record: CallRecord): boolean
}

type Test = (record: object) => boolean

interface FieldOperand {
  field: FieldInfo
  name: string
  token: Token
}

/** Parentheses and `not`s inside each other. */
const DEEPEST = 200

/**
 * Compiles an expression of `--filter` and `--fail-on`, for example
 * `quality == broken or (mos_cq_min < 3.5 and duration_s >= 10)`.
 *
 * - Fields are those of a call record by dotted path (`sip.status`, `media.from_caller.loss_percent`); a field of a
 *   direction by its bare name means either direction (`loss_percent > 1`: in any).
 * - `< <= > >= == !=`, `~` and `!~` (contains a text, or matches `/regex/i`), `findings contains one_way_audio`, `in (...)`, `not in (...)`, `and`, `or`,
 *   `not`, parentheses, `has(field)`; a true/false field stands alone (`encrypted`).
 * - A field that is not known makes a comparison false, `!=` and `!~` too; several values make it true when any does.
 *   So `not loss_percent > 1` holds for a call without media, `loss_percent <= 1` does not.
 *
 * @throws CallprobeError EXPRESSION_INVALID with the place
 */
export function compileExpression(text: string): Expression {
  const parser = new Parser(text)
  return { text, test: parser.parse() }
}

class Parser {
  private readonly tokens: Token[]
  private readonly fields = callFields()
  private at = 0
  private depth = 0

  constructor(private readonly text: string) {
    this.tokens = tokenize(text)
  }

  parse(): Test {
    if (this.peek().kind === 'end') throw this.error(this.peek(), 'the expression is empty')
    const test = this.either()
    if (this.peek().kind !== 'end') throw this.error(this.peek(), 'expected and, or, or the end')
    return test
  }

  private either(): Test {
    const tests = [this.all()]
    while (this.accept('or')) tests.push(this.all())
    return tests.length === 1 ? tests[0] : (record) => tests.some((test) => test(record))
  }

  private all(): Test {
    const tests = [this.negated()]
    while (this.accept('and')) tests.push(this.negated())
    return tests.length === 1 ? tests[0] : (record) => tests.every((test) => test(record))
  }

  private negated(): Test {
    if (++this.depth > DEEPEST) throw this.error(this.peek(), `more than ${DEEPEST} levels inside each other`)
    let test: Test
    if (this.accept('not')) {
      const inner = this.negated()
      test = (record) => !inner(record)
    } else if (this.accept('(')) {
      test = this.either()
      this.expect(')')
    } else if (this.accept('has')) {
      this.expect('(')
      const { field } = this.fieldOperand()
      this.expect(')')
      test = (record) => valuesOf(record, field).length > 0
    } else test = this.comparison()
    this.depth--
    return test
  }

  private comparison(): Test {
    const first = this.peek()
    if (first.kind === 'number' || first.kind === 'string') return this.literalFirst(this.take())
    if (first.text === 'true' || first.text === 'false')
      throw this.error(first, 'a condition begins with a field, e.g. encrypted == true')
    const left = this.fieldOperand()
    const operator = this.peek()
    if (isComparison(operator.text)) {
      this.take()
      return this.compareField(left, operator.text, operator)
    }
    if (operator.text === '~' || operator.text === '!~') {
      this.take()
      return this.matchField(left, operator.text === '!~')
    }
    if (operator.text === 'contains') {
      this.take()
      return this.containsField(left)
    }
    if (operator.text === 'in' || operator.text === 'not') {
      this.take()
      if (operator.text === 'not') this.expect('in')
      return this.listField(left, operator.text === 'not')
    }
    if (left.field.kind === 'boolean') return (record) => valuesOf(record, left.field).includes(true)
    if (left.field.kind === 'group') throw this.groupError(left)
    throw this.error(
      operator,
      `expected a comparison after ${left.name}, e.g. ${exampleFor(left.name, left.field)}`,
    )
  }

  private literalFirst(literal: Token): Test {
    const operator = this.take()
    if (!isComparison(operator.text)) throw this.error(operator, 'expected one of < <= > >= == !=')
    if (this.peek().kind !== 'name') throw this.error(this.peek(), 'one side of a comparison is a field')
    const right = this.fieldOperand()
    return this.against(right, MIRRORED[operator.text], operator, this.valueFor(right, literal))
  }

  private compareField(left: FieldOperand, operator: Comparison, at: Token): Test {
    const token = this.peek()
    const isWord = token.kind === 'name' && left.field.values === undefined
    if (!isWord || !this.fields.has(token.text))
      return this.against(left, operator, at, this.valueFor(left, this.take()))
    const right = this.fieldOperand()
    this.checkOrder(left, operator, at)
    if (right.field.kind !== left.field.kind)
      throw this.error(
        right.token,
        `${left.name} is ${KIND_TEXT[left.field.kind]}, ${right.name} is ${KIND_TEXT[right.field.kind]}`,
      )
    return (record) => {
      const others = valuesOf(record, right.field)
      return valuesOf(record, left.field).some((a) => others.some((b) => compare(a, operator, b)))
    }
  }

  private against({ field, name, token }: FieldOperand, operator: Comparison, at: Token, value: Value): Test {
    this.checkOrder({ field, name, token }, operator, at)
    return (record) => valuesOf(record, field).some((known) => compare(known, operator, value))
  }

  /** Only numbers and times have an order. */
  private checkOrder({ field, name }: FieldOperand, operator: Comparison, at: Token): void {
    const isOrdered = field.kind === 'number' || field.kind === 'time' || field.kind === 'open'
    if (!isOrdered && operator !== '==' && operator !== '!=')
      throw this.error(at, `${name} is ${KIND_TEXT[field.kind]}: compare it with == or !=`)
  }

  private matchField(left: FieldOperand, negate: boolean): Test {
    if (left.field.kind === 'group') throw this.groupError(left)
    if (left.field.kind !== 'text' && left.field.kind !== 'open')
      throw this.error(left.token, `${left.name} is ${KIND_TEXT[left.field.kind]}: ~ is for text`)
    const token = this.take()
    if (token.kind !== 'string' && token.kind !== 'regex' && token.kind !== 'number')
      throw this.error(token, 'expected a text in quotes or a /regular expression/')
    const matches =
      token.kind === 'regex'
        ? this.regex(token)
        : containsText(token.kind === 'number' ? token.raw : token.text)
    return (record) => valuesOf(record, left.field).some((value) => matches(value) !== negate)
  }

  /** `findings contains one_way_audio`: of a list of findings their codes; of text the same as ~. */
  private containsField(left: FieldOperand): Test {
    const name = `${left.name}.code`
    const field = left.field.kind === 'group' ? this.fields.get(name) : left.field
    if (field === undefined) throw this.groupError(left)
    if (left.field.kind !== 'group' && field.kind !== 'text' && field.kind !== 'open')
      throw this.error(left.token, `${left.name} is ${KIND_TEXT[field.kind]}: contains is for text and lists`)
    const value = this.valueFor({ ...left, field, name }, this.take())
    if (left.field.kind === 'group') return (record) => valuesOf(record, field).includes(value)
    const matches = containsText(String(value))
    return (record) => valuesOf(record, field).some((known) => matches(known))
  }

  private regex(token: Token): (value: Value) => boolean {
    const flags = token.raw.slice(token.text.length + 2)
    if (!/^[iu]*$/.test(flags))
      throw this.error(token, 'the only flags of a regular expression here are i and u')
    try {
      return matchesRegex(new RegExp(token.text, flags))
    } catch (error) {
      throw this.error(token, error instanceof Error ? error.message : 'not a regular expression')
    }
  }

  private listField(left: FieldOperand, negate: boolean): Test {
    this.expect('(')
    const values: Value[] = []
    do values.push(this.valueFor(left, this.take()))
    while (this.accept(','))
    this.expect(')')
    return (record) => valuesOf(record, left.field).some((value) => values.includes(value) !== negate)
  }

  /** The literal as a value of the field's kind. */
  private valueFor(left: FieldOperand, token: Token): Value {
    const { field, name } = left
    if (field.kind === 'group') throw this.groupError(left)
    if (
      token.kind === 'end' ||
      (token.kind === 'operator' && token.text !== 'true' && token.text !== 'false')
    )
      throw this.error(token, `expected a value for ${name}, e.g. ${exampleFor(left.name, left.field)}`)
    if (field.values !== undefined) return this.knownValue(field.values, token, name)
    if (token.kind === 'name') throw this.wordError(token)
    const isBoolean = token.kind === 'operator'
    switch (field.kind) {
      case 'number':
        if (token.kind === 'number') return Number(token.text)
        break
      case 'boolean':
        if (isBoolean) return token.text === 'true'
        break
      case 'time': {
        const time = token.kind === 'string' ? timeOf(token.text) : undefined
        if (time !== undefined) return time
        break
      }
      case 'text':
        // A telephone number may be written without quotes: its digits count, not its value.
        if (!isBoolean) return token.kind === 'number' ? token.raw : token.text
        break
      case 'open':
        return isBoolean ? token.text === 'true' : token.kind === 'number' ? Number(token.text) : token.text
    }
    throw this.error(token, `${name} is ${KIND_TEXT[field.kind]}, e.g. ${exampleFor(left.name, left.field)}`)
  }

  private knownValue(values: readonly string[], token: Token, name: string): string {
    if (values.includes(token.text)) return token.text
    const near = didYouMean(token.text, values)
    throw this.error(token, `${name} is one of ${values.join(', ')}${near}`)
  }

  private fieldOperand(): FieldOperand {
    const token = this.take()
    if (token.kind !== 'name') throw this.error(token, 'expected a field')
    const field = this.fields.get(token.text) ?? this.openField(token.text)
    if (field === undefined) throw this.unknownField(token)
    return { field, name: token.text, token }
  }

  /** A name inside `findings.evidence`. */
  private openField(name: string): FieldInfo | undefined {
    const dot = name.lastIndexOf('.')
    const parent = dot < 0 ? undefined : this.fields.get(name.slice(0, dot))
    if (parent?.kind !== 'open') return undefined
    return { kind: 'open', paths: parent.paths.map((path) => [...path, name.slice(dot + 1)]) }
  }

  private unknownField(token: Token): Error {
    const last = token.text.split('.').at(-1)
    const near =
      [...this.fields.keys()].find((known) => known.endsWith(`.${last}`) && !known.startsWith('media.')) ??
      nearestName(token.text, this.fields.keys())
    const hint =
      near === undefined ? '; schemas/call.schema.json lists the fields' : `; did you mean "${near}"?`
    return this.error(token, `unknown field "${token.text}"${hint}`)
  }

  private wordError(token: Token): Error {
    return this.error(token, `"${token.text}" is no field; text stands in quotes: "${token.text}"`)
  }

  private groupError({ name, field, token }: FieldOperand): Error {
    const members = (field.members ?? []).slice(0, 4).map((member) => `${name}.${member}`)
    return this.error(token, `${name} is a group of fields: name one of them, e.g. ${members.join(', ')}`)
  }

  private peek(): Token {
    return this.tokens[this.at]
  }

  private take(): Token {
    const token = this.tokens[this.at]
    if (token.kind !== 'end') this.at++
    return token
  }

  private accept(text: string): boolean {
    const token = this.peek()
    if (token.kind !== 'operator' || token.text !== text) return false
    this.at++
    return true
  }

  private expect(text: string): void {
    if (!this.accept(text)) throw this.error(this.peek(), `expected ${text}`)
  }

  private error(token: Token, message: string): Error {
    return expressionError(this.text, token.start, token.end, message)
  }
}
