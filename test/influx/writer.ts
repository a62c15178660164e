/**
 * A process that writes calls into a database until it is killed, for the tests that kill it:
 *   node writer.js URL SPOOL_FOLDER RUN [drain]
 * Says `ack N` once calls 0..N-1 of the run are acknowledged. With `drain` it writes nothing, sends what the spool holds
 * and ends.
 */
import { writeSync } from 'node:fs'
import { EXAMPLE_CALL } from '../../src/calls/record-examples.js'
import { resolveDestination } from '../../src/sinks/influx/destination.js'
import { InfluxSink } from '../../src/sinks/influx/sink.js'

const [url, spoolDirectory, run, mode] = process.argv.slice(2)

const sink = await InfluxSink.open({
  destination: resolveDestination({ url, timeout_s: 5 }, {}),
  spoolDirectory,
  mostSpoolBytes: 256 * 1024 * 1024,
  segmentBytes: 64 * 1024,
  seriesLimit: 1000,
  mostPauseMs: 500,
  onNotice: (message) => writeSync(2, `${message}\n`),
})

if (mode === 'drain') {
  const failure = await sink.drain(20_000)
  writeSync(1, `${JSON.stringify(sink.counters())}\n`)
  await sink.close()
  if (failure !== undefined) throw failure
} else {
  writeSync(1, 'open\n')
  const began = Date.parse('2026-03-02T09:15:00.000Z')
  for (let number = 0; ;) {
    for (let i = 0; i < 37; i++, number++) {
      sink.addRecord({
        ...EXAMPLE_CALL,
        call_id: `run-${run}-${number}`,
        start: new Date(began + Number(run) * 60_000 + number).toISOString(),
        end: new Date(began + Number(run) * 60_000 + number + 1000).toISOString(),
      })
    }
    const told = number
    void sink.acknowledged().then(() => writeSync(1, `ack ${told}\n`))
    await new Promise((resolve) => setTimeout(resolve, 5))
    await sink.ready()
  }
}
