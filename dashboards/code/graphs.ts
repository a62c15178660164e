import * as bargauge from '@grafana/grafana-foundation-sdk/bargauge'
import * as stat from '@grafana/grafana-foundation-sdk/stat'
import * as timeseries from '@grafana/grafana-foundation-sdk/timeseries'
import { applyCommon, colorBy, common, dashboard, type PanelBuilder, type PanelSpec } from './panel.js'

export interface GraphSpec extends PanelSpec {
  /** Areas on top of each other: parts of a whole (`percent` fills to 100 %), or kinds of one thing. */
  stack?: 'normal' | 'percent'
  bars?: boolean
  /** No area under the lines: on a scale that does not begin at 0 it means nothing. */
  bare?: boolean
  /** Draws the steps as lines. */
  showSteps?: boolean
  /** Points of a call's intervals: also a single one has to be seen. */
  points?: boolean
  /** Fixed colours by series name. */
  colors?: Readonly<Record<string, string>>
  /** Series whose line is dashed: what another party says about the same. */
  dashed?: readonly string[]
  /** Values in the legend's table. */
  legend?: readonly ('mean' | 'max' | 'min' | 'lastNotNull' | 'sum')[]
  axisLabel?: string
}

const MILLISECONDS_BETWEEN_POINTS = 60_000

/** A graph over time. Gaps stay gaps: nothing was measured there. */
export function graph(spec: GraphSpec): PanelBuilder {
  const panel = new timeseries.PanelBuilder()
  applyCommon(panel, spec, 'time_series')
  const legend = new common.VizLegendOptionsBuilder()
    .showLegend(true)
    .placement(common.LegendPlacement.Bottom)
    .displayMode(spec.legend === undefined ? common.LegendDisplayMode.List : common.LegendDisplayMode.Table)
    .calcs([...(spec.legend ?? [])])
  panel
    .legend(legend)
    .tooltip(
      new common.VizTooltipOptionsBuilder()
        .mode(common.TooltipDisplayMode.Multi)
        .sort(spec.stack === undefined ? common.SortOrder.Descending : common.SortOrder.None),
    )
    .colorScheme(colorBy(dashboard.FieldColorModeId.PaletteClassicByName))
    .drawStyle(spec.bars ? common.GraphDrawStyle.Bars : common.GraphDrawStyle.Line)
    .lineWidth(spec.stack === undefined ? 2 : 1)
    .fillOpacity(fillOpacity(spec))
    .showPoints(spec.points ? common.VisibilityMode.Always : common.VisibilityMode.Auto)
    .pointSize(spec.points ? 6 : 4)
    // A call's intervals are drawn joined unless over a minute of them is missing.
    .spanNulls(spec.points ? MILLISECONDS_BETWEEN_POINTS : false)
    .thresholdsStyle(
      new common.GraphThresholdsStyleConfigBuilder().mode(
        spec.showSteps ? common.GraphThresholdsStyleMode.Dashed : common.GraphThresholdsStyleMode.Off,
      ),
    )
  if (spec.axisLabel !== undefined) panel.axisLabel(spec.axisLabel)
  if (spec.stack !== undefined) {
    const mode = spec.stack === 'percent' ? common.StackingMode.Percent : common.StackingMode.Normal
    panel.stacking(new common.StackingConfigBuilder().mode(mode).group('A'))
  }
  for (const [series, color] of Object.entries(spec.colors ?? {}))
    panel.overrideByName(series, [{ id: 'color', value: { mode: 'fixed', fixedColor: color } }])
  for (const series of spec.dashed ?? [])
    panel.overrideByName(series, [
      { id: 'custom.lineStyle', value: { fill: 'dash', dash: [8, 6] } },
      { id: 'custom.fillOpacity', value: 0 },
    ])
  return panel
}

function fillOpacity({ stack, bars: asBars, bare }: GraphSpec): number {
  if (bare) return 0
  if (stack !== undefined) return 70
  return asBars ? 80 : 8
}

export interface StatSpec extends PanelSpec {
  /** What becomes of the points: the last (default), their sum, their greatest. */
  calc?: 'lastNotNull' | 'sum' | 'max' | 'mean' | 'min'
  sparkline?: boolean
  /** Shows a string field. */
  text?: boolean
  /** Colours of text values. */
  values?: Readonly<Record<string, string>>
  /** Fills the tile with its colour: for what decides whether the rest can be trusted. */
  filled?: boolean
}

/** One number, coloured by its steps. */
export function stat_(spec: StatSpec): PanelBuilder {
  const panel = new stat.PanelBuilder()
  applyCommon(panel, { height: 4, ...spec }, spec.text ? 'table' : 'time_series')
  panel
    .colorScheme(colorBy(dashboard.FieldColorModeId.Thresholds))
    .graphMode(spec.sparkline ? common.BigValueGraphMode.Area : common.BigValueGraphMode.None)
    .colorMode(spec.filled ? common.BigValueColorMode.BackgroundSolid : common.BigValueColorMode.Value)
    .textMode(common.BigValueTextMode.Value)
    .reduceOptions(
      new common.ReduceDataOptionsBuilder()
        .calcs([spec.calc ?? 'lastNotNull'])
        .values(false)
        // Numbers, or everything but the time when it is a text.
        .fields(spec.text ? '/^(?!Time$).*$/' : ''),
    )
  if (spec.values !== undefined) {
    const options = Object.entries(spec.values).map(([text, color], index) => [text, { text, color, index }])
    panel.mappings([{ type: dashboard.MappingType.ValueToText, options: Object.fromEntries(options) }])
  }
  return panel
}

/** Bars by name, for parts of a whole. */
export function bars(spec: PanelSpec & { calc?: 'sum' | 'lastNotNull' | 'mean' }): PanelBuilder {
  const panel = new bargauge.PanelBuilder()
  applyCommon(panel, spec, 'time_series')
  panel
    .colorScheme(colorBy(dashboard.FieldColorModeId.Thresholds))
    .orientation(common.VizOrientation.Horizontal)
    .displayMode(common.BarGaugeDisplayMode.Basic)
    .valueMode(common.BarGaugeValueMode.Text)
    .namePlacement(common.BarGaugeNamePlacement.Left)
    .showUnfilled(false)
    .reduceOptions(
      new common.ReduceDataOptionsBuilder()
        .calcs([spec.calc ?? 'sum'])
        .values(false)
        .fields(''),
    )
  return panel
}
