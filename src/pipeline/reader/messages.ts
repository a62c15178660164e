import type { ErrorCode } from '../../errors.js'
import type { SourceProgress, SourceWarning } from '../../capture/batch.js'

/** What the reading thread is started with. */
export interface ReaderTask {
  paths: readonly string[]
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
  /** A slab is full: it belongs to the measuring thread now. */
  | { kind: 'slab'; slab: number; packets: number; state: SourceState }
  | { kind: 'end'; state: SourceState }
  | { kind: 'failed'; failure: FailureText }

/** To the reading thread: a slab is free again, or nothing more is wanted. */
export type ReaderOrder = { kind: 'free'; slab: number } | { kind: 'close' }
