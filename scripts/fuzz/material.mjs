import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { ROOT } from '../lib/run.mjs'

/** Frames taken from each capture: the first ones, where calls are set up. */
const FRAMES_PER_CAPTURE = 60
const SCENARIO_FRAMES = 400

/** Links and transports that real captures bring seldom together; the bundled scenarios come on top. */
const SCENARIOS = [
  { link: { encapsulation: 'vlan', vlan: [7, 8] }, calls: [{ duration_s: 0.4 }] },
  { link: { encapsulation: 'vxlan', tunnel_id: 5 }, calls: [{ duration_s: 0.4 }] },
  { link: { encapsulation: 'erspan' }, calls: [{ duration_s: 0.4, ended_by: 'callee' }] },
  { link: { mtu: 300 }, calls: [{ duration_s: 0.4, sip: { transport: 'tcp', tcp_segment_bytes: 90 } }] },
  { link: { snaplen: 96 }, calls: [{ duration_s: 1, rtcp: { interval_s: 0.2, xr: true } }] },
  { calls: [{ duration_s: 1, rtcp: { interval_s: 0.2, mux: true }, sip: { compact_headers: true } }] },
  {
    calls: [
      { duration_s: 1, hold: [{ at_s: 0.2, duration_s: 0.3 }] },
      { status: 486 },
      { cancel_after_ms: 900 },
    ],
  },
  { calls: [{ duration_s: 1, auth: 407, early_media: true, reinvite: [{ at_s: 0.3, codec: 'PCMA' }] }] },
  { calls: [{ duration_s: 1, caller: { address: '2001:db8::1' }, callee: { address: '2001:db8::2' } }] },
  { streams: [{ duration_s: 1, from: '10.0.0.1:4000', to: '10.0.0.2:5000' }], noise: [{ kind: 'stun' }] },
  { registrations: [{}], options: [{}] },
]

/**
 * @typedef {object} Frame
 * @property {number} linkType
 * @property {number} timeMs
 * @property {Uint8Array} bytes
 */

/** Real input, to be spoiled: captures, their frames, the SIP in them. Read once, in a fixed order. */
export class Material {
  /**
   * @param {(module: string) => Promise<Record<string, unknown>>} importModule imports a module of the program
   * @returns {Promise<Material>}
   */
  static async load(importModule) {
    const [capture, writer, decoder, kinds, detect, generate] = await Promise.all(
      [
        'capture/memory-source.js',
        'capture/pcap-writer.js',
        'decode/decoder.js',
        'decode/packet.js',
        'sip/parse-detect.js',
        'generate/generate.js',
      ].map((module) => importModule(module)),
    )
    return new Material({ ...capture, ...writer, ...decoder, ...kinds, ...detect, ...generate })
  }

  constructor(program) {
    this.program = program
  }

  /** Bundled captures, and with `shared` those beside the checkout, which are read and never kept. */
  captures() {
    const own = join(ROOT, 'fixtures')
    const shared = join(process.env.CALLPROBE_SHARED ?? resolve(ROOT, '..', 'shared'), 'pcaps')
    return [own, shared]
      .filter((folder) => existsSync(folder))
      .flatMap((folder) =>
        readdirSync(folder)
          .filter((name) => /\.(pcap|pcapng|cap)$/.test(name))
          .sort()
          .map((name) => new Uint8Array(readFileSync(join(folder, name)))),
      )
  }

  /** SIP torture messages beside the checkout. */
  tortureMessages() {
    const shared = join(process.env.CALLPROBE_SHARED ?? resolve(ROOT, '..', 'shared'), 'pcaps')
    return ['rfc4475_valid', 'rfc5118']
      .map((name) => join(shared, name))
      .filter((folder) => existsSync(folder))
      .flatMap((folder) =>
        readdirSync(folder)
          .sort()
          .map((name) => new Uint8Array(readFileSync(join(folder, name)))),
      )
  }

  /** First frames of each capture, and generated calls. @returns {Promise<Frame[][]>} one list per origin */
  async frameLists() {
    this.lists ??= [
      ...(await Promise.all(this.captures().map((bytes) => this.framesOf(bytes)))),
      ...this.generated(),
    ]
    return this.lists
  }

  /** @returns {Promise<Frame[]>} */
  async framesOf(bytes, most = FRAMES_PER_CAPTURE) {
    const source = new this.program.MemorySource(bytes)
    const frames = []
    try {
      for (
        let batch = await source.next();
        batch !== null && frames.length < most;
        batch = await source.next()
      ) {
        for (let i = batch.first; i < batch.end && frames.length < most; i++) {
          const at = batch.frameOffset[i]
          const frame = batch.bytes.slice(at, at + batch.capturedLength[i])
          frames.push({ linkType: batch.linkType[i], timeMs: batch.timeMs[i], bytes: frame })
        }
      }
    } finally {
      await source.close()
    }
    return frames
  }

  /** @returns {Frame[][]} */
  generated() {
    return SCENARIOS.map((scenario) => {
      const run = new this.program.ScenarioRun(scenario, 1)
      const frames = []
      for (let packet = run.next(); packet && frames.length < SCENARIO_FRAMES; packet = run.next())
        frames.push({ linkType: 1, timeMs: packet.timeMs, bytes: Uint8Array.from(packet.frame) })
      return frames
    })
  }

  /** UDP and TCP payloads that look like SIP. @returns {Promise<Uint8Array[]>} */
  async sipPayloads() {
    const { PacketDecoder, KIND_UDP, KIND_TCP, looksLikeSip } = this.program
    const payloads = []
    for (const frames of await this.frameLists()) {
      const decoder = new PacketDecoder()
      let found = 0
      for (const { bytes, linkType, timeMs } of frames) {
        const view = new DataView(bytes.buffer)
        const kind = decoder.decode(bytes, view, 0, bytes.length, bytes.length, linkType, timeMs)
        if (kind !== KIND_UDP && kind !== KIND_TCP) continue
        const { payloadOffset: at, payloadCaptured: length } = decoder
        if (!looksLikeSip(decoder.bytes, at, length)) continue
        payloads.push(decoder.bytes.slice(at, at + length))
        if (++found === 8) break
      }
    }
    return payloads
  }
}
