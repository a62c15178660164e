import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'
import { EXAMPLE_CALL } from '../../src/calls/record-examples.js'
import type { CallRecord } from '../../src/calls/records.js'
import { resolveDestination, type InfluxSettings } from '../../src/sinks/influx/destination.js'
import { InfluxSink, type SinkOptions } from '../../src/sinks/influx/sink.js'

const folders: string[] = []
const sinks: InfluxSink[] = []

afterEach(async () => {
  for (const sink of sinks.splice(0)) await sink.close()
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** A folder that is removed behind the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'callprobe-influx-'))
  folders.push(folder)
  return folder
}

export interface OpenedSink {
  sink: InfluxSink
  notices: string[]
  spoolDirectory: string
}

/** A sink with short pauses, closed behind the test. */
export async function openSink(
  settings: InfluxSettings,
  more: Partial<SinkOptions> = {},
  environment: Record<string, string> = {},
): Promise<OpenedSink> {
  const notices: string[] = []
  const spoolDirectory = more.spoolDirectory ?? temporaryFolder()
  const sink = await InfluxSink.open({
    destination: resolveDestination({ timeout_s: 10, ...settings }, environment),
    spoolDirectory,
    mostSpoolBytes: 64 * 1024 * 1024,
    seriesLimit: 10_000,
    firstPauseMs: 20,
    mostPauseMs: 300,
    onNotice: (message) => notices.push(message),
    ...more,
  })
  sinks.push(sink)
  return { sink, notices, spoolDirectory }
}

export async function closeSink(sink: InfluxSink): Promise<void> {
  sinks.splice(sinks.indexOf(sink), 1)
  await sink.close()
}

/** A call like any other, by number. */
export function call(number: number, more: Partial<CallRecord> = {}): CallRecord {
  const start = new Date(Date.parse('2026-03-02T09:15:00.000Z') + number)
  return {
    ...EXAMPLE_CALL,
    findings: [],
    call_id: `call-${number}`,
    start: start.toISOString(),
    end: new Date(start.getTime() + 60_000).toISOString(),
    ...more,
  }
}
