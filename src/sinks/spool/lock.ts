import { randomUUID } from 'node:crypto'
import { linkSync, readFileSync, renameSync, statSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { CallprobeError, errorText, systemErrorCode } from '../../errors.js'

/** The owner shows this often that it lives, for observers that cannot see its process. */
const HEARTBEAT_MS = 5_000
/** An owner on another host, or in a container whose processes cannot be seen, is gone after this long in silence. */
const SILENT_MS = 60_000

/** Who holds a spool: enough to tell whether it still runs. */
interface Owner {
  pid: number
  host: string
  /** The process's start in clock ticks since the boot, so that a pid that was given out again is not taken for it. */
  started: string
  /** The namespace in which `pid` counts. */
  namespace: string
  id: string
}

/**
 * A lock on a spool's folder: the file `lock`, which names its owner. It outlives an owner that was killed, and the next
 * one takes it over once that process is gone.
 */
export class SpoolLock {
  private readonly heartbeat: NodeJS.Timeout

  private constructor(
    private readonly path: string,
    private readonly id: string,
  ) {
    this.heartbeat = setInterval(() => this.beat(), HEARTBEAT_MS)
    this.heartbeat.unref()
  }

  /** @throws CallprobeError SPOOL_FAILED when a running process holds it */
  static take(folder: string, nowMs = Date.now()): SpoolLock {
    const path = join(folder, 'lock')
    const self: Owner = { ...thisProcess(), id: randomUUID() }
    // Written apart and linked in: the file is never seen half written.
    const draft = join(folder, `lock.${self.id}`)
    writeFileSync(draft, JSON.stringify(self), { mode: 0o600 })
    try {
      // Several may take over at once; each round somebody wins.
      for (let round = 0; round < 10; round++) {
        if (placeLink(draft, path)) return new SpoolLock(path, self.id)
        const holder = readOwner(path)
        if (holder === undefined) continue
        if (isAlive(holder, path, nowMs)) throw heldBy(folder, holder)
        removeStale(path, holder, `${draft}.stale`)
      }
    } finally {
      unlinkSync(draft)
    }
    throw new CallprobeError('SPOOL_FAILED', `cannot lock the spool ${folder}: others keep taking it`)
  }

  release(): void {
    clearInterval(this.heartbeat)
    if (readOwner(this.path)?.id === this.id) unlinkSync(this.path)
  }

  private beat(): void {
    try {
      const now = new Date()
      utimesSync(this.path, now, now)
    } catch {
      // The folder may be gone or full of errors: writing will say so.
    }
  }
}

function placeLink(draft: string, path: string): boolean {
  try {
    linkSync(draft, path)
    return true
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') return false
    throw error
  }
}

/** Moves a dead owner's lock away. Another process may just have replaced it: then it is put back. */
function removeStale(path: string, holder: Owner, aside: string): void {
  try {
    renameSync(path, aside)
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return
    throw error
  }
  if (readOwner(aside)?.id !== holder.id) placeLink(aside, path)
  unlinkSync(aside)
}

function thisProcess(): Omit<Owner, 'id'> {
  return {
    pid: process.pid,
    host: hostname(),
    started: startOf(process.pid),
    namespace: namespaceOf(),
  }
}

/** '' where there is no /proc. */
function startOf(pid: number): string {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // Field 22; the second one is the name in parentheses and may hold spaces.
    const started = text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? ''
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()} ${started}`
  } catch {
    return ''
  }
}

function namespaceOf(): string {
  try {
    return String(statSync('/proc/self/ns/pid').ino)
  } catch {
    return ''
  }
}

/** undefined: there is none. A file that names nobody is an owner that cannot be alive. */
function readOwner(path: string): Owner | undefined {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined
    throw error
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    value = undefined
  }
  const fields = new Map(Object.entries(typeof value === 'object' && value !== null ? value : {}))
  const string = (name: string): string => {
    const field: unknown = fields.get(name)
    return typeof field === 'string' ? field : ''
  }
  const pid: unknown = fields.get('pid')
  return {
    pid: typeof pid === 'number' && Number.isInteger(pid) && pid > 0 ? pid : 0,
    host: string('host'),
    started: string('started'),
    namespace: string('namespace'),
    id: string('id'),
  }
}

function isAlive(owner: Owner, path: string, nowMs: number): boolean {
  if (owner.pid === 0) return false
  if (owner.host !== hostname() || owner.namespace !== namespaceOf()) {
    // The process cannot be seen from here.
    try {
      return nowMs - statSync(path).mtimeMs < SILENT_MS
    } catch {
      return false
    }
  }
  try {
    process.kill(owner.pid, 0)
  } catch (error) {
    if (systemErrorCode(error) === 'ESRCH') return false
    if (systemErrorCode(error) !== 'EPERM') throw new Error(errorText(error), { cause: error })
  }
  return owner.started === startOf(owner.pid)
}

function heldBy(folder: string, owner: Owner): CallprobeError {
  const where = owner.host === hostname() ? '' : ` on ${owner.host}`
  return new CallprobeError('SPOOL_FAILED', `the spool ${folder} is in use by process ${owner.pid}${where}`, {
    hint: 'two runs cannot share a spool: wait until the other has ended, or set spool.directory of one to another place',
  })
}
