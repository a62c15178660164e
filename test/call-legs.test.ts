import { describe, expect, it } from 'vitest'
import { isEmergency } from '../src/calls/emergency.js'
import type { CallRecord } from '../src/calls/records.js'
import { openFiles } from '../src/capture/open.js'
import { DEFAULT_CONFIG } from '../src/config/config.js'
import type { CallSpec } from '../src/generate/scenario.js'
import { Probe } from '../src/pipeline/probe.js'
import { runLadder, totalOf } from './helpers/ladder-run.js'
import { sharedPath } from './helpers/programs.js'
import { replayScenario } from './helpers/replay.js'

/** Phone (alice) calls through a B2BUA (proxy), which calls bob with a Call-ID of its own. */
function throughB2bua({
  first = '',
  second = '',
  secondMs = 60,
  firstSdp = '10.0.0.1:4000',
  secondSdp = '10.0.0.9:6000',
  hosts = 'proxy>bob',
  to = 'bob',
} = {}): string {
  const back = hosts.split('>').reverse().join('>')
  const lines = `
  0     alice>proxy INVITE      1 a>   z1 call=one to=${to} sdp=${firstSdp} ${first}
  10    proxy>alice 100 INVITE  1 a>   z1 call=one to=${to}
  ${secondMs} ${hosts} INVITE 1 a2> y1 call=two to=${to} sdp=${secondSdp} ${second}
  ${secondMs + 20} ${back} 180 INVITE 1 a2>b y1 call=two
  1950  proxy>alice 180 INVITE  1 a>b  z1 call=one
  ${secondMs + 1000} ${back} 200 INVITE 1 a2>b y1 call=two sdp=10.0.0.2:5000
  ${secondMs + 1010} ${hosts} ACK 1 a2>b y2 call=two
  2010  proxy>alice 200 INVITE  1 a>b  z1 call=one sdp=10.0.0.9:6002
  2020  alice>proxy ACK         1 a>b  z2 call=one
  9000  alice>proxy BYE         2 a>b  z3 call=one
  9010  proxy>alice 200 BYE     2 a>b  z3 call=one
  9020 ${hosts} BYE 2 a2>b y3 call=two
  9030 ${back} 200 BYE 2 a2>b y3 call=two`
  const byTime = (a: string, b: string): number => parseInt(a) - parseInt(b)
  return lines.trim().split('\n').sort(byTime).join('\n')
}

function legs(calls: readonly CallRecord[]) {
  return Object.fromEntries(
    calls.map((call) => [
      call.call_id,
      [call.leg, call.leg_of, call.leg_confidence, call.leg_evidence, call.related_calls],
    ]),
  )
}

describe('legs of one call through a B2BUA', () => {
  it('have the same Session-ID (RFC 7989): sure', () => {
    const id = 'ab30317f1a784dc48ff824d0d3715d86'
    const { calls } = runLadder(
      throughB2bua({
        first: `Session-ID:${id};remote=00000000000000000000000000000000`,
        second: `Session-ID:${id.toUpperCase()};remote=00000000000000000000000000000000`,
        to: 'bob',
        hosts: 'dave>bob',
        secondMs: 900,
      }),
    )
    expect(legs(calls)).toEqual({
      one: ['first', undefined, 'high', 'session_id', ['two']],
      two: ['further', 'one', 'high', 'session_id', ['one']],
    })
  })

  it('have no all-zero Session-ID in common, which means that it is not known', () => {
    const zero = `Session-ID:${'0'.repeat(32)}`
    const { calls } = runLadder(
      throughB2bua({ first: zero, second: zero, hosts: 'carol>dave', to: 'x', secondMs: 3000 }),
    )
    expect(calls.map((call) => call.leg)).toEqual([undefined, undefined])
  })

  it('name the first leg in a header of the second, or share an identifier: sure', () => {
    const named = runLadder(
      throughB2bua({ second: 'X-CID:one-and-only', first: '' }).replaceAll('call=one', 'call=one-and-only'),
    )
    expect(legs(named.calls).two).toEqual(['further', 'one-and-only', 'high', 'header', ['one-and-only']])
    const icid = 'P-Charging-Vector:icid-value="1234bc9876e";icid-generated-at=192.0.6.8'
    const shared = runLadder(throughB2bua({ first: icid, second: icid, hosts: 'carol>dave', secondMs: 1900 }))
    expect(legs(shared.calls).two).toEqual(['further', 'one', 'high', 'header', ['one']])
  })

  it('offer the same media address when the B2BUA passes media: sure, whatever the numbers', () => {
    const { calls } = runLadder(
      throughB2bua({ secondSdp: '10.0.0.1:4000', hosts: 'carol>dave' }).replaceAll(
        'call=two to=bob',
        'call=two to=4711',
      ),
    )
    expect(legs(calls).two).toEqual(['further', 'one', 'high', 'media', ['one']])
  })

  it('have the same numbers, follow on each other and meet at one host: likely', () => {
    const { calls } = runLadder(throughB2bua())
    expect(legs(calls)).toEqual({
      one: ['first', undefined, 'medium', 'numbers', ['two']],
      two: ['further', 'one', 'medium', 'numbers', ['one']],
    })
  })

  it('are told by numbers also when prefixes differ', () => {
    const { calls } = runLadder(
      throughB2bua({ to: '+49301234567' }).replace('call=two to=+49301234567', 'call=two to=0301234567'),
    )
    expect(legs(calls).two?.[0]).toBe('further')
  })

  it('are not two calls of one caller to one callee (load test, redial)', () => {
    const loadTest = throughB2bua({ hosts: 'alice>proxy' })
    expect(runLadder(loadTest).calls.map((call) => call.leg)).toEqual([undefined, undefined])
  })

  it('are not a call that begins after the first was answered, or seconds after it', () => {
    expect(runLadder(throughB2bua({ secondMs: 2100 })).calls.map((call) => call.leg)).toEqual([
      undefined,
      undefined,
    ])
    const unanswered = throughB2bua({ secondMs: 4100 })
      .replace(/^2010.*\n/m, '')
      .replace(/^2020.*\n/m, '')
    expect(runLadder(unanswered).calls.map((call) => call.leg)).toEqual([undefined, undefined])
  })

  it('are a guess when only the number called is the same, and then count as two calls', () => {
    const { calls, points } = runLadder(
      throughB2bua().replaceAll(' a2>', ' c2>'), // the From of the second leg is carol
    )
    expect(legs(calls).two?.slice(0, 4)).toEqual(['further', 'one', 'low', 'numbers'])
    expect(totalOf(points, 'voip_signalling_1h', { leg: 'first' }).attempts).toBe(2)
  })

  it('keep the SSRC of their media through the B2BUA: then what was likely is sure', async () => {
    const leg = (from: string, to: string, atS: number, ssrc: number): CallSpec => ({
      at_s: atS,
      duration_s: 6,
      caller: { address: from, user: '4930111' },
      callee: { address: to, user: '4930222' },
      media: { from_caller: { ssrc }, from_callee: { ssrc: ssrc + 1 } },
    })
    const confidences = async (secondSsrc: number): Promise<unknown[]> => {
      const calls = [leg('10.0.0.1', '10.0.0.9', 0, 1000), leg('10.0.0.9', '10.0.0.2', 0.1, secondSsrc)]
      const replayed = await replayScenario({ calls })
      return replayed.calls.map((call) => [call.leg, call.leg_confidence, call.leg_evidence])
    }
    expect(await confidences(1000)).toEqual([
      ['first', 'high', 'media'],
      ['further', 'high', 'media'],
    ])
    expect(await confidences(2000)).toEqual([
      ['first', 'medium', 'numbers'],
      ['further', 'medium', 'numbers'],
    ])
  })

  it('count once in the KPIs: the further leg under a tag of its own', () => {
    const { points } = runLadder(throughB2bua())
    const first = totalOf(points, 'voip_signalling_1h', { leg: 'first' })
    const further = totalOf(points, 'voip_signalling_1h', { leg: 'further' })
    expect([first.attempts, first.answered, first.completed, first.call_s]).toEqual([1, 1, 1, 6.99])
    expect([further.attempts, further.answered, further.completed]).toEqual([1, 1, 1])
  })
})

describe('transfers', () => {
  it('links the call that the receiver of a REFER places (blind transfer)', () => {
    const { calls, points } = runLadder(`
      0     alice>bob   INVITE      1 a>   z1 call=one sdp=10.0.0.1:4000
      1000  bob>alice   200 INVITE  1 a>b  z1 call=one sdp=10.0.0.2:5000
      1010  alice>bob   ACK         1 a>b  z2 call=one
      5000  bob>alice   REFER       7 b>a  w1 call=one Refer-To:<sip:carol@example.com>
      5010  alice>bob   202 REFER   7 b>a  w1 call=one
      5100  alice>carol INVITE      1 a9>  v1 call=two to=carol sdp=10.0.0.1:4002
      6000  carol>alice 200 INVITE  1 a9>c v1 call=two sdp=10.0.0.3:5002
      6010  alice>carol ACK         1 a9>c v2 call=two
      6100  bob>alice   BYE         8 b>a  w2 call=one
      6110  alice>bob   200 BYE     8 b>a  w2 call=one`)
    const [one, two] = ['one', 'two'].map((id) => calls.find((call) => call.call_id === id))
    expect(one?.related_calls).toEqual(['two'])
    expect(two?.related_calls).toEqual(['one'])
    expect([one?.transferred_by, two?.transferred_by]).toEqual(['callee', undefined])
    expect([one?.leg, two?.leg]).toEqual([undefined, undefined])
    expect(totalOf(points, 'voip_signalling_1h').transfers).toBe(1)
  })

  it('does not link a call to somebody else, or one from another host', () => {
    const ladder = (from: string, to: string): string => `
      0     alice>bob   INVITE      1 a>   z1 call=one sdp=10.0.0.1:4000
      1000  bob>alice   200 INVITE  1 a>b  z1 call=one sdp=10.0.0.2:5000
      1010  alice>bob   ACK         1 a>b  z2 call=one
      5000  bob>alice   REFER       7 b>a  w1 call=one Refer-To:<sip:carol@example.com>
      5100  ${from}>carol INVITE    1 a9>  v1 call=two to=${to} sdp=10.0.0.1:4002`
    expect(runLadder(ladder('alice', 'dave')).calls.map((call) => call.related_calls)).toEqual([
      undefined,
      undefined,
    ])
    expect(runLadder(ladder('proxy2', 'carol')).calls.map((call) => call.related_calls)).toEqual([
      undefined,
      undefined,
    ])
  })
})

describe('emergency calls', () => {
  it('are those to a configured number, and to urn:service:sos', () => {
    const ladder = (to: string): string => `0 alice>bob INVITE 1 a> z1 to=${to} sdp=10.0.0.1:4000
      50 bob>alice 503 INVITE 1 a>b z1 to=${to}`
    const { calls, points } = runLadder(ladder('112'), { emergency_numbers: ['112', '110'] })
    expect(calls[0]?.emergency).toBe(true)
    const total = totalOf(points, 'voip_signalling_1h')
    expect([total.emergency_attempts, total.emergency_failed]).toEqual([1, 1])
    expect(runLadder(ladder('1120'), { emergency_numbers: ['112'] }).calls[0]?.emergency).toBeUndefined()
    const none = new Set<string>()
    expect(isEmergency({ callee: '', calleeUri: 'urn:service:sos.fire' }, none)).toBe(true)
    expect(isEmergency({ callee: 'sos', calleeUri: 'sip:sos@example.com' }, none)).toBe(false)
  })
})

describe.skipIf(sharedPath('pcaps/INDEX.tsv') === undefined)(
  'captures by other people (skipped without ../shared/pcaps)',
  () => {
    async function callsOf(name: string): Promise<CallRecord[]> {
      const calls: CallRecord[] = []
      const probe = new Probe(DEFAULT_CONFIG, 'file', (record) => {
        if (record.type === 'call') calls.push(record)
      })
      const source = await openFiles([sharedPath(`pcaps/${name}`) ?? ''])
      for (let batch = await source.next(); batch !== null; batch = await source.next()) probe.onBatch(batch)
      await source.close()
      for (const _ of probe.finish());
      return calls
    }

    it('through an SBC with an address for each side: its Call-ID names the leg ("B2b1")', async () => {
      const calls = await callsOf('pcap2sipp__example.pcap')
      const joined = calls.filter((call) => call.leg !== undefined)
      expect(joined.map((call) => [call.call_id, call.leg, call.leg_of])).toEqual([
        ['000d3beb000d3bd-0@10.2.254.197', 'first', undefined],
        ['2148e6ae70392094-Acc268-B2b1@172.22.204.85', 'further', '000d3beb000d3bd-0@10.2.254.197'],
      ])
    })

    // Repeated calls between the same two hosts: by a person, a tester, a load generator.
    it.each([
      'pcapApplication__yate.pcap',
      'trex-core__udp_sip.cap',
      'ISA__aaa.pcap',
      'sipnab__sip-rtp-g711.pcap',
    ])('%s has no legs', async (name) => {
      const calls = await callsOf(name)
      expect(calls.length).toBeGreaterThan(1)
      expect(calls.filter((call) => call.leg !== undefined)).toEqual([])
    })
  },
)
