import type { DirectionName } from './data.js'
import { el, styleValue } from './dom.js'
import { eventLanes, LANES_HEIGHT } from './event-lanes.js'
import { heatPlot } from './heat.js'
import type { Timeline } from './timeline.js'
import { duration } from './text.js'
import { paperWidth } from './theme.js'
import { term } from './tooltip.js'

/** Room for the labels of the y axes, the same in every chart, so that times stand below each other. */
export const AXIS_WIDTH = 46
const CHART_HEIGHT = 104
const TIME_AXIS_HEIGHT = 26
/** Below charts without times: half a label of the y axis. */
const BOTTOM = 8

/** One chart before it has a size. */
interface Plan {
  label: Node
  height: number
  options: (base: uPlot.Options) => uPlot.Options
  data: uPlot.AlignedData
}

/** All charts of a call: one time axis, one cursor, one zoom. */
export class Charts {
  readonly element = el('div', { class: 'charts' })
  private plots: uPlot[] = []
  private guarded = false
  private readonly observer: ResizeObserver
  private range: [number, number]

  constructor(
    private readonly timeline: Timeline,
    private readonly names: Record<DirectionName, string>,
    private readonly onCursor: (index: number | null) => void,
    private readonly onRange: (from: number, to: number) => void,
  ) {
    this.range = this.whole
    this.observer = new ResizeObserver(() => this.resize())
    this.observer.observe(this.element)
  }

  get whole(): [number, number] {
    const { x } = this.timeline
    return [x[0], x[x.length - 1]]
  }

  /** Draws everything anew: at first, and when colours change. */
  draw(): void {
    for (const plot of this.plots) plot.destroy()
    this.plots = []
    this.element.textContent = ''
    const plans = this.plans()
    const width = this.width()
    plans.forEach((plan, i) => {
      const holder = el('div', { class: 'chart' })
      const head = el('div', { class: 'chart-head' })
      head.appendChild(plan.label)
      const canvas = el('div', { class: 'chart-canvas' })
      holder.append(head, canvas)
      this.element.appendChild(holder)
      const isLast = i === plans.length - 1
      this.plots.push(new uPlot(plan.options(this.base(width, plan.height, isLast)), plan.data, canvas))
    })
    this.zoom(...this.range)
  }

  stop(): void {
    this.observer.disconnect()
    for (const plot of this.plots) plot.destroy()
    this.plots = []
  }

  /** Shows a stretch of time in every chart. */
  zoom(from: number, to: number): void {
    const [first, last] = this.whole
    const least = this.timeline.step * 2
    const low = Math.max(first, Math.min(from, last - least))
    const high = Math.min(last, Math.max(to, low + least))
    this.range = [low, high]
    this.guarded = true
    for (const plot of this.plots) plot.setScale('x', { min: low, max: high })
    this.guarded = false
    this.onRange(low, high)
  }

  reset(): void {
    this.zoom(...this.whole)
  }

  /** Zooms by a factor around the middle, or moves by a share of what is shown. */
  step(factor: number, shift: number): void {
    const [low, high] = this.range
    const half = ((high - low) / 2) * factor
    const middle = (low + high) / 2 + shift * (high - low)
    const kept = Math.min(Math.max(middle, this.whole[0] + half), this.whole[1] - half)
    this.zoom(kept - half, kept + half)
  }

  /** Puts the cursor of every chart on a point. */
  point(index: number): void {
    for (const plot of this.plots) {
      plot.setCursor({ left: plot.valToPos(this.timeline.x[index], 'x'), top: 0 }, false)
    }
    this.onCursor(index)
  }

  private width(): number {
    return paperWidth() ?? Math.max(260, Math.floor(this.element.clientWidth))
  }

  private resize(): void {
    const width = this.width()
    for (const plot of this.plots) if (plot.width !== width) plot.setSize({ width, height: plot.height })
  }

  private base(width: number, height: number, withTimes: boolean): uPlot.Options {
    const text = styleValue('--text-dim')
    const line = styleValue('--grid')
    const font = '11px system-ui, sans-serif'
    return {
      width,
      height: height + (withTimes ? TIME_AXIS_HEIGHT : BOTTOM),
      padding: [4, 18, 0, 0],
      legend: { show: false },
      scales: { x: { time: false } },
      series: [{}],
      axes: [
        {
          show: true,
          size: withTimes ? TIME_AXIS_HEIGHT : BOTTOM,
          stroke: text,
          font,
          grid: { stroke: line, width: 1 },
          ticks: { show: withTimes, stroke: line, size: 4 },
          gap: 3,
          space: 64,
          incrs: [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400],
          values: (_plot, values) => values.map((value) => (withTimes ? duration(value) : '')),
        },
        {
          size: AXIS_WIDTH,
          stroke: text,
          font,
          grid: { stroke: line, width: 1 },
          ticks: { show: false },
          gap: 4,
          space: 26,
        },
      ],
      cursor: {
        sync: { key: 'call', setSeries: false },
        drag: { x: true, y: false, uni: 8 },
        y: false,
        points: { size: 6 },
      },
      hooks: {
        setScale: [
          (plot, key) => {
            const { min, max } = plot.scales.x
            if (key !== 'x' || this.guarded || min === undefined || max === undefined) return
            this.zoom(min, max)
          },
        ],
        setCursor: [(plot) => this.onCursor(plot.cursor.idx ?? null)],
      },
    }
  }

  private plans(): Plan[] {
    const { timeline, names } = this
    const { x, tracks, roundTrip } = timeline
    const a = tracks.from_caller
    const b = tracks.from_callee
    const plans: Plan[] = [
      {
        label: eventsLabel(),
        height: LANES_HEIGHT,
        data: [x, x.map(() => null)],
        options: (base) => eventLanes(base, timeline),
      },
      {
        label: this.label('MOS', 'mos_cq', 'bold: per interval; thin: second by second'),
        height: CHART_HEIGHT,
        data: [x, a.mosSecond, b.mosSecond, a.mosInterval, b.mosInterval],
        options: (base) => ({
          ...base,
          scales: { ...base.scales, y: { range: [1, 4.6] } },
          axes: [
            base.axes?.[0] ?? {},
            {
              ...base.axes?.[1],
              splits: () => [1, 2, 3, 3.6, 4, 4.5],
              values: (_p, values) => values.map((value) => (value === 4 ? '' : String(value))),
            },
          ],
          series: [
            {},
            line('from_caller', 0.5, 0.45),
            line('from_callee', 0.5, 0.45),
            line('from_caller', 2.5),
            line('from_callee', 2.5),
          ],
        }),
      },
      {
        label: this.label(
          'Loss and late packets',
          'loss_percent',
          'up: from caller; down: from callee; light: late; ○ RTCP',
        ),
        height: CHART_HEIGHT,
        data: [
          x,
          total(a.lossPercent, a.latePercent, 1),
          a.lossPercent,
          total(b.lossPercent, b.latePercent, -1),
          b.lossPercent.map((value) => (value === null ? null : -value)),
          a.rtcpLoss,
          b.rtcpLoss.map((value) => (value === null ? null : -value)),
        ],
        options: (base) => ({
          ...base,
          scales: { ...base.scales, y: { range: symmetric } },
          axes: [
            base.axes?.[0] ?? {},
            { ...base.axes?.[1], values: (_plot, values) => values.map((value) => `${Math.abs(value)}%`) },
          ],
          series: [
            {},
            bars('from_caller', 0.35),
            bars('from_caller', 1),
            bars('from_callee', 0.35),
            bars('from_callee', 1),
            dots('from_caller'),
            dots('from_callee'),
          ],
        }),
      },
      {
        label: this.label('Jitter', 'jitter_mean_ms', 'bold: mean; thin: 95 % below; ○ RTCP; ms'),
        height: CHART_HEIGHT,
        data: [x, a.jitterP95, b.jitterP95, a.jitterMean, b.jitterMean, a.rtcpJitter, b.rtcpJitter],
        options: (base) => ({
          ...base,
          scales: { ...base.scales, y: { range: fromZero(5) } },
          series: [
            {},
            line('from_caller', 1, 0.7),
            line('from_callee', 1, 0.7),
            line('from_caller', 2),
            line('from_callee', 2),
            dots('from_caller'),
            dots('from_callee'),
          ],
        }),
      },
    ]
    for (const direction of ['from_caller', 'from_callee'] as const) {
      if (tracks[direction].heat.length === 0) continue
      plans.push({
        label: this.label(
          `Delay variation, sent by ${names[direction]}`,
          'pdv_p95_ms',
          'darker: more packets; red: above 60 ms; ms',
        ),
        height: CHART_HEIGHT,
        data: [x, tracks[direction].pdvMax],
        options: (base) => heatPlot(base, timeline, direction),
      })
    }
    plans.push({
      label: this.label('Delay, mouth to ear', 'delay_p50_ms', '○ round trip by RTCP; ms'),
      height: CHART_HEIGHT,
      data: [x, a.delay, b.delay, roundTrip],
      options: (base) => ({
        ...base,
        scales: { ...base.scales, y: { range: fromZero(50) } },
        series: [{}, line('from_caller', 2), line('from_callee', 2), dots(undefined)],
      }),
    })
    return plans
  }

  private label(title: string, field: string, legend: string): HTMLElement {
    return el('span', {}, el('b', {}, term(title, field)), el('span', { class: 'dim' }, ` ${legend}`))
  }
}

function eventsLabel(): HTMLElement {
  return el('b', {}, 'What happened')
}

export function colourOf(direction: DirectionName | undefined): string {
  return styleValue(
    direction === undefined ? '--text-dim' : direction === 'from_caller' ? '--caller' : '--callee',
  )
}

function line(direction: DirectionName, width: number, alpha = 1): uPlot.Series {
  return {
    stroke: colourOf(direction),
    width,
    alpha,
    points: { show: false },
    paths: steps,
  }
}

/** Each value over the whole of its second; neighbours are joined, gaps stay open. */
function steps(plot: uPlot, seriesIndex: number, from: number, to: number): uPlot.Series.Paths {
  const stroke = new Path2D()
  const [x, values] = [plot.data[0], plot.data[seriesIndex]]
  let joined = false
  for (let i = from; i <= to && i < x.length - 1; i++) {
    const value = values[i]
    if (value === null || value === undefined) {
      joined = false
      continue
    }
    const y = Math.round(plot.valToPos(value, 'y', true))
    const left = Math.round(plot.valToPos(x[i], 'x', true))
    if (joined) stroke.lineTo(left, y)
    else stroke.moveTo(left, y)
    stroke.lineTo(Math.round(plot.valToPos(x[i + 1], 'x', true)), y)
    joined = true
  }
  return { stroke }
}

function bars(direction: DirectionName, alpha: number): uPlot.Series {
  const colour = colourOf(direction)
  return {
    stroke: colour,
    fill: colour,
    alpha,
    width: 0,
    points: { show: false },
    paths: uPlot.paths.bars?.({ size: [0.9, Infinity, 2], align: 1 }),
  }
}

function dots(direction: DirectionName | undefined): uPlot.Series {
  const colour = colourOf(direction)
  return {
    stroke: colour,
    width: 0,
    paths: () => null,
    points: { show: true, size: 7, width: 1.5, stroke: colour, fill: styleValue('--surface') },
  }
}

function total(
  loss: readonly (number | null)[],
  late: readonly (number | null)[],
  sign: number,
): (number | null)[] {
  return loss.map((value, i) => (value === null ? null : sign * (value + (late[i] ?? 0))))
}

function symmetric(_plot: uPlot, low: number, high: number): [number, number] {
  const most = Math.max(2, Math.abs(low ?? 0), Math.abs(high ?? 0)) * 1.1
  return [-most, most]
}

function fromZero(least: number): (plot: uPlot, low: number, high: number) => [number, number] {
  return (_plot, _low, high) => [0, Math.max(least, (high ?? 0) * 1.1)]
}
