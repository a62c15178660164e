/**
 * What a scenario file says, as the user writes it (schemas/scenario.schema.json holds the same shape; docs/generate.md
 * explains it). Every field is optional unless stated; the code that uses a field applies its default. `*_s` are
 * seconds, `*_ms` milliseconds, `*_percent` 0..100. `at_s` inside a call counts from its answer (2xx at the tap), inside
 * a stream from its first packet.
 */
export interface Scenario {
  seed?: number
  /** RFC 3339; default 2024-01-01T00:00:00Z. */
  start?: string
  link?: LinkSpec
  mirror?: MirrorSpec
  calls?: CallSpec[]
  streams?: StreamSpec[]
  registrations?: RegistrationSpec[]
  options?: OptionsSpec[]
  noise?: NoiseSpec[]
}

export interface LinkSpec {
  /** 802.1Q ids, outermost first. */
  vlan?: number | number[]
  encapsulation?: 'none' | 'vlan' | 'vxlan' | 'erspan'
  tunnel_source?: string
  tunnel_destination?: string
  /** VXLAN network identifier, or ERSPAN session. */
  tunnel_id?: number
  /** Larger IP packets are sent as fragments; default 1500. */
  mtu?: number
  /** Frames are cut to this many bytes in the file; default none. */
  snaplen?: number
}

export interface MirrorSpec {
  /** RTP that the network delivered and the mirror did not show. */
  drop_percent?: number
  /** Indexes (from 0, per direction) of RTP packets that the mirror did not show. */
  drop_packets?: number[]
  /** Only frames sent by this side are in the capture. */
  one_direction?: 'from_caller' | 'from_callee'
}

export interface RepeatSpec {
  count: number
  /** Seconds between two starts; default 1. */
  spacing_s?: number
}

export interface PartySpec {
  /** User part of the URI; `{n}` becomes the repetition's number. */
  user?: string
  display_name?: string
  domain?: string
  /** Where the party's packets come from at the tap. */
  address?: string
  sip_port?: number
  media_port?: number
  /** Where its media comes from; default `address`. */
  media_address?: string
  /** What its SDP says; defaults: media_address, media_port. */
  sdp_address?: string
  sdp_port?: number
  /** Behind NAT: Via, Contact and SDP carry this address, packets come from `address`. */
  nat_private_address?: string
  user_agent?: string
}

export interface ForkSpec {
  user?: string
  address?: string
  media_port?: number
  /** INVITE to this branch's 180; default 300. */
  ring_delay_ms?: number
  /** Media from this branch towards the caller between its 183 and the answer. */
  early_media?: boolean
}

export interface HoldSpec {
  at_s: number
  duration_s: number
  by?: Side
  mode?: 'sendonly' | 'inactive'
  /** With sendonly: the holder goes on sending. */
  music?: boolean
}

export interface ReinviteSpec {
  at_s: number
  by?: Side
  codec?: CodecName
  ptime_ms?: number
  /** New media port of the side that sends it. */
  media_port?: number
  media_address?: string
  /** Offers T.38 instead of audio. */
  t38?: boolean
  /** Default 200; anything else leaves the session as it was. */
  status?: number
}

export type Side = 'caller' | 'callee'
export type CodecName = 'PCMU' | 'PCMA' | 'G722' | 'G729' | 'GSM' | 'iLBC' | 'AMR' | 'AMR-WB' | 'EVS' | 'opus'

export interface SipSpec {
  transport?: 'udp' | 'tcp'
  compact_headers?: boolean
  /** TCP: largest segment; default 1400. */
  tcp_segment_bytes?: number
  /** TCP: default true. */
  tcp_handshake?: boolean
  /** Copies of the INVITE before the first response. */
  invite_retransmissions?: number
  /** A stateful, record-routing proxy between the parties; both hops pass the tap. */
  proxy?: string
  session_id?: boolean
}

export interface NetworkSpec {
  /** Tap to caller and back, one value or one per RTCP report in turn. */
  caller_leg_rtt_ms?: number | number[]
  callee_leg_rtt_ms?: number | number[]
}

export interface RtcpSpec {
  interval_s?: number
  mux?: boolean
  sdes?: boolean
  bye?: boolean
  /** Adds RFC 3611 VoIP metrics, with these scores. */
  xr?: boolean | XrSpec
}

/** What receivers say of the quality; not given: unavailable (127). */
export interface XrSpec {
  /** 0 to 100. */
  r_factor?: number
  /** 1 to 5, in tenths. */
  mos_lq?: number
  mos_cq?: number
}

export interface CallSpec {
  /** Offset of the first packet from `start`. */
  at_s?: number
  call_id?: string
  repeat?: RepeatSpec
  caller?: PartySpec
  callee?: PartySpec
  sip?: SipSpec
  network?: NetworkSpec
  /** INVITE to 180 (or 183); default 200. */
  ring_delay_ms?: number
  /** INVITE to the final response; default 2000. */
  answer_delay_ms?: number
  /** 2xx to BYE; default 10. */
  duration_s?: number
  ended_by?: Side | 'none'
  /** Final status of the INVITE; 0 = no response ever; default 200. */
  status?: number
  /** Caller gives up this long after the INVITE. */
  cancel_after_ms?: number
  auth?: 401 | 407
  fork?: ForkSpec[]
  /** 183 with SDP instead of 180, and media from the callee before the answer. */
  early_media?: boolean
  hold?: HoldSpec[]
  reinvite?: ReinviteSpec[]
  /** More codecs that the caller offers. */
  offer?: CodecName[]
  srtp?: boolean
  rtcp?: boolean | RtcpSpec
  link?: LinkSpec
  mirror?: MirrorSpec
  media?: { both?: DirectionSpec; from_caller?: DirectionSpec; from_callee?: DirectionSpec }
}

/** Chooses packets of one direction: any of the three, added together. */
export interface Choice {
  percent?: number
  /** Indexes from 0 in sending order. */
  packets?: number[]
  /** Every n-th packet (indexes n-1, 2n-1, ...). */
  every?: number
}

export interface LossSpec {
  random_percent?: number
  /** Two states: p = good to bad, q = bad to good, per packet; every packet of the bad state is lost. */
  gilbert?: { p: number; q: number }
  packets?: number[]
  outages?: { at_s: number; duration_s: number }[]
  /** Where between sender and receiver; default before_tap. */
  where?: 'before_tap' | 'after_tap'
}

export interface JitterSpec {
  /** Delay uniform in 0..n. */
  uniform_ms?: number
  /** Delays taken in turn. */
  pattern_ms?: number[]
  /** Every `every_s`, `packets` packets (default 1) are delayed by `size_ms`. */
  spikes?: { every_s: number; size_ms: number; packets?: number }
  /** A queue stands still for `stall_ms` every `every_s`, then drains a packet per `drain_ms` (default 2). */
  queueing?: { every_s: number; stall_ms: number; drain_ms?: number }
  late?: Choice & { delay_ms: number }
  /** A packet never overtakes an earlier one; default false. */
  preserve_order?: boolean
}

export interface DirectionSpec {
  codec?: CodecName
  payload_type?: number
  ptime_ms?: number
  ssrc?: number | string
  initial_sequence?: number
  initial_timestamp?: number
  loss?: LossSpec
  jitter?: JitterSpec
  /** The packet arrives after the `by`-th one behind it; default 1. */
  reorder?: Choice & { by?: number }
  duplicates?: Choice & { after_ms?: number; kind?: 'network' | 'mirror'; vlan?: number; ttl_change?: number }
  skew_ppm?: number
  dtx?: { talk_s: number; silence_s: number; comfort_noise?: boolean; comfort_noise_interval_ms?: number }
  dtmf?: { at_s: number; digit: string; duration_ms?: number }[]
  dtmf_payload_type?: number
  ssrc_change?: { at_s: number; ssrc?: number | string }[]
  sequence_reset?: { at_s: number; to?: number }[]
  timestamp_jump?: { at_s: number; by_ms: number }[]
  /** NAT rebinding: media comes from here afterwards. */
  address_change?: { at_s: number; address?: string; port?: number }[]
  payload_flips?: { at_s: number; duration_s?: number; payload_type: number }[]
  marker?: 'talkspurt' | 'first' | 'never' | 'always'
  no_media?: boolean
  /** From the answer (callee) or the ACK (caller); default 20. */
  start_delay_ms?: number
  media_stop_s?: number
  media_after_bye_ms?: number
  dscp?: number
  ttl?: number
  vlan?: number
  /** RTP header oddities. */
  csrc_count?: number
  extension_bytes?: number
  padding_bytes?: number
  payload_bytes?: number
}

export interface StreamSpec extends DirectionSpec {
  at_s?: number
  duration_s?: number
  repeat?: RepeatSpec
  /** address:port, [v6]:port */
  from: string
  to: string
  link?: LinkSpec
  mirror?: MirrorSpec
}

export interface RegistrationSpec {
  at_s?: number
  repeat?: RepeatSpec
  user?: string
  domain?: string
  address?: string
  registrar?: string
  auth?: boolean
  /** Final status; default 200. */
  status?: number
  expires_s?: number
  response_delay_ms?: number
}

export interface OptionsSpec {
  at_s?: number
  repeat?: RepeatSpec
  from?: string
  to?: string
  /** 0 = no answer; default 200. */
  status?: number
  response_delay_ms?: number
}

export interface NoiseSpec {
  kind: 'dns' | 'stun' | 'quic' | 'udp'
  at_s?: number
  duration_s?: number
  packets_per_second?: number
}
