import type { Coverage } from './coverage.mjs'

export interface Target {
  name: string
  run: (data: Uint8Array) => unknown
  seeds: readonly Uint8Array[]
  maxLength: number
  dictionary?: readonly Uint8Array[]
  text?: boolean
  step?: number
}
export interface EngineOptions {
  coverage?: Coverage
  onInput?: (data: Uint8Array) => void
  slowMs?: number
}
export class Crasher extends Error {
  constructor(input: Uint8Array, cause: unknown)
  readonly input: Uint8Array
}
export class Engine {
  constructor(target: Target, seed: number, options?: EngineOptions)
  readonly inputs: number
  readonly corpus: readonly Uint8Array[]
  runSeeds(): Promise<void>
  step(): Promise<void>
}
export function shrink(target: Target, crasher: Crasher, mostTries?: number): Promise<Uint8Array>
