import type { PacketBatch } from '../capture/batch.js'

const UDP = 17
const TCP = 6
const MORE_FRAGMENTS_OR_OFFSET = 0x3fff

/** An IP header somewhere in a frame; offsets are from the frame's first byte. */
export interface IpHeader {
  version: 4 | 6
  /** Where it begins, and where what it carries begins. */
  at: number
  payloadAt: number
  /** Length of what it carries, as the header says. */
  payloadLength: number
  protocol: number
  fragment?: IpFragment
}

export interface IpFragment {
  identification: number
  /** Place in the datagram, bytes. */
  start: number
  more: boolean
}

/**
 * The IP headers of a frame from the outside in, whatever lies before and between them: every place where a header with
 * a good checksum (IPv4), or of a length that fits (IPv6), begins. For frames whose layers were decoded before; what
 * looks like a header in a payload is not asked for.
 * @param view the frame alone; `end`: where to stop looking
 */
export function ipHeaders(view: DataView, end: number): IpHeader[] {
  const headers: IpHeader[] = []
  for (let at = 0; at + 20 <= end;) {
    const header = ipv4At(view, at) ?? ipv6At(view, at)
    if (header === undefined) at++
    else {
      headers.push(header)
      at = header.payloadAt
    }
  }
  return headers
}

function ipv4At(view: DataView, at: number): IpHeader | undefined {
  const length = (view.getUint8(at) & 15) * 4
  if (view.getUint8(at) >> 4 !== 4 || length < 20 || at + length > view.byteLength) return undefined
  const total = view.getUint16(at + 2)
  if ((total < length && total !== 0) || !isGoodChecksum(view, at, length)) return undefined
  const word = view.getUint16(at + 6)
  const header: IpHeader = {
    version: 4,
    at,
    payloadAt: at + length,
    payloadLength: total === 0 ? view.byteLength - at - length : total - length,
    protocol: view.getUint8(at + 9),
  }
  if ((word & MORE_FRAGMENTS_OR_OFFSET) !== 0) {
    header.fragment = {
      identification: view.getUint16(at + 4),
      start: (word & 0x1fff) * 8,
      more: (word & 0x2000) !== 0,
    }
  }
  return header
}

/** Right; or not filled in, as offload leaves it, where an EtherType announces the header. */
function isGoodChecksum(view: DataView, at: number, length: number): boolean {
  if (view.getUint16(at + 10) === 0) return at >= 2 && view.getUint16(at - 2) === 0x0800
  return sumOf(view, at, length) === 0xffff
}

function ipv6At(view: DataView, at: number): IpHeader | undefined {
  if (at + 40 > view.byteLength || view.getUint8(at) >> 4 !== 6) return undefined
  const payload = view.getUint16(at + 4)
  const rest = view.byteLength - at - 40
  // An Ethernet frame is padded to 60 bytes, a cut one is shorter than the header says.
  const isAnnounced = at >= 2 && view.getUint16(at - 2) === 0x86dd
  if (payload === 0 || (!isAnnounced && payload !== rest)) return undefined
  let protocol = view.getUint8(at + 6)
  let next = at + 40
  const header: IpHeader = { version: 6, at, payloadAt: next, payloadLength: payload, protocol }
  for (let count = 0; count < 8 && next + 8 <= view.byteLength; count++) {
    if (protocol === 44) {
      const word = view.getUint16(next + 2)
      const identification = view.getInt32(next + 4)
      header.fragment = { identification, start: word & 0xfff8, more: (word & 1) !== 0 }
      protocol = view.getUint8(next)
      next += 8
      break
    }
    if (protocol !== 0 && protocol !== 43 && protocol !== 60) break
    protocol = view.getUint8(next)
    next += (view.getUint8(next + 1) + 1) * 8
  }
  header.protocol = protocol
  header.payloadAt = next
  header.payloadLength = payload - (next - at - 40)
  return header
}

/** One's complement sum of 16-bit words, folded (RFC 1071). */
function sumOf(view: DataView, at: number, length: number, initial = 0): number {
  let sum = initial
  for (let i = 0; i + 1 < length; i += 2) sum += view.getUint16(at + i)
  if (length % 2 === 1) sum += view.getUint8(at + length - 1) << 8
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return sum
}

/**
 * Makes the transport checksums of a frame good again after bytes in it were changed. A stale one would tell what was
 * there: the sum of what was taken out. Where it cannot be reckoned (a fragment, a cut frame) it becomes 0, which for UDP
 * means that there is none.
 * @param frame the frame alone, `wireLength` its length on the wire
 */
export function renewChecksums(frame: Uint8Array, wireLength: number): void {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
  for (const header of ipHeaders(view, frame.length).reverse()) {
    const { protocol, payloadAt, payloadLength, fragment } = header
    if (protocol !== UDP && protocol !== TCP) continue
    if (fragment !== undefined && fragment.start > 0) continue
    const at = payloadAt + (protocol === UDP ? 6 : 16)
    if (at + 2 > frame.length) continue
    if (protocol === UDP && view.getUint16(at) === 0) continue
    view.setUint16(at, 0)
    const isWhole = payloadAt + payloadLength <= Math.min(frame.length, wireLength) && fragment === undefined
    if (isWhole) view.setUint16(at, transportChecksum(view, header))
  }
}

function transportChecksum(view: DataView, header: IpHeader): number {
  const { version, at, payloadAt, payloadLength, protocol } = header
  const addresses =
    version === 4 ? sumOf(view, at + 12, 8, protocol + payloadLength) : sumOf(view, at + 8, 32, protocol)
  const upper = version === 6 ? payloadLength : 0
  const checksum = ~sumOf(view, payloadAt, payloadLength, addresses + upper) & 0xffff
  return checksum === 0 ? 0xffff : checksum
}

/** The outermost fragment header of a frame of a batch, and the view of that frame. */
export function fragmentHeader(
  batch: PacketBatch,
  index: number,
): (IpHeader & { fragment: IpFragment; key: string }) | undefined {
  const view = new DataView(
    batch.bytes.buffer,
    batch.bytes.byteOffset + batch.frameOffset[index],
    batch.capturedLength[index],
  )
  for (const header of ipHeaders(view, Math.min(view.byteLength, MOST_HEADER_BYTES))) {
    const { fragment } = header
    if (fragment === undefined) continue
    const from = header.version === 4 ? header.at + 12 : header.at + 8
    const addresses = Buffer.from(view.buffer, view.byteOffset + from, header.version === 4 ? 8 : 32)
    const protocol = header.version === 4 ? header.protocol : ''
    const key = `${header.version} ${addresses.toString('hex')} ${fragment.identification} ${protocol}`
    return { ...header, fragment, key }
  }
  return undefined
}

/** Headers lie in the first so many bytes. */
const MOST_HEADER_BYTES = 512
