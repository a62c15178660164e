import { deflateRawSync } from 'node:zlib'
import type { CallBatch } from './call-batch.js'
import { DetailBlock } from './detail-block.js'
import { sipShower, type SipShown } from './report-text.js'

/** Takes a third of the time of the default level, and files are a quarter larger. */
const LEVEL = 3

/** Makes compressed blocks of the file (`detail-block.ts`): here SIP messages become what may be shown of them. */
export class CallPacker {
  private readonly block = new DetailBlock()
  private readonly show: ((text: string) => string) | undefined

  constructor(sip: SipShown) {
    this.show = sipShower(sip)
  }

  pack({ details, texts, seconds }: CallBatch): Uint8Array {
    const { show } = this
    const shown = (text: string | null): string | null => (text === null || !show ? null : show(text))
    this.block.begin()
    for (const [place, detail] of details.entries())
      this.block.addDetail(detail, JSON.stringify(texts[place].map(shown)))
    // A copy of its own: it goes to another thread.
    return new Uint8Array(deflateRawSync(this.block.end(seconds), { level: LEVEL, chunkSize: 1 << 18 }))
  }
}
