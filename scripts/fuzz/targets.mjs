import { REPORT_WORDS, SDP_WORDS, SIP_WORDS } from './words.mjs'
import { captureSeeds, compressedSeeds, pipelineSeeds } from './seeds-capture.mjs'
import { decodeSeeds, rtpSeeds, tcpSeeds, trackerSeeds } from './seeds-rows.mjs'
import { reportSeeds, rtcpSeeds } from './seeds-rtcp.mjs'
import { framerSeeds, sdpSeeds, sipSeeds } from './seeds-sip.mjs'

/**
 * What is fuzzed: `module` below src, its `export`, the longest input, and inputs per run when nothing else is asked
 * for. `text`, `dictionary`, `step` and `stretchTo` steer the spoiling (mutate.mjs).
 */
export const TARGETS = {
  capture: {
    about: 'pcap and pcapng readers',
    module: 'capture/fuzz-target.js',
    export: 'fuzzCaptureOne',
    seeds: captureSeeds,
    maxLength: 4096,
    runs: 1_000_000,
  },
  compressed: {
    about: 'gzip and zstd, and what they unpack to',
    module: 'capture/fuzz-target.js',
    export: 'fuzzCaptureOne',
    seeds: compressedSeeds,
    maxLength: 2048,
    runs: 200_000,
  },
  decode: {
    about: 'link types, VLAN, tunnels, IP fragments, UDP',
    module: 'decode/fuzz-target.js',
    export: 'fuzzDecodeOne',
    seeds: decodeSeeds,
    maxLength: 4096,
    runs: 1_000_000,
  },
  tcp: {
    about: 'TCP reassembly',
    module: 'decode/fuzz-target.js',
    export: 'fuzzTcpOne',
    seeds: tcpSeeds,
    maxLength: 2048,
    runs: 1_000_000,
  },
  sip: {
    about: 'SIP messages with their bodies',
    module: 'sip/fuzz-target.js',
    export: 'fuzzSipOne',
    seeds: sipSeeds,
    maxLength: 8192,
    stretchTo: 65_535,
    text: true,
    dictionary: SIP_WORDS,
    runs: 1_000_000,
  },
  sdp: {
    about: 'session descriptions',
    module: 'sip/fuzz-target.js',
    export: 'fuzzSdpOne',
    seeds: sdpSeeds,
    maxLength: 4096,
    stretchTo: 65_535,
    text: true,
    dictionary: SDP_WORDS,
    runs: 1_000_000,
  },
  framer: {
    about: 'SIP over TCP and WebSocket: where messages begin and end',
    module: 'sip/fuzz-target.js',
    export: 'fuzzFramerOne',
    seeds: framerSeeds,
    maxLength: 8192,
    stretchTo: 65_535,
    text: true,
    dictionary: SIP_WORDS,
    runs: 300_000,
  },
  tracker: {
    about: 'transactions, dialogs, registrations',
    module: 'sip/tracker-fuzz.js',
    export: 'fuzzTrackerOne',
    seeds: trackerSeeds,
    maxLength: 8 * 64,
    step: 8,
    runs: 100_000,
  },
  rtp: {
    about: 'the RTP meter: rows of packets and of what calls do to their streams',
    module: 'rtp/fuzz-target.js',
    export: 'fuzzRtpOne',
    seeds: rtpSeeds,
    maxLength: 8 * 160,
    step: 8,
    runs: 1_000_000,
  },
  rtcp: {
    about: 'RTCP compounds: SR, RR, SDES, BYE, feedback, XR; round trips from them',
    module: 'rtcp/fuzz-target.js',
    export: 'fuzzRtcpOne',
    seeds: rtcpSeeds,
    maxLength: 2048,
    runs: 1_000_000,
  },
  report: {
    about: 'voice quality reports (RFC 6035)',
    module: 'rtcp/fuzz-target.js',
    export: 'fuzzQualityReportOne',
    seeds: reportSeeds,
    maxLength: 4096,
    stretchTo: 65_535,
    text: true,
    dictionary: REPORT_WORDS,
    runs: 1_000_000,
  },
  pipeline: {
    about: 'capture bytes to records, each held to its schema',
    module: 'pipeline/fuzz-target.js',
    export: 'fuzzPipelineOne',
    seeds: pipelineSeeds,
    maxLength: 24_576,
    dictionary: SIP_WORDS,
    runs: 100_000,
  },
}

/**
 * @param {string} name of TARGETS
 * @param {(module: string) => Promise<Record<string, unknown>>} importModule imports the program that is fuzzed
 * @param {import('./material.mjs').Material} [material] what seeds are made of; without it there are none
 * @returns {Promise<import('./engine.mjs').Target>}
 */
export async function loadTarget(name, importModule, material) {
  const target = TARGETS[name]
  const run = (await importModule(target.module))[target.export]
  const seeds = material ? await target.seeds(material, target.maxLength) : []
  return { ...target, name, run, seeds }
}
