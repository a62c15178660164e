/** Details of calls that share a block of the file: plain data, for another thread. */
export interface CallBatch {
  /** JSON of each call's details, but for its SIP texts. */
  details: string[]
  /** SIP messages of each call as they were seen, in the order of its list; null: not kept. */
  texts: (string | null)[][]
  /** Of all its calls, packed. */
  seconds: Uint8Array
}
