import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type * as library from '../src/main/index.ts'

/** A change of one file of the built library: `from` must be in it, once. */
export interface Plant {
  /** Path below `dist/src`. */
  readonly path: string
  readonly from: string
  readonly to: string
}

/** Where the built library's copies lie: inside the package, so that its imports resolve. */
const DIST = fileURLToPath(new URL('../', import.meta.url))

/**
 * Copies the built library, changes the copy, and imports it for as long as `use` runs: a fault is
 * planted in what ships, which needs no hooks for it.
 */
export async function withPlanted<Result>(
  plants: readonly Plant[],
  use: (planted: typeof library) => Promise<Result>,
): Promise<Result> {
  const copy = mkdtempSync(`${DIST}planted-`)
  try {
    cpSync(`${DIST}src`, `${copy}/src`, { recursive: true })
    for (const { path, from, to } of plants) {
      const text = readFileSync(`${copy}/src/${path}`, 'utf8')
      const times = text.split(from).length - 1
      if (times !== 1) throw new Error(`${path} has ${times} times: ${from}`)
      writeFileSync(
        `${copy}/src/${path}`,
        text.replace(from, () => to),
      )
    }
    return await use((await import(`${copy}/src/main/index.js`)) as typeof library)
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}
