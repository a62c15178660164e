/** A small reader of pcap and pcapng for tests, independent of the project's own. */
export type FrameVisitor = (
  bytes: Uint8Array,
  view: DataView,
  offset: number,
  captured: number,
  wire: number,
  linkType: number,
  timeMs: number,
) => void

export function forEachFrame(file: Uint8Array, visit: FrameVisitor): void {
  const bytes = Uint8Array.from(file)
  const view = new DataView(bytes.buffer)
  if (view.getUint32(0) === 0x0a0d0d0a) walkPcapng(bytes, view, visit)
  else walkPcap(bytes, view, visit)
}

function walkPcap(bytes: Uint8Array, view: DataView, visit: FrameVisitor): void {
  const little = [0xd4, 0x4d].includes(bytes[0])
  const nanoseconds = [0x4d, 0x3c].includes(bytes[little ? 0 : 2])
  const linkType = view.getUint32(20, little) & 0xffff
  for (let at = 24; at + 16 <= bytes.length;) {
    const captured = view.getUint32(at + 8, little)
    if (at + 16 + captured > bytes.length) return
    const timeMs =
      view.getUint32(at, little) * 1000 + view.getUint32(at + 4, little) / (nanoseconds ? 1e6 : 1e3)
    visit(bytes, view, at + 16, captured, view.getUint32(at + 12, little), linkType, timeMs)
    at += 16 + captured
  }
}

function walkPcapng(bytes: Uint8Array, view: DataView, visit: FrameVisitor): void {
  let little = true
  let links: number[] = []
  for (let at = 0; at + 12 <= bytes.length;) {
    if (view.getUint32(at) === 0x0a0d0d0a) {
      little = view.getUint32(at + 8) !== 0x1a2b3c4d
      links = []
    }
    const type = view.getUint32(at, little)
    if (type === 1) links.push(view.getUint16(at + 8, little))
    if (type === 6) {
      const ticks = view.getUint32(at + 12, little) * 2 ** 32 + view.getUint32(at + 16, little)
      const captured = view.getUint32(at + 20, little)
      const linkType = links[view.getUint32(at + 8, little)]
      visit(bytes, view, at + 28, captured, view.getUint32(at + 24, little), linkType, ticks / 1000)
    }
    at += view.getUint32(at + 4, little)
  }
}
