import { MillraceError } from '../errors.ts'
import { anthropic } from './anthropic.ts'
import type { Dialect } from './dialect.ts'
import { openaiChat } from './openai-chat.ts'
import { sse } from './sse.ts'

const DIALECTS: ReadonlyMap<string, Dialect> = new Map(
  [openaiChat, anthropic, sse].map((dialect) => [dialect.name, dialect]),
)

/** Names that {@link findDialect} knows. */
export const DIALECT_NAMES: readonly string[] = [...DIALECTS.keys()]

/** @throws {MillraceError} `DIALECT_UNKNOWN`. */
export function findDialect(name: string): Dialect {
  const dialect = DIALECTS.get(name)
  if (dialect !== undefined) return dialect
  const known = DIALECT_NAMES.join(', ')
  throw new MillraceError('DIALECT_UNKNOWN', `no dialect '${name}'; there are ${known}`, { name })
}
