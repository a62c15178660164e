import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { propertyRuns } from '../../test/helpers/property-runs.js'
import { displayText, displayWidth, pad, truncate, wrap } from './table-text.js'

describe('text for a terminal', () => {
  it('leaves plain text alone', () => {
    expect(displayText('+4930123456 "Alice" <sip:a@b>')).toBe('+4930123456 "Alice" <sip:a@b>')
    expect(displayText('Zoë Ångström, Ωμέγα, Дмитрий, 株式会社')).toBe(
      'Zoë Ångström, Ωμέγα, Дмитрий, 株式会社',
    )
  })

  it('shows control characters as pictures, so that no escape sequence reaches the terminal', () => {
    expect(displayText('\u001b[2J\u001b]0;title\u0007\r\n\t\u007f')).toBe('␛[2J␛]0;title␇␍␊␉␡')
    expect(displayText('a\u009b31mb\u0090c')).toBe('a�31mb�c')
  })

  it.each([
    ['right-to-left override', '\u202e'],
    ['left-to-right isolate', '\u2066'],
    ['right-to-left mark', '\u200f'],
    ['Arabic letter mark', '\u061c'],
    ['zero-width space', '\u200b'],
    ['byte order mark', '\ufeff'],
    ['soft hyphen', '\u00ad'],
    ['line separator', '\u2028'],
    ['tag', '\u{e0041}'],
    ['private use', '\ue000'],
    ['lone surrogate', '\ud800'],
    ['noncharacter', '\uffff'],
  ])('makes a %s visible', (_, character) => {
    expect(displayText(`a${character}b`)).toBe('a�b')
  })

  it('keeps marks that belong to a letter, but no tower of them, and none without a letter', () => {
    expect(displayText('e\u0301')).toBe('e\u0301')
    expect(displayText('e' + '\u0301'.repeat(50) + 'x')).toBe('e\u0301\u0301x')
    expect(displayText('\u0301x')).toBe('◌\u0301x')
  })

  it('shows flags as letters and emoji without what joins or colours them', () => {
    expect(displayText('🇩🇪')).toBe('DE')
    expect(displayText('👍🏽')).toBe('👍')
    expect(displayText('☎️')).toBe('☎')
  })

  it('never lets through what a terminal acts on, whatever comes in', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(displayText(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u)
      }),
      propertyRuns(100),
    )
  })
})

describe('width in a terminal', () => {
  it.each([
    ['abc', 3],
    ['é', 1],
    ['e\u0301', 1],
    ['漢字', 4],
    ['ｶﾅ', 2],
    ['ＡＢ', 4],
    ['한국', 4],
    ['\u1112\u1161\u11ab', 2],
    ['😀', 2],
    ['☎', 1],
    ['⌚', 2],
    ['𠀀', 2],
    ['→…─', 3],
  ])('of %j is %i (UAX #11)', (text, width) => {
    expect(displayWidth(text)).toBe(width)
  })

  it('is what truncate and pad keep to, for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 30 }), (raw, width) => {
        const text = displayText(raw)
        for (const cut of ['end', 'middle'] as const) {
          const shown = truncate(text, width, cut)
          expect(displayWidth(shown)).toBeLessThanOrEqual(width)
          expect(displayWidth(pad(shown, width))).toBe(width)
        }
      }),
      propertyRuns(100),
    )
  })

  it('cuts at the end, or in the middle so that the last digits of a number show', () => {
    expect(truncate('Temporarily Unavailable', 12)).toBe('Temporarily…')
    expect(truncate('+493012345678', 9, 'middle')).toBe('+493…5678')
    expect(truncate('漢字漢字漢字', 7, 'middle')).toBe('漢…漢字')
    expect(truncate('+4930', 5, 'middle')).toBe('+4930')
    expect(truncate('ab', 0)).toBe('')
  })

  it('wraps at spaces, and a word that is too long where it must', () => {
    expect(wrap('one two three', 7)).toEqual(['one two', 'three'])
    expect(wrap('abcdefghij kl', 4)).toEqual(['abcd', 'efgh', 'ij', 'kl'])
    expect(wrap('漢字漢字', 5)).toEqual(['漢字', '漢字'])
    expect(wrap('', 10)).toEqual([])
  })
})
