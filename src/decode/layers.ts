/**
 * What a header announces as the next one. A layer function reads the header at `state.at`, moves `at` behind it and
 * returns one of these, or a KIND_* (all below LAYER_FIRST) when the frame is done. The loop in the decoder calls
 * them in turn, so there is no recursion to bound and no layer needs to know another's code.
 */
export const LAYER_FIRST = 16
export const LAYER_ETHERNET = 16
/** `state.protocol` is an EtherType. */
export const LAYER_ETHERTYPE = 17
export const LAYER_LLC = 18
export const LAYER_MPLS = 19
export const LAYER_PPPOE = 20
/** A PPP protocol field comes next, after optional address and control bytes. */
export const LAYER_PPP = 21
/** IPv4 or IPv6, told apart by the first four bits. */
export const LAYER_IP = 22
export const LAYER_IPV4 = 23
export const LAYER_IPV6 = 24
/** `state.protocol` is an IP protocol number (or an IPv6 extension header). */
export const LAYER_IP_PROTOCOL = 25
export const LAYER_UDP = 26
export const LAYER_TCP = 27
export const LAYER_ICMP = 28
export const LAYER_GRE = 29
export const LAYER_WLAN = 30
export const LAYER_RADIOTAP = 31
/** Cisco HDLC or PPP in HDLC framing, told apart by the address byte. */
export const LAYER_HDLC = 32

/** Most headers in one frame, from the link header to the transport; more is `tunnel_too_deep`. */
export const MAX_LAYERS = 32

/** Encapsulations that are counted, by their public name. */
export const TUNNEL_NAMES = [
  'mpls',
  'pppoe',
  'gre',
  'erspan',
  'ip_in_ip',
  'vxlan',
  'geneve',
  'gtp',
  'teredo',
  'tzsp',
  'hep',
] as const
export type TunnelName = (typeof TUNNEL_NAMES)[number]

const index = (name: TunnelName): number => TUNNEL_NAMES.indexOf(name)
export const TUNNEL_MPLS = index('mpls')
export const TUNNEL_PPPOE = index('pppoe')
export const TUNNEL_GRE = index('gre')
export const TUNNEL_ERSPAN = index('erspan')
export const TUNNEL_IP_IN_IP = index('ip_in_ip')
export const TUNNEL_VXLAN = index('vxlan')
export const TUNNEL_GENEVE = index('geneve')
export const TUNNEL_GTP = index('gtp')
export const TUNNEL_TEREDO = index('teredo')
export const TUNNEL_TZSP = index('tzsp')
export const TUNNEL_HEP = index('hep')
