/** Most packets in one batch. */
export const BATCH_CAPACITY = 16_384

/**
 * A run of raw frames that lie in one buffer. A source owns the arrays and reuses them: everything in a batch is
 * valid only until the next call of `next()`. Packets `first <= i < end` are valid.
 */
export interface PacketBatch {
  readonly bytes: Uint8Array
  /** The same memory as `bytes` (same byteOffset and byteLength). */
  readonly view: DataView
  first: number
  end: number
  /** Where the frame starts in `bytes`. */
  readonly frameOffset: Int32Array
  /** Bytes of the frame present in `bytes`. */
  readonly capturedLength: Int32Array
  /** Bytes of the frame on the wire (>= capturedLength when cut by the snap length). */
  readonly wireLength: Int32Array
  /** Capture time, float64 milliseconds since the epoch. */
  readonly timeMs: Float64Array
  /** LINKTYPE_* of each frame (pcap/pcapng number space; 1 = Ethernet). */
  readonly linkType: Uint16Array
  /** What was found out about the frames already, by index (rtp/packet-rows.ts). */
  readonly rows?: Int32Array
}

/** Something that went wrong with a source and did not stop the run. */
export interface SourceWarning {
  /** File name, `-` for standard input, or interface name. */
  source: string
  /** Byte offset (in the uncompressed file) where it was noticed, if known. */
  offset?: number
  /** `truncated` and `damaged` end the file; `note` does not. */
  kind: 'truncated' | 'damaged' | 'note'
  message: string
}

/** Progress of a source, for the progress line. Sizes in bytes on disk (compressed). */
export interface SourceProgress {
  bytesRead: number
  /** 0 when unknown (standard input). */
  bytesTotal: number
}

/** Packets in time order. */
export interface PacketSource {
  /** The next batch, or null at the end. */
  next(): Promise<PacketBatch | null>
  progress(): SourceProgress
  /** Captures that are read; those that turned out to be none are not counted. */
  readonly files: number
  /** Everything noticed so far. */
  readonly warnings: readonly SourceWarning[]
  /** Captures that ended early or were damaged: those of which all packets were handed out. Absent where nothing ends so. */
  readonly cuts?: number
  /** Packets that the capturing program says it dropped (pcapng ISB/EPB), if it says. */
  readonly reportedDrops: number
  close(): Promise<void>
}
