import type { SourceProgress, SourceWarning } from '../../capture/batch.js'
import type { ErrorCode } from '../../errors.js'

/** What is to be read: files by their names, or one capture that lies in shared memory. */
export type ReaderInput = { paths: readonly string[] } | { chunks: readonly Uint8Array[] }

/** What the reading thread is started with. */
export interface ReaderTask {
  input: ReaderInput
  /** `SlabRing.memory()`. */
  ring: SharedArrayBuffer
}

/** State of the source, as of the message. */
export interface SourceState {
  progress: SourceProgress
  files: number
  reportedDrops: number
  warnings: readonly SourceWarning[]
  /** As `PacketSource.cuts`. */
  cuts: number
}

export interface FailureText {
  code: ErrorCode | undefined
  message: string
  hint: string | undefined
}

/** From the reading thread; full slabs go through the ring instead, since there are many. */
export type ReaderMessage =
  /** The files could be opened. */
  | { kind: 'open'; state: SourceState }
  /** Frames of slabs to come lie in this memory; ids count from 0. */
  | { kind: 'memory'; bytes: Uint8Array }
  /** No slab comes after those in the ring. */
  | { kind: 'end'; state: SourceState }
  | { kind: 'failed'; failure: FailureText }
