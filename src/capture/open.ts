import type { Readable } from 'node:stream'
import { CallprobeError } from '../errors.js'
import { BATCH_CAPACITY, type PacketSource, type SourceWarning } from './batch.js'
import { FileInput, StreamInput, type ByteInput } from './byte-input.js'
import { InputWindow } from './byte-window.js'
import { CaptureReader } from './capture-reader.js'
import type { FrameBatch } from './frame-batch.js'
import { expandPaths, fileError, type CapturePath } from './expand-paths.js'
import { MergedSource, type WaitingCapture } from './merged-source.js'
import type { WindowMemory } from './window-memory.js'

/** Bytes per read. Two buffers of this size per open capture keep the memory flat whatever the file's size. */
const CHUNK_BYTES = 2_097_152
/** With more captures than this open at once, each gets smaller buffers. */
const MANY_OPEN = 8
const SMALL_CHUNK_BYTES = 131_072
const SMALL_BATCH = 2048
/** Enough to find the first packet of most captures. */
const PEEK_CHUNK_BYTES = 16_384

export interface OpenFilesOptions {
  /** What `-` stands for; default `process.stdin`. */
  stdin?: Readable
  /** Where each capture's window gets its buffers from. */
  memory?: WindowMemory
  /** What a single capture is read into; its own one otherwise. */
  batch?: FrameBatch
  /** Whether reading files may hold the thread up: it has nothing else to do. */
  blocking?: boolean
}

/**
 * Opens captures: pcap, pcapng, either of them packed with gzip or zstd, told apart by content; `-` is standard input;
 * patterns (`*.pcap`) are expanded. Packets come in time order over all files. Throws a CallprobeError when a named
 * file is missing, unreadable or a directory, or when none of them is a capture. When several are given, those that
 * are no captures are left out with a warning. For pipes that last check is made by the first `next()`.
 */
export async function openFiles(
  paths: readonly string[],
  options: OpenFilesOptions = {},
): Promise<PacketSource> {
  return openCaptures(await expandPaths(paths), options)
}

/** As `openFiles`, of names that were looked up already. */
export async function openCaptures(
  captures: readonly CapturePath[],
  options: OpenFilesOptions = {},
): Promise<PacketSource> {
  const warnings: SourceWarning[] = []
  if (captures.length === 1) {
    const capture = captures[0]
    const reader = await openReader(capture, options, warnings, 0, options.batch)
    if (!capture.live) await startOrClose(reader)
    return reader
  }
  const waiting = await peekAll(captures, options, warnings)
  waiting.sort((a, b) => (a.firstTimeMs < b.firstTimeMs ? -1 : a.firstTimeMs > b.firstTimeMs ? 1 : 0))
  return new MergedSource(waiting, warnings)
}

async function startOrClose(reader: CaptureReader): Promise<void> {
  try {
    await reader.start()
  } catch (error) {
    await reader.close()
    throw error
  }
}

async function openInput(capture: CapturePath, options: OpenFilesOptions): Promise<ByteInput> {
  if (capture.path === '-') {
    if (options.stdin === undefined && process.stdin.isTTY) {
      throw new CallprobeError('USAGE', 'standard input is a terminal, not a capture', {
        hint: 'pipe one in: tcpdump -w - | callprobe replay -',
      })
    }
    return new StreamInput(options.stdin ?? process.stdin)
  }
  try {
    return await FileInput.open(capture.path, capture.size, capture.live, options.blocking)
  } catch (error) {
    throw fileError(capture.path, error)
  }
}

async function openReader(
  capture: CapturePath,
  options: OpenFilesOptions,
  warnings: SourceWarning[],
  alongside: number,
  batch?: FrameBatch,
): Promise<CaptureReader> {
  const input = await openInput(capture, options)
  const crowded = alongside >= MANY_OPEN
  const chunkBytes = crowded ? SMALL_CHUNK_BYTES : CHUNK_BYTES
  return new CaptureReader(new InputWindow(input, chunkBytes, options.blocking !== true, options.memory), {
    name: capture.path,
    bytesTotal: capture.size,
    batchCapacity: crowded ? SMALL_BATCH : BATCH_CAPACITY,
    batch,
    warnings,
  })
}

/**
 * Finds the first packet time of each capture. Files are closed again; pipes, which cannot be read twice, stay open
 * with their first batch held back.
 */
async function peekAll(
  captures: readonly CapturePath[],
  options: OpenFilesOptions,
  warnings: SourceWarning[],
): Promise<WaitingCapture[]> {
  const waiting: WaitingCapture[] = []
  let firstError: CallprobeError | null = null
  for (const capture of captures) {
    try {
      waiting.push(
        capture.live
          ? await peekPipe(capture, options, warnings)
          : await peekFile(capture, options, warnings),
      )
    } catch (error) {
      if (!(error instanceof CallprobeError) || !isContentError(error)) throw error
      firstError ??= error
      const kind = error.code === 'EMPTY_CAPTURE' ? 'truncated' : 'damaged'
      warnings.push({ source: capture.path, kind, message: leftOut(capture, error), offset: 0 })
    }
  }
  if (waiting.length === 0 && firstError !== null) throw firstError
  return waiting
}

/** The warning names the file already. */
function leftOut(capture: CapturePath, error: CallprobeError): string {
  const prefix = `${capture.path} `
  return `left out: ${error.message.startsWith(prefix) ? error.message.slice(prefix.length) : error.message}`
}

function isContentError(error: CallprobeError): boolean {
  return error.code === 'EMPTY_CAPTURE' || error.code === 'NOT_A_CAPTURE'
}

async function peekFile(
  capture: CapturePath,
  options: OpenFilesOptions,
  warnings: SourceWarning[],
): Promise<WaitingCapture> {
  const input = await openInput(capture, options)
  // Warnings of the peek come again when the file is read, so these are dropped.
  const reader = new CaptureReader(new InputWindow(input, PEEK_CHUNK_BYTES, false), {
    name: capture.path,
    bytesTotal: capture.size,
    batchCapacity: 1,
  })
  let firstTimeMs = -Infinity
  try {
    const batch = await reader.next()
    if (batch !== null) firstTimeMs = batch.timeMs[batch.first]
  } finally {
    await reader.close()
  }
  return {
    firstTimeMs,
    size: capture.size,
    open: async (alongside) => {
      try {
        const opened = await openReader(capture, options, warnings, alongside)
        await startOrClose(opened)
        return opened
      } catch (error) {
        if (!(error instanceof CallprobeError) || error.code === 'TOO_MANY_OPEN_FILES') throw error
        // It was fine a moment ago: a rotation took it away. The others go on.
        warnings.push({
          source: capture.path,
          kind: 'damaged',
          message: leftOut(capture, error),
          offset: 0,
        })
        return null
      }
    },
  }
}

async function peekPipe(
  capture: CapturePath,
  options: OpenFilesOptions,
  warnings: SourceWarning[],
): Promise<WaitingCapture> {
  const reader = await openReader(capture, options, warnings, 0)
  const firstTimeMs = await reader.peekTime()
  return { firstTimeMs, size: 0, open: () => Promise.resolve(reader) }
}
