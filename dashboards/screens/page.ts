import type { Dashboard, Frame, Panel } from '../../test/dashboards/grafana.js'
import { escapeHtml } from './format.js'
import { drawPanel, type Drawing } from './panels.js'

const COLUMN = 60
const ROW = 34
const GAP = 8
const HEADING = 30

const STYLE = `
*{box-sizing:border-box}body{margin:0;background:#111217;color:#d8dce2;font:13px/1.35 Inter,"DejaVu Sans",Arial,sans-serif;width:${24 * COLUMN + 2 * GAP}px}
header{padding:16px ${GAP + 6}px 10px;display:flex;justify-content:space-between;align-items:baseline;gap:24px}
h1{font-size:21px;margin:0;color:#fff;font-weight:600}header p{margin:0;color:#9aa3ae;font-size:12.5px}
main{position:relative}section{position:absolute;background:#181b1f;border:1px solid #23272e;border-radius:4px;overflow:hidden}
section h2{font-size:13.5px;font-weight:600;margin:0;padding:7px 10px 3px;height:${HEADING}px;white-space:nowrap;overflow:hidden;text-overflow:ellipsis;color:#e4e7eb}
.row{position:absolute;padding:6px 12px;font-size:14.5px;font-weight:600;color:#fff}
svg text{fill:#8d96a1;font-size:11px}.grid{stroke:#262b32;stroke-width:1}
.legend{padding:2px 12px;display:flex;flex-wrap:wrap;gap:3px 16px;font-size:12px}.legend i{display:inline-block;width:14px;height:4px;border-radius:2px;margin-right:6px;vertical-align:middle}
.legend em{font-style:normal;color:#8d96a1}.legend b{font-weight:400;color:#6f7883;margin-left:6px}
.stat{height:calc(100% - ${HEADING}px);display:flex;align-items:center;justify-content:center;font-weight:600;letter-spacing:-.5px}.stat.filled{color:#0d0f12!important}
.empty{height:calc(100% - ${HEADING}px);display:flex;align-items:center;justify-content:center;color:#6f7883}
table{border-collapse:collapse;width:100%;font-size:12.5px}.rows th{text-align:left;color:#8d96a1;font-weight:500;padding:4px 9px;border-bottom:1px solid #2b3038;white-space:nowrap}
.rows td{padding:4px 9px;border-bottom:1px solid #20242a;white-space:nowrap;max-width:420px;overflow:hidden;text-overflow:ellipsis}.rows td.wrap{white-space:normal;max-width:none}
td.number{text-align:right;font-variant-numeric:tabular-nums}.rows td.number{text-align:left}u{text-decoration-color:#4b5563;text-underline-offset:3px}
.bars{margin:8px 10px;width:calc(100% - 20px)}.bars td{padding:5px 6px}.bars td.bar{width:65%}.bars .bar div{height:16px;background:#73bf69;border-radius:2px;min-width:1px}
`

export interface Shown {
  panel: Panel
  frames: Frame[]
}

/** A dashboard as a page: Grafana's grid, our drawing. */
export function htmlPage(
  dashboard: Dashboard,
  shown: readonly Shown[],
  note: string,
  view: Omit<Drawing, 'width' | 'height'>,
): string {
  const bottom = Math.max(...dashboard.panels.map(({ gridPos }) => gridPos.y + gridPos.h))
  const rows = dashboard.panels
    .filter(({ type }) => type === 'row')
    .map(
      ({ gridPos, title }) =>
        `<div class="row" style="top:${gridPos.y * ROW}px;left:${GAP}px">${escapeHtml(title)}</div>`,
    )
  const panels = shown.map(({ panel, frames }) => {
    const { x, y, w, h } = panel.gridPos
    const [width, height] = [w * COLUMN - GAP, h * ROW - GAP]
    const inside = drawPanel(panel, frames, { ...view, width: width - 2, height: height - HEADING - 4 })
    return `<section style="left:${GAP + x * COLUMN}px;top:${y * ROW}px;width:${width}px;height:${height}px"><h2>${escapeHtml(panel.title)}</h2>${inside}</section>`
  })
  return `<!doctype html><meta charset="utf-8"><title>${escapeHtml(dashboard.title)}</title><style>${STYLE}</style>
<header><h1>${escapeHtml(dashboard.title)}</h1><p>${escapeHtml(note)}</p></header>
<main style="height:${bottom * ROW}px">${rows.join('')}${panels.join('')}</main>`
}
