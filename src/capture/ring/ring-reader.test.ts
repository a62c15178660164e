import { describe, expect, it } from 'vitest'
import type { CaptureBinding, RingHandle } from './native.js'
import { RingReader } from './ring-reader.js'
import type { RingSocket } from './ring-socket.js'

const BLOCK_BYTES = 4096
const BLOCKS = 3

type RingFunctions = 'mapRing' | 'ringMemory' | 'copyBlock' | 'blockHead' | 'unmapRing'

interface Frame {
  seconds: number
  nanoseconds: number
  bytes: number[]
  /** On the wire; default: as many as there are. */
  length?: number
  status?: number
  tag?: { tci: number; protocol: number }
}

/** A kernel made by hand: writes blocks as linux/if_packet.h lays them out, and takes them back. */
class HandMadeRing {
  readonly memory = new ArrayBuffer(BLOCK_BYTES * BLOCKS)
  private readonly view = new DataView(this.memory)
  external = true
  private sequence = 0

  /** The kernel begins to fill a block. */
  begin(block: number): void {
    this.view.setUint32(block * BLOCK_BYTES + 12, 0, true)
    this.view.setBigUint64(block * BLOCK_BYTES + 24, BigInt(++this.sequence), true)
  }

  fill(block: number, frames: readonly Frame[]): void {
    const { view } = this
    const base = block * BLOCK_BYTES
    this.begin(block)
    view.setUint32(base, 1, true) // version
    view.setUint32(base + 12, frames.length, true) // num_pkts
    view.setUint32(base + 16, 48, true) // offset_to_first_pkt
    let at = base + 48
    frames.forEach((frame, i) => {
      const mac = 82
      const next = (mac + frame.bytes.length + 15) & ~15
      view.setUint32(at, i + 1 === frames.length ? 0 : next, true)
      view.setUint32(at + 4, frame.seconds, true)
      view.setUint32(at + 8, frame.nanoseconds, true)
      view.setUint32(at + 12, frame.bytes.length, true) // tp_snaplen
      view.setUint32(at + 16, frame.length ?? frame.bytes.length, true) // tp_len
      view.setUint32(at + 20, ((frame.status ?? 1) | (frame.tag ? 0x50 : 0)) >>> 0, true)
      view.setUint16(at + 24, mac, true)
      if (frame.tag) {
        view.setUint32(at + 32, frame.tag.tci, true)
        view.setUint16(at + 36, frame.tag.protocol, true)
      }
      new Uint8Array(this.memory).set(frame.bytes, at + mac)
      at += next
    })
    view.setUint32(base + 20, at - base, true) // blk_len
    view.setUint32(base + 8, 1, true) // block_status: the user's
  }

  statusOf(block: number): number {
    return this.view.getUint32(block * BLOCK_BYTES + 8, true)
  }

  binding(): CaptureBinding {
    const used: Pick<CaptureBinding, RingFunctions> = {
      mapRing: () => ({}) as RingHandle,
      ringMemory: () => (this.external ? this.memory : undefined),
      copyBlock: (_handle, offset, target) => {
        const block = offset / BLOCK_BYTES
        if (this.statusOf(block) === 0) return false
        new Uint8Array(target).set(new Uint8Array(this.memory, offset, target.byteLength))
        this.view.setUint32(offset + 8, 0, true)
        return true
      },
      blockHead: (_handle, offset, target) =>
        new Int32Array(target).set(new Int32Array(this.memory, offset, 12)),
      unmapRing: () => {},
    }
    return used as CaptureBinding
  }
}

const SOCKET: RingSocket = {
  ...{ fd: 3, interfaceName: 'eth1', interfaceIndex: 2, linkType: 1, loopback: false, promiscuous: true },
  ...{
    mtu: 1500,
    blockBytes: BLOCK_BYTES,
    blocks: BLOCKS,
    retireMs: 20,
    hardwareStamps: false,
    inFanout: false,
    notes: [],
  },
}

function hex(reader: RingReader): string[] | null {
  const batch = reader.take()
  if (batch === null) return null
  return Array.from({ length: batch.end - batch.first }, (_, i) => {
    const k = batch.first + i
    return Buffer.from(
      batch.bytes.subarray(batch.frameOffset[k], batch.frameOffset[k] + batch.capturedLength[k]),
    ).toString('hex')
  })
}

const ETHERNET = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x08, 0x00, 0x45]

describe.each([
  ['in place', true],
  ['copied, where an engine takes no foreign memory', false],
])('a TPACKET_V3 ring read %s', (_, external) => {
  function ring(): HandMadeRing {
    const made = new HandMadeRing()
    made.external = external
    return made
  }

  it('shows the frames of a block with their nanoseconds, lengths and link type', () => {
    const kernel = ring()
    kernel.fill(0, [
      { seconds: 1_795_367_673, nanoseconds: 250_000, bytes: ETHERNET },
      { seconds: 1_795_367_673, nanoseconds: 999_999_999, bytes: [1, 2, 3], length: 1514 },
    ])
    const reader = new RingReader(kernel.binding(), SOCKET)
    expect(reader.zeroCopy).toBe(external)
    const batch = reader.take()
    expect(batch).toMatchObject({ first: 0, end: 2 })
    expect(batch?.timeMs[0]).toBeCloseTo(1_795_367_673_000.25, 3)
    expect(batch?.timeMs[1]).toBeCloseTo(1_795_367_673_999.999999, 3)
    expect([...(batch?.capturedLength.subarray(0, 2) ?? [])]).toEqual([ETHERNET.length, 3])
    expect([...(batch?.wireLength.subarray(0, 2) ?? [])]).toEqual([ETHERNET.length, 1514])
    expect(batch?.linkType[0]).toBe(1)
  })

  it('takes blocks in turn around the ring, gives each back, and waits for one that is still the kernel’s', () => {
    const kernel = ring()
    const reader = new RingReader(kernel.binding(), SOCKET)
    expect(reader.take()).toBeNull()
    for (let round = 0; round < 7; round++) {
      kernel.fill(round % BLOCKS, [{ seconds: round, nanoseconds: 0, bytes: [round] }])
      expect(hex(reader)).toEqual([`0${round}`])
      expect(reader.take()).toBeNull()
      expect(kernel.statusOf(round % BLOCKS)).toBe(0)
    }
  })

  it('puts the VLAN tag back that the kernel took out, VLAN 0 and 802.1ad included', () => {
    const kernel = ring()
    kernel.fill(0, [
      { seconds: 1, nanoseconds: 0, bytes: ETHERNET, tag: { tci: 0x6064, protocol: 0x8100 } },
      { seconds: 1, nanoseconds: 0, bytes: ETHERNET, tag: { tci: 0, protocol: 0x8100 } },
      { seconds: 1, nanoseconds: 0, bytes: ETHERNET, tag: { tci: 7, protocol: 0x88a8 } },
      // Before kernels told the protocol: VLAN_VALID alone.
      { seconds: 1, nanoseconds: 0, bytes: ETHERNET, status: 0x11 },
    ])
    const reader = new RingReader(kernel.binding(), SOCKET)
    const addresses = '0102030405060708090a0b0c'
    expect(hex(reader)).toEqual([
      `${addresses}81006064080045`,
      `${addresses}81000000080045`,
      `${addresses}88a80007080045`,
      `${addresses}81000000080045`,
    ])
    expect(reader.counters.vlanFrames).toBe(4)
  })

  it('counts frames that the card stamped, that were merged, and those after which some were lost', () => {
    const kernel = ring()
    kernel.fill(0, [
      { seconds: 1, nanoseconds: 0, bytes: ETHERNET, status: 0x80000001 },
      { seconds: 1, nanoseconds: 0, bytes: ETHERNET, length: 4000 },
      { seconds: 1, nanoseconds: 0, bytes: ETHERNET, length: 1522 },
      { seconds: 1, nanoseconds: 0, bytes: ETHERNET, status: 5 },
    ])
    const reader = new RingReader(kernel.binding(), SOCKET)
    reader.take()
    expect(reader.counters).toMatchObject({
      hardwareStamped: 1,
      mergedFrames: 1,
      losingFrames: 1,
      packets: 4,
    })
  })

  it('has nothing more once it is closed', () => {
    const kernel = ring()
    kernel.fill(0, [{ seconds: 1, nanoseconds: 0, bytes: [1] }])
    const reader = new RingReader(kernel.binding(), SOCKET)
    reader.close()
    expect(reader.take()).toBeNull()
    reader.close()
  })
})

describe('a ring that was read before, by a thread that ended', () => {
  it.each([
    ['in place, but for the one that was in hand: its frames are counted', true, 1],
    ['where blocks are copied', false, 0],
  ])('goes on with the oldest block that is left, %s', (_, external, abandonedFrames) => {
    const kernel = new HandMadeRing()
    kernel.external = external
    const fill = (block: number, byte: number): void =>
      kernel.fill(block, [{ seconds: byte, nanoseconds: 0, bytes: [byte] }])
    for (const block of [0, 1, 2]) fill(block, block)
    const before = new RingReader(kernel.binding(), SOCKET)
    expect(hex(before)).toEqual(['00'])
    expect(hex(before)).toEqual(['01'])
    fill(0, 3)
    const after = new RingReader(kernel.binding(), SOCKET)
    expect(hex(after)).toEqual(['02'])
    expect(hex(after)).toEqual(['03'])
    expect(after.take()).toBeNull()
    expect(after.counters).toMatchObject({ abandonedFrames, packets: 2 })
  })

  it.each([
    ['in place', true],
    ['copied', false],
  ])('waits where the kernel is filling, %s', (_, external) => {
    const kernel = new HandMadeRing()
    kernel.external = external
    const before = new RingReader(kernel.binding(), SOCKET)
    for (const block of [0, 1]) {
      kernel.fill(block, [{ seconds: block, nanoseconds: 0, bytes: [block] }])
      expect(hex(before)).toEqual([`0${block}`])
    }
    kernel.begin(2)
    expect(before.take()).toBeNull()
    const after = new RingReader(kernel.binding(), SOCKET)
    expect(after.take()).toBeNull()
    kernel.fill(2, [{ seconds: 2, nanoseconds: 0, bytes: [2] }])
    expect(hex(after)).toEqual(['02'])
    expect(after.counters.abandonedFrames).toBe(0)
  })
})
