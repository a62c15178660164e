import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { propertyRuns } from '../../test/helpers/property-runs.js'
import { parseParameters } from './headers.js'
import { DefectList } from './parse-defects.js'
import { parseSipMessage } from './parse.js'

function branchOf(via: string): { branch: string; defects: string[] } {
  const text = `OPTIONS sip:b@example.org SIP/2.0\r\nVia: ${via}\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nFrom: <sip:a@example.org>;tag=1\r\nTo: <sip:b@example.org>\r\n\r\n`
  const bytes = Buffer.from(text)
  const result = parseSipMessage(bytes, 0, bytes.length)
  if ('error' in result) throw new Error(result.error)
  return { branch: result.message.viaBranch, defects: result.message.defects }
}

/** The branch by the reader of parameters in general. */
function expected(via: string): { branch: string; defects: string[] } {
  const defects = new DefectList()
  const semicolon = via.indexOf(';')
  if (semicolon < 0) return { branch: '', defects: [] }
  const { branch } = parseParameters(via, semicolon, defects)
  if (branch === '' || branch === 'z9hG4bK') defects.add('branch_empty')
  return { branch: branch ?? '', defects: defects.codes }
}

const part = fc.constantFrom(
  ...[
    ';',
    '=',
    'branch',
    'BRANCH',
    'rport',
    'received',
    '192.0.2.1',
    '5060',
    'z9hG4bK',
    'a1~+%',
    '"',
    '"x;y"',
    ' ',
    ';;',
  ],
  ...[';branch=z9hG4bKx', ';rport', ';received=[2001:db8::1]', ';branch=', ';i=1', ';alias', '>', 'branch=2'],
)

describe('the branch of the topmost Via', () => {
  it.each([
    ['SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bK7', 'z9hG4bK7'],
    ['SIP/2.0/TLS [2001:db8::1]:5061;branch=z9hG4bK7;received=192.0.2.9', 'z9hG4bK7'],
    ['SIP/2.0/UDP host ; branch = z9hG4bK7 ', 'z9hG4bK7'],
    ['SIP/2.0/UDP host;BRANCH=z9hG4bK7', 'z9hG4bK7'],
    ['SIP/2.0/UDP host;branch=z9hG4bK7;branch=other', 'z9hG4bK7'],
    ['SIP/2.0/UDP a.example.org;branch=z9hG4bK7, SIP/2.0/UDP b.example.org;branch=z9hG4bK8', 'z9hG4bK7'],
    ['SIP/2.0/UDP host', ''],
  ])('of %s is %s', (via, branch) => {
    expect(branchOf(via).branch).toBe(branch)
  })

  it('is what the parameters say, however they are written, with the same complaints', () => {
    fc.assert(
      fc.property(fc.array(part, { maxLength: 10 }), (parts) => {
        const via = `SIP/2.0/UDP 192.0.2.1${parts.join('')}x`
        expect(branchOf(via)).toEqual(expected(via))
      }),
      propertyRuns(2000),
    )
  })
})
