export const OTHER_TOOLS: Record<string, (lossPercent: number, delayMs: number) => number>
export const LOSSES: readonly number[]
export const DELAYS_MS: readonly number[]
export function comparisonTable(
  ours: (lossPercent: number, delayMs: number) => { mosLq: number; mosCq: number },
): string
