import { CallprobeError } from '../errors.js'
import type { CaptureParser } from './capture-parser.js'
import { isPcapMagic, PcapParser } from './pcap-format.js'
import { PcapngParser, SECTION_HEADER } from './pcapng-format.js'

/** What is read, for messages. */
export const SUPPORTED_FORMATS =
  'pcap (micro- and nanoseconds), pcapng, and either of them packed with gzip or zstd'

/** What people hand over instead, by the first bytes (hex), and what helps. */
const FOREIGN_FORMATS: readonly (readonly [signature: string, name: string, hint: string])[] = [
  ['736e6f6f7000', 'a snoop capture', 'convert it with "editcap -F pcapng IN OUT"'],
  ['474d4255', 'a Microsoft Network Monitor capture', 'convert it with "editcap -F pcapng IN OUT"'],
  ['52545353', 'a Network Monitor 1 capture', 'convert it with "editcap -F pcapng IN OUT"'],
  ['545253', 'a Sniffer capture', 'convert it with "editcap -F pcapng IN OUT"'],
  ['1c0001a', 'an Ixia capture', 'convert it with "editcap -F pcapng IN OUT"'],
  ['425a68', 'bzip2 data', 'unpack it with bunzip2, or pipe it: bzcat FILE | callprobe replay -'],
  ['fd377a585a00', 'xz data', 'unpack it with unxz, or pipe it: xzcat FILE | callprobe replay -'],
  ['04224d18', 'lz4 data', 'unpack it with "lz4 -d", or pipe it: lz4cat FILE | callprobe replay -'],
  ['504b0304', 'a zip archive', 'unpack it with unzip'],
  ['2321727470706c6179', 'an rtpdump file', 'capture with tcpdump or dumpcap instead'],
  ['1f9d', 'compress (.Z) data', 'unpack it with uncompress'],
]

function describe(bytes: Uint8Array): { text: string; hint: string } {
  const head = Buffer.from(bytes.subarray(0, 16))
  const hex = head.toString('hex')
  for (const [signature, name, hint] of FOREIGN_FORMATS) {
    if (hex.startsWith(signature)) return { text: `it looks like ${name}`, hint }
  }
  const shown = hex.slice(0, 8).replace(/../g, '$& ').trim()
  return {
    text: `it starts with ${shown}`,
    hint: 'is this the file that tcpdump, dumpcap or Wireshark saved?',
  }
}

/** The error for a file whose first bytes (as many as there are) belong to no supported format. */
export function notACapture(name: string, bytes: Uint8Array): CallprobeError {
  const { text, hint } = describe(bytes)
  return new CallprobeError(
    'NOT_A_CAPTURE',
    `${name} is not a capture file: ${text}. Supported are ${SUPPORTED_FORMATS}.`,
    { hint },
  )
}

/** The parser for a file that starts at `view[start]` (4 readable bytes), or null when no format has that signature. */
export function parserFor(view: DataView, start: number): CaptureParser | null {
  const magic = view.getUint32(start, false)
  if (magic === SECTION_HEADER) return new PcapngParser()
  if (isPcapMagic(magic) || isPcapMagic(view.getUint32(start, true))) return new PcapParser()
  return null
}
