import type { EventView } from './data.js'
import { styleValue } from './dom.js'
import type { Timeline } from './timeline.js'

/** Signalling, caller, callee. */
const LANES = 3
const LANE_HEIGHT = 20
export const LANES_HEIGHT = LANES * LANE_HEIGHT + 6
const LANE_NAMES = ['SIP', 'caller', 'callee']

/** Events on three lanes: signalling, and what each direction did. Stretches are bars, moments are marks. */
export function eventLanes(base: uPlot.Options, timeline: Timeline): uPlot.Options {
  return {
    ...base,
    scales: { ...base.scales, y: { range: [0, LANES] } },
    axes: [
      base.axes?.[0] ?? {},
      {
        ...base.axes?.[1],
        grid: { show: false },
        splits: () => [2.5, 1.5, 0.5],
        values: () => LANE_NAMES,
      },
    ],
    series: [{}, { stroke: 'transparent', width: 0, points: { show: false }, paths: () => null }],
    hooks: { ...base.hooks, draw: [(plot) => drawLanes(plot, timeline)] },
  }
}

function laneOf({ direction }: EventView): number {
  return direction === undefined ? 0 : direction === 'from_caller' ? 1 : 2
}

function drawLanes(plot: uPlot, { events, originMs, tracks, x, step }: Timeline): void {
  const { ctx } = plot
  const { left, top, width, height } = plot.bbox
  const ratio = devicePixelRatio
  const lane = height / LANES
  const at = (timeMs: number): number => plot.valToPos((timeMs - originMs) / 1000, 'x', true)
  ctx.save()
  ctx.beginPath()
  ctx.rect(left, top, width, height)
  ctx.clip()
  // Where there is media, the lane has a floor.
  for (const [place, direction] of (['from_caller', 'from_callee'] as const).entries()) {
    ctx.fillStyle = styleValue(direction === 'from_caller' ? '--caller' : '--callee')
    ctx.globalAlpha = 0.22
    const { packets } = tracks[direction]
    for (let i = 0; i < x.length - 1; i++) {
      if (!packets[i]) continue
      const from = plot.valToPos(x[i], 'x', true)
      ctx.fillRect(
        from,
        top + lane * (place + 1.72),
        plot.valToPos(x[i] + step, 'x', true) - from + 0.5,
        lane * 0.2,
      )
    }
  }
  ctx.globalAlpha = 1
  ctx.font = `${11 * ratio}px system-ui, sans-serif`
  ctx.textBaseline = 'middle'
  ctx.textAlign = 'left'
  const free = [-Infinity, -Infinity, -Infinity]
  for (const event of events) {
    const place = laneOf(event)
    const from = at(event.timeMs)
    const y = top + lane * place
    ctx.fillStyle = colourFor(event)
    if (event.endMs !== undefined) {
      ctx.globalAlpha = 0.35
      ctx.fillRect(from, y + lane * 0.1, Math.max(2 * ratio, at(event.endMs) - from), lane * 0.8)
      ctx.globalAlpha = 1
    }
    ctx.fillRect(from - ratio / 2, y + lane * 0.1, 1.5 * ratio, lane * 0.8)
    const text = event.text
    const textWidth = ctx.measureText(text).width
    if (from + 4 * ratio < free[place] || from > left + width) continue
    ctx.fillStyle = styleValue('--text')
    const right = from + 5 * ratio
    const before = from - textWidth - 5 * ratio
    const fits = right + textWidth <= left + width
    if (!fits && before < Math.max(left, free[place])) continue
    ctx.fillText(text, fits ? right : before, y + lane * 0.46)
    free[place] = from + textWidth + 10 * ratio
  }
  ctx.restore()
}

function colourFor({ kind, direction }: EventView): string {
  if (kind === 'gap' || kind === 'burst') return styleValue('--loss')
  if (kind === 'hold') return styleValue('--late')
  if (kind === 'signalling') return styleValue('--text-dim')
  return styleValue(direction === 'from_caller' ? '--caller' : '--callee')
}
