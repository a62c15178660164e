export type ImportModule = (module: string) => Promise<Record<string, unknown>>
export class Material {
  static load(importModule: ImportModule): Promise<Material>
  sipPayloads(): Promise<Uint8Array[]>
}
