import type { DirectionName } from './data.js'
import { styleValue } from './dom.js'
import { HEAT_BANDS, HEAT_EDGES_MS } from './second-codes.js'
import type { Timeline } from './timeline.js'

/** First band that a burst second is made of (PDV above 60 ms). */
const BURST_BAND = HEAT_EDGES_MS.indexOf(60) + 1
const LABELLED = [10, 30, 60, 200]

/**
 * Delay variation as a strip of cells: a column per second, a band per range of ms, darker the more of the second's
 * packets lie in it. A single packet shows; bands above 60 ms are red. Seconds with loss have a mark on top.
 */
export function heatPlot(base: uPlot.Options, timeline: Timeline, direction: DirectionName): uPlot.Options {
  const track = timeline.tracks[direction]
  return {
    ...base,
    scales: { ...base.scales, y: { range: [0, HEAT_BANDS + 0.9] } },
    axes: [
      base.axes?.[0] ?? {},
      {
        ...base.axes?.[1],
        splits: () => LABELLED.map((edge) => HEAT_EDGES_MS.findIndex((known) => known === edge) + 1),
        values: () => LABELLED.map(String),
      },
    ],
    series: [{}, { stroke: 'transparent', width: 0, points: { show: false }, paths: () => null }],
    hooks: {
      ...base.hooks,
      drawClear: [(plot) => drawCells(plot, timeline, track.heat, track.lossPercent, track.latePercent)],
    },
  }
}

function drawCells(
  plot: uPlot,
  { x, step }: Timeline,
  heat: readonly (readonly (number | null)[])[],
  loss: readonly (number | null)[],
  late: readonly (number | null)[],
): void {
  const { ctx } = plot
  const { left, top, width, height } = plot.bbox
  const calm = styleValue('--heat-calm')
  const burst = styleValue('--heat-burst')
  const lossColour = styleValue('--loss')
  const lateColour = styleValue('--late')
  ctx.save()
  ctx.beginPath()
  ctx.rect(left, top, width, height)
  ctx.clip()
  const floor = Math.max(1, devicePixelRatio)
  for (let i = 0; i < x.length - 1; i++) {
    const from = plot.valToPos(x[i], 'x', true)
    const to = plot.valToPos(x[i] + step, 'x', true)
    if (to < left || from > left + width) continue
    const cell = Math.max(floor, to - from - (to - from > 4 ? 1 : 0))
    for (let band = 0; band < HEAT_BANDS; band++) {
      const share = heat[band]?.[i]
      if (!share) continue
      const high = plot.valToPos(band + 1, 'y', true)
      const low = plot.valToPos(band, 'y', true)
      ctx.globalAlpha =
        (band >= BURST_BAND ? 0.45 : 0.14) + (band >= BURST_BAND ? 0.55 : 0.86) * Math.sqrt(share)
      ctx.fillStyle = band >= BURST_BAND ? burst : calm
      ctx.fillRect(from, high, cell, low - high)
    }
    const lost = (loss[i] ?? 0) > 0
    if (lost || (late[i] ?? 0) > 0) {
      ctx.globalAlpha = 1
      ctx.fillStyle = lost ? lossColour : lateColour
      ctx.fillRect(from, top, cell, plot.valToPos(HEAT_BANDS + 0.2, 'y', true) - top)
    }
  }
  ctx.restore()
}
