import { describe, expect, it } from 'vitest'
import { createLog } from './log.js'

describe('the log of a capture', () => {
  it('is one JSON object per line for a collector, with the level by name and the numbers apart', () => {
    let text = ''
    const log = createLog({ write: (line: string) => (text += line) }, 'json', 'info')
    log.debug('too fine')
    log.warn('packets were dropped', { drops: 7 })
    const line: Record<string, unknown> = JSON.parse(text)
    expect(text.split('\n')).toHaveLength(2)
    expect(line).toMatchObject({
      level: 'warn',
      message: 'packets were dropped',
      drops: 7,
      program: 'callprobe',
    })
    expect(line.time).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/)
  })

  it('is words for a person, after the status line has made room', () => {
    const seen: string[] = []
    const log = createLog({ write: (line: string) => seen.push(line) }, 'text', 'warn', () =>
      seen.push('(room)'),
    )
    log.info('not asked for')
    log.warn('eth1 is down')
    log.error('no space left')
    expect(seen).toEqual([
      '(room)',
      'callprobe: warning: eth1 is down\n',
      '(room)',
      'callprobe: error: no space left\n',
    ])
  })
})
