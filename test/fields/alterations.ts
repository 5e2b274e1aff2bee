/** Tables with one thing less: what a test of all that they say must notice. */
import { compileDialect } from '../../src/shared/dialects/compile.ts'
import type { Dialect } from '../../src/shared/dialects/dialect.ts'

export interface Alteration {
  /** What is missing: `rules[2].rules[0].path[1]`. */
  readonly place: string
  readonly altered: Dialect
}

/** What this is about: how payloads are read. */
const PARTS = ['sentinels', 'discriminator', 'wrapped', 'usage', 'rules'] as const

type Container = Record<string, unknown> | unknown[]

/** The dialect without each element of each list in it, and without each key that it can spare. */
export function* alterationsOf(dialect: Dialect): Generator<Alteration> {
  for (const part of PARTS) {
    if (dialect[part] === undefined) continue
    for (const keys of placesIn(dialect[part], [part])) {
      const altered = structuredClone(dialect)
      remove(altered as unknown as Container, keys)
      if (isValid(altered)) yield { place: shown(keys), altered }
    }
  }
}

/** The keys to each thing inside, itself first. */
function* placesIn(value: unknown, keys: readonly string[]): Generator<readonly string[]> {
  yield keys
  if (typeof value !== 'object' || value === null) return
  for (const [key, inner] of Object.entries(value)) yield* placesIn(inner, [...keys, key])
}

function remove(container: Container, keys: readonly string[]): void {
  const [key, ...rest] = keys as [string, ...string[]]
  if (rest.length > 0) remove((container as Record<string, Container>)[key]!, rest)
  else if (Array.isArray(container)) container.splice(Number(key), 1)
  else delete container[key]
}

function isValid(dialect: Dialect): boolean {
  try {
    compileDialect(dialect)
    return true
  } catch {
    return false
  }
}

function shown(keys: readonly string[]): string {
  return keys
    .map((key) => (/^\d+$/.test(key) ? `[${key}]` : `.${key}`))
    .join('')
    .slice(1)
}
