export function instrument(source: string, name: string, first: number): { text: string; next: number }
