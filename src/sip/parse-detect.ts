/** Longest method name that is taken for one. RFC 3261 sets no limit; registered methods have at most 9 characters. */
const MAX_METHOD_LENGTH = 80
/** How far into a datagram or line a start line is looked for. */
const MAX_START_LINE = 16_384

const CR = 0x0d
const LF = 0x0a
const SPACE = 0x20
const TAB = 0x09
const COLON = 0x3a

/** 1 for the characters of an RFC 3261 token. */
const TOKEN = new Uint8Array(256)
for (const c of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.!%*_+`'~")
  TOKEN[c.charCodeAt(0)] = 1

export function isTokenByte(byte: number): boolean {
  return TOKEN[byte] === 1
}

const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39
const lower = (byte: number): number => (byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte)

/** `SIP/` at `at`, any case. */
function isSipSlash(bytes: Uint8Array, at: number, end: number): boolean {
  return (
    at + 4 <= end &&
    lower(bytes[at]) === 0x73 &&
    lower(bytes[at + 1]) === 0x69 &&
    lower(bytes[at + 2]) === 0x70 &&
    bytes[at + 3] === 0x2f
  )
}

/** `SIP/2.0 200`: version, white space, three digits. */
function isStatusLine(bytes: Uint8Array, at: number, end: number): boolean {
  if (!isSipSlash(bytes, at, end)) return false
  let i = at + 4
  while (i < end && i < at + 12 && (isDigit(bytes[i]) || bytes[i] === 0x2e)) i++
  if (i === at + 4 || i >= end || (bytes[i] !== SPACE && bytes[i] !== TAB)) return false
  while (i < end && i < at + 32 && (bytes[i] === SPACE || bytes[i] === TAB)) i++
  return i + 3 <= end && isDigit(bytes[i]) && isDigit(bytes[i + 1]) && isDigit(bytes[i + 2])
}

/** `sip:`, `sips:` or `tel:` at `at`, any case, `<` before it tolerated. */
function isCallScheme(bytes: Uint8Array, at: number, end: number): boolean {
  let i = at
  if (i < end && bytes[i] === 0x3c) i++
  if (i + 4 > end) return false
  const a = lower(bytes[i])
  const b = lower(bytes[i + 1])
  const c = lower(bytes[i + 2])
  if (a === 0x74 && b === 0x65 && c === 0x6c) return bytes[i + 3] === COLON
  if (a !== 0x73 || b !== 0x69 || c !== 0x70) return false
  return bytes[i + 3] === COLON || (lower(bytes[i + 3]) === 0x73 && i + 4 < end && bytes[i + 4] === COLON)
}

/** True when the line that `at` lies in ends in white space and `SIP/<version>`. */
function lineEndsInVersion(bytes: Uint8Array, at: number, end: number): boolean {
  const stop = Math.min(end, at + MAX_START_LINE)
  let lineEnd = at
  while (lineEnd < stop && bytes[lineEnd] !== LF && bytes[lineEnd] !== CR) lineEnd++
  while (lineEnd > at && (bytes[lineEnd - 1] === SPACE || bytes[lineEnd - 1] === TAB)) lineEnd--
  let version = lineEnd
  while (version > at && (isDigit(bytes[version - 1]) || bytes[version - 1] === 0x2e)) version--
  const slash = version - 4
  if (version === lineEnd || slash <= at || !isSipSlash(bytes, slash, lineEnd)) return false
  return bytes[slash - 1] === SPACE || bytes[slash - 1] === TAB
}

/** A request line: method token, white space, then a URI of a telephony scheme or a line that ends in a SIP version. */
function isRequestLine(bytes: Uint8Array, at: number, end: number): boolean {
  let i = at
  const methodEnd = Math.min(end, at + MAX_METHOD_LENGTH + 1)
  while (i < methodEnd && TOKEN[bytes[i]] === 1) i++
  if (i === at || i >= methodEnd || (bytes[i] !== SPACE && bytes[i] !== TAB)) return false
  const afterMethod = i
  while (i < end && i < afterMethod + 32 && (bytes[i] === SPACE || bytes[i] === TAB)) i++
  return isCallScheme(bytes, i, end) || lineEndsInVersion(bytes, i, end)
}

/** True when a SIP request or status line starts exactly at `at`. Allocates nothing. */
export function isStartLine(bytes: Uint8Array, at: number, end: number): boolean {
  if (at >= end) return false
  const first = lower(bytes[at])
  // An 's' may also begin a method (SUBSCRIBE), so both are tried.
  return (first === 0x73 && isStatusLine(bytes, at, end)) || isRequestLine(bytes, at, end)
}

/**
 * A start line that begins inside a line, behind bytes that do not belong to SIP (`\0\0INVITE sip:...`). Returns its
 * offset or -1. The line must hold a SIP version.
 */
function startInsideLine(bytes: Uint8Array, at: number, lineEnd: number): number {
  for (let i = at; i < lineEnd; i++) {
    if (lower(bytes[i]) === 0x73 && isStatusLine(bytes, i, lineEnd)) return i
    if (bytes[i] !== SPACE || i === at || TOKEN[bytes[i - 1]] !== 1) continue
    if (!isCallScheme(bytes, i + 1, lineEnd)) continue
    if (!lineEndsInVersion(bytes, i + 1, lineEnd)) return -1
    let start = i
    while (start > at && i - start < MAX_METHOD_LENGTH && TOKEN[bytes[start - 1]] === 1) start--
    return start
  }
  return -1
}

/** Where a start line begins within the line `at`..`lineEnd`: at its start, or behind other bytes. -1 when nowhere. */
export function startInLine(bytes: Uint8Array, at: number, lineEnd: number): number {
  if (isStartLine(bytes, at, lineEnd)) return at
  const inside = startInsideLine(bytes, at, lineEnd)
  return inside >= 0 && isStartLine(bytes, inside, lineEnd) ? inside : -1
}

/** Offset of the first SIP start line at or after `offset`, or -1. Linear in `length`, which is cut at 16 KB. */
export function findStartLine(bytes: Uint8Array, offset: number, length: number): number {
  const end = offset + Math.min(length, MAX_START_LINE)
  let at = offset
  while (at < end) {
    while (at < end && (bytes[at] === CR || bytes[at] === LF)) at++
    if (isStartLine(bytes, at, end)) return at
    let lineEnd = at
    while (lineEnd < end && bytes[lineEnd] !== LF) lineEnd++
    const inside = startInsideLine(bytes, at, lineEnd)
    if (inside >= 0) return inside
    at = lineEnd + 1
  }
  return -1
}

/**
 * Cheap test for SIP on any port, for each datagram that is not RTP: true when a request line or a status line stands at
 * its start. Allocates nothing and looks at most at one line.
 * @param tolerant for a port known to carry SIP: the start line may follow line ends and junk.
 */
export function looksLikeSip(bytes: Uint8Array, offset: number, length: number, tolerant = false): boolean {
  if (tolerant) return findStartLine(bytes, offset, length) >= 0
  return length > 10 && isStartLine(bytes, offset, offset + Math.min(length, MAX_START_LINE))
}
