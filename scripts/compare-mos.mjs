// node scripts/compare-mos.mjs: the table "MOS beside other tools" of docs/metrics.md, from a built checkout.
import { comparisonTable } from './lib/mos-of-other-tools.mjs'
import { findCodecByName } from '../.build/quality/codec-names.js'
import { scoreExactly } from '../.build/quality/mos.js'

const codec = findCodecByName('PCMU')
console.log(
  comparisonTable((lossPercent, delayMs) => scoreExactly({ codec, lossPercent, burstRatio: 1, delayMs })),
)
