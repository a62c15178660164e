export interface Job {
  name: string
  seed: number
  slowMs: number
  maxLength: number
  inputs?: readonly Uint8Array[]
  runs: number
  seconds: number
  folder: string
  plainFolder: string
  blocks: number
  heapLimitMb?: number
}
export interface Outcome {
  result: 'passed' | 'crash' | 'hang' | 'memory'
  figures: { inputs: number }
  input?: Uint8Array
  smaller?: Uint8Array
  detail?: string
}
export function watch(job: Job, onProgress: (figures: Outcome['figures']) => void): Promise<Outcome>
