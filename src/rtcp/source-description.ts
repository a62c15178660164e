import { missing, type RtcpBody } from './defects.js'
import type { SdesChunk, SdesItem, SdesItemType, SourceDescription } from './packets.js'
import { text, u32 } from './words.js'

const ITEM_TYPES: readonly SdesItemType[] = [
  'other',
  'cname',
  'name',
  'email',
  'phone',
  'loc',
  'tool',
  'note',
  'priv',
]
/** Eight types are defined; a longer chunk is junk. */
const MAX_ITEMS = 16

/**
 * SDES, RFC 3550 6.5, `SC` chunks:
 *
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |V=2|P|   SC    |    PT=202     |       length in words - 1     |
 * +---+-+---------+---------------+-------------------------------+
 * |                          SSRC / CSRC                          |
 * +---------------+---------------+-------------------------------+
 * |   item type   |  text length  |  text ...   then 0 up to the  |
 * |   next multiple of four (at least one)                        |
 * +---------------------------------------------------------------+
 */
export function parseSourceDescription(body: RtcpBody): SourceDescription {
  const chunks: SdesChunk[] = []
  let at = body.start
  while (chunks.length < body.count && at + 4 <= body.end) {
    const items: SdesItem[] = []
    const ssrc = u32(body.bytes, at)
    const next = parseItems(body, at + 4, items)
    chunks.push({ ssrc, items })
    if (next < 0) return { type: 'sdes', chunks }
    at = body.start + ((next - body.start + 3) & ~3)
  }
  if (chunks.length < body.count) missing(body, 'missing_sdes_chunks')
  return { type: 'sdes', chunks }
}

/** Returns where the chunk ends (its terminating zero included), or -1 when what follows cannot be trusted. */
function parseItems(body: RtcpBody, at: number, items: SdesItem[]): number {
  const { bytes, end } = body
  while (at < end) {
    const code = bytes[at]
    if (code === 0) return at + 1
    if (at + 2 > end || at + 2 + bytes[at + 1] > end) {
      missing(body, 'sdes_item_too_long')
      return -1
    }
    if (items.length === MAX_ITEMS) {
      body.defects.add('too_many_sdes_items')
      return -1
    }
    const textEnd = at + 2 + bytes[at + 1]
    items.push({ type: ITEM_TYPES[code] ?? 'other', code, text: text(bytes, at + 2, textEnd) })
    at = textEnd
  }
  // Some senders leave the last chunk's terminating zero out when the text fills the word.
  return at
}
