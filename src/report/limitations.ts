import type { CallRecord, SummaryRecord } from '../calls/records.js'
import { LIMITS, type ReportCuts } from './limits.js'
import type { Limitation } from './page/data.js'

/** What hides media or signalling, and what it means. Other reasons are of no concern for calls. */
const SKIPPED: Readonly<Record<string, string>> = {
  unsupported_link_type: 'packets have a link type that is not read',
  truncated_link_header:
    'packets are cut within the link header (the snap length of the capture is too small)',
  truncated_ip_header: 'packets are cut within the IP header (the snap length of the capture is too small)',
  bad_ip_header: 'packets have a damaged IP header',
  truncated_transport_header: 'packets are cut within the UDP or TCP header (the snap length is too small)',
  bad_udp_length: 'packets have a wrong UDP length',
  bad_tcp_header: 'packets have a damaged TCP header',
  fragment_incomplete: 'IP fragments were never completed: large SIP messages may be missing',
  fragment_overlap: 'IP fragments overlap',
  fragment_table_full: 'IP fragments found no room (limits.fragments)',
  tunnel_too_deep: 'packets are in more tunnels than are unwrapped',
  bad_tunnel_header: 'packets have a damaged tunnel header',
  encrypted_frame: 'packets are encrypted (ESP, MACsec, wireless): what they hold is not seen',
  bad_hep: 'HEP packets are damaged',
}

/** SIP that is there and cannot be read. */
const UNREADABLE: Readonly<Record<string, string>> = {
  tls_connections: 'TCP connections of SIP ports are encrypted (TLS)',
  dtls_datagrams: 'datagrams of SIP ports are encrypted (DTLS)',
  sigcomp_datagrams: 'datagrams of SIP ports are packed (SigComp)',
  compressed_websocket_messages: 'WebSocket messages are packed',
  oversized_messages: 'SIP messages are larger than is read',
}

/** Counted, but of no concern: traffic that carries no calls. */
const HARMLESS: Readonly<Record<string, string>> = {
  not_ip: 'frames that are not IP (ARP and the like)',
  unsupported_ip_protocol: 'IP packets that are neither UDP nor TCP nor ICMP',
}

/** What the calls themselves say of what was not seen. */
export class CallCoverage {
  private calls = 0
  private noStart = 0
  private noEnd = 0
  private oneDirection = 0
  private mirrorLoss = 0
  private mirrorLossCalls = 0
  private encryptedRtcp = 0
  private captureDrops = 0
  private clockOff = 0

  add({ state, media, validity }: CallRecord): void {
    this.calls++
    if (validity.complete_start === false) this.noStart++
    if (validity.complete_end === false) this.noEnd++
    const packets = [media.from_caller?.packets ?? 0, media.from_callee?.packets ?? 0]
    if (state === 'media_only' && packets.some((count) => count > 0) && packets.includes(0))
      this.oneDirection++
    if ((validity.mirror_loss ?? 0) > 0) {
      this.mirrorLoss += validity.mirror_loss ?? 0
      this.mirrorLossCalls++
    }
    if (validity.encrypted_rtcp) this.encryptedRtcp++
    if ((validity.capture_drops ?? 0) > 0) this.captureDrops++
    if (validity.clock_synchronized === false) this.clockOff++
  }

  *limitations(): Generator<Limitation> {
    if (this.captureDrops > 0)
      yield warning(
        `${calls(this.captureDrops)} ran while the capture dropped packets: their loss may be the capture's.`,
      )
    if (this.mirrorLoss > 0)
      yield warning(
        `The mirror lost ${packets(this.mirrorLoss)} that RTCP shows were received, in ${calls(this.mirrorLossCalls)}: their loss is overstated.`,
      )
    if (this.noStart > 0)
      yield note(
        `${calls(this.noStart)} had begun before the capture did: how they were set up is not known.`,
      )
    if (this.noEnd > 0)
      yield note(`${calls(this.noEnd)} had not ended when the capture did: the figures cover what was seen.`)
    if (this.oneDirection > 0)
      yield note(
        `${calls(this.oneDirection)} without signalling show one direction only: what the other side heard is not known.`,
      )
    if (this.encryptedRtcp > 0)
      yield note(
        `RTCP of ${calls(this.encryptedRtcp)} is encrypted: what the far ends reported is not known.`,
      )
    if (this.clockOff > 0)
      yield note(`The capture's clock was not synchronized during ${calls(this.clockOff)}: times may be off.`)
  }
}

/** Everything that the run could not see, what weighs most first. */
export function limitationsOf(
  summary: SummaryRecord,
  coverage: CallCoverage,
  cuts: ReportCuts,
): Limitation[] {
  const all = [...ofCapture(summary), ...coverage.limitations(), ...ofReport(cuts)]
  return [...all.filter(({ level }) => level === 'warning'), ...all.filter(({ level }) => level === 'note')]
}

function* ofCapture(summary: SummaryRecord): Generator<Limitation> {
  for (const { file, offset, message } of summary.truncated_files)
    yield warning(`${file}${offset === undefined ? '' : ` at byte ${count(offset)}`}: ${message}`)
  const drops = (summary.reported_drops ?? 0) + (summary.capture_drops ?? 0)
  if (drops > 0) yield warning(`${packets(drops)} were dropped while capturing: loss may be theirs.`)
  for (const [reason, meaning] of Object.entries(SKIPPED)) {
    const skipped = summary.skipped[reason] ?? 0
    if (skipped > 0) yield warning(`${count(skipped)} ${meaning}.`)
  }
  for (const [reason, skipped] of Object.entries(summary.skipped))
    if (skipped > 0 && !Object.hasOwn(SKIPPED, reason) && !Object.hasOwn(HARMLESS, reason))
      yield warning(`${count(skipped)} skipped: ${reason}.`)
  for (const [limit, times] of Object.entries(summary.evictions))
    yield warning(`A limit was reached ${count(times)} times: ${limit.replaceAll('_', ' ')}.`)
  for (const [reason, times] of Object.entries(summary.sip_unreadable ?? {}))
    yield warning(
      `${count(times)} ${UNREADABLE[reason] ?? reason.replaceAll('_', ' ')}: calls in there have no signalling.`,
    )
  for (const text of summary.warnings ?? []) yield warning(text)
  if ((summary.sip_malformed ?? 0) > 0)
    yield note(`${count(summary.sip_malformed ?? 0)} SIP messages could not be read.`)
  if (summary.calls > 0 && (summary.sip_messages ?? 0) === 0)
    yield note(
      'No signalling was seen: calls are made up from their media, and codecs with dynamic payload types are not known.',
    )
  if (summary.calls > 0 && (summary.rtp_packets ?? 0) === 0)
    yield note('No RTP was seen: nothing is known about the quality of any call.')
}

/** What this report itself left out. */
function* ofReport(cuts: ReportCuts): Generator<Limitation> {
  if (cuts.callsNotListed > 0)
    yield warning(
      `${calls(cuts.callsNotListed)} beyond the first ${count(LIMITS.calls)} are not in this report.`,
    )
  if (cuts.callsWithoutDetails > 0)
    yield warning(
      `${calls(cuts.callsWithoutDetails)} have no page of their own: the report reached its size.`,
    )
  if (cuts.goodCallsShortened > 0)
    yield note(
      `${calls(cuts.goodCallsShortened)} of good quality are shown without SIP messages and seconds, to keep the report small.`,
    )
  if (cuts.messagesLeftOut + cuts.messagesCut > 0)
    yield note(`${count(cuts.messagesLeftOut + cuts.messagesCut)} SIP messages are left out or cut.`)
  if (cuts.pointsLeftOut > 0)
    yield note(`${count(cuts.pointsLeftOut)} seconds or intervals of media are left out of the charts.`)
}

/** Worth a word, without anything being hidden by it. */
export function remarksOf(summary: SummaryRecord): string[] {
  return Object.entries(HARMLESS)
    .filter(([reason]) => (summary.skipped[reason] ?? 0) > 0)
    .map(([reason, meaning]) => `${count(summary.skipped[reason])} ${meaning}`)
}

function warning(text: string): Limitation {
  return { level: 'warning', text }
}

function note(text: string): Limitation {
  return { level: 'note', text }
}

function count(value: number): string {
  return value.toLocaleString('en-US')
}

function packets(value: number): string {
  return `${count(value)} ${value === 1 ? 'packet' : 'packets'}`
}

function calls(value: number): string {
  return `${count(value)} ${value === 1 ? 'call' : 'calls'}`
}
