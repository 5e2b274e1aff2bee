/** Recorded streams and case tables that lie beside the repository; tests can do without. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const SHARED_DATA_MISSING = 'the shared data folder is not beside the repository'

const folder: string = fileURLToPath(new URL('../../../shared/', import.meta.url))

/** The folder with `corpus` and `data`, ending in a slash, or `null` where it is absent. */
export function sharedData(): string | null {
  return existsSync(`${folder}corpus/manifest.json`) ? folder : null
}

/** A JSON file of the folder; ask {@link sharedData} first whether there is one. */
export function sharedJson<Shape>(path: string): Shape {
  return JSON.parse(readFileSync(folder + path, 'utf8')) as Shape
}

/** A file of the folder, as it lies there. */
export function sharedBytes(path: string): Uint8Array {
  return new Uint8Array(readFileSync(folder + path))
}
