import { describe, expect, it } from 'vitest'
import { ladderPackets } from './tracker-ladder.js'
import { MAX_SEEN_MESSAGES, SeenMessages, textHash } from './transactions.js'

function sightings(ladder: string) {
  const seen = new SeenMessages()
  return ladderPackets(ladder).map((packet) => seen.sight(packet))
}

describe('messages seen again', () => {
  it('FNV-1a gives the published values', () => {
    // draft-eastlake-fnv, appendix C: FNV-1a 32 of "", "a" and "foobar".
    expect(['', 'a', 'foobar'].map((text) => textHash(text) >>> 0)).toEqual([
      0x811c9dc5, 0xe40c292c, 0xbf9cf968,
    ])
  })

  it('the same bytes within 50 ms are a copy, later a retransmission', () => {
    expect(
      sightings(`
        0    alice>bob INVITE 1 a> z1
        50   alice>bob INVITE 1 a> z1
        500  alice>bob INVITE 1 a> z1
        501  alice>bob INVITE 1 a> z1`),
    ).toEqual(['new', 'duplicate', 'retransmission', 'duplicate'])
  })

  it('another branch, sender, CSeq, tag or status is another step', () => {
    expect(
      sightings(`
        0     alice>bob INVITE     1 a>  z1
        500   proxy>bob INVITE     1 a>  z1
        1000  alice>bob INVITE     1 a>  z2
        1500  alice>bob INVITE     2 a>  z1
        2000  bob>alice 180 INVITE 1 a>b z1
        2500  bob>alice 180 INVITE 1 a>c z1
        3000  bob>alice 200 INVITE 1 a>b z1`),
    ).toEqual(Array<string>(7).fill('new'))
  })

  it('a reliable provisional response with the next RSeq, or with a body at last, is new (RFC 3262 3)', () => {
    expect(
      sightings(`
        0     bob>alice 183 INVITE 1 a>b z1 RSeq:1
        500   bob>alice 183 INVITE 1 a>b z1 RSeq:1
        1000  bob>alice 183 INVITE 1 a>b z1 RSeq:2
        1500  bob>alice 183 INVITE 1 a>b z1 RSeq:2 sdp=10.0.0.2:5000`),
    ).toEqual(['new', 'retransmission', 'new', 'new'])
  })

  it('a 180 repeated every minute keeps the call ringing: it is no retransmission', () => {
    expect(
      sightings(`
        0      bob>alice 180 INVITE 1 a>b z1
        60000  bob>alice 180 INVITE 1 a>b z1`),
    ).toEqual(['new', 'new'])
  })

  it('forgets the oldest beyond its bound', () => {
    const seen = new SeenMessages()
    const [first] = ladderPackets('0 alice>bob INFO 1 a>b z1')
    seen.sight(first)
    for (let number = 2; number < MAX_SEEN_MESSAGES + 2; number++) {
      seen.sight(ladderPackets(`${number} alice>bob INFO ${number} a>b z${number}`)[0])
    }
    expect(seen.sight({ ...first, timeMs: first.timeMs + 500 })).toBe('new')
  })
})
