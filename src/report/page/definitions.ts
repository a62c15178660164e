let definitions: Readonly<Record<string, string>> = {}

/** The words of docs/metrics.md, as the run put them into the file. */
export function useDefinitions(known: Readonly<Record<string, string>>): void {
  definitions = known
}

export function definitionOf(field: string): string | undefined {
  return Object.hasOwn(definitions, field) ? definitions[field] : undefined
}
