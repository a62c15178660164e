/** Bytes written in hexadecimal; spaces and line ends do not matter. For tests. */
export function hex(text: string): Uint8Array {
  const digits = text.replace(/\s+/g, '')
  if (digits.length % 2 !== 0 || /[^0-9a-f]/i.test(digits)) throw new Error(`not hexadecimal: ${digits}`)
  return Uint8Array.from(Buffer.from(digits, 'hex'))
}

/** One report block about 0x11111111: 25 % since the last report, 3 lost in all, jitter 80, one cycle. */
export const REPORT_BLOCK = '11111111 40000003 00010064 00000050 b7052000 00054000'

/** SR of 0xcafe0001 with the NTP time of RFC 3550 Figure 2 and one report block. */
export const SR = `81c8000c cafe0001 b44db705 20000000 00003840 000000c8 00007d00 ${REPORT_BLOCK}`

/** RR of 0xcafe0002 with one report block. */
export const RR = `81c90007 cafe0002 ${REPORT_BLOCK}`

/** SDES of 0xcafe0001: CNAME "a@b". */
export const SDES = '81ca0003 cafe0001 01036140 62000000'
