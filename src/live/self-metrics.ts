import { createServer, type Server } from 'node:http'
import { Gauge, Counter, Registry } from 'prom-client'
import { CallprobeError, errorText, systemErrorCode } from '../errors.js'

/** What a capture knows of itself, since it began unless said otherwise. */
export interface CaptureHealth {
  packets: number
  bytes: number
  kernelDrops: number
  interfaceDrops: number
  ringFreezes: number
  interfaceDownMs: number
  clockSteps: number
  /** undefined when the system does not tell. */
  clockSynchronized: boolean | undefined
  rtpPackets: number
  rtcpPackets: number
  sipMessages: number
  /** Records written of calls. */
  calls: number
  /** Held now. */
  openCalls: number
  openStreams: number
  /** Media workers that ended and were replaced. */
  workerRestarts: number
  /** How often one of them had to wait until its messages were read. */
  workerHoldUps: number
  /** Share of one processor over the last second, 0..1: of the busiest thread. */
  load: number
  skipped: Readonly<Record<string, number>>
  evictions: Readonly<Record<string, number>>
  sipUnreadable: Readonly<Record<string, number>>
  outputDropped: number
}

/** Prometheus metrics of the probe itself. `read` is asked at each scrape. */
export function createRegistry(read: () => CaptureHealth): Registry {
  const registry = new Registry()
  const counter = (name: string, help: string, value: (health: CaptureHealth) => number): void => {
    const metric = new Counter({ name: `callprobe_${name}_total`, help, registers: [registry] })
    collectors.push((health) => {
      metric.reset()
      metric.inc(value(health))
    })
  }
  const gauge = (name: string, help: string, value: (health: CaptureHealth) => number): void => {
    const metric = new Gauge({ name: `callprobe_${name}`, help, registers: [registry] })
    collectors.push((health) => metric.set(value(health)))
  }
  const byReason = (
    name: string,
    help: string,
    values: (health: CaptureHealth) => Readonly<Record<string, number>>,
  ): void => {
    const metric = new Counter({
      name: `callprobe_${name}_total`,
      help,
      labelNames: ['reason'],
      registers: [registry],
    })
    collectors.push((health) => {
      metric.reset()
      for (const [reason, count] of Object.entries(values(health))) metric.inc({ reason }, count)
    })
  }
  const collectors: ((health: CaptureHealth) => void)[] = []
  counter('packets', 'Packets measured', (h) => h.packets)
  counter('bytes', 'Bytes of these packets on the wire', (h) => h.bytes)
  counter('kernel_drops', 'Packets that found no room in the capture ring', (h) => h.kernelDrops)
  counter('interface_drops', 'Packets that the network card had no room for', (h) => h.interfaceDrops)
  counter('ring_freezes', 'How often the capture ring was full', (h) => h.ringFreezes)
  counter(
    'interface_down_seconds',
    'Time during which an interface was away',
    (h) => h.interfaceDownMs / 1000,
  )
  counter('clock_steps', 'How often the clock was set', (h) => h.clockSteps)
  counter('rtp_packets', 'RTP packets', (h) => h.rtpPackets)
  counter('rtcp_packets', 'RTCP packets', (h) => h.rtcpPackets)
  counter('sip_messages', 'SIP messages', (h) => h.sipMessages)
  counter('calls', 'Call records written', (h) => h.calls)
  counter('output_dropped_records', 'Records that an output could not take', (h) => h.outputDropped)
  counter('worker_restarts', 'Media workers that ended unasked and were replaced', (h) => h.workerRestarts)
  counter(
    'worker_hold_ups',
    'How often a media worker had to wait until its messages were read',
    (h) => h.workerHoldUps,
  )
  gauge('open_calls', 'Calls held', (h) => h.openCalls)
  gauge('open_streams', 'RTP streams held', (h) => h.openStreams)
  gauge('load_ratio', 'Share of one processor that packets took over the last second', (h) => h.load)
  gauge('clock_synchronized', '1 when the system says that its clock is synchronized', (h) =>
    h.clockSynchronized === true ? 1 : 0,
  )
  gauge('heap_bytes', 'JavaScript heap in use', () => process.memoryUsage().heapUsed)
  gauge('resident_bytes', 'Resident memory of the process', () => process.memoryUsage.rss())
  byReason('skipped_packets', 'Packets skipped', (h) => h.skipped)
  byReason('sip_unreadable', 'SIP that is there and cannot be read', (h) => h.sipUnreadable)
  byReason('evictions', 'Bounds that cost something', (h) => h.evictions)
  const first = new Gauge({
    name: 'callprobe_up',
    help: 'Always 1',
    registers: [],
    collect() {
      this.set(1)
    },
  })
  registry.registerMetric(first)
  const render = registry.metrics.bind(registry)
  registry.metrics = () => {
    const health = read()
    for (const collect of collectors) collect(health)
    return render()
  }
  return registry
}

/** Serves GET /metrics. Resolves when it listens; the caller closes it. */
export function serveMetrics(registry: Registry, host: string, port: number): Promise<Server> {
  const server = createServer((request, response) => {
    if (request.method !== 'GET' || new URL(request.url ?? '/', 'http://callprobe').pathname !== '/metrics') {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('metrics are at /metrics\n')
      return
    }
    registry.metrics().then(
      (body) => response.writeHead(200, { 'content-type': registry.contentType }).end(body),
      () => response.writeHead(500).end(),
    )
  })
  server.unref()
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(cannotListen(host, port, error)))
    server.listen(port, host, () => resolve(server))
  })
}

function cannotListen(host: string, port: number, error: unknown): CallprobeError {
  const code = systemErrorCode(error)
  const why =
    code === 'EADDRINUSE'
      ? 'another program uses that port'
      : code === 'EACCES'
        ? 'not permitted'
        : errorText(error)
  return new CallprobeError('CAPTURE_FAILED', `cannot serve metrics on ${host}:${port}: ${why}`, {
    hint: 'name another port after --metrics',
  })
}
