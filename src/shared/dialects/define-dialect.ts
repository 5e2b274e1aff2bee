import { compileDialect } from './compile.ts'
import type { Dialect } from './dialect.ts'

/**
 * Makes a dialect of a table: where a provider keeps its tokens, for one that has no table here.
 *
 * The table is checked, copied and frozen; define it once and use it for any number of streams.
 * docs/DIALECTS.md explains the language and has a worked example.
 *
 * @throws {MillraceError} `DIALECT_INVALID`, which names the place: `rules[2].path`.
 * @example
 * const acme = defineDialect({
 *   name: 'acme',
 *   framing: 'sse',
 *   payload: 'json',
 *   end: 'finish',
 *   rules: [
 *     { emit: 'text', path: 'chunk.text' },
 *     { emit: 'finish', path: 'chunk.why' },
 *   ],
 * })
 * const decoder = createDecoder({ dialect: acme })
 * const batch = decoder.push('data: {"chunk":{"text":"Hi","why":"end"}}\n\n')
 * console.log(batch.text(0))
 */
export function defineDialect(dialect: Dialect): Dialect {
  compileDialect(dialect)
  const own = structuredClone(dialect)
  freeze(own)
  return own
}

function freeze(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  for (const inner of Object.values(Object.freeze(value))) freeze(inner)
}
