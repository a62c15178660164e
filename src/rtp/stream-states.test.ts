import { expect, it } from 'vitest'
import { pcmuPacket } from '../../test/helpers/pcmu-packet.js'
import type { DecodedPacket } from '../decode/packet.js'
import { AnnouncedEndpoints } from './announced.js'
import { RtpMeter } from './meter.js'
import { MAX_PAYLOAD_MAPS, PayloadMaps } from './payload-map.js'
import { StreamStates } from './stream-states.js'

const START_MS = Date.parse('2026-03-02T08:00:00Z')
const PACKETS = 1100
/** PCMU every 20 ms, up to 7 ms late; every ninth is lost, and a run of four. */
const arrivalMs = (n: number): number => START_MS + 20 * n + ((n * 5) % 8)
const isLost = (n: number): boolean => n % 9 === 5 || (n >= 1086 && n < 1090)

function packet(n: number): DecodedPacket {
  return pcmuPacket({ ssrc: 77, sequence: 65_000 + n, timestamp: n * 160, timeMs: arrivalMs(n) })
}

/** What had come and what was lost by then, counted packet by packet. */
function countedBy(atMs: number): { highest: number; lost: number } {
  let highest = 0
  for (let n = 0; n < PACKETS; n++) if (!isLost(n) && arrivalMs(n) <= atMs) highest = n
  let lost = 0
  for (let n = 0; n < highest; n++) if (isLost(n)) lost++
  return { highest: (65_000 + highest) & 0xffff, lost }
}

it('sequence numbers and losses of a stream are those of a moment before, though more has been measured since', () => {
  const states = new StreamStates(StreamStates.sharedMemory(4), 0, 4)
  const shared = {
    states,
    announced: new AnnouncedEndpoints(16),
    payloadMaps: new PayloadMaps(MAX_PAYLOAD_MAPS),
  }
  // Intervals end at 10 s and 20 s: losses of before them count as well.
  const meter = new RtpMeter(
    { onStreamStart: () => {}, onRow: () => {}, onStreamEnd: () => {} },
    { maxStreams: 4, shared },
  )
  for (let n = 0; n < PACKETS; n++) if (!isLost(n)) meter.onPacket(packet(n))
  const lastMs = arrivalMs(PACKETS - 1)
  expect(states.sequenceState(0)).toEqual({ ...countedBy(lastMs), clockRateHz: 8000 })
  // Within the packets whose arrivals are known: exactly; further back as of a few milliseconds before or after.
  for (let backMs = 0; backMs < 2000; backMs += 3) {
    const { highest, lost } = states.sequenceState(0, lastMs - backMs)
    const around = backMs < 80 ? [0] : Array.from({ length: 31 }, (_, n) => n - 15)
    const counted = around.map((awayMs) => countedBy(lastMs - backMs + awayMs))
    expect(counted, `${backMs} ms before`).toContainEqual({ highest, lost })
  }
})
