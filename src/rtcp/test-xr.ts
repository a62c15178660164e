import { parseRtcp } from './parse.js'
import { hex } from './test-bytes.js'
import type { XrBlock } from './xr-blocks.js'

/** Parses an XR packet of 0xcafe0002 with the blocks given. */
export function xr(...blocks: string[]): { blocks: XrBlock[]; defects: string[] } {
  const content = hex(blocks.join(''))
  const words = (1 + content.length / 4).toString(16).padStart(4, '0')
  const bytes = hex(`80cf${words}cafe0002${Buffer.from(content).toString('hex')}`)
  const compound = parseRtcp(bytes, 0, bytes.length)
  const [packet] = compound.packets
  if (packet.type !== 'xr') throw new Error(`no XR: ${packet.type}`)
  if (packet.ssrc !== 0xcafe0002) throw new Error(`wrong SSRC: ${packet.ssrc}`)
  return { blocks: packet.blocks, defects: compound.defects }
}
