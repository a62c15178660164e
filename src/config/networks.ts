import { isIP } from 'node:net'
import type { SiteConfig, TrunkConfig } from './config.js'

/** Name of a site that nothing in the configuration matches. */
export const UNKNOWN_SITE = 'unknown'

/** An IPv4 (4 bytes) or IPv6 (16 bytes) network. */
export interface Network {
  bytes: Uint8Array
  prefixLength: number
}

/** Bytes of an address, IPv4-mapped IPv6 as IPv4; undefined when `text` is no address. A zone (`%eth0`) is ignored. */
export function parseAddress(text: string): Uint8Array | undefined {
  const address = text.split('%', 1)[0]
  const version = isIP(address)
  if (version === 4) return Uint8Array.from(address.split('.'), Number)
  if (version !== 6) return undefined
  const bytes = ipv6Bytes(address)
  return isMapped(bytes) ? bytes.slice(12) : bytes
}

/** `10.1.0.0/16`, `2001:db8::/32`, or a single address. Undefined when it is neither, or bits are set past the prefix. */
export function parseNetwork(text: string): Network | undefined {
  const [addressText, prefixText, ...rest] = text.trim().split('/')
  const bytes = parseAddress(addressText)
  if (bytes === undefined || rest.length > 0) return undefined
  if (prefixText === undefined) return { bytes, prefixLength: bytes.length * 8 }
  if (!/^\d{1,3}$/.test(prefixText)) return undefined
  // ::ffff:10.0.0.0/112 counts its prefix in IPv6 bits.
  const mapped = bytes.length === 4 && addressText.includes(':')
  const prefixLength = Number(prefixText) - (mapped ? 96 : 0)
  if (prefixLength < 0 || prefixLength > bytes.length * 8) return undefined
  const network = { bytes, prefixLength }
  return hasHostBits(network) ? undefined : network
}

export function contains(network: Network, address: Uint8Array): boolean {
  if (address.length !== network.bytes.length) return false
  const whole = network.prefixLength >> 3
  for (let i = 0; i < whole; i++) if (address[i] !== network.bytes[i]) return false
  const rest = network.prefixLength & 7
  return rest === 0 || (address[whole] ^ network.bytes[whole]) >> (8 - rest) === 0
}

interface Rule {
  name: string
  /** undefined: any address. */
  network?: Network
  /** undefined: any VLAN. */
  vlans?: ReadonlySet<number>
}

/** Names addresses by the sites and trunks of the configuration. Linear in their number: meant for once per call. */
export class NameMap {
  private readonly sites: readonly Rule[]
  private readonly trunks: readonly Rule[]

  constructor(config: { sites: readonly SiteConfig[]; trunks: readonly TrunkConfig[] }) {
    this.sites = config.sites
      .flatMap((site) => {
        const vlans = site.vlans === undefined ? undefined : new Set(site.vlans)
        return site.networks === undefined
          ? [{ name: site.name, vlans }]
          : networksOf(site.networks).map((network) => ({ name: site.name, network, vlans }))
      })
      .sort(mostSpecificFirst)
    this.trunks = config.trunks
      .flatMap((trunk) => networksOf(trunk.addresses).map((network) => ({ name: trunk.name, network })))
      .sort(mostSpecificFirst)
  }

  /**
   * Site of an address: the longest network that contains it, then the rule that names the VLAN; else `unknown`.
   * @param vlan -1 when untagged
   */
  siteOf(address: string, vlan = -1): string {
    return nameOf(this.sites, address, vlan) ?? UNKNOWN_SITE
  }

  /** Trunk of a signalling address, undefined when it is of none. */
  trunkOf(address: string): string | undefined {
    return nameOf(this.trunks, address, -1)
  }
}

function nameOf(rules: readonly Rule[], address: string, vlan: number): string | undefined {
  if (rules.length === 0) return undefined
  const bytes = parseAddress(address)
  for (const { name, network, vlans } of rules) {
    if (vlans !== undefined && !vlans.has(vlan)) continue
    if (network === undefined || (bytes !== undefined && contains(network, bytes))) return name
  }
  return undefined
}

function networksOf(texts: readonly string[]): Network[] {
  return texts.map(parseNetwork).filter((network) => network !== undefined)
}

function mostSpecificFirst(a: Rule, b: Rule): number {
  const byPrefix = (b.network?.prefixLength ?? -1) - (a.network?.prefixLength ?? -1)
  return byPrefix !== 0 ? byPrefix : Number(b.vlans !== undefined) - Number(a.vlans !== undefined)
}

function hasHostBits({ bytes, prefixLength }: Network): boolean {
  return bytes.some((byte, i) => (byte & (0xff >> Math.min(8, Math.max(0, prefixLength - i * 8)))) !== 0)
}

/** `text` has passed isIP(). */
function ipv6Bytes(text: string): Uint8Array {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text)
  const hex =
    dotted === null
      ? text
      : dotted[1] +
        [0, 2].map((i) => (Number(dotted[2 + i]) * 256 + Number(dotted[3 + i])).toString(16)).join(':')
  const [head, tail] = hex.split('::')
  const before = groupsOf(head)
  const after = tail === undefined ? [] : groupsOf(tail)
  const groups = [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after]
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]))
}

function groupsOf(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => parseInt(group, 16))
}

function isMapped(bytes: Uint8Array): boolean {
  return bytes.every((byte, i) => (i < 10 ? byte === 0 : i < 12 ? byte === 0xff : true))
}
