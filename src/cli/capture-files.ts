import { accessSync, constants } from 'node:fs'
import { dirname } from 'node:path'
import type { Log } from '../live/log.js'
import { NdjsonWriter, type NdjsonOptions } from '../sinks/ndjson.js'
import { RotatingFile } from '../sinks/rotating-file.js'
import type { CaptureOptions } from './capture-options.js'

/** The files that a capture writes for days. */
export class CaptureFiles {
  private readonly files: RotatingFile[] = []

  constructor(
    private readonly options: CaptureOptions,
    private readonly log: Log,
  ) {}

  /** Opens an NDJSON file that is appended to and put aside by size and time. */
  openNdjson(path: string, options: NdjsonOptions): NdjsonWriter {
    const { rotateSize, rotateEvery, rotateKeep } = this.options
    const file = new RotatingFile(path, {
      mostBytes: rotateSize,
      everyMs: rotateEvery,
      keep: rotateKeep,
      nowMs: Date.now,
      onError: (error) =>
        this.log.error(`${error.message}; records are lost until it can be written again`, { output: path }),
    })
    this.files.push(file)
    return new NdjsonWriter(file, path, { ...options, closeStream: true })
  }

  /** SIGHUP. */
  reopen(): void {
    for (const file of this.files) file.reopen()
  }

  /** Records that could not be written. */
  get lostRecords(): number {
    return this.files.reduce((sum, file) => sum + file.lostLines, 0)
  }

  /** Once privileges are gone, folders that are to be written to later may have become out of reach. */
  checkFolders(): void {
    const { rotateSize, rotateEvery, output, state } = this.options
    const paths = [(rotateSize ?? rotateEvery) ? output : undefined, state]
    for (const path of paths) {
      if (path === undefined || path === '-') continue
      const folder = dirname(path)
      try {
        accessSync(folder, constants.W_OK)
      } catch {
        this.log.warn(
          `${folder} cannot be written to without privileges: ${path === output ? 'its files cannot be put aside' : 'open calls cannot be kept'}; ` +
            'give the folder to the user that runs callprobe, or name another with --user',
          { folder },
        )
      }
    }
  }
}
