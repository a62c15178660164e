/** What was wrong with a compound. Names are public; each is reported once per compound. */
export type RtcpDefect =
  | 'too_short'
  | 'bad_version'
  | 'bad_packet_type'
  | 'length_beyond_datagram'
  | 'trailing_bytes'
  | 'too_many_packets'
  | 'bad_padding'
  | 'padding_not_last'
  | 'missing_ssrc'
  | 'missing_sender_info'
  | 'missing_report_blocks'
  | 'missing_sdes_chunks'
  | 'sdes_item_too_long'
  | 'too_many_sdes_items'
  | 'missing_bye_sources'
  | 'bye_reason_too_long'
  | 'missing_app_name'
  | 'xr_block_too_long'
  | 'xr_block_too_short'
  | 'too_many_xr_blocks'

/** What a packet's parser reads: the packet's bytes behind its first word, as far as they are there. */
export interface RtcpBody {
  bytes: Uint8Array
  /** Behind the first 32-bit word. */
  start: number
  /** End of what is there, padding left out. */
  end: number
  /** The five bits behind the padding flag: report count, source count, subtype or format. */
  count: number
  /** The capture cut this packet: what is missing is no defect. */
  cut: boolean
  defects: Set<RtcpDefect>
}

/** Notes a defect, unless it comes from the capture's snap length. */
export function missing(body: RtcpBody, defect: RtcpDefect): void {
  if (!body.cut) body.defects.add(defect)
}
