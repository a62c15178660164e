import type { Target } from './engine.mjs'
import type { ImportModule, Material } from './material.mjs'

export interface TargetSpec {
  about: string
  module: string
  export: string
  maxLength: number
  runs: number
}
export const TARGETS: Readonly<Record<string, TargetSpec>>
export function loadTarget(name: string, importModule: ImportModule, material?: Material): Promise<Target>
