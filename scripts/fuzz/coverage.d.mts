export class Coverage {
  constructor(blocks: number)
  readonly counts: Uint8Array
  readonly seen: Uint8Array
  readonly reached: number
  take(): boolean
  clear(): void
}
