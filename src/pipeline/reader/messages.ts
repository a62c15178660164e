import type { SourceProgress, SourceWarning } from '../../capture/batch.js'
import type { ErrorCode } from '../../errors.js'

/** What is to be read: files by their names, or one capture that lies in shared memory. */
export type ReaderInput = { paths: readonly string[] } | { chunks: readonly Uint8Array[] }

/** What the reading thread is started with. */
export interface ReaderTask {
  input: ReaderInput
  slabs: readonly SharedArrayBuffer[]
}

/** State of the source, as of the message. */
export interface SourceState {
  progress: SourceProgress
  files: number
  reportedDrops: number
  /** Those since the message before. */
  warnings: readonly SourceWarning[]
}

export interface FailureText {
  code: ErrorCode | undefined
  message: string
  hint: string | undefined
}

/** From the reading thread. */
export type ReaderMessage =
  /** The files could be opened. */
  | { kind: 'open'; state: SourceState }
  /** Frames of slabs to come lie in this memory; ids count from 0. */
  | { kind: 'memory'; bytes: Uint8Array }
  /** A slab is full: it belongs to the measuring thread now. */
  | { kind: 'slab'; slab: number; ranges: number; state: SourceState }
  | { kind: 'end'; state: SourceState }
  | { kind: 'failed'; failure: FailureText }

/** To the reading thread: a slab is free again (they come back in the order they went), or nothing more is wanted. */
export type ReaderOrder = { kind: 'free'; slab: number } | { kind: 'close' }
