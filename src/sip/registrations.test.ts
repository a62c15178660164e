import { describe, expect, it } from 'vitest'
import {
  MAX_REGISTRATION_FAILURES,
  MAX_STANDALONE_TRANSACTIONS,
  StandaloneRequests,
} from './registrations.js'
import { createCounters } from './tracker-counters.js'
import { LADDER_START_MS, ladderPackets } from './tracker-ladder.js'

function count(ladder: string, thenMs = 0) {
  const counters = createCounters()
  const requests = new StandaloneRequests(counters)
  let lastMs = LADDER_START_MS
  for (const packet of ladderPackets(ladder)) {
    requests.expire(packet.timeMs)
    requests.onMessage(packet)
    lastMs = packet.timeMs
  }
  requests.expire(lastMs + thenMs)
  return { counters, requests }
}

const registered = (ladder: string, thenMs = 0) => count(ladder, thenMs).counters.registrations
const none = { attempts: 0, successful: 0, failed: 0, challenged: 0, unregistrations: 0 }

describe('registrations', () => {
  it('a challenge and the REGISTER that answers it are one successful attempt', () => {
    const ladder = `
      0   alice>proxy REGISTER     1 a>  z1 to=alice
      10  proxy>alice 401 REGISTER 1 a>p z1
      30  alice>proxy REGISTER     2 a>  z2 to=alice
      40  proxy>alice 200 REGISTER 2 a>p z2`
    expect(registered(ladder, 100_000)).toEqual({ ...none, attempts: 1, successful: 1, challenged: 1 })
  })

  it('each refresh with the same Call-ID is an attempt of its own', () => {
    const ladder = `
      0     alice>proxy REGISTER     1 a>  z1
      10    proxy>alice 200 REGISTER 1 a>p z1
      60000 alice>proxy REGISTER     2 a>  z2
      60010 proxy>alice 200 REGISTER 2 a>p z2`
    expect(registered(ladder)).toEqual({ ...none, attempts: 2, successful: 2 })
  })

  it('423 asks for a longer time: the REGISTER that follows is the same attempt', () => {
    const ladder = `
      0   alice>proxy REGISTER     1 a>  z1
      10  proxy>alice 423 REGISTER 1 a>p z1
      30  alice>proxy REGISTER     2 a>  z2
      40  proxy>alice 200 REGISTER 2 a>p z2`
    expect(registered(ladder)).toEqual({ ...none, attempts: 1, successful: 1 })
  })

  it('403, no answer within 32 s, and a challenge that is never answered are failures', () => {
    const { counters, requests } = count(
      `
      0   alice>proxy REGISTER     1 a>  z1 call=1 to=alice
      10  proxy>alice 403 REGISTER 1 a>p z1 call=1
      20  bob>proxy   REGISTER     1 b>  z2 call=2 to=bob
      30  carol>proxy REGISTER     1 c>  z3 call=3 to=carol
      40  proxy>carol 401 REGISTER 1 c>p z3 call=3`,
      64_000,
    )
    expect(counters.registrations).toEqual({ ...none, attempts: 3, failed: 3, challenged: 1 })
    expect(requests.failures).toEqual([
      { aor: 'sip:alice@example.com', status: 403, count: 1, lastMs: LADDER_START_MS + 10 },
      { aor: 'sip:bob@example.com', status: 0, count: 1, lastMs: LADDER_START_MS + 64_040 },
      { aor: 'sip:carol@example.com', status: 401, count: 1, lastMs: LADDER_START_MS + 64_040 },
    ])
    expect(requests.size).toBe(0)
  })

  it('copies on a second hop and retransmissions do not add attempts or successes', () => {
    const { counters } = count(`
      0    alice>proxy  REGISTER     1 a>  z1
      2    proxy>proxy2 REGISTER     1 a>  y1
      500  alice>proxy  REGISTER     1 a>  z1
      510  proxy2>proxy 200 REGISTER 1 a>p y1
      512  proxy>alice  200 REGISTER 1 a>p z1
      513  proxy>alice  200 REGISTER 1 a>p z1`)
    expect(counters.registrations).toEqual({ ...none, attempts: 1, successful: 1 })
    expect(counters.retransmissions).toBe(1)
    expect(counters.duplicates).toBe(1)
  })

  it('removing a binding counts as an attempt and is noted', () => {
    const ladder = `
      0   alice>proxy REGISTER 1 a> z1 call=1 Expires:0
      10  alice>proxy REGISTER 1 a> z2 call=2 Contact:<sip:alice@10.0.0.1>;expires=0
      20  alice>proxy REGISTER 1 a> z3 call=3 Contact:<sip:alice@10.0.0.1>;expires=3600`
    expect(registered(ladder)).toMatchObject({ attempts: 3, unregistrations: 2 })
  })
})

describe('OPTIONS', () => {
  it('are counted once each, and as answered by any final status', () => {
    const { counters } = count(`
      0    alice>bob OPTIONS     1 a>  z1
      500  alice>bob OPTIONS     1 a>  z1
      510  bob>alice 200 OPTIONS 1 a>b z1
      900  alice>bob OPTIONS     2 a>  z2
      910  bob>alice 404 OPTIONS 2 a>b z2
      950  alice>bob OPTIONS     3 a>  z3`)
    expect(counters.options).toEqual({ requests: 3, answered: 2 })
    expect(counters.retransmissions).toBe(1)
  })
})

describe('bounds', () => {
  it('a flood of REGISTERs keeps a bounded number of transactions and of named failures', () => {
    const counters = createCounters()
    const requests = new StandaloneRequests(counters)
    const [flood] = ladderPackets('0 dave>proxy REGISTER 1 d> z1')
    for (let number = 0; number < MAX_STANDALONE_TRANSACTIONS + 500; number++) {
      const to = { ...flood.message.to, uriText: `sip:${number}@example.com` }
      const message = Object.assign(Object.create(flood.message), { callId: `f${number}`, to })
      requests.onMessage({ ...flood, message })
    }
    expect(requests.size).toBe(MAX_STANDALONE_TRANSACTIONS)
    expect(counters.evictedRequests).toBe(500)
    requests.expire(flood.timeMs + 33_000)
    expect(requests.size).toBe(0)
    expect(requests.failures).toHaveLength(MAX_REGISTRATION_FAILURES)
  })
})
