import type { DirectionName, Party } from './parties.js'
import { makeFormat } from './parties.js'
import type { Random } from './random.js'
import type { CallSpec, Side } from './scenario.js'
import { sdp, type SdpParts } from './sdp.js'
import type { Format } from './sender.js'

function clash(a: Format, b: Format): boolean {
  return a.codec === b.codec || a.payloadType === b.payloadType
}

/** Writes the session descriptions of both parties of a call; keeps their ids, versions, keys and formats. */
export class SessionWriter {
  private readonly ids: Record<Side, number>
  private readonly versions = { caller: 0, callee: 0 }
  private readonly keys: Record<Side, string>
  private readonly comfortNoise: boolean
  private readonly eventType: Record<DirectionName, number>

  /** @param formats what each direction is sent in; replaced by `useFormat` */
  constructor(
    private readonly spec: CallSpec,
    private readonly formats: Record<DirectionName, Format>,
    private readonly rtcpMux: boolean,
    random: Random,
  ) {
    const { both, from_caller: fromCaller, from_callee: fromCallee } = spec.media ?? {}
    this.ids = { caller: 1e9 + random.below(1e9), callee: 1e9 + random.below(1e9) }
    const key = (): string => (spec.srtp ? Buffer.from(random.hex(60), 'hex').toString('base64') : '')
    this.keys = { caller: key(), callee: key() }
    this.comfortNoise = [both, fromCaller, fromCallee].some((d) => d?.dtx && d.dtx.comfort_noise !== false)
    this.eventType = {
      from_caller: fromCaller?.dtmf_payload_type ?? both?.dtmf_payload_type ?? 101,
      from_callee: fromCallee?.dtmf_payload_type ?? both?.dtmf_payload_type ?? 101,
    }
  }

  useFormat(format: Format): void {
    this.formats.from_caller = format
    this.formats.from_callee = format
  }

  /**
   * One party's description. The payload types in it are those it wants to receive (RFC 3264 5.1), so they are the
   * other direction's; an offer also lists the codec that the party sends and the extra codecs of the scenario.
   */
  describe(party: Party, fields: Partial<SdpParts> & { offer?: boolean } = {}): string {
    const { side } = party
    const received: DirectionName = side === 'caller' ? 'from_callee' : 'from_caller'
    const sent: DirectionName = side === 'caller' ? 'from_caller' : 'from_callee'
    const formats = [this.formats[received], this.formats[sent]]
    if (fields.offer) for (const name of this.spec.offer ?? []) formats.push(makeFormat(name))
    return sdp({
      user: party.user,
      address: party.sdpAddress,
      port: party.sdpPort,
      sessionId: this.ids[side],
      version: this.ids[side] + this.versions[side]++,
      formats: formats.filter((format, i) => i === formats.findIndex((earlier) => clash(earlier, format))),
      telephoneEventType: this.eventType[received],
      comfortNoise: this.comfortNoise,
      direction: 'sendrecv',
      rtcpMux: this.rtcpMux,
      srtpKey: this.keys[side],
      ...fields,
    })
  }
}
