// MOS formulas of other open tools, as their sources have them, and a table of them beside the E-model: for
// docs/metrics.md. Written from the formulas; for comparison only, nothing in the product uses it.
// All take random loss in percent and a one-way delay in ms without jitter. What they know of a call differs, so each
// gets these in its own terms: see `assumptions` of docs/metrics.md.

/** G.107 Annex B, which most of them use. */
function mosOfR(r) {
  if (r <= 0) return 1
  if (r >= 100) return 4.5
  return Math.max(1, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6)
}

/** Cole and Rosenbluth's fit of the delay impairment. */
function coleRosenbluth(delayMs) {
  return 0.024 * delayMs + (delayMs > 177.3 ? 0.11 * (delayMs - 177.3) : 0)
}

/** PingPlotter's rule: 1 point of R per 40 ms of effective latency, then 1 per 10 ms. */
function pingPlotter(roundTripMs) {
  const latency = roundTripMs + 10
  return 93.2 - (latency < 160 ? latency / 40 : (latency - 120) / 10)
}

/** OPAL's Id of its end-system delay. */
function opalDelay(delayMs) {
  if (delayMs < 300) return coleRosenbluth(delayMs)
  if (delayMs >= 600) return 44
  const coefficients = [-0.1698, 0.103, -0.001802, 1.344e-5, -3.903e-8, 5.062e-11, -2.468e-14]
  return coefficients.reduce((sum, factor, power) => sum + factor * delayMs ** power, 0)
}

/** Packets between two RTCP reports: Asterisk charges the packets lost in that time, not a share of them. */
const PACKETS_PER_REPORT = 250

/** @type {Record<string, (lossPercent: number, delayMs: number) => number>} */
export const OTHER_TOOLS = {
  SIP3: (loss) => mosOfR(93.2 - (95 * loss) / (loss + 4.3)),
  VoIPmonitor: (loss) => {
    if (loss === 0) return 4.5
    if (loss > 50) return 1
    const r = 93.2062077233 - (95 * loss) / (loss + 17.2647)
    const mos = 2.06405 + 0.031738 * r - 0.000356641 * r ** 2 + 2.93143e-6 * r ** 3
    return Math.min(4.5, Math.max(1, mos))
  },
  rtpengine: (loss, delayMs) => {
    // RTCP's fraction lost, in whole percent.
    const r = loss > 93 ? 0 : 93.2 - Math.floor((Math.floor((loss / 100) * 256) * 100) / 256)
    const mos = mosOfR(0.18 * r * r - 27.9 * r + 1126.62 - coleRosenbluth(delayMs))
    return Math.floor(mos * 10 + 1e-9) / 10
  },
  Asterisk: (loss, delayMs) => {
    const r = pingPlotter(2 * delayMs) - 2 * (loss / 100) * PACKETS_PER_REPORT
    // The factor is 7e-7 there, not the 7e-6 of G.107; the score is this times 20.
    return r < 0 ? 1 : r > 100 ? 4.5 : 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-7
  },
  FreeSWITCH: (loss) => {
    if (loss === 0) return 4.5
    const received = 100 - loss
    return mosOfR(Math.trunc((100 * (received - loss)) / received))
  },
  OPAL: (loss, delayMs) => mosOfR(Math.ceil(93.4 - opalDelay(delayMs) - (95 * loss) / (loss + 25.1))),
}

export const LOSSES = [0, 0.8, 1, 3, 5]
export const DELAYS_MS = [20, 150, 300]

/**
 * The table in Markdown.
 * @param {(lossPercent: number, delayMs: number) => {mosLq: number, mosCq: number}} ours
 */
export function comparisonTable(ours) {
  const names = Object.keys(OTHER_TOOLS)
  const lines = [
    ['loss %', 'delay ms', '`mos_lq`', '`mos_cq`', ...names],
    Array.from({ length: 4 + names.length }, () => '---:'),
  ]
  for (const delayMs of DELAYS_MS) {
    for (const loss of LOSSES) {
      const { mosLq, mosCq } = ours(loss, delayMs)
      const others = names.map((name) => OTHER_TOOLS[name](loss, delayMs))
      lines.push([`${loss}`, `${delayMs}`, ...[mosLq, mosCq, ...others].map((mos) => mos.toFixed(2))])
    }
  }
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}
