import type { Finding } from '../records.js'
import { addressingFindings } from './addressing.js'
import { codecFindings } from './codec.js'
import type { CallEvidence } from './evidence.js'
import { jitterFindings } from './jitter.js'
import { lossFindings } from './loss.js'
import { captureFaults } from './mirror.js'
import { inOrder } from './order.js'
import { presenceFindings } from './presence.js'
import { signallingFindings } from './signalling.js'

/**
 * Every finding of a call, ordered by what to look at first. A pure function of the evidence. What the capture itself got
 * wrong is found first, and keeps the others from being blamed on the network.
 */
export function findingsOf(call: CallEvidence): Finding[] {
  const faults = captureFaults(call)
  return inOrder([
    ...faults.findings,
    ...presenceFindings(call, faults),
    ...lossFindings(call, faults),
    ...jitterFindings(call, faults),
    ...addressingFindings(call),
    ...codecFindings(call),
    ...signallingFindings(call, faults),
  ])
}
