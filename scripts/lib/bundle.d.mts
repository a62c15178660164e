export const THREADS: readonly string[]
export function bundle(
  modules: string,
  entries: Record<string, string>,
  folder: string,
  foreign?: readonly string[],
): Promise<void>
