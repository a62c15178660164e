import { setImmediate as nextTurn } from 'node:timers/promises'
import { CallprobeError, errorText } from '../errors.js'
import { BATCH_CAPACITY, type SourceProgress, type SourceWarning } from './batch.js'
import { FrameBatch } from './frame-batch.js'
import type { LiveSource } from './live.js'

/** Room for packets between two looks; what finds none is dropped and counted. */
const POOL_BYTES = 8 * 1024 * 1024
const FRAME_ROOM = 262_144
/** Npcap's and BPF's own buffer. */
const SYSTEM_BUFFER_BYTES = 16 * 1024 * 1024
const LOOK_MS = 4
const QUIET_MS = 100
const SETTLED_MS = 250
const NO_FRAMES = new FrameBatch(1)

// Names of npm cap -> https://www.tcpdump.org/linktypes.html
const LINK_TYPES = new Map([
  ['ETHERNET', 1],
  ['NULL', 0],
  ['RAW', 101],
  ['LINKTYPE_LINUX_SLL', 113],
  ['IEEE802_11_RADIO', 127],
])

/** What is used of an instance of npm cap's `Cap`. */
export interface CapHandle {
  open(device: string, filter: string, bufferBytes: number, frame: Buffer): string
  setMinBytes?(bytes: number): void
  on(event: 'packet', listener: (bytes: number, truncated: boolean) => void): unknown
  close(): void
}

/** What is used of npm cap. */
export interface CapModule {
  Cap: new () => CapHandle
}

function isCapModule(loaded: unknown): loaded is CapModule {
  return typeof loaded === 'object' && loaded !== null && 'Cap' in loaded && typeof loaded.Cap === 'function'
}

/**
 * The optional package.
 * @throws CallprobeError CAPTURE_UNAVAILABLE
 */
export async function loadCap(name = 'cap'): Promise<CapModule> {
  let why: string
  try {
    const loaded: unknown = await import(name)
    const module: unknown =
      typeof loaded === 'object' && loaded !== null && 'default' in loaded ? loaded.default : loaded
    if (isCapModule(module)) return module
    why = 'it is not what was expected'
  } catch (error) {
    why = errorText(error).split('\n')[0]
  }
  throw new CallprobeError('CAPTURE_UNAVAILABLE', `the npm package cap cannot be loaded: ${why}`, {
    hint: 'install it beside callprobe: npm install --global cap (needs libpcap or Npcap and a C++ compiler)',
  })
}

export interface UserspaceOptions {
  interfaceName: string
  filter?: string
  /** ms since the epoch, as fine as it can be: packets are stamped with it. */
  nowMs: () => number
}

/**
 * Packets through libpcap or Npcap (npm cap) where there are no rings: each is copied and stamped when JavaScript gets to
 * it. Jitter includes the process's own scheduling, and what the system dropped is not known.
 */
export class UserspaceSource implements LiveSource {
  readonly timestampSource = 'userspace'
  readonly files = 1
  readonly reportedDrops = 0
  readonly warnings: SourceWarning[]
  quietUntilMs = -Infinity
  received = 0
  /** Packets for which there was no room here; those that the system dropped are not known. */
  dropped = 0
  private readonly cap: CapHandle
  private readonly frame = Buffer.alloc(FRAME_ROOM)
  /** One is filled while the other is out. */
  private filling = newPool()
  private out = newPool()
  private fillAt = 0
  private lastBatchMs = -Infinity
  private stopped = false
  private closed = false

  /** @throws CallprobeError CAPTURE_FAILED, INTERFACE_NOT_FOUND */
  constructor(
    module: CapModule,
    private readonly options: UserspaceOptions,
  ) {
    const { interfaceName, filter = '' } = options
    this.cap = new module.Cap()
    let linkName: string
    try {
      linkName = this.cap.open(interfaceName, filter, SYSTEM_BUFFER_BYTES, this.frame)
    } catch (error) {
      throw new CallprobeError('CAPTURE_FAILED', `capture on ${interfaceName} failed: ${errorText(error)}`, {
        hint: 'check the interface’s name, the filter, and that this user may capture',
        cause: error,
      })
    }
    const linkType = LINK_TYPES.get(linkName)
    if (linkType === undefined) {
      this.cap.close()
      throw new CallprobeError(
        'CAPTURE_FAILED',
        `${interfaceName} is of a kind that callprobe cannot read (${linkName})`,
      )
    }
    for (const { batch } of [this.filling, this.out]) batch.linkType.fill(linkType)
    this.cap.setMinBytes?.(0)
    this.cap.on('packet', (bytes) => this.take(bytes))
    this.warnings = [
      {
        source: interfaceName,
        kind: 'note',
        message:
          'packets are stamped when callprobe gets to them (timestamp_source: userspace): jitter and delay variation include ' +
          'its own scheduling, some milliseconds; what the system drops is not known and looks like loss',
      },
    ]
  }

  private take(bytes: number): void {
    if (this.stopped) return
    this.received++
    const { filling } = this
    const { batch } = filling
    const captured = Math.min(bytes, FRAME_ROOM)
    if (batch.end >= BATCH_CAPACITY || this.fillAt + captured > POOL_BYTES) {
      this.dropped++
      return
    }
    batch.bytes.set(this.frame.subarray(0, captured), this.fillAt)
    batch.frameOffset[batch.end] = this.fillAt
    batch.capturedLength[batch.end] = captured
    batch.wireLength[batch.end] = bytes
    batch.timeMs[batch.end] = this.options.nowMs()
    batch.end++
    this.fillAt += captured
  }

  async next(): Promise<FrameBatch | null> {
    // Packets are events of this thread: they come between two turns of the loop.
    await nextTurn()
    for (;;) {
      if (this.closed) return null
      const nowMs = this.options.nowMs()
      if (this.filling.batch.end > 0) {
        this.lastBatchMs = nowMs
        return this.swap()
      }
      if (this.stopped) return null
      if (!(Math.abs(nowMs - this.lastBatchMs) < QUIET_MS)) {
        this.lastBatchMs = nowMs
        this.quietUntilMs = nowMs - SETTLED_MS
        return NO_FRAMES
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    }
  }

  private swap(): FrameBatch {
    const full = this.filling
    this.filling = this.out
    this.filling.batch.end = 0
    this.fillAt = 0
    this.out = full
    return full.batch
  }

  losses(): undefined {
    return undefined
  }

  progress(): SourceProgress {
    return { bytesRead: 0, bytesTotal: 0 }
  }

  stop(): void {
    this.stopped = true
  }

  close(): Promise<void> {
    if (!this.closed) {
      this.closed = true
      this.stopped = true
      this.cap.close()
    }
    return Promise.resolve()
  }
}

function newPool(): { batch: FrameBatch } {
  const batch = new FrameBatch(BATCH_CAPACITY)
  batch.bytes = new Uint8Array(POOL_BYTES)
  batch.view = new DataView(batch.bytes.buffer)
  return { batch }
}
