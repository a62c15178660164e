import { describe, expect, it } from 'vitest'
import { EXAMPLE_CALL, EXAMPLE_SUMMARY } from '../calls/record-examples.js'
import type { CallRecord } from '../calls/records.js'
import {
  BUSY_CALL,
  CLEAN_CALL,
  HOSTILE_CALL,
  LOSSY_CALL,
  MEDIA_ONLY_CALL,
  ONE_WAY_CALL,
  SAMPLE_CALLS,
  SAMPLE_STREAMS,
} from './table-samples.js'
import { renderStreams } from './table-streams.js'
import { styleFor, type TableStyle } from './table-style.js'
import { renderSummary } from './table-summary.js'
import { displayWidth } from './table-text.js'
import { renderCalls, sortCalls } from './table.js'

const plain = (width: number): TableStyle => ({ width, colour: false, unicode: true })

/** As a snapshot: without the last line feed. */
const drawn = (text: string): string => '\n' + text

describe('table of calls', () => {
  it('takes two lines per call at 80 columns', () => {
    expect(drawn(renderCalls(SAMPLE_CALLS, plain(80)))).toMatchInlineSnapshot(`
      "
      START     → CALLER ← CALLEE    STATE        CODEC   LOSS%  LATE%  JITTER     MOS
      09:15:01  → +4930123456        completed    PCMA        0      0     1.2    4.36
          3:00  ← +33155501234       ✓ good       PCMA    <0.01      0     2.0    4.36
      09:16:40  → alice.w…ndeed@pbx  completed    G722        0      0     1.2   4.41w
       1:02:05  ← 0049301…890123456  ● poor       PCMA     5.30   1.20    14.9    2.87
                └ burst_loss: 477 of 9477 packets from the callee were lost, in
                  bursts of up to 48 packets (960 ms)
                └ also dscp_unmarked
      09:17:12  → 200                completed    OPUS        0      0     1.2  4.20f*
          0:12  ← 201                ✗ broken     silent      –      –       –       –
                └ one_way_audio: the caller heard nothing: no packet came from the
                  callee in 12 s
      09:17:30  → 200                failed 486   –           –      –       –       –
             –  ← +442079460000        –          –           –      –       –       –
      09:18:00  → 192.0.2.10         media only   G729        0      0     1.2    3.81
          1:01  ← 2001:db…:370:7334  ○ fair       G729        0      0     1.2    3.80
      09:19:00  → ␛[2J␛]0…ned␇�evil̀́  in progress  ␛[31m…      0      0     1.2    4.36
             –  ← 株式会…👧DE�31m␍␊    –          –           –      –       –       –

      Times are UTC on 2026-03-02; jitter and delay in ms
      w  wideband scale (G.107.1)
      f  fullband scale (G.107.2)
      *  the codec has no published impairment values: a stand-in was used
      "
    `)
  })

  it('puts both directions side by side at 160 columns', () => {
    expect(drawn(renderCalls(SAMPLE_CALLS, plain(160), { sort: 'worst' }))).toMatchInlineSnapshot(`
      "
                                                                                           ──────────── from caller → ────────────  ───────── from callee ← ──────────
      START     CALLER            CALLEE             STATE                 TIME  QUALITY   CODEC      LOSS%  LATE%  JITTER     MOS  CODEC   LOSS%  LATE%  JITTER   MOS
      09:17:12  200               201                completed             0:12  ✗ broken  OPUS           0      0     1.2  4.20f*  silent      –      –       –     –
                └ one_way_audio: the caller heard nothing: no packet came from the callee in 12 s
      09:16:40  alice.wi…eed@pbx  00493012…90123456  completed          1:02:05  ● poor    G722           0      0     1.2   4.41w  PCMA     5.30   1.20    14.9  2.87
                └ burst_loss: 477 of 9477 packets from the callee were lost, in bursts of up to 48 packets (960 ms)
                └ also dscp_unmarked
      09:18:00  192.0.2.10        2001:db8…370:7334  media only            1:01  ○ fair    G729           0      0     1.2    3.81  G729        0      0     1.2  3.80
      09:17:30  200               +442079460000      failed 486 Busy …        –    –       –              –      –       –       –  –           –      –       –     –
      09:15:01  +4930123456       +33155501234       completed             3:00  ✓ good    PCMA           0      0     1.2    4.36  PCMA    <0.01      0     2.0  4.36
      09:19:00  ␛[2J␛]0;…d␇�evil̀́  株式会社…DE�31m␍␊  in progress              –    –       ␛[31mPCMA      0      0     1.2    4.36  –           –      –       –     –

      Times are UTC on 2026-03-02; jitter and delay in ms
      w  wideband scale (G.107.1)
      f  fullband scale (G.107.2)
      *  the codec has no published impairment values: a stand-in was used
      "
    `)
  })

  it('keeps parties, loss and MOS when there is room for little else', () => {
    expect(drawn(renderCalls([CLEAN_CALL, LOSSY_CALL], plain(40), { findings: 0 }))).toMatchInlineSnapshot(`
      "
      → CALLER ← CALLEE           LOSS%    MOS
      → +4930123456                   0   4.36
      ← +33155501234              <0.01   4.36
      → alice.with.…e.indeed@pbx      0  4.41w
      ← 0049301234567890123456     5.30   2.87

      Times are UTC on 2026-03-02; jitter and
      delay in ms
      w  wideband scale (G.107.1)
      "
    `)
  })

  it('never draws past the edge, from 30 to 250 columns', () => {
    for (let width = 30; width <= 250; width++) {
      const texts = [renderCalls(SAMPLE_CALLS, plain(width)), renderSummary(EXAMPLE_SUMMARY, plain(width))]
      // Two endpoints and two gaps do not go into less.
      if (width >= 44) texts.push(renderStreams(SAMPLE_STREAMS, plain(width)))
      for (const line of texts.join('').split('\n'))
        expect(displayWidth(line), line).toBeLessThanOrEqual(width)
    }
  })

  it('shows the same columns for both directions at every width', () => {
    for (let width = 150; width <= 250; width++) {
      const heading = renderCalls(SAMPLE_CALLS, plain(width)).split('\n')[1].split(/\s+/)
      const [caller, callee] = heading
        .slice(heading.indexOf('CODEC'))
        .join(' ')
        .split(/ (?=CODEC)/)
      expect(callee, `${width}`).toBe(caller)
    }
  })

  it('never cuts a number', () => {
    const large: CallRecord = {
      ...CLEAN_CALL,
      media: {
        from_caller: { ...CLEAN_CALL.media.from_caller, packets: 1, bytes: 1, jitter_mean_ms: 12345.6 },
      },
    }
    for (let width = 80; width <= 200; width += 7)
      expect(renderCalls([large], plain(width))).toContain(' 12346')
  })

  it('lets no control character of a hostile call reach the terminal', () => {
    for (const width of [40, 80, 160]) {
      const text = renderCalls([HOSTILE_CALL], plain(width))
      expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/)
    }
  })

  it('shows addresses where signalling was not seen', () => {
    const text = renderCalls([MEDIA_ONLY_CALL], plain(120))
    expect(text).toContain('→ 192.0.2.10 ')
    expect(text).toContain('← 2001:db8:85a3::8a2e:370:7334 ')
  })

  it('shows a call of which one direction is not known', () => {
    const oneWay = { ...MEDIA_ONLY_CALL, media: { ...MEDIA_ONLY_CALL.media, from_callee: undefined } }
    expect(renderCalls([oneWay], plain(120))).toContain('3.81')
  })

  it('tells loss too small for two decimals from none', () => {
    expect(renderCalls([CLEAN_CALL], plain(80))).toContain(' <0.01 ')
  })

  it('sorts the worst first: broken, poor, fair, failed, good', () => {
    const worst = sortCalls(SAMPLE_CALLS, 'worst')
    expect(worst).toEqual([ONE_WAY_CALL, LOSSY_CALL, MEDIA_ONLY_CALL, BUSY_CALL, CLEAN_CALL, HOSTILE_CALL])
    expect(sortCalls(worst, 'time')).toEqual(SAMPLE_CALLS)
    const lower = { ...LOSSY_CALL, mos_cq_min: 1.5 }
    expect(sortCalls([LOSSY_CALL, lower], 'worst')[0]).toBe(lower)
  })

  it('shows the first calls up to the limit and counts the rest', () => {
    const many = Array.from({ length: 1500 }, () => CLEAN_CALL)
    const text = renderCalls(many, plain(80), { limit: 2 })
    expect(text).toContain('… and 1,498 more')
    expect(text.split('\n').filter((line) => line.startsWith('09:15:01'))).toHaveLength(2)
  })

  it('puts the date before the time when calls are of several days', () => {
    const next = { ...CLEAN_CALL, start: '2026-03-03T00:00:01Z' }
    const text = renderCalls([CLEAN_CALL, next], plain(80))
    expect(text).toContain('03-02 09:15:01')
    expect(text).toContain('03-03 00:00:01')
    expect(text).not.toContain('Times are UTC on')
  })

  it('says so when there are no calls', () => {
    expect(renderCalls([], plain(80))).toBe('No calls.\n')
  })

  it('draws with ASCII alone for a terminal that has nothing else', () => {
    const text = renderCalls(SAMPLE_CALLS, { width: 80, colour: false, unicode: false })
    expect(text).toMatch(/^[\n -~]*$/)
    expect(text).toContain('> +4930123456')
    expect(text).toContain('x broken')
  })

  it('is the same with colour, but for the colours', () => {
    const colour = { ...plain(80), colour: true }
    const text = renderCalls(SAMPLE_CALLS, colour)
    const bare = text.replace(/\u001b\[[\d;]*m/g, '').replace(/ +$/gm, '')
    expect(bare).toBe(renderCalls(SAMPLE_CALLS, plain(80)))
    expect(text).toContain('\u001b[1;31m✗ broken')
  })
})

describe('table of streams', () => {
  it('shows endpoints, SSRC and loss first', () => {
    expect(drawn(renderStreams(SAMPLE_STREAMS, plain(80)))).toMatchInlineSnapshot(`
      "
      SOURCE                      DESTINATION            SSRC        LOST  LOSS%   MOS
      192.0.2.10:16384            198.51.100.20:40002    0x1234abcd    69   0.77  4.16
      [2001:db8:85a…:7334]:16384  [2001:db8::1]:40002    0x1234abcd     0      0     –

      Times are UTC on 2026-03-02; jitter and delay variation (PDV) in ms, clock skew
      in ppm
      "
    `)
    expect(drawn(renderStreams(SAMPLE_STREAMS, plain(160)))).toMatchInlineSnapshot(`
      "
      START     TIME  SOURCE                             DESTINATION            SSRC        CODEC    PACKETS  LOST  LOSS%  LATE%  JITTER    MAX  PDV P95    SKEW   MOS
      09:15:04  3:00  192.0.2.10:16384                   198.51.100.20:40002    0x1234abcd  PCMA       8,931    69   0.77   0.46     2.1   31.5     24.1   -12.4  4.16
      09:15:04  3:00  [2001:db8:85a3::…:370:7334]:16384  [2001:db8::1]:40002    0x1234abcd  –      1,234,567     0      0   0.46     2.1   1250     24.1       –     –

      Times are UTC on 2026-03-02; jitter and delay variation (PDV) in ms, clock skew in ppm
      "
    `)
  })
})

describe('summary block', () => {
  it('says what was read, found, skipped and cut short', () => {
    expect(drawn(renderSummary(EXAMPLE_SUMMARY, plain(80)))).toMatchInlineSnapshot(`
      "
      calls       214 (197 completed, 9 failed, 6 cancelled, 2 in progress)
      quality     180 good, 12 fair, 4 poor, 1 broken, 17 unknown
      findings    14 of 15 calls with one_way_audio cross trunk carrier-a since 10:02
                  (14 of 31 calls there, 1 of 183 elsewhere).
      streams     402
      packets     6,412,377 (1.37 GB) in 2 files, 1:00:00 of traffic, read in 2.13 s
                  (3,004,159 packets/s)
      signalling  2,410 SIP messages (14 repeated, 1 malformed), 198 of 200
                  registrations successful, 120 of 120 OPTIONS answered
      unreadable  2 tls_connections
      tunnels     1,200 vxlan
      skipped     3,811 not_ip, 2 bad_udp_length
      drops       12 packets were dropped while capturing: loss may be theirs
      truncated   monday.pcap at byte 88,412,004: ends inside a packet of 214 bytes;
                  120 bytes are there
      warning     monday.pcap: times go back by 2.1 s at packet 40211
      "
    `)
  })

  it('leaves out what there was nothing of', () => {
    const text = renderSummary(
      {
        type: 'summary',
        schema: 1,
        probe: 'p',
        packets: 0,
        bytes: 0,
        calls: 0,
        calls_by_state: {},
        calls_by_quality: {},
        streams: 0,
        skipped: { not_ip: 0 },
        evictions: {},
        truncated_files: [],
      },
      plain(80),
    )
    expect(text).toBe('calls    0\nstreams  0\npackets  0 (0 B)\n')
  })

  it('neutralises file names and messages too', () => {
    const files = [{ file: 'a\u001b[2Jb.pcap', message: 'x\ny' }]
    expect(renderSummary({ ...EXAMPLE_SUMMARY, truncated_files: files }, plain(80))).toContain(
      'a␛[2Jb.pcap: x␊y',
    )
  })
})

describe('style of a table', () => {
  const terminal = { isTTY: true, columns: 132 }

  it('has colour only on a terminal without NO_COLOR', () => {
    expect(styleFor(terminal, {})).toEqual({ width: 132, colour: true, unicode: true })
    expect(styleFor({}, {}).colour).toBe(false)
    expect(styleFor(terminal, { NO_COLOR: '1' }).colour).toBe(false)
    expect(styleFor(terminal, { NO_COLOR: '' }).colour).toBe(true)
    expect(styleFor(terminal, { TERM: 'dumb' }).colour).toBe(false)
  })

  it('honours FORCE_COLOR either way', () => {
    expect(styleFor({}, { FORCE_COLOR: '1' }).colour).toBe(true)
    expect(styleFor({}, { FORCE_COLOR: '', NO_COLOR: '1' }).colour).toBe(true)
    expect(styleFor(terminal, { FORCE_COLOR: '0' }).colour).toBe(false)
  })

  it('takes the width from the terminal, else from COLUMNS, else 80', () => {
    expect(styleFor({}, { COLUMNS: '200' }).width).toBe(200)
    expect(styleFor({}, { COLUMNS: 'wide' }).width).toBe(80)
    expect(styleFor({}, {}).width).toBe(80)
  })

  it('draws ASCII in a locale that says it is not UTF-8', () => {
    expect(styleFor({}, { LC_ALL: 'C' }).unicode).toBe(false)
    expect(styleFor({}, { LANG: 'de_DE.UTF-8' }).unicode).toBe(true)
  })
})

describe('a full record', () => {
  it('is drawn with every column', () => {
    const text = renderCalls([EXAMPLE_CALL], plain(220))
    for (const shown of [
      '+4930123456',
      '+33155501234',
      '3:00',
      '● poor',
      '0.77',
      '0.46',
      '2.1',
      '31.5',
      '93.5',
      '4.16',
    ])
      expect(text).toContain(shown)
  })
})
