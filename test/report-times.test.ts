import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { StoredDetail } from '../src/report/page/data.js'
import { ALICE_AUDIO, BOB_AUDIO, callByHand, media, NOON } from './cases/hand-made.js'
import { pcapOf } from './helpers/replay.js'
import { readReport, reportFolder, writeReport } from './helpers/report.js'

const folder = reportFolder()

it('media begin in the report when their first packet came, though an earlier call had the same SSRC there', async () => {
  const first = callByHand({ callId: 'first', durationMs: 4000 })
  // Answered 700 ms into a second, in which its media begin 40 ms later.
  const second = callByHand({ callId: 'second', startMs: NOON + 20_200, durationMs: 4000 })
  const run = { packets: 180, from: ALICE_AUDIO, to: BOB_AUDIO, ssrc: 1 }
  const path = join(folder, 'begin.html')
  await writeReport(
    path,
    pcapOf([
      ...first.frames,
      ...media({ ...run, startMs: first.answerMs + 40 }),
      ...second.frames,
      ...media({ ...run, startMs: second.answerMs + 40, sequence: 30_000, timestamp: 500_000 }),
    ]),
  )
  const details = JSON.parse(readReport(path).details) as StoredDetail[]
  for (const [call, { answerMs }] of [
    ['first', first],
    ['second', second],
  ] as const) {
    const detail = details.find(({ record }) => record.call_id === call)
    expect(detail?.streams.map(({ firstMs, packets }) => [firstMs, packets])).toEqual([[answerMs + 40, 180]])
    const codecs = detail?.events.filter(({ kind }) => kind === 'codec')
    expect(codecs?.map(({ text, timeMs }) => [text, timeMs])).toEqual([['PCMU', answerMs + 40]])
  }
})
