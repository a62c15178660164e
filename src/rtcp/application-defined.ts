import { missing, type RtcpBody } from './defects.js'
import type { ApplicationDefined } from './packets.js'
import { text, u32 } from './words.js'

/**
 * APP, RFC 3550 6.7:
 *
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |V=2|P| subtype |    PT=204     |       length in words - 1     |
 * +---+-+---------+---------------+-------------------------------+
 * |                          SSRC / CSRC                          |
 * +---------------------------------------------------------------+
 * |                        name (4 ASCII)                         |
 * +---------------------------------------------------------------+
 * |                         data ...                              |
 */
export function parseApplicationDefined(body: RtcpBody): ApplicationDefined | undefined {
  const { bytes, start, end, count } = body
  if (start + 8 > end) {
    missing(body, 'missing_app_name')
    return undefined
  }
  return {
    type: 'app',
    subtype: count,
    ssrc: u32(bytes, start),
    name: text(bytes, start + 4, start + 8),
    dataLength: end - start - 8,
  }
}
