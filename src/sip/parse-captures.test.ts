import { readFileSync, readdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { describe, expect, it } from 'vitest'
import { sharedPath } from '../../test/helpers/programs.js'
import { openFiles } from '../capture/open.js'
import { canonicalAddress } from '../decode/address.js'
import { PacketDecoder } from '../decode/decoder.js'
import { KIND_TCP, KIND_UDP } from '../decode/packet.js'
import { TcpReassembler } from '../decode/tcp.js'
import type { SipMessage } from './message.js'
import { SipTcpConnectionParser } from './parse-connection.js'
import { looksLikeSip } from './parse-detect.js'
import { parseSipMessage } from './parse.js'

/** Captures by other people and what tshark 4.0.17 reads in them: `truth/NAME.sip.csv`, one row per frame with SIP. */
const TRUTH = sharedPath('pcaps/truth')
const CAPTURES = dirname(TRUTH ?? '')
const present = TRUTH !== undefined

/** What both programs say of the messages of a capture; each list is sorted. */
interface Reading {
  /** Call-ID and CSeq of each message. */
  ids: string[]
  methods: string[]
  statuses: string[]
  /** Port of each m= line. */
  ports: string[]
  /** Connection addresses in use, each once. */
  addresses: string[]
}

const empty = (): Reading => ({ ids: [], methods: [], statuses: [], ports: [], addresses: [] })

function sorted(reading: Reading): Reading {
  reading.addresses = [...new Set(reading.addresses)]
  for (const list of Object.values(reading)) list.sort()
  return reading
}

function csvCells(line: string): string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map((found) => found[1] ?? found[2] ?? '')
}

/**
 * Datagrams that begin like SIP and cannot be used; tshark shows them as rows without Call-ID. The first holds bare
 * status lines and nothing else, the second a REGISTER whose only header is Expires.
 */
const UNUSABLE: Readonly<Record<string, number>> = {
  'sipnab__udp_5060.pcap': 10,
  'zeek__sip-junk-before-request.pcap': 1,
}

/** tshark's CSV ends a quoted cell at the quote that RFC 4475's odd Call-ID contains. */
const asTsharkQuotes = (callId: string): string => callId.replace(/".*$/, '')

/** tshark writes `a|b` for a field that occurs twice in a frame. */
const several = (cell: string): string[] => (cell === '' ? [] : cell.split('|'))

/** `0009\r\n  INVITE` as tshark shows it: `9 INVITE`. */
const cseqText = (text: string): string =>
  text
    .replace(/\\r\\n/g, ' ')
    .replace(/\s+/g, ' ')
    .replace(/^0+(?=\d)/, '')

function tsharkReading(name: string): Reading {
  const [head, ...lines] = readFileSync(`${CAPTURES}/truth/${name}.sip.csv`, 'utf8').trimEnd().split('\n')
  const columns = csvCells(head)
  const reading = empty()
  for (const line of lines) {
    const cells = csvCells(line)
    const cell = (column: string): string => cells[columns.indexOf(column)] ?? ''
    // A row without Call-ID is no message: HTTP on a SIP port, a request without the headers it must have.
    const callIds = several(cell('sip.Call-ID'))
    if (callIds.length === 0) continue
    const cseqs = several(cell('sip.CSeq'))
    callIds.forEach((callId, i) => reading.ids.push(`${callId} ${cseqText(cseqs[i] ?? '')}`))
    reading.methods.push(...several(cell('sip.Method')))
    reading.statuses.push(...several(cell('sip.Status-Code')))
    const ports = several(cell('sdp.media.port'))
    reading.ports.push(...ports)
    // Three captures have a Content-Length that ends before the m= line: then no connection is in use.
    if (ports.length === 0) continue
    const addresses = several(cell('sdp.connection_info.address'))
    reading.addresses.push(...addresses.map((text) => canonicalAddress(text) ?? text))
  }
  return sorted(reading)
}

function add(reading: Reading, message: SipMessage): void {
  reading.ids.push(`${asTsharkQuotes(message.callId)} ${message.cseq.number} ${message.cseq.method}`)
  if (message.kind === 'request') reading.methods.push(message.method)
  else reading.statuses.push(String(message.status))
  if (message.sdp === undefined) return
  reading.ports.push(...message.sdp.media.map((media) => String(media.port)))
  reading.addresses.push(...message.sdp.media.map((media) => media.address).filter((text) => text !== ''))
}

interface OwnReading {
  reading: Reading
  /** Errors of what looked like SIP. */
  errors: string[]
}

async function ownReading(name: string): Promise<OwnReading> {
  const reading = empty()
  const errors: string[] = []
  const take = (bytes: Uint8Array, offset: number, length: number): void => {
    const result = parseSipMessage(bytes, offset, length)
    if ('error' in result) errors.push(result.error)
    else add(reading, result.message)
  }
  const decoder = new PacketDecoder()
  const parsers = new Map<unknown, SipTcpConnectionParser>()
  const parserOf = (connection: unknown): SipTcpConnectionParser => {
    const known = parsers.get(connection)
    if (known !== undefined) return known
    const parser = new SipTcpConnectionParser((_side, bytes, offset, length) => take(bytes, offset, length))
    parsers.set(connection, parser)
    return parser
  }
  const reassembler = new TcpReassembler({
    onData: (connection, direction, bytes) => parserOf(connection).push(direction, bytes),
    onGap: (connection, direction) => parserOf(connection).gap(direction),
    onEnd: (connection) => {
      parserOf(connection).end(0)
      parserOf(connection).end(1)
      parsers.delete(connection)
    },
  })
  const source = await openFiles([`${CAPTURES}/${name}`])
  for (let batch = await source.next(); batch !== null; batch = await source.next()) {
    for (let i = batch.first; i < batch.end; i++) {
      const { bytes, view, frameOffset, capturedLength, wireLength, linkType, timeMs } = batch
      const kind = decoder.decode(
        bytes,
        view,
        frameOffset[i],
        capturedLength[i],
        wireLength[i],
        linkType[i],
        timeMs[i],
      )
      if (kind === KIND_TCP) reassembler.push(decoder, timeMs[i])
      if (kind !== KIND_UDP) continue
      const sipPort = decoder.sourcePort === 5060 || decoder.destinationPort === 5060
      if (looksLikeSip(decoder.bytes, decoder.payloadOffset, decoder.payloadCaptured, sipPort)) {
        take(decoder.bytes, decoder.payloadOffset, decoder.payloadCaptured)
      }
    }
  }
  await source.close()
  reassembler.finish()
  return { reading: sorted(reading), errors }
}

const names = present
  ? readdirSync(`${CAPTURES}/truth`)
      .filter((file) => file.endsWith('.sip.csv'))
      .map((file) => file.slice(0, -'.sip.csv'.length))
  : []

describe.skipIf(!present)('captures by other people (skipped without ../shared/pcaps)', () => {
  it.each(names)('%s: the messages, session ports and addresses that tshark reads', async (name) => {
    const { reading, errors } = await ownReading(name)
    expect(reading).toEqual(tsharkReading(name))
    expect(errors).toEqual(new Array<string>(UNUSABLE[name] ?? 0).fill('no Call-ID'))
  })
})

describe.skipIf(!present)('the torture messages themselves (skipped without ../shared/pcaps)', () => {
  const files = present
    ? ['rfc4475_valid', 'rfc5118'].flatMap((folder) =>
        readdirSync(`${CAPTURES}/${folder}`)
          .filter((file) => file.endsWith('.dat'))
          .map((file) => `${folder}/${file}`),
      )
    : []

  /** What is wrong with the files: the collection left out the end of most RFC 5118 headers and bodies. */
  const DEFECTS: Readonly<Record<string, readonly string[]>> = {
    'rfc4475_valid/dblreq.dat': ['content_length_too_small'],
    // Their Content-Length ends within the last attribute; tshark, too, reads "H263-1998" and "H263-199" there.
    'rfc5118/RFC5118_4_8.dat': ['content_length_too_small'],
    'rfc5118/RFC5118_4_9.dat': ['content_length_too_small'],
  }

  it.each(files)('%s is read', (file) => {
    const bytes = readFileSync(`${CAPTURES}/${file}`)
    const result = parseSipMessage(bytes, 0, bytes.length)
    const found = 'error' in result ? [result.error] : result.message.defects
    const cut = new Set(['headers_not_terminated', 'content_length_too_large', 'uri_spaces'])
    const kept = file.startsWith('rfc5118') ? found.filter((defect) => !cut.has(defect)) : found
    expect(kept).toEqual(DEFECTS[file] ?? [])
  })
})
