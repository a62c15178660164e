import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import type { HttpResponse } from './http-client.js'
import { readAnswer, type Verdict } from './answers.js'
import type { Frame } from '../spool/frame.js'

const zip = promisify(gzip)
const unzip = promisify(gunzip)

/** Level 1: a fifth of level 6's time for a seventh more bytes, on lines like these. */
export function compress(lines: Buffer): Promise<Buffer> {
  return zip(lines, { level: 1 })
}

/** Posts of one batch at most, when parts of it are refused. */
const MOST_POSTS = 400
/** From so many refused parts on without a single line taken, the whole batch is taken for refused. */
const HOPELESS_POSTS = 40

export interface Rejected {
  /** The line itself, or undefined where the server told only how many. */
  line?: string
  points: number
  reason: string
}

export type WriteResult =
  | { kind: 'done'; rejected: Rejected[]; tooLong: boolean }
  | Extract<Verdict, { kind: 'later' | 'denied' | 'no-database' }>

export type Post = (gzipped: Buffer) => Promise<HttpResponse>

/** How many refused lines are still to be searched out where the server names none; counted down. */
export interface NamingBudget {
  left: number
}

/**
 * Writes a batch so that every good line arrives and every bad one is named once. Refused as a whole because of some
 * lines, or too long, it is halved; lines that arrived may be posted again, which writes the same points. Ends after a
 * bounded number of posts.
 *
 * Anything else (server down, busy, credentials) is handed back, and the whole batch is to be posted again later.
 */
export async function writeBatch(
  frames: readonly Frame[],
  post: Post,
  nowMs: () => number,
  naming: NamingBudget = { left: Infinity },
): Promise<WriteResult> {
  if (frames.length === 0) return { kind: 'done', rejected: [], tooLong: false }
  const whole = frames.length === 1 ? frames[0].payload : await compress(await linesOf(frames))
  const verdict = readAnswer(await post(whole), nowMs())
  if (verdict.kind === 'written') return { kind: 'done', rejected: [], tooLong: false }
  if (verdict.kind === 'later' || verdict.kind === 'denied' || verdict.kind === 'no-database') return verdict
  const text = (await linesOf(frames)).toString('utf8')
  const lines = text.split('\n').filter((line) => line !== '')
  return new Halving(post, nowMs, naming).run(lines, verdict)
}

async function linesOf(frames: readonly Frame[]): Promise<Buffer> {
  return Buffer.concat(await Promise.all(frames.map(({ payload }) => unzip(payload))))
}

type Interruption = Extract<Verdict, { kind: 'later' | 'denied' | 'no-database' }>

class Halving {
  private readonly rejected: Rejected[] = []
  private posts = 1
  private refusedPosts = 0
  private anythingTaken = false
  private interruption: Interruption | undefined

  constructor(
    private readonly post: Post,
    private readonly nowMs: () => number,
    private readonly naming: NamingBudget,
  ) {}

  async run(lines: readonly string[], verdict: Verdict): Promise<WriteResult> {
    await this.judge(lines, verdict)
    return (
      this.interruption ?? { kind: 'done', rejected: this.rejected, tooLong: verdict.kind === 'too-long' }
    )
  }

  private async judge(lines: readonly string[], verdict: Verdict): Promise<void> {
    switch (verdict.kind) {
      case 'written':
        this.anythingTaken = true
        return
      case 'later':
      case 'denied':
      case 'no-database':
        this.interruption ??= verdict
        return
      case 'partly':
        await this.partly(lines, verdict)
        return
      case 'malformed':
        this.refusedPosts++
        await this.halve(lines, verdict.reason)
        return
      case 'too-long':
        await this.halve(lines, 'the line is longer than the server takes')
        return
    }
  }

  private async partly(
    lines: readonly string[],
    { refused, dropped, reason }: Extract<Verdict, { kind: 'partly' }>,
  ): Promise<void> {
    const named = refused.filter(({ line }) => line !== undefined && line >= 1 && line <= lines.length)
    if (named.length > 0 && named.length === refused.length) {
      for (const refusal of named)
        this.rejected.push({ line: lines[(refusal.line ?? 1) - 1], points: 1, reason: refusal.reason })
      this.anythingTaken ||= named.length < lines.length
      return
    }
    // 1.x says dropped=0 when it could not parse some lines.
    const known = dropped === 0 ? undefined : dropped
    const count = Math.min(lines.length, known ?? (refused.length || lines.length))
    if (known !== undefined && count < lines.length) this.anythingTaken = true
    if (lines.length === 1) {
      this.reject(lines[0], reason)
    } else if (known !== undefined && (count === lines.length || this.naming.left <= 0)) {
      // The good lines are kept: halving would only find out which were not, for people who look for the cause.
      this.rejected.push({ line: count === lines.length ? lines[0] : undefined, points: count, reason })
    } else {
      this.refusedPosts++
      await this.halve(lines, reason, known)
    }
  }

  private reject(line: string, reason: string): void {
    this.naming.left--
    this.rejected.push({ line, points: 1, reason })
  }

  /** @param refusedCount of a partly written batch: how many of the lines were refused */
  private async halve(lines: readonly string[], reason: string, refusedCount?: number): Promise<void> {
    if (lines.length === 1) {
      this.reject(lines[0], reason)
      return
    }
    const hopeless = !this.anythingTaken && this.refusedPosts >= HOPELESS_POSTS
    if (hopeless || this.posts + 2 > MOST_POSTS) {
      this.rejected.push({ points: refusedCount ?? lines.length, reason })
      return
    }
    const middle = lines.length >>> 1
    for (const half of [lines.slice(0, middle), lines.slice(middle)]) {
      if (this.interruption !== undefined) return
      this.posts++
      const body = await compress(Buffer.from(`${half.join('\n')}\n`, 'utf8'))
      await this.judge(half, readAnswer(await this.post(body), this.nowMs()))
    }
  }
}
