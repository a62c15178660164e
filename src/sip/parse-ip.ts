/** Dotted quad to four bytes; leading zeros are read as decimal, as phones that pad mean them. */
function parseIpv4(text: string): number[] | undefined {
  const parts = text.split('.', 5)
  if (parts.length !== 4) return undefined
  const bytes: number[] = []
  for (const part of parts) {
    if (!/^[0-9]{1,3}$/.test(part)) return undefined
    const value = Number(part)
    if (value > 255) return undefined
    bytes.push(value)
  }
  return bytes
}

/** `a:b:c` to groups; with `quadAllowed` the last may be an IPv4 address. */
function parseGroups(text: string, quadAllowed: boolean): number[] | undefined {
  if (text === '') return []
  const groups: number[] = []
  const parts = text.split(':', 10)
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]
    if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      groups.push(Number.parseInt(part, 16))
      continue
    }
    const quad = quadAllowed && i === parts.length - 1 ? parseIpv4(part) : undefined
    if (quad === undefined) return undefined
    groups.push(quad[0] * 256 + quad[1], quad[2] * 256 + quad[3])
  }
  return groups
}

function parseIpv6(text: string): number[] | undefined {
  const gap = text.indexOf('::')
  if (gap < 0) {
    const groups = parseGroups(text, true)
    return groups?.length === 8 ? groups : undefined
  }
  const head = parseGroups(text.slice(0, gap), false)
  const tail = parseGroups(text.slice(gap + 2), true)
  // "::" stands for at least one group (RFC 5952 4.2.2 asks for two when writing, not when reading).
  if (head === undefined || tail === undefined || head.length + tail.length > 7) return undefined
  return [...head, ...new Array<number>(8 - head.length - tail.length).fill(0), ...tail]
}

/** RFC 5952 section 4: lower case, no leading zeros, the longest run of zeros (first of equals, two or more) as `::`. */
function formatIpv6(groups: number[]): string {
  // RFC 5952 section 5: mixed notation where the prefix is known to hold an IPv4 address (RFC 4291 2.5.5.2).
  if (groups.slice(0, 5).every((g) => g === 0) && groups[5] === 0xffff) {
    return `::ffff:${groups[6] >> 8}.${groups[6] & 255}.${groups[7] >> 8}.${groups[7] & 255}`
  }
  let bestStart = -1
  let bestLength = 1
  for (let i = 0; i < 8; i++) {
    let run = 0
    while (i + run < 8 && groups[i + run] === 0) run++
    if (run > bestLength) {
      bestStart = i
      bestLength = run
    }
    if (run > 0) i += run - 1
  }
  const hex = groups.map((g) => g.toString(16))
  if (bestStart < 0) return hex.join(':')
  return `${hex.slice(0, bestStart).join(':')}::${hex.slice(bestStart + bestLength).join(':')}`
}

/**
 * An IP address in its canonical text (RFC 5952; dotted quad for IPv4), or undefined when `text` is not an address.
 * A zone (`%eth0`) and brackets are dropped.
 */
export function canonicalAddress(text: string): string | undefined {
  if (text.length > 64) return undefined
  let bare = text
  if (bare.startsWith('[') && bare.endsWith(']')) bare = bare.slice(1, -1)
  const zone = bare.indexOf('%')
  if (zone > 0) bare = bare.slice(0, zone)
  if (!bare.includes(':')) return parseIpv4(bare)?.join('.')
  const groups = parseIpv6(bare)
  return groups === undefined ? undefined : formatIpv6(groups)
}
