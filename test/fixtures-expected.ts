import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv, type JSONSchemaType } from 'ajv'
import { ROOT } from './helpers/programs.js'

/** One call as its user agents and tshark tell it. */
export interface ExpectedCall {
  call_id: string
  state: string
  status: number
  caller: string
  callee: string
  /** 2xx to BYE at the tap. */
  duration_s?: number
}

/** One line of tshark's -z rtp,streams, and its count of reordered packets. */
export interface ExpectedStream {
  source_address: string
  source_port: number
  destination_address: string
  destination_port: number
  ssrc: string
  packets: number
  lost: number
  reordered: number
  jitter_mean_ms: number
  jitter_max_ms: number
}

/** fixtures/NAME.expected.json; fixtures/README.md says where each field comes from. */
export interface Expected {
  capture: string
  calls: ExpectedCall[]
  streams: ExpectedStream[]
  user_agents?: { caller: Phone; callee: Phone }
  /** By SSRC: what reached the faulty wire, and the sequence numbers it dropped. */
  wire?: Record<string, { packets: number; dropped: number[] }>
}

export interface Phone {
  packets_sent: number
  packets_received: number
  lost_when_it_last_reported: number
}

const number = { type: 'number' } as const
const string = { type: 'string' } as const
const PHONE: JSONSchemaType<Phone> = {
  type: 'object',
  required: ['packets_sent', 'packets_received', 'lost_when_it_last_reported'],
  properties: { packets_sent: number, packets_received: number, lost_when_it_last_reported: number },
}

const SCHEMA: JSONSchemaType<Expected> = {
  type: 'object',
  required: ['capture', 'calls', 'streams'],
  properties: {
    capture: string,
    calls: {
      type: 'array',
      items: {
        type: 'object',
        required: ['call_id', 'state', 'status', 'caller', 'callee'],
        properties: {
          call_id: string,
          state: string,
          status: number,
          caller: string,
          callee: string,
          duration_s: { type: 'number', nullable: true },
        },
      },
    },
    streams: {
      type: 'array',
      items: {
        type: 'object',
        required: [
          'source_address',
          'source_port',
          'destination_address',
          'destination_port',
          'ssrc',
          'packets',
          'lost',
          'reordered',
          'jitter_mean_ms',
          'jitter_max_ms',
        ],
        properties: {
          source_address: string,
          source_port: number,
          destination_address: string,
          destination_port: number,
          ssrc: string,
          packets: number,
          lost: number,
          reordered: number,
          jitter_mean_ms: number,
          jitter_max_ms: number,
        },
      },
    },
    user_agents: {
      type: 'object',
      nullable: true,
      required: ['caller', 'callee'],
      properties: { caller: PHONE, callee: PHONE },
    },
    wire: {
      type: 'object',
      nullable: true,
      required: [],
      additionalProperties: {
        type: 'object',
        required: ['packets', 'dropped'],
        properties: { packets: number, dropped: { type: 'array', items: number } },
      },
    },
  },
}

/** All expectations of the bundled captures, by name. */
export function readExpected(): Map<string, Expected> {
  const validate = new Ajv({ strict: true }).compile(SCHEMA)
  const folder = join(ROOT, 'fixtures')
  const names = readdirSync(folder).filter((name) => name.endsWith('.expected.json'))
  return new Map(
    names.sort().map((name) => {
      const read: unknown = JSON.parse(readFileSync(join(folder, name), 'utf8'))
      if (!validate(read)) throw new Error(`${name}: ${JSON.stringify(validate.errors)}`)
      return [name.replace('.expected.json', ''), read]
    }),
  )
}

/** Run lengths of consecutive sequence numbers (modulo 2^16), counted 1..9 and 10 or more. */
export function lossRuns(dropped: readonly number[]): number[] {
  const runs = new Array<number>(10).fill(0)
  let length = 0
  dropped.forEach((sequence, i) => {
    length++
    const next = dropped[i + 1]
    if (next !== undefined && next === ((sequence + 1) & 0xffff)) return
    runs[Math.min(length, 10) - 1]++
    length = 0
  })
  return runs
}
