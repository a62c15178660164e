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
  /** Domain in lower case, `.example.com` for every host below it. Rules with a domain have no network. */
  realm?: string
}

/** Addresses whose name is remembered; then all are forgotten. */
const MOST_REMEMBERED = 65_536

/** Finds the rule for an address; remembers, as the same addresses come again and again. */
class Rules {
  private readonly known = new Map<string, string | undefined>()
  private readonly byAddress: readonly Rule[]
  private readonly byRealm: readonly Rule[]

  constructor(rules: readonly Rule[]) {
    this.byAddress = rules.filter(({ realm }) => realm === undefined).sort(mostSpecificFirst)
    this.byRealm = rules.filter(({ realm }) => realm !== undefined).sort(longestRealmFirst)
  }

  nameOf(address: string, vlan: number, realm: string): string | undefined {
    if (this.byAddress.length === 0 && this.byRealm.length === 0) return undefined
    const key = `${address} ${vlan} ${this.byRealm.length === 0 ? '' : realm}`
    const known = this.known.get(key)
    if (known !== undefined || this.known.has(key)) return known
    const name = this.find(address, vlan, realm)
    if (this.known.size >= MOST_REMEMBERED) this.known.clear()
    this.known.set(key, name)
    return name
  }

  /** A network says more than a domain, and a domain more than a VLAN alone. */
  private find(address: string, vlan: number, realm: string): string | undefined {
    const bytes = parseAddress(address)
    const placed = this.byAddress.find(
      ({ network, vlans }) =>
        (vlans === undefined || vlans.has(vlan)) &&
        (network === undefined || (bytes !== undefined && contains(network, bytes))),
    )
    if (placed?.network !== undefined || realm === '') return placed?.name
    const host = realm.toLowerCase()
    return (this.byRealm.find((rule) => isUnder(host, rule) && allows(rule, vlan)) ?? placed)?.name
  }
}

function isUnder(host: string, { realm = '' }: Rule): boolean {
  return realm.startsWith('.') ? host.endsWith(realm) : host === realm
}

function allows({ vlans }: Rule, vlan: number): boolean {
  return vlans === undefined || vlans.has(vlan)
}

/** Names addresses by the sites and trunks of the configuration. */
export class NameMap {
  private readonly sites: Rules
  private readonly trunks: Rules

  /** Whether a name depends on the domain of a party. */
  readonly usesRealms: boolean

  constructor(config: { sites: readonly SiteConfig[]; trunks: readonly TrunkConfig[] }) {
    this.sites = new Rules(config.sites.flatMap((site) => rulesOf(site, site.networks)))
    this.trunks = new Rules(config.trunks.flatMap((trunk) => rulesOf(trunk, trunk.addresses)))
    this.usesRealms = [...config.sites, ...config.trunks].some(({ realms }) => realms !== undefined)
  }

  /**
   * Site of an address: the longest network that contains it, among equal ones a site that names the VLAN; else the
   * site of the domain; else one of the VLAN alone; else `unknown`.
   * @param vlan -1 when untagged
   * @param realm host part of the party's URI, '' when there is none
   */
  siteOf(address: string, vlan = -1, realm = ''): string {
    return this.sites.nameOf(address, vlan, realm) ?? UNKNOWN_SITE
  }

  /** Trunk of a signalling address, found as sites are; undefined when it is of none. */
  trunkOf(address: string, vlan = -1, realm = ''): string | undefined {
    return this.trunks.nameOf(address, vlan, realm)
  }
}

function rulesOf(
  { name, vlans, realms }: { name: string; vlans?: number[]; realms?: string[] },
  networks: readonly string[] | undefined,
): Rule[] {
  const allowed = vlans === undefined ? undefined : new Set(vlans)
  const rules: Rule[] = networksOf(networks ?? []).map((network) => ({ name, network, vlans: allowed }))
  for (const realm of realms ?? [])
    rules.push({ name, vlans: allowed, realm: realm.toLowerCase().replace(/^\*/, '') })
  if (networks === undefined && realms === undefined) rules.push({ name, vlans: allowed })
  return rules
}

function networksOf(texts: readonly string[]): Network[] {
  return texts.map(parseNetwork).filter((network) => network !== undefined)
}

function mostSpecificFirst(a: Rule, b: Rule): number {
  const byPrefix = (b.network?.prefixLength ?? -1) - (a.network?.prefixLength ?? -1)
  return byPrefix !== 0 ? byPrefix : Number(b.vlans !== undefined) - Number(a.vlans !== undefined)
}

function longestRealmFirst(a: Rule, b: Rule): number {
  const byLength = (b.realm?.length ?? 0) - (a.realm?.length ?? 0)
  return byLength !== 0 ? byLength : Number(b.vlans !== undefined) - Number(a.vlans !== undefined)
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
