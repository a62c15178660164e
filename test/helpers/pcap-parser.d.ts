/** The part of the npm package `pcap-parser` 0.2.1 that tests use; it comes without types. */
declare module 'pcap-parser' {
  import type { Readable } from 'node:stream'

  interface ParsedPacket {
    header: {
      timestampSeconds: number
      timestampMicroseconds: number
      capturedLength: number
      originalLength: number
    }
    data: Buffer
  }
  interface Parser {
    on(event: 'packet', listener: (packet: ParsedPacket) => void): this
    on(event: 'end', listener: () => void): this
    on(event: 'error', listener: (error: Error) => void): this
  }
  const pcapParser: { parse(input: string | Readable): Parser }
  export default pcapParser
}
