import { readFileSync } from 'node:fs'
import { packageFile } from '../places.js'

/** The package's version; '?' when it cannot be told. */
export function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(packageFile('package.json'), 'utf8'))
  return manifest !== null && typeof manifest === 'object' && 'version' in manifest
    ? String(manifest.version)
    : '?'
}
