/** What `PacketDecoder.decode` found. */
export const KIND_SKIPPED = 0
export const KIND_UDP = 1
export const KIND_TCP = 2
export const KIND_ICMP = 3
/** A fragment was stored; the whole packet is not there yet. */
export const KIND_FRAGMENT = 4

/**
 * The last decoded packet: fields are overwritten by each call of `decode` (no allocation per packet). All integers
 * that may use 32 bits are signed int32 (`| 0`), so that V8 keeps them as small integers; use `>>> 0` to print them.
 */
export interface DecodedPacket {
  /** Where the payload lies: the frame's own buffer, or the reassembly buffer after IP fragments. */
  bytes: Uint8Array
  view: DataView
  /** UDP/TCP payload or ICMP message. */
  payloadOffset: number
  /** Payload length that the headers promise. */
  payloadLength: number
  /** Payload bytes present (<= payloadLength when the frame was cut). */
  payloadCaptured: number
  /** 4 or 6. Addresses as int32 words in network order; IPv4 uses word 0 and leaves 1..3 zero. */
  ipVersion: number
  source0: number
  source1: number
  source2: number
  source3: number
  destination0: number
  destination1: number
  destination2: number
  destination3: number
  sourcePort: number
  destinationPort: number
  /** 6-bit DSCP of the innermost IP header. */
  dscp: number
  ttl: number
  /** Innermost 802.1Q VLAN id outside the innermost IP header, -1 when untagged. */
  vlan: number
  /** Time of the packet, ms since the epoch: the frame's, or for HEP the one the agent put in. */
  timeMs: number
  /** Length of the innermost IP packet in bytes. */
  ipLength: number
  /** UDP checksum field of the innermost datagram (0 = none). */
  udpChecksum: number
  /** TCP fields, valid for KIND_TCP only. */
  tcpSequence: number
  /** Acknowledgement number; means something only when tcpFlags has ACK (0x10). */
  tcpAcknowledgement: number
  tcpFlags: number
  /** True when the packet was rebuilt from IP fragments. */
  reassembled: boolean
  /** True when it came out of a HEP message (then a SIP payload may stand for TCP or TLS, see hepTransport). */
  fromHep: boolean
  /** IP protocol number that HEP says the message was carried by (6 or 17); 0 when not from HEP. */
  hepTransport: number
  /** HEP's capture protocol type (1 SIP, 4 RTP, 5 RTCP as JSON, ...); 0 when not from HEP. */
  hepProtocolType: number
}

/** Why a packet was skipped; index into the counters that the summary prints. Names are public. */
export const SKIP_REASONS = [
  'unsupported_link_type',
  'truncated_link_header',
  'not_ip',
  'truncated_ip_header',
  'bad_ip_header',
  'truncated_transport_header',
  'bad_udp_length',
  'bad_tcp_header',
  'unsupported_ip_protocol',
  'fragment_incomplete',
  'fragment_overlap',
  'fragment_table_full',
  'tunnel_too_deep',
  'bad_tunnel_header',
  'encrypted_frame',
  'bad_hep',
] as const
export type SkipReason = (typeof SKIP_REASONS)[number]
