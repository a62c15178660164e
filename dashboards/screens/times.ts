import {
  committedDashboards,
  dataPanels,
  fillIn,
  type Dashboard,
  type Range,
} from '../../test/dashboards/grafana.js'
import { Influx } from '../../test/dashboards/influx.js'
import { bucketName, LOSS_GT_PERCENT, MOS_LT, PDV_LE_MS } from '../../src/aggregates/fields.js'

/** `times URL SERIES CALLS`: fills a database, asks every query of every panel, prints how long the panels took. */
const [url, seriesText, callsText] = process.argv.slice(2)
const SERIES = Number(seriesText)
const CALLS = Number(callsText)
const DATABASE = 'times'
const DAYS = 30
const END_MS = Date.UTC(2024, 5, 30)
const START_MS = END_MS - DAYS * 86_400_000
const TRUNKS = 10
const PROBES = 1
const RUNS = 5

async function post(lines: readonly string[]): Promise<void> {
  const answer = await fetch(`${url}/write?db=${DATABASE}&precision=ms`, {
    method: 'POST',
    body: lines.join('\n'),
  })
  if (answer.status !== 204) throw new Error(await answer.text())
}

/** In requests of 5,000 lines. */
async function write(lines: Iterable<string>): Promise<number> {
  let batch: string[] = []
  let count = 0
  for (const line of lines) {
    count++
    batch.push(line)
    if (batch.length < 5000) continue
    await post(batch)
    batch = []
  }
  if (batch.length > 0) await post(batch)
  return count
}

const TRAFFIC_FIELDS = [
  'stream_intervals=360i,packets=180000i,expected_packets=180300i,lost=300i,late=100i,burst_seconds=4i,media_s=3600',
  'mos_count=360i,mos_sum=1490,jitter_count=180000i,jitter_sum_ms=540000,jitter_p95_ms=6.1,jitter_p99_ms=9',
  'delay_count=360i,delay_sum_ms=36000,delay_max_ms=180,pdv_count=180000i',
  ...MOS_LT.map((edge, i) => `${bucketName('mos_lt_', edge)}=${2 + i}i`),
  ...LOSS_GT_PERCENT.map((edge, i) => `${bucketName('loss_gt_', edge, '_percent')}=${9 - i}i`),
  ...PDV_LE_MS.map((edge, i) => `${bucketName('pdv_le_', edge, '_ms')}=${100_000 + 5000 * i}i`),
].join(',')

function* traffic(): Generator<string> {
  for (let hour = 0; hour < DAYS * 24; hour++)
    for (let n = 0; n < SERIES; n++)
      yield `voip_traffic_1h,callee_site=s${n % 10},caller_site=s${Math.floor(n / 10) % 10},codec=PCMA,direction=from_${n % 2 ? 'caller' : 'callee'},probe=tap-1,trunk=t${Math.floor(n / 100) % TRUNKS} ${TRAFFIC_FIELDS} ${START_MS + hour * 3_600_000}`
}

function* signalling(): Generator<string> {
  for (let hour = 0; hour < DAYS * 24; hour++)
    for (let n = 0; n < TRUNKS; n++)
      yield `voip_signalling_1h,leg=first,probe=tap-1,trunk=t${n} attempts=500i,answered=300i,seizures=480i,delivered=460i,failed=20i,calls_peak=40i ${START_MS + hour * 3_600_000}`
}

function* health(): Generator<string> {
  for (let passed = 0; passed < DAYS * 86_400; passed += 10)
    for (let n = 1; n <= PROBES; n++)
      yield `voip_probe,probe=tap-${n} packets=200000i,capture_drops=0i,interface_drops=0i,packets_per_s=20000,load_percent=21 ${START_MS + passed * 1000}`
}

/** A day's calls of 60 s, each with its intervals: one second and hash apart, as the sink writes them. */
function* calls(): Generator<string> {
  const dayMs = END_MS - 86_400_000
  const places = 'callee_site=s1,caller_site=s2'
  for (let n = 0; n < CALLS; n++) {
    const startMs = dayMs + Math.floor((n / CALLS) * 86_300_000)
    const trunk = `trunk=t${n % TRUNKS}`
    const bad = n % 50 === 0
    const endMs = startMs + 60_000
    yield `voip_call,${places},probe=tap-1,quality=${bad ? 'poor' : 'good'},state=completed,status_class=2xx,${trunk} call_id="call-${n}@example.com",caller="+4930${n}",callee="+4420${n}",start_ms=${startMs}i,end_ms=${endMs}i,duration_s=60,mos_cq_min=${bad ? 3.1 : 4.3},sip_status=200i,findings_count=0i ${endMs}`
    for (const direction of ['from_caller', 'from_callee'])
      for (let tenth = 0; tenth < 6; tenth++)
        yield `voip_interval,${places},codec=PCMA,direction=${direction},probe=tap-1,${trunk} call_id="call-${n}@example.com",packets=500i,loss_percent=0.1,late_percent=0,mos_cq=4.3,mos_lq=4.4,jitter_p95_ms=3,jitter_p99_ms=4,jitter_mean_ms=2,pdv_p95_ms=5,pdv_max_ms=20,delay_p50_ms=90,buffer_delay_ms=40,burst_seconds=0i ${startMs + tenth * 10_000 + (n % 997)}`
  }
}

interface Time {
  title: string
  ms: number
}

/** Milliseconds of the panel's queries one after the other, the best of five: the machine may be busy. */
async function times(influx: Influx, dashboard: Dashboard, range: Range, callId = ''): Promise<Time[]> {
  const list: Time[] = []
  for (const panel of dataPanels(dashboard)) {
    const own = panel.timeFrom === undefined ? range : { fromMs: range.toMs - 120_000, toMs: range.toMs }
    const statements = (panel.targets ?? []).map(({ query }) =>
      fillIn(query, dashboard, own, { call_id: callId }),
    )
    let best = Infinity
    for (let i = 0; i < RUNS; i++) {
      const begun = performance.now()
      for (const statement of statements) await influx.query(statement)
      best = Math.min(best, performance.now() - begun)
    }
    list.push({ title: panel.title, ms: best })
  }
  return list.sort((a, b) => b.ms - a.ms)
}

function print(heading: string, list: readonly Time[]): void {
  const total = list.reduce((sum, { ms }) => sum + ms, 0)
  console.log(
    `\n${heading}: slowest panel ${list[0].ms.toFixed(0)} ms, all ${list.length} panels ${total.toFixed(0)} ms`,
  )
  for (const { title, ms } of list.slice(0, 5)) console.log(`  ${ms.toFixed(0).padStart(6)} ms  ${title}`)
}

const influx = new Influx(url, DATABASE)
await influx.query(`CREATE DATABASE ${DATABASE}`)
const written = [
  await write(traffic()),
  await write(signalling()),
  await write(health()),
  await write(calls()),
]
console.log(`points written: ${written.join(' + ')} (traffic, signalling, probe health, calls)`)

const pages = committedDashboards()
const month: Range = { fromMs: START_MS, toMs: END_MS }
for (const file of ['overview.json', 'sites.json', 'trunks.json', 'signalling.json']) {
  const page = pages.get(file)
  if (page !== undefined) print(`${page.title}, 30 days`, await times(influx, page, month))
}
const call = pages.get('call.json')
const finder = pages.get('finder.json')
const day: Range = { fromMs: END_MS - 86_400_000, toMs: END_MS }
const middle = Math.floor(CALLS / 2)
const startMs = END_MS - 86_400_000 + Math.floor((middle / CALLS) * 86_300_000)
const own: Range = { fromMs: startMs - 60_000, toMs: startMs + 70_000 }
if (finder !== undefined) print(`${finder.title}, a day of ${CALLS} calls`, await times(influx, finder, day))
if (call !== undefined) {
  const id = `call-${middle}@example.com`
  print(`${call.title}, by the range of its link`, await times(influx, call, own, id))
  print(`${call.title}, over the whole day (without the link)`, await times(influx, call, day, id))
}
