import type { MetricPoint } from '../../aggregates/point.js'
import type { ProbeRecord } from '../../calls/records.js'
import type { CallprobeError } from '../../errors.js'
import { Spool, spoolFolder } from '../spool/spool.js'
import { describeDestination, type Destination } from './destination.js'
import { LineBytes } from '../line-bytes.js'
import { secondOf, timeText, writeFields, type FieldTally, type PointMoment } from './line-protocol.js'
import { PointTimes } from './point-times.js'
import { recordPoints } from './record-points.js'
import { RejectedLog } from './rejected-log.js'
import { Sender } from './sender.js'
import { SeriesBudget } from './series-budget.js'
import { Server } from './server.js'
import { compress, type Rejected } from './write-batch.js'

/**
 * The way of records and aggregates into a database: points become lines, lines frames of the spool, frames requests.
 *
 * `add` only collects. At the latest a quarter of a second later the points are encoded and handed to the disk; they are
 * acknowledged when an fdatasync covers them. Compression, disk and network run outside of JavaScript's thread, and
 * nothing here waits for the server.
 */
export interface SinkOptions {
  destination: Destination
  /** Folder of spools; each destination has its own below it. */
  spoolDirectory: string
  mostSpoolBytes: number
  /** Most series of one run. */
  seriesLimit: number
  /** Only these measurements (a name stands also for its roll-ups `name_*`). Default: all. */
  measurements?: readonly string[]
  batchPoints?: number
  batchBytes?: number
  firstPauseMs?: number
  mostPauseMs?: number
  segmentBytes?: number
  nowMs?: () => number
  /** One line for the person at the keyboard or the log, when something changes. */
  onNotice?: (message: string) => void
}

export interface InfluxCounters {
  /** Points given to `add` and taken: of a wanted measurement, with a time and a field. */
  points: number
  /** Points that an fdatasync covers, or that the server took while the disk failed. */
  acknowledged: number
  /** Points that the server took, of this run and of earlier ones' spool. */
  sent: number
  /** Points that the server refused for good. */
  rejected: number
  /** Acknowledged points lost, the oldest, because the spool's bound was reached. */
  droppedOldest: number
  /** Points that neither disk nor server took. */
  droppedUnwritten: number
  retries: number
  posts: number
  bytesSent: number
  /** Points and bytes that wait for the server. */
  spooledPoints: number
  spooledBytes: number
  spoolWriteFailures: number
  /** Bytes of damaged spool files that were skipped; torn: ends of files whose writer was killed. */
  spoolDamagedBytes: number
  spoolTornBytes: number
  /** Series written in this run, and points that were put under `other` to hold the bound. */
  series: number
  pointsOverSeriesLimit: number
  /** Points whose time was moved by some ns because their hash was taken. */
  ties: number
  fieldsOfOtherType: number
  /** True while the server takes points. */
  serverUp: boolean
}

/** Points that are encoded together: one frame. */
const CHUNK_POINTS = 2000
const HOLD_MS = 250
const MOST_SPARE_LINES = 4
/** From so many bytes that wait for the disk on, one who can wait should. */
const MOST_UNWRITTEN_BYTES = 8 * 1024 * 1024
/** A frame that fills a request is posted as it lies on the disk; only smaller ones are unpacked and packed together. */
const BATCH_POINTS = 1500
const BATCH_BYTES = 4 * 1024 * 1024
/** What InfluxDB's makers call a good size for a request: a server that was away catches up twice as fast. */
const BACKLOG_POINTS = 10_000
const FIRST_PAUSE_MS = 250
const MOST_PAUSE_MS = 30_000
/** Measurements that make sense in a database of numbers at millisecond times. */
const AGGREGATES = ['voip_traffic', 'voip_signalling', 'voip_probe']

/** A point that waits for its time. */
interface HeldPoint extends PointMoment {
  series: string
  /** Where its fields end in `fields`; they begin where those of the point before end. */
  end: number
}

export class InfluxSink {
  /** Resolves the wait for the disk of everything that was added so far. */
  private writes: Promise<unknown> = Promise.resolve()
  private unwritten = 0
  private held: HeldPoint[] = []
  /** Fields of the held points, one behind the other. */
  private readonly fields = new LineBytes()
  /** Memory for lines on their way to the disk, used again. */
  private readonly spareLines: LineBytes[] = []
  private heldSinceMs = 0
  private timer: NodeJS.Timeout | undefined
  private taken = 0
  private readonly tally: FieldTally = { fieldsOfOtherType: 0 }
  private readonly times = new PointTimes()
  private readonly budget: SeriesBudget
  private readonly sender: Sender
  private readonly rejectedLog: RejectedLog
  private toldOverBudget = false

  private constructor(
    private readonly options: SinkOptions,
    private readonly spool: Spool,
    private readonly server: Server,
  ) {
    this.budget = new SeriesBudget(options.seriesLimit)
    this.rejectedLog = new RejectedLog(spool.folder)
    this.sender = new Sender(spool, server, {
      batchPoints: options.batchPoints ?? BATCH_POINTS,
      batchBytes: options.batchBytes ?? BATCH_BYTES,
      backlogPoints: options.batchPoints ?? BACKLOG_POINTS,
      firstPauseMs: options.firstPauseMs ?? FIRST_PAUSE_MS,
      mostPauseMs: options.mostPauseMs ?? MOST_PAUSE_MS,
      nowMs: this.nowMs,
      onState: (failure) => this.onServerState(failure),
      onRejected: (rejected) => this.onRejected(rejected),
    })
  }

  /**
   * Opens the spool, checks the server and starts to send. A server that cannot be reached is no error: records go to the
   * spool meanwhile.
   * @throws CallprobeError INFLUX_REJECTED (credentials, organisation, ...), SPOOL_FAILED
   */
  static async open(options: SinkOptions): Promise<InfluxSink> {
    const server = new Server(options.destination)
    const state: { sink?: InfluxSink } = {}
    const { org } = options.destination
    const name = describeDestination(options.destination) + (org === undefined ? '' : ` ${org}`)
    const folder = spoolFolder(options.spoolDirectory, name)
    const spool = await Spool.open({
      folder,
      mostBytes: options.mostSpoolBytes,
      segmentBytes: options.segmentBytes,
      onTrouble: (error) => state.sink?.onDiskState(error),
    })
    const sink = new InfluxSink(options, spool, server)
    state.sink = sink
    try {
      await server.prepare()
      sink.sender.reached = true
    } catch (error) {
      if (!isUnreachable(error)) {
        server.close()
        await spool.close()
        throw error
      }
      sink.notice(`${error.message}; records wait in ${folder}`)
      sink.sender.failure = error
      sink.sender.failingSinceMs = sink.nowMs()
    }
    for (const file of spool.foreignFiles)
      sink.notice(`${file} was written by another version of callprobe: left as it is`)
    if (spool.unsentPoints > 0)
      sink.notice(`${spool.unsentPoints} points of an earlier run wait in ${folder}`)
    sink.sender.start()
    return sink
  }

  /** Where the spool of this destination lies. */
  get folder(): string {
    return this.spool.folder
  }

  /** The server was there at some time of this run. */
  get wasReached(): boolean {
    return this.sender.reached
  }

  /** Which server it is, once that is known. */
  get serverKind() {
    return this.server.kind
  }

  addRecord(record: ProbeRecord): void {
    this.add(recordPoints(record))
  }

  /** Takes points. Never waits, never throws. Points that belong together (equal second, equal tags) come together. */
  add(points: readonly MetricPoint[]): void {
    const now = this.nowMs()
    for (const point of points) {
      if (!this.isWanted(point.measurement)) continue
      if (this.held.length === 0) this.heldSinceMs = now
      this.hold(point)
      if (this.held.length >= CHUNK_POINTS) this.flush()
    }
    if (this.held.length === 0) return
    // Timers may be late behind a busy loop.
    if (now - this.heldSinceMs > HOLD_MS) this.flush()
    else this.timer ??= setTimeout(() => this.flush(), HOLD_MS)
  }

  /** Encodes what was collected and hands it to the disk. */
  flush(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    if (this.held.length > 0) this.writeChunk()
    if (this.budget.overBudget > 0 && !this.toldOverBudget) {
      this.toldOverBudget = true
      this.notice(
        `${this.options.seriesLimit} series are reached (influx.series_limit): new combinations of sites, trunk and codec are written as "other"`,
      )
    }
  }

  /**
   * undefined: more can be added. Else resolves when the disk has caught up, for a caller that can wait; with `forServer`
   * also when the spool is nearly full and the server takes points.
   */
  ready(forServer = false): Promise<void> | undefined {
    if (this.unwritten > MOST_UNWRITTEN_BYTES && this.spool.diskTrouble === undefined)
      return this.until(
        () => this.unwritten <= MOST_UNWRITTEN_BYTES / 2 || this.spool.diskTrouble !== undefined,
      )
    if (forServer && this.mustWaitForServer()) return this.until(() => !this.mustWaitForServer())
    return undefined
  }

  /** Resolves when everything that was added is on the disk or with the server; while both fail, not at all. */
  async acknowledged(): Promise<void> {
    this.flush()
    await this.writes
  }

  /**
   * Sends what is left.
   * @param patienceMs how long the server may fail before it is given up
   * @returns why points are left in the spool, or undefined when the server has everything
   */
  async drain(patienceMs: number): Promise<CallprobeError | undefined> {
    this.flush()
    const startedMs = this.nowMs()
    this.sender.hurry()
    while (this.unwritten > 0 || !this.sender.idle) {
      const since = this.sender.failingSinceMs
      if (since !== undefined && this.nowMs() - Math.max(since, startedMs) >= patienceMs) {
        const failure = this.spool.diskTrouble ?? this.sender.failure
        if (failure !== undefined) return failure
      }
      await this.spool.changed(20)
    }
    return undefined
  }

  /** Writes what is held to the disk and closes; what the server does not have stays in the spool. */
  async close(): Promise<void> {
    this.flush()
    await this.until(() => this.unwritten === 0 || this.spool.diskTrouble !== undefined)
    await this.sender.stop()
    await this.spool.close()
    this.server.close()
  }

  counters(): InfluxCounters {
    const { acknowledged, droppedOldest, droppedUnwritten, writeFailures, damagedBytes, tornBytes } =
      this.spool.counters
    return {
      points: this.taken,
      acknowledged,
      ...this.sender.counters,
      droppedOldest,
      droppedUnwritten,
      spooledPoints: this.spool.unsentPoints,
      spooledBytes: this.spool.unsentBytes,
      spoolWriteFailures: writeFailures,
      spoolDamagedBytes: damagedBytes,
      spoolTornBytes: tornBytes,
      series: this.budget.size,
      pointsOverSeriesLimit: this.budget.overBudget,
      ties: this.times.ties,
      fieldsOfOtherType: this.tally.fieldsOfOtherType,
      serverUp: this.sender.failure === undefined,
    }
  }

  private readonly nowMs = (): number => (this.options.nowMs ?? Date.now)()

  private isWanted(measurement: string): boolean {
    const wanted =
      this.options.measurements ?? (this.server.kind === 'victoriametrics' ? AGGREGATES : undefined)
    return wanted?.some((name) => measurement === name || measurement.startsWith(`${name}_`)) ?? true
  }

  /** Encoded at once, but for its time: bytes are smaller than the objects of a point, and those die young. */
  private hold(point: MetricPoint): void {
    const { timeMs, key } = point
    const isPlain = this.server.kind !== 'victoriametrics'
    if (!writeFields(this.fields, isPlain ? point : numbersOnly(point), this.tally)) return
    this.held.push({ series: this.budget.seriesFor(point), end: this.fields.length, timeMs, key })
  }

  /** Makes a frame of the held points. */
  private writeChunk(): void {
    const { held, fields } = this
    this.held = []
    const nanoseconds = this.times.assign(
      held,
      held.map(({ series }) => series),
    )
    const lines = this.spareLines.pop() ?? new LineBytes()
    let begin = 0
    for (const [i, point] of held.entries()) {
      const { series, end } = point
      lines.text(series)
      lines.text(' ')
      lines.copy(fields, begin, end)
      lines.text(` ${timeText(secondOf(point), nanoseconds[i])}\n`)
      begin = end
    }
    fields.clear()
    const points = held.length
    this.taken += points
    const rawBytes = lines.length
    this.unwritten += rawBytes
    const write = compress(lines.bytes.subarray(0, rawBytes))
      .then((payload) => {
        lines.clear()
        if (this.spareLines.length < MOST_SPARE_LINES) this.spareLines.push(lines)
        return this.spool.append({ payload, points, rawBytes })
      })
      .finally(() => (this.unwritten -= rawBytes))
    this.writes = Promise.all([this.writes, write]).then(() => undefined)
  }

  private mustWaitForServer(): boolean {
    const full = this.spool.unsentBytes > this.options.mostSpoolBytes * 0.75
    return full && this.sender.failure === undefined
  }

  private async until(condition: () => boolean): Promise<void> {
    while (!condition()) await this.spool.changed(20)
  }

  private onServerState(failure: CallprobeError | undefined): void {
    if (failure === undefined)
      this.notice(`${describeDestination(this.options.destination)} takes records again`)
    else this.notice(`${failure.message}; records wait in ${this.spool.folder}`)
  }

  private onDiskState(error: CallprobeError | undefined): void {
    this.notice(
      error === undefined
        ? `the spool ${this.spool.folder} can be written again`
        : `${error.message}; until then records go straight from memory to the server`,
    )
  }

  private onRejected(rejected: readonly Rejected[]): void {
    const first = this.rejectedLog.write(rejected, this.nowMs())
    if (first !== undefined)
      this.notice(`the server refuses points: ${first}; see ${this.rejectedLog.path} (counted as rejected)`)
  }

  private notice(message: string): void {
    this.options.onNotice?.(message)
  }
}

/** A database of numbers would take a text for 0. */
function numbersOnly(point: MetricPoint): MetricPoint {
  const fields = Object.entries(point.fields).filter(([, value]) => typeof value !== 'string')
  return { ...point, fields: Object.fromEntries(fields) }
}

function isUnreachable(error: unknown): error is CallprobeError {
  return error instanceof Error && 'code' in error && error.code === 'INFLUX_UNREACHABLE'
}
