import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, it } from 'vitest'
import type { CallRecord } from '../src/calls/records.js'
import { inNamespaces, LiveProbe, requireLive } from './helpers/live.js'
import { ROOT } from './helpers/programs.js'
import { replayBytes } from './helpers/replay.js'

const scratch = mkdtempSync(join(tmpdir(), 'callprobe-rtcp-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const SCENARIO = `
seed: 5
calls:
  - repeat: { count: 10, spacing_s: 0.05 }
    duration_s: 8
    rtcp: { interval_s: 1 }
    media:
      from_caller: { loss: { gilbert: { p: 0.03, q: 0.3 }, where: before_tap } }
      from_callee: { loss: { gilbert: { p: 0.03, q: 0.3 }, where: after_tap } }
  - repeat: { count: 10, spacing_s: 0.05 }
    at_s: 0.2
    duration_s: 8
    rtcp: { interval_s: 1 }
    mirror: { drop_percent: 5 }
`

/** What RTCP says beside the tap's own count: none of it depends on how punctual the player is. */
function lossesOf(call: CallRecord): unknown {
  const ofDirection = (name: 'from_caller' | 'from_callee'): unknown => {
    const { packets, lost, rtcp_lost } = call.media[name] ?? {}
    return { packets, lost, rtcp_lost }
  }
  const findings = call.findings
    .filter(({ code }) => code.startsWith('loss_') || code === 'capture_unreliable')
    .map(({ code, direction, evidence }) => {
      const counts = Object.entries(evidence).filter(([key]) => !key.startsWith('mos_'))
      return { code, direction, evidence: Object.fromEntries(counts) }
    })
  return {
    id: call.call_id,
    mirrorLoss: call.validity.mirror_loss,
    caller: ofDirection('from_caller'),
    callee: ofDirection('from_callee'),
    findings,
  }
}

function byId(calls: readonly CallRecord[]): unknown[] {
  return [...calls].sort((a, b) => (a.call_id < b.call_id ? -1 : 1)).map(lossesOf)
}

describe.skipIf(!requireLive('tcpreplay'))('RTCP of calls measured live', () => {
  for (const workers of ['1', '2'])
    it(
      `tells loss before the tap, behind it and in the mirror apart as a replay does, with --workers ${workers}`,
      { timeout: 60_000 },
      inNamespaces(async (namespaces) => {
        const [scenario, capture] = [join(scratch, 'losses.yaml'), join(scratch, `losses-${workers}.pcap`)]
        writeFileSync(scenario, SCENARIO)
        execFileSync(process.execPath, [join(ROOT, 'bin/callprobe'), 'generate', scenario, capture], {
          stdio: 'pipe',
        })
        const wire = namespaces.wire()
        const probe = await LiveProbe.start(namespaces, wire, join(scratch, `losses-${workers}.ndjson`), [
          ...['-i', 'tap0', '--workers', workers],
        ])
        await namespaces.replay(wire, capture)
        await sleep(500)
        expect(await probe.stop()).toBe(0)
        const { calls } = await replayBytes(readFileSync(capture))
        expect(calls).toHaveLength(20)
        expect(calls.some(({ validity }) => (validity.mirror_loss ?? 0) > 0)).toBe(true)
        expect(byId(probe.calls())).toEqual(byId(calls))
      }),
    )
})
