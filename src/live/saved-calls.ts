import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { Ajv } from 'ajv'
import { errorText, systemErrorCode } from '../errors.js'
import type { PartyMedia, SipCall } from '../sip/call.js'

const FORMAT = 'callprobe open calls'
const VERSION = 1

interface SavedCalls {
  format: typeof FORMAT
  version: typeof VERSION
  savedMs: number
  calls: SipCall[]
}

const text = { type: 'string' } as const
const number = { type: 'number' } as const
const flag = { type: 'boolean' } as const
const texts = { type: 'array', items: text } as const
const endpoint = {
  type: 'object',
  required: ['address', 'port'],
  properties: { address: text, port: number },
} as const
const format = {
  type: 'object',
  required: ['payloadType', 'encoding', 'clockRateHz', 'channels'],
  properties: {
    payloadType: { type: 'integer', minimum: 0, maximum: 127 },
    encoding: text,
    clockRateHz: number,
    channels: number,
    fmtp: text,
  },
} as const
const media = {
  type: 'object',
  required: [
    'kind',
    'port',
    'address',
    'protocol',
    'encrypted',
    'formats',
    'direction',
    'rtcpPort',
    'rtcpMux',
    'candidates',
    'ssrcs',
  ],
  properties: {
    kind: text,
    port: number,
    address: text,
    protocol: text,
    encrypted: flag,
    formats: { type: 'array', items: format },
    direction: { enum: ['sendrecv', 'sendonly', 'recvonly', 'inactive'] },
    rtcpPort: number,
    rtcpMux: flag,
    candidates: {
      type: 'array',
      items: {
        type: 'object',
        required: ['component', 'type', 'transport', 'address', 'port'],
        properties: { component: number, type: text, transport: text, address: text, port: number },
      },
    },
    ssrcs: { type: 'array', items: number },
    ptimeMs: number,
    maxptimeMs: number,
    rtcpAddress: text,
    mid: text,
  },
} as const
const party = { enum: ['caller', 'callee'] } as const
// The compiler holds each list of properties to its type: a field that is added there has to be kept here.
const partyMediaProperties = {
  party,
  media: { type: 'array', items: media },
  timeMs: number,
  signallingAddress: text,
  peerAddress: text,
  vlan: number,
  branchTag: text,
  role: { enum: ['offer', 'answer'] },
  hop: number,
} as const satisfies Record<keyof PartyMedia, object>
const partyMedia = {
  type: 'object',
  required: ['party', 'media', 'timeMs', 'signallingAddress', 'vlan', 'branchTag', 'role'],
  properties: partyMediaProperties,
} as const

/** Traces of rewriting are found again in what comes; who was given up is not kept at all. */
type NotKept = 'rewriteClues' | 'evicted'

const callProperties = {
  ...{ callId: text, key: text, state: { const: 'in_progress' }, caller: text, callee: text },
  ...{ callerUri: text, calleeUri: text, fromTag: text, toTag: text },
  ...{ callerSignalling: endpoint, calleeSignalling: endpoint },
  ...{ transport: { enum: ['udp', 'tcp', 'tls', 'sctp', 'ws', 'wss'] }, vlan: number, sawInvite: flag },
  ...{ inviteMs: number, tryingMs: number, progressMs: number, ringingMs: number, answerMs: number },
  ...{ ackMs: number, endMs: number, byeMs: number, byeAnswerMs: number, cancelMs: number, lastMs: number },
  ...{ endedBy: party, finalStatus: number, finalReason: text, challengeWaitMs: number },
  ...{ authChallenges: number, redirects: number, retransmissions: number, reinvites: number },
  ...{ sessionId: text, linkIds: texts, reasonHeader: text, relatedCallIds: texts, defects: texts },
  ...{ prack: flag, referred: flag, referredBy: party },
  userAgents: { type: 'object', properties: { caller: text, callee: text } },
  callerMedia: partyMedia,
  calleeMedia: partyMedia,
  mediaHistory: { type: 'array', items: partyMedia },
  holds: {
    type: 'array',
    items: {
      type: 'object',
      required: ['startMs', 'by'],
      properties: { startMs: number, endMs: number, by: party },
    },
  },
  referral: {
    type: 'object',
    required: ['target', 'timeMs', 'by'],
    properties: { target: text, timeMs: number, by: party },
  },
  messagesFrom: {
    type: 'object',
    required: ['caller', 'callee'],
    properties: { caller: number, callee: number },
  },
} as const satisfies Record<Exclude<keyof SipCall, NotKept>, object>

const sipCall = {
  type: 'object',
  required: [
    ...['callId', 'key', 'state', 'caller', 'callee', 'callerUri', 'calleeUri', 'fromTag', 'toTag'],
    ...['callerSignalling', 'calleeSignalling', 'transport', 'vlan', 'sawInvite', 'inviteMs'],
    ...['authChallenges', 'redirects', 'retransmissions', 'userAgents', 'mediaHistory', 'holds'],
    ...['relatedCallIds', 'reinvites', 'prack', 'referred', 'lastMs', 'defects', 'messagesFrom'],
  ],
  properties: callProperties,
} as const

const isSaved = new Ajv({ allowUnionTypes: true, removeAdditional: 'all' }).compile<SavedCalls>({
  type: 'object',
  required: ['format', 'version', 'savedMs', 'calls'],
  properties: {
    format: { const: FORMAT },
    version: { const: VERSION },
    savedMs: number,
    calls: { type: 'array', items: sipCall },
  },
})

/**
 * Writes the calls that are open at shutdown, so that the next start knows them. The file is its owner's alone: it has
 * the numbers of who talks to whom.
 */
export function saveCalls(path: string, calls: readonly SipCall[], nowMs: number): void {
  const saved: SavedCalls = { format: FORMAT, version: VERSION, savedMs: nowMs, calls: [...calls] }
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const part = `${path}.part`
  writeFileSync(part, JSON.stringify(saved), { mode: 0o600 })
  renameSync(part, path)
}

/**
 * Takes over what the last run saved; the file is gone then, so that nothing is taken over twice.
 * @param mostAgeMs older files are of no use: their calls are over
 * @returns the calls, or why there are none
 */
export function takeSavedCalls(
  path: string,
  nowMs: number,
  mostAgeMs: number,
): SipCall[] | { problem: string } {
  let content: string
  try {
    content = readFileSync(path, 'utf8')
    rmSync(path)
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return []
    return { problem: `cannot read ${path}: ${errorText(error)}` }
  }
  let saved: unknown
  try {
    saved = JSON.parse(content)
  } catch {
    return { problem: `${path} is damaged: calls that were open count as new ones` }
  }
  if (!isSaved(saved))
    return { problem: `${path} is of another version: calls that were open count as new ones` }
  const ageMs = nowMs - saved.savedMs
  return ageMs >= 0 && ageMs <= mostAgeMs ? saved.calls : []
}
