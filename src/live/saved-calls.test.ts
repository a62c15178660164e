import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { openFiles } from '../capture/open.js'
import { DEFAULT_CONFIG } from '../config/config.js'
import { Probe } from '../pipeline/probe.js'
import type { SipCall } from '../sip/call.js'
import { saveCalls, takeSavedCalls } from './saved-calls.js'

const scratch = mkdtempSync(join(tmpdir(), 'callprobe-saved-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))
let files = 0
const newPath = (): string => join(scratch, String(files++), 'open-calls.json')

/** The call of a fixture as the tracker has it in the middle of the talk. */
async function openCall(fixture: string): Promise<SipCall> {
  const probe = new Probe(DEFAULT_CONFIG, 'file', () => {})
  const source = await openFiles([new URL(`../../fixtures/${fixture}.pcap`, import.meta.url).pathname])
  for (let batch = await source.next(); batch !== null; batch = await source.next()) {
    for (let k = batch.first; k < batch.end; k++) {
      probe.onBatch({ ...batch, first: k, end: k + 1 })
      const [call] = probe.tracker.openCalls()
      if (call?.ackMs !== undefined) {
        await source.close()
        return call
      }
    }
  }
  throw new Error('no call was open')
}

describe('calls that are open at the end', () => {
  it.each(['sipp-g711', 'baresip-opus-random-loss', 'sipp-tcp-challenge-ipv6'])(
    'of %s are known again as they were, and once only',
    async (fixture) => {
      const call = await openCall(fixture)
      const path = newPath()
      saveCalls(path, [call], 1000)
      expect(statSync(path).mode & 0o777).toBe(0o600)
      const taken = takeSavedCalls(path, 2000, 60_000)
      if ('problem' in taken) throw new Error(taken.problem)
      const { callerMedia, calleeMedia, mediaHistory, ...rest } = call
      const [{ callerMedia: caller, calleeMedia: callee, mediaHistory: history, ...others }] = taken
      expect(others).toMatchObject(JSON.parse(JSON.stringify({ ...rest, rewriteClues: undefined })))
      expect(caller?.media).toEqual(JSON.parse(JSON.stringify(callerMedia?.media)))
      expect(callee?.media).toEqual(JSON.parse(JSON.stringify(calleeMedia?.media)))
      expect(history).toHaveLength(mediaHistory.length)
      expect(existsSync(path)).toBe(false)
      expect(takeSavedCalls(path, 2000, 60_000)).toEqual([])
    },
  )

  it('of long ago are over', async () => {
    const path = newPath()
    saveCalls(path, [await openCall('sipp-g711')], 1000)
    expect(takeSavedCalls(path, 1000 + 60_001, 60_000)).toEqual([])
  })

  it('in a damaged file, or one that something else wrote, are left alone with a message', async () => {
    const path = newPath()
    saveCalls(path, [await openCall('sipp-g711')], 1000)
    const text = readFileSync(path, 'utf8')
    for (const [content, message] of [
      [text.slice(0, text.length / 2), /is damaged/],
      [text.replace('"vlan":-1', '"vlan":"none"'), /of another version/],
      [text.replace('"version":1', '"version":2'), /of another version/],
      ['[]', /of another version/],
    ] as const) {
      writeFileSync(path, content)
      expect(takeSavedCalls(path, 2000, 60_000)).toEqual({ problem: expect.stringMatching(message) })
      expect(existsSync(path)).toBe(false)
    }
  })
})
