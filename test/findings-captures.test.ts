import { readdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openFiles } from '../src/capture/open.js'
import type { CallRecord, Finding } from '../src/calls/records.js'
import { DEFAULT_CONFIG } from '../src/config/config.js'
import { Probe } from '../src/pipeline/probe.js'
import { sharedPath } from './helpers/programs.js'

const INDEX = sharedPath('pcaps/INDEX.tsv')
const FOLDER = dirname(INDEX ?? '')

/**
 * What each call of the captures by other people should be found to have, looked at by hand once: beginning of the
 * Call-ID, findings in order, and why. `>` from the caller, `<` from the callee; `?` low confidence, `!` high. Calls that
 * are not listed have none.
 */
// prettier-ignore
const REVIEWED: readonly (readonly [file: string, callId: string, findings: string, reason: string])[] = [
  ['ISA__aaa.pcap', '105090259-44', 'setup_failed private_address_in_sdp< retransmissions', '408 after 37 s without ringing; INVITE and CANCEL repeated; 192.168.1.2 offered to 200.68.120.81'],
  ['ISA__aaa.pcap', '85216695-42d', 'private_address_in_sdp<', '403 in the end, 34 s of which the caller took to send credentials: refused, not slow'],
  ['ISA__aaa.pcap', '24487391-449', 'private_address_in_sdp<', 'the same, 52 s'],
  ['ISA__aaa.pcap', '11894297-443', 'private_address_in_sdp<', '480 after early media: nobody answers'],
  ['ISA__sip.pcap', '681270918', 'dscp_unmarked< short_call?', '1.6 s; the two ICMP errors come for RTCP and after BYE'],
  ['Laborator09__sip.pcap', 'a3d80213-f8b', 'private_address_in_sdp< dscp_unmarked< dscp_unmarked> short_call?', '192.168.60.101 offered to 199.7.175.101; jitter of 8 ms and 1.9 s of media: no queue'],
  ['PcapPlusPlus__sip_reqs.pcap', '12013223@200', 'setup_failed?', 'one INVITE and nothing else of its call for 32 s: may be a piece of a capture'],
  ['aflnet-kamailio-sip__sip-1.pcap', '1-670@127.0.', 'short_call?', 'a script that hangs up after half a second'],
  ['mediastreamer2__audio-80-75-0c60.pcapng', 'media-d74ce4', 'random_loss> queueing>! ptime_changed>', 'an 80 kbit/s stream through a 75 kbit/s link: up to 5.9 s of queue, 12 % lost, then 40 ms packets'],
  ['pcapApplication__yate.pcap', '1954728783@2', 'dscp_unmarked< dscp_unmarked>', 'clean'],
  ['pcaps__Forensic_challenge_4.pcap', 'MzI4NzE5ZDVm', 'loss_after_tap<! clock_skew>! dscp_unmarked>', 'reports say 76 lost that passed here; the caller is 3.1 s behind its timestamps; its 30 gaps were never sent (SR counts)'],
  ['pl7m__sip.pcap', 'SBCm3ifgb8ge', 'private_address_in_sdp>', 'the callee answers 188.135.3.22 with 10.215.215.2; signalling only'],
  ['rtpdump__sample1_ipv4_amr-nb.pcap', 'media-eb8c6b', 'burst_loss>', '11 of 537 lost, ten and more of them in one run'],
  ['sip_captures__RTP-Protocol.pcap', '190798326327', 'short_call?', '4.9 s'],
  ['sip_captures__private-test-sip-2.pcapng', '93de0ff6be19', 'setup_failed?', '408 to an INVITE from before the capture'],
  ['sip_captures__private-test-sip-2.pcapng', '897ffa64f32a', 'one_way_audio< dscp_unmarked>', 'one stream of 853 packets in 15 s, as tshark says, though both sides announced sendrecv'],
  ['sip_captures__sip-488-Not-Acceptable-Here-codec-null.pcapng', 'NA4y5nr9Jk', 'setup_failed!', '488'],
  ['sip_captures__sip-flow-private-3.pcapng', '1339611883', 'clock_skew> dscp_unmarked<', 'packets 31 ms apart with 20 ms in each'],
  ['sip_captures__sip-flow-private.pcapng', '464028215', 'one_way_audio< retransmissions! clock_skew>!', 'one stream; 7 repeated messages; packets 31 ms apart'],
  ['sip_captures__sip-phone-to-phone.pcapng', 'dJpMERl3hb', 'short_call?', 'BYE 32 ms after the answer'],
  ['sip_captures__voip1b.pcapng', '390cbc3372b1', 'media_stopped<? clock_skew>!', '32 packets of the callee, then none for 19 s'],
  ['sip_captures__voip1b.pcapng', '342701946', 'media_stopped<? clock_skew>!', 'the other leg of the same call'],
  ['sipnab__SIP_DTMF2.cap', '25672@192.16', 'one_way_audio<? media_not_at_sdp_address>! dscp_unmarked>', 'media runs to and from .172, which no SDP names; by the SDPs both streams are the caller’s'],
  ['sipnab__invite-opus-bye.pcap', '1-3811003@12', 'dscp_unmarked< dscp_unmarked> short_call?', '3 s'],
  ['sipnab__sip-over-tcp.pcap', '158936656982', 'short_call?', '2.2 s'],
  ['sipnab__sip-rtp-g711.pcap', '1-1966@10.0.', 'dscp_unmarked<', 'recvonly by agreement: no one-way audio'],
  ['sipnab__sip-rtp-g711.pcap', '1-1968@10.0.', 'dscp_unmarked<', 'the same, to the end of the capture'],
  ['sipnab__sip-rtp-g729a.pcap', '1-24411@10.0', 'dscp_unmarked<', 'the same'],
  ['t38faxcap__sample.pcap', '91011443_129', 'dscp_unmarked< dscp_unmarked>', 'audio ends as both switch to fax: agreed on'],
  ['testsuite__ulaw-2013785496.pcap', 'media-8b7b63', 'dscp_unmarked>', 'clean'],
  ['trex-core__Voice_calls_rtp_only.pcap', 'media-f208c6', 'clock_skew<! clock_skew>! dscp_unmarked< dscp_unmarked>', 'packets 25 ms apart with 20 ms in each'],
  ...Array.from({ length: 5 }, () => ['trex-core__udp_sip.cap', 'deb9b5057194', 'short_call?', 'a load test'] as const),
  ['wireshark_samples__ctcloud_cvi.pcap', 'media-5c24ef', 'dscp_unmarked< dscp_unmarked>', 'clean'],
  ['wireshark_samples__pcma.pcap', 'media-19c62a', 'dscp_unmarked>', 'clean'],
]

/** 768 calls of a load test, all hung up within milliseconds; three failed or never answered. */
const LOAD_TEST = 'sip_captures__uac-uas-scenario-sipp.pcapng'

async function callsOf(file: string): Promise<CallRecord[]> {
  const calls: CallRecord[] = []
  const source = await openFiles([`${FOLDER}/${file}`])
  const probe = new Probe(DEFAULT_CONFIG, 'file', (record) => {
    if (record.type === 'call') calls.push(record)
  })
  for (let batch = await source.next(); batch !== null; batch = await source.next()) probe.onBatch(batch)
  for (const _ of probe.finish());
  await source.close()
  return calls
}

function written({ code, direction, confidence }: Finding): string {
  const arrow = direction === undefined ? '' : direction === 'from_caller' ? '>' : '<'
  return code + arrow + { low: '?', medium: '', high: '!' }[confidence]
}

describe.skipIf(INDEX === undefined)('captures by other people (skipped without ../shared/pcaps)', () => {
  const files = INDEX === undefined ? [] : readdirSync(FOLDER).filter((name) => /\.p?cap(ng)?$/.test(name))

  it.each(files.filter((file) => file !== LOAD_TEST))(
    '%s has the findings that a person found',
    async (file) => {
      const found = (await callsOf(file))
        .filter(({ findings }) => findings.length > 0)
        .map(({ call_id, findings }) => `${call_id.slice(0, 12)} ${findings.map(written).join(' ')}`)
      const expected = REVIEWED.filter(([name]) => name === file).map(([, id, codes]) => `${id} ${codes}`)
      expect(found.sort()).toEqual(expected.sort())
    },
  )

  it('the load test has short calls and nothing else', async () => {
    const calls = await callsOf(LOAD_TEST)
    const found = calls.flatMap(({ findings }) => findings.map(written))
    expect(found).toHaveLength(768)
    expect(new Set(found)).toEqual(new Set(['short_call?']))
  })

  it('no review speaks of a file that is not there', () => {
    expect(files).toEqual(expect.arrayContaining(REVIEWED.map(([file]) => file)))
  })
})
