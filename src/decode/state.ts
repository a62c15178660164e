import { FragmentTable, type FragmentOptions } from './fragments.js'
import { TUNNEL_NAMES } from './layers.js'
import { KIND_SKIPPED, SKIP_REASONS, type DecodedPacket } from './packet.js'

/**
 * The decoded packet plus the cursor that the layer functions share. Every field keeps one representation for the
 * life of the object (small integers; `timeMs` a double), so that stores from the hot path stay plain stores.
 */
export class DecodeState implements DecodedPacket {
  bytes: Uint8Array = new Uint8Array(0)
  view: DataView = new DataView(new ArrayBuffer(0))
  payloadOffset = 0
  payloadLength = 0
  payloadCaptured = 0
  ipVersion = 4
  source0 = 0
  source1 = 0
  source2 = 0
  source3 = 0
  destination0 = 0
  destination1 = 0
  destination2 = 0
  destination3 = 0
  sourcePort = 0
  destinationPort = 0
  dscp = 0
  ttl = 0
  vlan = -1
  /** Starts as NaN so that the field is a double from the first store on. */
  timeMs = Number.NaN
  ipLength = 0
  udpChecksum = 0
  tcpSequence = 0
  tcpAcknowledgement = 0
  tcpFlags = 0
  reassembled = false
  fromHep = false
  hepTransport = 0
  hepProtocolType = 0

  /** Where the next header starts. */
  at = 0
  /** End of the bytes that are present and belong to the current layer (padding cut off). */
  capturedEnd = 0
  /** End of the current layer on the wire. */
  wireEnd = 0
  /** EtherType or IP protocol, as the LAYER_* code says. */
  protocol = 0
  /** Headers read so far in this frame. */
  layers = 0

  /**
   * Frames skipped, by index of SKIP_REASONS. Each frame that decode() answers with KIND_SKIPPED adds one.
   * `fragment_incomplete` and `fragment_table_full` count datagrams whose fragments had been stored before.
   */
  readonly skipped = new Float64Array(SKIP_REASONS.length)
  /** Encapsulations unwrapped, by index of TUNNEL_NAMES. */
  readonly tunnelCounts = new Float64Array(TUNNEL_NAMES.length)
  readonly fragments: FragmentTable

  constructor(options: FragmentOptions = {}) {
    this.fragments = new FragmentTable(this.skipped, options)
  }

  /** Counts the frame under a reason (SKIP_*). */
  skip(reason: number): number {
    this.skipped[reason]++
    return KIND_SKIPPED
  }

  /** Are `length` bytes present from the cursor on? */
  has(length: number): boolean {
    return this.capturedEnd - this.at >= length
  }

  /** Sets payload fields for a payload at `offset` that the headers promise `length` bytes of. */
  setPayload(offset: number, length: number): void {
    const present = this.capturedEnd - offset
    this.payloadOffset = offset
    this.payloadLength = length
    this.payloadCaptured = present >= length ? length : present > 0 ? present : 0
  }
}
