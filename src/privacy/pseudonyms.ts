import { parseAddress } from '../decode/address.js'
import { AddressPseudonyms, maskedAddress } from './address-pseudonyms.js'
import type { KeyedHash } from './keyed-hash.js'

export type HidingMode = 'mask' | 'hash'

/** What stands for a caller that withheld the number (RFC 3323, RFC 3325): it names nobody. */
const NOBODY = /^(?:anonymous|unavailable|restricted|unknown|private|withheld)$/i
/** Hosts that name nobody. */
const NO_HOST = /^(?:anonymous\.invalid|invalid|localhost)$/i
/** RFC 3966 5.1.1: visual separators are no part of a number. */
const NUMBER = /^\+?[0-9*#][0-9*#\-.() ]*$/

/** Random by its looks: hexadecimal with letters (a UUID is), or long and without three digits in a row. */
const RANDOM_HEX = /^(?=(?:[^A-Fa-f]*[A-Fa-f]){3})[0-9A-Fa-f-]{12,}$/
const RANDOM_TEXT = /^(?!.*[0-9]{3})[A-Za-z0-9+/=_~.!%*-]{16,}$/

/**
 * What is written in place of a number, a name, an address or a Call-ID. The same text always gets the same
 * replacement under the same key.
 */
export class Pseudonyms {
  private readonly addresses: AddressPseudonyms

  constructor(
    readonly mode: HidingMode,
    private readonly hash: KeyedHash,
  ) {
    this.addresses = new AddressPseudonyms(hash)
  }

  /** The user part of a URI: a number or a name; or a host where there was no user part. */
  party(text: string): string {
    if (text === '' || NOBODY.test(text) || NO_HOST.test(text)) return text
    const address = this.address(text)
    if (address !== undefined) return address
    const number = NUMBER.test(text) ? text.replace(/[-.() ]/g, '') : undefined
    if (this.mode === 'hash') return `p-${this.hash.hex('party', number ?? text, 12)}`
    if (number !== undefined) return number.length >= 4 ? `***${number.slice(-2)}` : '***'
    // By code point: half of a surrogate pair is no character.
    return `${String.fromCodePoint(text.codePointAt(0) ?? 0)}***`
  }

  /** An address in any spelling; undefined for other text. */
  address(text: string): string | undefined {
    return this.mode === 'hash' ? this.addresses.of(text) : maskedAddress(text)
  }

  /** A host: an address, or a name. `[...]` around IPv6 stays. */
  host(text: string): string {
    if (text === '' || NO_HOST.test(text)) return text
    const address = this.address(text)
    if (address !== undefined) return text.startsWith('[') ? `[${address}]` : address
    const name = text.toLowerCase().replace(/\.$/, '')
    return this.mode === 'hash' ? `h-${this.hash.hex('host', name, 10)}.invalid` : 'host.invalid'
  }

  /**
   * A Call-ID. It joins records, so both modes keep different ones different: what looks random stays, so that others can
   * find the call in their own logs; a host behind `@` is replaced like any host; everything else becomes a token. The
   * Call-ID of media without signalling is made of addresses, and becomes a token as well.
   */
  callId(text: string): string {
    if (text.startsWith('media-')) return `media-${this.hash.hex('call', text, 20)}`
    const at = text.lastIndexOf('@')
    const local = at < 0 ? text : text.slice(0, at)
    const random = RANDOM_HEX.test(local) || RANDOM_TEXT.test(local)
    if (!random || parseAddress(local) !== undefined) return `c-${this.hash.hex('call', text, 16)}`
    if (at < 0) return text
    const [, host, port] = /^(\[[^\]]*\]|[^:]*)(.*)$/s.exec(text.slice(at + 1)) ?? ['', '', '']
    return `${local}@${this.host(host)}${/^:[0-9]{1,5}$/.test(port) ? port : ''}`
  }

  /** A MAC address in a text: a device's name. */
  device(text: string): string {
    const plain = text.toLowerCase().replace(/[^0-9a-f]/g, '')
    return this.mode === 'hash' ? `d-${this.hash.hex('device', plain, 12)}` : '***'
  }
}
