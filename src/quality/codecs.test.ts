import { describe, expect, it } from 'vitest'
import { codecNames, findCodecByName } from './codec-names.js'
import {
  CODEC_ROWS,
  CODECS_WITHOUT_ROW,
  lookupCodec,
  parseFmtp,
  reasonWithoutRow,
  type EvsMode,
} from './codecs.js'

describe('codec rows from the published tables', () => {
  // G.113 (09/2024) Appendix I
  it.each([
    ['PCMU', 8000, 0, 25.1],
    ['PCMA', 8000, 0, 25.1],
    ['G729', 8000, 11, 19],
    ['G723', 8000, 15, 16.1],
    ['GSM-EFR', 8000, 5, 10],
  ])('%s/%d has Ie %d, Bpl %d, published', (name, clock, ie, bpl) => {
    const row = lookupCodec(name, clock)
    expect(row).toMatchObject({ ie, bpl, scale: 'nb', grounded: true })
  })

  // G.113 (09/2024) Table IV.1, modes 0..8
  it.each([41, 26, 13, 10, 7, 5, 3, 1, 8].map((ie, mode) => [mode, ie]))(
    'AMR-WB mode %d has Ie,WB %d on the wideband scale',
    (mode, ie) => {
      expect(lookupCodec('AMR-WB', 16000, { mode })).toMatchObject({ ie, scale: 'wb' })
    },
  )

  it('AMR-WB for both ears is published whole for three modes only: Tables IV.3 and IV.4', () => {
    const diotic = CODEC_ROWS.filter((row) => row.id.endsWith('-diotic'))
    expect(diotic.map(({ ie, bpl }) => [ie, bpl])).toEqual([
      [20, 4.3],
      [8, 4.6],
      [10, 4.9],
    ])
    expect(diotic.every(({ grounded }) => grounded)).toBe(true)
  })

  // G.113 Appendix V with Erratum 1
  it.each([
    [48, 10.2, 9.6],
    [32, 8.7, 9.3],
    [24.4, 7.2, 11.4],
    [16.4, 10.8, 10.3],
    [13.2, 17.1, 11.7],
    [9.6, 22.7, 13],
  ])('EVS SWB at %d kbit/s has Ie,fb %d, Bpl %d', (kbps, ie, bpl) => {
    const row = lookupCodec('EVS', 16000, { fmtp: `br=${kbps};bw=swb` })
    expect(row).toMatchObject({ ie, bpl, scale: 'fb', grounded: true })
  })
})

describe('a codec is never scored as G.711 in silence', () => {
  it.each(['SPEEX', 'SILK', 'ISAC', 'BV16', 'QCELP', 'LPC', 'G719'])(
    '%s has no row, and a reason',
    (name) => {
      expect(lookupCodec(name, 0)).toBeUndefined()
      expect(reasonWithoutRow(name)).toMatch(/published/)
    },
  )

  it.each(['TELEPHONE-EVENT', 'CN', 'RED', 'T140', 'H264', ''])('%s is not a speech codec', (name) => {
    expect(lookupCodec(name, 8000)).toBeUndefined()
    expect(reasonWithoutRow(name)).toBeUndefined()
  })

  it('only PCMU and PCMA find the G.711 rows', () => {
    const aliases = CODEC_ROWS.filter(({ codec }) => codec === 'G.711').flatMap((row) => row.aliases)
    expect(new Set(aliases)).toEqual(new Set(['PCMU', 'PCMA']))
  })

  it('every row that is not published says what stands in for what', () => {
    for (const row of CODEC_ROWS) {
      if (row.grounded) expect(row.note, row.id).toBeUndefined()
      else expect(row.note, row.id).toMatch(/stands? in|not known|scale/)
    }
  })

  it('a known name at a clock rate it does not have is not taken for it', () => {
    expect(lookupCodec('PCMU', 16000)).toBeUndefined()
    expect(lookupCodec('L16', 22050)).toBeUndefined()
  })
})

describe('what SDP says decides the row', () => {
  it('G.711 without concealment is a row of its own, on request', () => {
    expect(lookupCodec('PCMA', 8000, { g711Plc: false })).toMatchObject({ bpl: 4.3, grounded: true })
  })

  it('annexb=no means G.729 without VAD, whose Bpl is borrowed', () => {
    expect(lookupCodec('G729', 8000, { fmtp: 'annexb=no' })).toMatchObject({
      ie: 10,
      bpl: 19,
      grounded: false,
    })
    expect(lookupCodec('g729', 8000, { fmtp: 'annexb=yes' })).toMatchObject({ ie: 11, grounded: true })
  })

  it('G.723.1 at 5.3 kbit/s and without VAD are rows of their own', () => {
    expect(lookupCodec('G723', 8000, { fmtp: 'bitrate=5.3' })?.id).toBe('g723.1-5.3')
    expect(lookupCodec('G723', 8000, { bitrateBps: 5333 })?.id).toBe('g723.1-5.3')
    expect(lookupCodec('G723', 8000, { bitrateBps: 6400 })?.id).toBe('g723.1-6.3-vad')
    // What is sent counts, not what the receiver would take.
    expect(lookupCodec('G723', 8000, { fmtp: 'bitrate=6.3', bitrateBps: 5333 })?.id).toBe('g723.1-5.3')
    expect(lookupCodec('G723', 8000, { fmtp: 'annexa=no;bitrate=6.3' })?.id).toBe('g723.1-6.3-no-vad')
  })

  it('AMR-WB takes the highest mode of mode-set, unless the payload shows the mode', () => {
    expect(lookupCodec('AMR-WB', 16000, { fmtp: 'octet-align=1; mode-set=0,1,2' })?.id).toBe('amr-wb-12.65')
    expect(lookupCodec('AMR-WB', 16000, { fmtp: 'mode-set=0,1,2', mode: 1 })?.id).toBe('amr-wb-8.85')
  })

  it('AMR-WB of unknown mode is assumed, and says so', () => {
    const row = lookupCodec('AMR-WB', 16000)
    expect(row).toMatchObject({ ie: 13, grounded: false })
    expect(row?.model).toContain('mode not known')
  })

  it('AMR borrows from GSM-EFR and IS-641 where the algorithm is the same, else has no MOS', () => {
    expect(lookupCodec('AMR', 8000, { mode: 7 })).toMatchObject({ ie: 5, bpl: 10, grounded: false })
    expect(lookupCodec('AMR', 8000, { fmtp: 'mode-set=0,2,4' })).toMatchObject({ ie: 10, grounded: false })
    expect(lookupCodec('AMR', 8000, { mode: 0 })).toBeUndefined()
    expect(lookupCodec('AMR', 8000)?.id).toBe('amr-assumed')
  })

  it('EVS has values in SWB only: AMR-WB IO, NB and WB have no MOS', () => {
    expect(lookupCodec('EVS', 16000, { fmtp: 'evs-mode-switch=1' })).toBeUndefined()
    expect(lookupCodec('EVS', 16000, { fmtp: 'bw=nb-wb' })).toBeUndefined()
    expect(lookupCodec('EVS', 16000, { fmtp: 'br=5.9-24.4; bw=nb-swb' })?.id).toBe('evs-assumed')
    expect(lookupCodec('EVS', 16000)).toMatchObject({ grounded: false })
  })

  it('EVS by what its payload says, whatever SDP allowed', () => {
    const fmtp = 'br=5.9-24.4;bw=nb-swb'
    const seen = (evs: EvsMode) => lookupCodec('EVS', 16000, { fmtp, evs })?.id
    expect(seen({ kbps: 24.4, bandwidth: 'SWB' })).toBe('evs-swb-24.4')
    expect(seen({ kbps: 13.2, bandwidth: 'SWB' })).toBe('evs-swb-13.2')
    expect(seen({ kbps: 13.2, bandwidth: 'WB' })).toBeUndefined()
    expect(seen({ kbps: 8 })).toBeUndefined()
    expect(seen({})).toBeUndefined()
    // A bandwidth or a rate that no value exists for, or that the payload does not tell.
    expect(seen({ kbps: 24.4, bandwidth: 'FB' })).toBe('evs-assumed')
    expect(seen({ kbps: 64 })).toBe('evs-assumed')
    expect(lookupCodec('EVS', 16000, { fmtp: 'bw=swb', evs: { kbps: 32 } })?.id).toBe('evs-swb-32')
    expect(
      lookupCodec('EVS', 16000, { fmtp: 'evs-mode-switch=1', evs: { kbps: 9.6, bandwidth: 'SWB' } })?.id,
    ).toBe('evs-swb-9.6')
  })

  it('iLBC tells its frame by mode, 30 ms when it says nothing (RFC 3952)', () => {
    expect(lookupCodec('iLBC', 8000, { fmtp: 'mode=20' })?.ptimeMs).toBe(20)
    expect(lookupCodec('iLBC', 8000)?.ptimeMs).toBe(30)
  })

  it('G.722 has an RTP clock of 8000 Hz and the wideband scale', () => {
    expect(lookupCodec('G722', 8000)).toMatchObject({ ie: 13, scale: 'wb', grounded: false })
  })

  it('G.722.1 knows 32 and 24 kbit/s', () => {
    expect(lookupCodec('G7221', 16000, { fmtp: 'bitrate=24000' })?.ie).toBe(19)
    expect(lookupCodec('G7221', 16000, { fmtp: 'bitrate=32000' })?.ie).toBe(13)
    expect(lookupCodec('G7221', 32000, { fmtp: 'bitrate=48000' })).toBeUndefined()
  })

  it('the G.726 rates have their own Ie, and G721 is the 32 kbit/s one', () => {
    const ies = ['G726-40', 'G726-32', 'G726-24', 'AAL2-G726-16'].map((name) => lookupCodec(name, 8000)?.ie)
    expect(ies).toEqual([2, 7, 25, 50])
    expect(lookupCodec('G721', 8000)?.ie).toBe(7)
  })

  it('L16 lies on the scale of its sampling rate', () => {
    const scales = [8000, 16000, 44100, 48000].map((clock) => lookupCodec('L16', clock)?.scale)
    expect(scales).toEqual(['nb', 'wb', 'fb', 'fb'])
  })
})

describe('Opus', () => {
  it.each([
    [{}, 'opus-swb-vbr-31'],
    [{ bitrateBps: 24_600 }, 'opus-swb-vbr-25'],
    [{ bitrateBps: 64_000 }, 'opus-swb-vbr-40'],
    [{ bitrateBps: 12_100 }, 'opus-wb-vbr-12'],
    [{ bitrateBps: 8_000 }, 'opus-nb-vbr-9'],
    [{ fmtp: 'maxplaybackrate=8000; cbr=1', bitrateBps: 8_100 }, 'opus-nb-cbr-8'],
    [{ fmtp: 'maxplaybackrate=16000;stereo=0' }, 'opus-wb-vbr-13'],
    [{ fmtp: 'maxaveragebitrate=20000;maxplaybackrate=48000' }, 'opus-swb-vbr-19'],
    [{ fmtp: 'useinbandfec=1;cbr=1' }, 'opus-swb-cbr-25'],
  ])('%j finds %s', (hints, id) => {
    const row = lookupCodec('opus', 48000, hints)
    expect(row?.id).toBe(id)
    expect(row?.grounded).toBe(false)
  })
})

describe('the table as a whole', () => {
  it('has unique ids and plausible factors', () => {
    expect(new Set(CODEC_ROWS.map(({ id }) => id)).size).toBe(CODEC_ROWS.length)
    for (const row of CODEC_ROWS) {
      expect(row.ie, row.id).toBeGreaterThanOrEqual(0)
      expect(row.ie, row.id).toBeLessThan(95)
      expect(row.bpl, row.id).toBeGreaterThanOrEqual(4.3)
      expect(row.ptimeMs, row.id).toBeGreaterThanOrEqual(row.frameMs)
    }
  })

  it('names model, edition, row and factors', () => {
    expect(lookupCodec('PCMU', 8000)?.model).toBe(
      'G.107 (06/2015) nb; G.711 A/mu-law with PLC, G.113 Table I.4 (Ie 0, Bpl 25.1)',
    )
  })

  it('carries the look-ahead of the codec specifications', () => {
    const lookahead = (name: string): number | undefined => lookupCodec(name, 0)?.lookaheadMs
    expect(['PCMU', 'G729', 'G723', 'GSM', 'AMR', 'OPUS'].map(lookahead)).toEqual([0, 5, 7.5, 0, 5, 6.5])
  })

  it('does not list a codec both with and without a row', () => {
    for (const { aliases } of CODECS_WITHOUT_ROW) {
      for (const alias of aliases) expect(lookupCodec(alias, 0), alias).toBeUndefined()
    }
  })
})

describe('names as people type them', () => {
  it.each([
    ['g711', 'g711'],
    ['G.711', 'g711'],
    ['pcmu', 'g711'],
    ['G711-no-PLC', 'g711-no-plc'],
    ['G.729', 'g729a-vad'],
    ['G729A VAD', 'g729a-vad'],
    ['AMR-WB', 'amr-wb-assumed'],
    ['amr-wb-23.85', 'amr-wb-23.85'],
    ['Opus', 'opus-swb-vbr-31'],
    ['G726-32', 'g726-32'],
    ['G.722', 'g722-64'],
  ])('%s is the row %s', (name, id) => {
    expect(findCodecByName(name)?.id).toBe(id)
  })

  it('an unknown name finds nothing', () => {
    expect(findCodecByName('g999')).toBeUndefined()
    expect(findCodecByName(' ')).toBeUndefined()
  })

  it('every name in the list finds a row', () => {
    for (const name of codecNames()) expect(findCodecByName(name), name).toBeDefined()
  })
})

describe('fmtp', () => {
  it('is read with any spacing, case and without values', () => {
    const fmtp = parseFmtp(' Mode-Set=0,2 ;octet-align ; annexb = no;')
    expect([...fmtp]).toEqual([
      ['mode-set', '0,2'],
      ['octet-align', ''],
      ['annexb', 'no'],
    ])
    expect(parseFmtp(undefined).size).toBe(0)
  })
})
