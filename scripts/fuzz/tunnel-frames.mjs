// Frames that lead into every layer the decoder knows, laid out by hand.

/** Bytes of hexadecimal text, byte values and other bytes in a row. */
function cat(...parts) {
  return Buffer.concat(
    parts.map((part) =>
      typeof part === 'string'
        ? Buffer.from(part.replaceAll(' ', ''), 'hex')
        : typeof part === 'number'
          ? Buffer.from([part])
          : part,
    ),
  )
}

const u16 = (value) => Buffer.from([value >> 8, value & 255])
const zeros = (length) => Buffer.alloc(length)

const RTP = cat('80 00 00 01 00 00 00 a0 12 34 56 78', zeros(20))
const udp = (payload, port) => cat(u16(40_000), u16(port), u16(8 + payload.length), u16(0), payload)
const ipv4 = (payload, protocol = 17, fragment = 0) =>
  cat(
    '45 00',
    u16(20 + payload.length),
    u16(7),
    u16(fragment),
    64,
    protocol,
    u16(0),
    '0a000001 0a000002',
    payload,
  )
const ipv6 = (payload, next = 17) =>
  cat(
    '60 00 00 00',
    u16(payload.length),
    next,
    64,
    '20010db8',
    zeros(11),
    1,
    '20010db8',
    zeros(11),
    2,
    payload,
  )
const ethernet = (type, payload) => cat('02 00 00 00 00 01 02 00 00 00 00 02', u16(type), payload)

/** @returns {{ linkType: number, bytes: Uint8Array }[]} */
export function tunnelFrames() {
  const ip = ipv4(udp(RTP, 4000))
  const frame = ethernet(0x0800, ip)
  const over = (port, header) => ethernet(0x0800, ipv4(udp(cat(header, frame), port)))
  const overIp = (port, header, inner = ip) => ethernet(0x0800, ipv4(udp(cat(header, inner), port)))
  const hepChunk = (type, value) => cat('0000', u16(type), u16(6 + value.length), value)
  const hep = cat(
    ...[
      hepChunk(1, cat(2)),
      hepChunk(2, cat(17)),
      hepChunk(3, cat('0a000001')),
      hepChunk(4, cat('0a000002')),
    ],
    ...[
      hepChunk(7, u16(5060)),
      hepChunk(8, u16(5060)),
      hepChunk(9, cat('65000000')),
      hepChunk(10, cat('00000001')),
    ],
    ...[
      hepChunk(11, cat(1)),
      hepChunk(12, cat('00000001')),
      hepChunk(15, Buffer.from('OPTIONS sip:a SIP/2.0\r\n\r\n')),
    ],
  )
  const tcp = cat(u16(5060), u16(5060), zeros(8), '50 18 ff ff 0000 0000', Buffer.from('SIP/2.0 200 OK\r\n'))
  const fragmented = udp(zeros(40), 5060)
  const ethernets = [
    frame,
    ethernet(0x8100, cat('0007 86dd', ipv6(udp(RTP, 4000)))),
    ethernet(0x88a8, cat('0007 8100 0008 0800', ip)),
    ethernet(0x8847, cat('00000140', ip)),
    ethernet(0x8847, cat('00001140 00000000', frame)),
    ethernet(0x8864, cat('11 00 0001', u16(ip.length + 2), '0021', ip)),
    ethernet(0x0800, ipv4(cat('b000 88be', zeros(12), '102a 0801 00000005', frame), 47)),
    ethernet(0x0800, ipv4(cat('1000 22eb 00000001 202a 0001', zeros(8), frame), 47)),
    ethernet(0x0800, ipv4(cat('0000 0800', ip), 47)),
    ethernet(0x0800, ipv4(ip, 4)),
    ethernet(0x86dd, ipv6(ip, 4)),
    ethernet(0x0800, ipv4(ipv6(udp(RTP, 4000)), 41)),
    over(4789, '08000000 00002a00'),
    over(6081, '01006558 00002a00 00000000'),
    overIp(2152, cat('34ff', u16(ip.length + 8), '00000001 00000085 01000000')),
    over(37_008, '01000001 0a010001'),
    overIp(3544, cat('00010000', zeros(9)), ipv6(udp(RTP, 4000))),
    overIp(1701, '0002 0001 0001 ff03 0021'),
    ethernet(0x0800, ipv4(udp(cat(Buffer.from('HEP3'), u16(6 + hep.length), hep), 9060))),
    ethernet(
      0x0800,
      ipv4(udp(cat('01 10 11 13c4 13c4 0a000001 0a000002', Buffer.from('SIP/2.0 100 T\r\n')), 9060)),
    ),
    ethernet(0x0800, ipv4(tcp, 6)),
    ethernet(0x0800, ipv4(cat('0303 0000 00000000', ip), 1)),
    ethernet(0x86dd, ipv6(cat('0104 0000 00000000', ipv6(udp(RTP, 4000))), 58)),
    ethernet(0x86dd, ipv6(cat('11 00 0000 00000007', udp(RTP, 4000)), 44)),
    ethernet(
      0x86dd,
      ipv6(cat('2b 00 010400000000 3c 00 010400000000 11 00 010400000000', udp(RTP, 4000)), 0),
    ),
  ]
  const others = [
    [0, cat('02000000', ip)],
    [0, cat('0000001e', ipv6(udp(RTP, 4000)))],
    [101, ip],
    [228, ip],
    [229, ipv6(udp(RTP, 4000))],
    [12, ip],
    [9, cat('ff03 0021', ip)],
    [50, cat('ff03 0021', ip)],
    [51, cat('1100 0001', u16(ip.length + 2), '0021', ip)],
    [104, cat('0f00 0800', ip)],
    [107, cat('1841 03cc', ip)],
    [105, cat('0800 0000', zeros(18), '0000 aaaa03000000 0800', ip)],
    [127, cat('0000 0800 00000000 8802 0000', zeros(18), '0000 0600 aaaa03000000 0800', ip)],
    [108, cat('00000002', ip)],
    [113, cat('0000 0001 0006', zeros(8), '0800', ip)],
    [276, cat('0800 0000 00000003 0001 0006', zeros(8), ip)],
    [166, cat('01', '0021', ip)],
    [204, cat('00', 'ff03 0021', ip)],
    [197, cat(zeros(8), '8204 0064 00000064', zeros(8), '0000', frame)],
    [239, cat('0200 0005 0800 0100 00000000 4000 0900', ip)],
  ]
  const fragments = cat(
    ethernet(0x0800, ipv4(fragmented.subarray(0, 24), 17, 0x2000)),
    ethernet(0x0800, ipv4(fragmented.subarray(24), 17, 3)),
  )
  return [
    ...ethernets.map((bytes) => ({ linkType: 1, bytes })),
    ...others.map(([linkType, bytes]) => ({ linkType, bytes })),
    { linkType: 1, bytes: fragments.subarray(0, 58) },
    { linkType: 1, bytes: fragments.subarray(58) },
  ]
}
