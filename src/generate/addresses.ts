import { isIP } from 'node:net'
import { ScenarioError } from './errors.js'

export interface Address {
  version: 4 | 6
  /** 4 or 16 bytes, network order. */
  bytes: Uint8Array
  text: string
}

export interface Endpoint {
  address: Address
  port: number
}

function ipv6Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(16)
  const [head, tail] = text.split('::')
  const groups = (part: string | undefined): number[] =>
    (part ? part.split(':') : []).flatMap((group) => {
      if (!group.includes('.')) return [parseInt(group, 16)]
      const octets = group.split('.').map(Number)
      return [octets[0] * 256 + octets[1], octets[2] * 256 + octets[3]]
    })
  const first = groups(head)
  const last = groups(tail)
  first.forEach((group, i) => {
    bytes[i * 2] = group >> 8
    bytes[i * 2 + 1] = group
  })
  last.forEach((group, i) => {
    const at = 16 - (last.length - i) * 2
    bytes[at] = group >> 8
    bytes[at + 1] = group
  })
  return bytes
}

/** @throws ScenarioError when the text is no IP address; `place` names it in the message. */
export function parseAddress(text: string, place: string): Address {
  const version = isIP(text)
  if (version === 4) return { version: 4, bytes: Uint8Array.from(text.split('.').map(Number)), text }
  if (version === 6 && !text.includes('%')) return { version: 6, bytes: ipv6Bytes(text), text }
  throw new ScenarioError(`${place}: "${text}" is not an IPv4 or IPv6 address`)
}

/** Reads `192.0.2.1:5004` or `[2001:db8::1]:5004`. */
export function parseEndpoint(text: string, place: string): Endpoint {
  const match = /^(?:\[(.+)\]|([^:]+)):(\d+)$/.exec(text)
  const port = match ? Number(match[3]) : 0
  if (!match || port < 1 || port > 65535)
    throw new ScenarioError(`${place}: "${text}" is not address:port (IPv6 in brackets)`)
  return { address: parseAddress(match[1] ?? match[2], place), port }
}

/** For URIs and Via: brackets around IPv6. */
export function uriHost(address: string): string {
  return address.includes(':') ? `[${address}]` : address
}
