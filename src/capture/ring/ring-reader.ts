import { BATCH_CAPACITY } from '../batch.js'
import { FrameBatch } from '../frame-batch.js'
import type { CaptureBinding, RingHandle } from './native.js'
import { VLAN_TAG_BYTES, type RingSocket } from './ring-socket.js'

// linux/if_packet.h, struct tpacket_block_desc and tpacket3_hdr: places in 32-bit words, half words and bytes
const BLOCK_STATUS = 2
const BLOCK_PACKETS = 3
const BLOCK_FIRST = 4
const BLOCK_SEQUENCE = 6
const HEAD_32 = 12
const NEXT = 0
const SECONDS = 1
const NANOSECONDS = 2
const CAPTURED = 3
const LENGTH = 4
const STATUS = 5
const MAC_16 = 12
const TAG_16 = 16
const TAG_PROTOCOL_16 = 18

const OWNED_BY_KERNEL = 0
const OWNED_BY_USER = 1
const STATUS_LOSING = 1 << 2
const STATUS_VLAN = 1 << 4
const STATUS_VLAN_PROTOCOL = 1 << 6
const STATUS_HARDWARE_STAMP = 1 << 31
const ETHERTYPE_VLAN = 0x8100
/** Link header with two VLAN tags. */
const MOST_LINK_BYTES = 22

export interface RingCounters {
  blocks: number
  packets: number
  /** Frames with a VLAN tag, which was put back in front of them. */
  vlanFrames: number
  /** Frames stamped by the network card. */
  hardwareStamped: number
  /** Larger than the interface's MTU allows: merged by GRO or LRO before they were seen. */
  mergedFrames: number
  /** Frames after which the kernel says that some were lost. */
  losingFrames: number
  /** Frames of a block that a reader before this one had in hand when it ended: some of them were measured, some not. */
  abandonedFrames: number
}

/**
 * Walks the blocks of one TPACKET_V3 ring. Frames stay where the kernel put them until the next `take`; where an
 * engine takes no foreign memory, a block is copied once. All synchronous: for a worker's loop as for a source.
 *
 * ```
 * block   +0 version  +4 offset of private part  +8 status  +12 packets  +16 offset of the first  +20 bytes  +24 sequence ...
 * packet  +0 next  +4 s  +8 ns  +12 captured  +16 length  +20 status  +24 mac(16)  +26 net(16)
 *         +28 hash  +32 VLAN tag  +36 VLAN protocol(16) ...      the frame at +mac
 * ```
 */
export class RingReader {
  readonly counters: RingCounters = {
    blocks: 0,
    packets: 0,
    vlanFrames: 0,
    hardwareStamped: 0,
    mergedFrames: 0,
    losingFrames: 0,
    abandonedFrames: 0,
  }
  /** Frames are not copied. */
  readonly zeroCopy: boolean
  private readonly batch: FrameBatch
  private readonly handle: RingHandle
  private readonly shared: ArrayBuffer | undefined
  private memory: ArrayBuffer
  private i32: Int32Array
  private u16: Uint16Array
  private block = 0
  /** Byte offset of the open block in `memory`, -1 when none is open. */
  private openAt = -1
  private packetAt = 0
  private packetsLeft = 0
  private readonly mergedBytes: number

  /** @param copy as if the engine took no foreign memory */
  constructor(
    private readonly binding: CaptureBinding,
    private readonly socket: RingSocket,
    copy = false,
  ) {
    this.handle = binding.mapRing(socket.fd, socket.blockBytes * socket.blocks)
    this.shared = copy ? undefined : binding.ringMemory(this.handle)
    this.zeroCopy = this.shared !== undefined
    this.memory = this.shared ?? new ArrayBuffer(socket.blockBytes)
    this.i32 = new Int32Array(this.memory)
    this.u16 = new Uint16Array(this.memory)
    this.mergedBytes = socket.mtu + MOST_LINK_BYTES
    this.batch = new FrameBatch(BATCH_CAPACITY)
    this.batch.bytes = new Uint8Array(this.memory)
    this.batch.view = new DataView(this.memory)
    this.batch.linkType.fill(socket.linkType)
    this.block = this.firstBlock()
  }

  /**
   * Where to begin: another thread may have read this ring before. The oldest block that the kernel handed out, else the
   * one that it fills; blocks are numbered in the order in which they are filled.
   */
  private firstBlock(): number {
    const { blocks, blockBytes } = this.socket
    const heads = new Int32Array(HEAD_32)
    const head = (block: number, word: number): number => {
      if (this.zeroCopy) return Atomics.load(this.i32, ((block * blockBytes) >> 2) + word)
      this.binding.blockHead(this.handle, block * blockBytes, heads.buffer)
      return heads[word]
    }
    const sequence = (block: number): number => head(block, BLOCK_SEQUENCE)
    let oldest = -1
    let newest = 0
    // First, so that one which the kernel hands out meanwhile is found below.
    for (let block = 1; block < blocks; block++)
      if (((sequence(block) - sequence(newest)) | 0) > 0) newest = block
    for (let block = 0; block < blocks; block++) {
      const isOurs = (head(block, BLOCK_STATUS) & OWNED_BY_USER) !== 0
      if (isOurs && (oldest < 0 || ((sequence(block) - sequence(oldest)) | 0) < 0)) oldest = block
    }
    return oldest >= 0 ? oldest : newest
  }

  /**
   * The frames of the next block, or null when the kernel still has it. What was taken before is given back.
   */
  take(): FrameBatch | null {
    if (this.packetsLeft === 0) {
      this.release()
      if (!this.open()) return null
    }
    this.walk()
    return this.batch
  }

  /** Gives the open block back to the kernel: its frames are gone. */
  release(): void {
    if (this.openAt < 0) return
    if (this.zeroCopy) Atomics.store(this.i32, (this.openAt >> 2) + BLOCK_STATUS, OWNED_BY_KERNEL)
    this.openAt = -1
    this.packetsLeft = 0
    this.block = this.block + 1 === this.socket.blocks ? 0 : this.block + 1
  }

  private open(): boolean {
    if (this.memory.byteLength === 0) return false
    const at = this.block * this.socket.blockBytes
    if (this.zeroCopy) {
      // An acquiring load: what the kernel wrote before the status is seen after it.
      if ((Atomics.load(this.i32, (at >> 2) + BLOCK_STATUS) & OWNED_BY_USER) === 0) return false
      this.openAt = at
    } else {
      if (!this.binding.copyBlock(this.handle, at, this.memory)) return false
      this.openAt = 0
    }
    const word = this.openAt >> 2
    const packets = this.i32[word + BLOCK_PACKETS]
    if (packets < 0) {
      this.counters.abandonedFrames += ~packets
      this.release()
      return this.open()
    }
    // Until it is given back; the kernel writes the number anew.
    if (this.zeroCopy) this.i32[word + BLOCK_PACKETS] = ~packets
    this.packetsLeft = packets
    this.packetAt = this.openAt + this.i32[word + BLOCK_FIRST]
    this.counters.blocks++
    return true
  }

  private walk(): void {
    const { i32, u16, batch } = this
    const { frameOffset, capturedLength, wireLength, timeMs } = batch
    const count = Math.min(this.packetsLeft, BATCH_CAPACITY)
    let at = this.packetAt
    let hardware = 0
    let merged = 0
    let losing = 0
    for (let k = 0; k < count; k++) {
      const word = at >> 2
      const status = i32[word + STATUS]
      let captured = i32[word + CAPTURED]
      let length = i32[word + LENGTH]
      let frame = at + u16[(at >> 1) + MAC_16]
      if (length > this.mergedBytes) merged++
      if ((status & STATUS_VLAN) !== 0) {
        frame = this.putTagBack(at, frame, status)
        captured += VLAN_TAG_BYTES
        length += VLAN_TAG_BYTES
      }
      if ((status & STATUS_HARDWARE_STAMP) !== 0) hardware++
      if ((status & STATUS_LOSING) !== 0) losing++
      frameOffset[k] = frame
      capturedLength[k] = captured
      wireLength[k] = length
      timeMs[k] = (i32[word + SECONDS] >>> 0) * 1000 + (i32[word + NANOSECONDS] >>> 0) / 1e6
      at += i32[word + NEXT]
    }
    batch.first = 0
    batch.end = count
    this.packetAt = at
    this.packetsLeft -= count
    const { counters } = this
    counters.packets += count
    counters.hardwareStamped += hardware
    counters.mergedFrames += merged
    counters.losingFrames += losing
  }

  /**
   * The kernel takes the outer VLAN tag out of the frame. It goes back in front of the EtherType; the ring has room
   * for it before the frame (PACKET_RESERVE). Returns where the frame starts now.
   */
  private putTagBack(at: number, frame: number, status: number): number {
    const { bytes, view } = this.batch
    const { u16 } = this
    const half = at >> 1
    const start = frame - VLAN_TAG_BYTES
    bytes.copyWithin(start, frame, frame + 12)
    const protocol = (status & STATUS_VLAN_PROTOCOL) !== 0 ? u16[half + TAG_PROTOCOL_16] : ETHERTYPE_VLAN
    view.setUint16(start + 12, protocol)
    view.setUint16(start + 14, u16[half + TAG_16])
    this.counters.vlanFrames++
    return start
  }

  /** Frames that were handed out have no bytes any more. The socket stays open. */
  close(): void {
    if (this.memory.byteLength === 0) return
    this.release()
    this.binding.unmapRing(this.handle, this.shared)
    this.memory = new ArrayBuffer(0)
    this.i32 = new Int32Array(this.memory)
    this.u16 = new Uint16Array(this.memory)
    this.batch.bytes = new Uint8Array(this.memory)
    this.batch.view = new DataView(this.memory)
  }
}
