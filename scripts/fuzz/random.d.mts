export class Random {
  constructor(seed: number)
  uint32(): number
  below(limit: number): number
}
