import { MillraceError } from '../errors.ts'
import { anthropic } from './anthropic.ts'
import { bedrockEventstream } from './bedrock-eventstream.ts'
import { cohereV2 } from './cohere-v2.ts'
import { compileDialect } from './compile.ts'
import type { Dialect } from './dialect.ts'
import { geminiInteractions } from './gemini-interactions.ts'
import { gemini, geminiArray } from './gemini.ts'
import { ollamaChat, ollamaGenerate } from './ollama.ts'
import { openaiAssistants } from './openai-assistants.ts'
import { openaiChat } from './openai-chat.ts'
import { openaiCompletions } from './openai-completions.ts'
import { openaiResponses } from './openai-responses.ts'
import { jsonl, sse } from './records.ts'
import { text, textJsonl } from './text.ts'

const DIALECTS: ReadonlyMap<string, Dialect> = new Map(
  [
    openaiChat,
    openaiCompletions,
    openaiResponses,
    openaiAssistants,
    anthropic,
    gemini,
    geminiArray,
    geminiInteractions,
    cohereV2,
    bedrockEventstream,
    ollamaChat,
    ollamaGenerate,
    text,
    textJsonl,
    jsonl,
    sse,
  ].map((dialect) => [dialect.name, dialect]),
)

/** Every dialect, in the order in which `auto` tries them. */
export const DIALECTS_KNOWN: readonly Dialect[] = [...DIALECTS.values()]

/** Every dialect by its name: tables to read, and to build one's own on. */
export const dialects: Readonly<Record<string, Dialect>> = Object.freeze(
  Object.fromEntries(DIALECTS),
)

/** Names that {@link findDialect} knows. */
export const DIALECT_NAMES: readonly string[] = [...DIALECTS.keys()]

/**
 * A dialect by its name; a table of the caller's own as it is.
 *
 * @throws {MillraceError} `DIALECT_UNKNOWN`, `DIALECT_INVALID`.
 */
export function findDialect(dialect: string | Dialect): Dialect {
  if (typeof dialect === 'object') {
    compileDialect(dialect)
    return dialect
  }
  const found = DIALECTS.get(dialect)
  if (found !== undefined) return found
  const name = String(dialect)
  const known = DIALECT_NAMES.join(', ')
  throw new MillraceError('DIALECT_UNKNOWN', `no dialect '${name}'; there are ${known}`, { name })
}

/** What tells another thread of a dialect: its name, or the table of one that it does not know. */
export function dialectToSend(dialect: Dialect): string | Dialect {
  return DIALECTS.get(dialect.name) === dialect ? dialect.name : dialect
}

/** Tables that came from another thread, by their content: each is compiled once. */
const received = new Map<string, Dialect>()
const RECEIVED_MAX = 64

/** The dialect that another thread told of. Equal tables are one object here. */
export function dialectReceived(sent: string | Dialect): Dialect {
  if (typeof sent === 'string') return findDialect(sent)
  const key = JSON.stringify(sent)
  const known = received.get(key)
  if (known !== undefined) return known
  const [oldest] = received.keys()
  if (received.size === RECEIVED_MAX && oldest !== undefined) received.delete(oldest)
  received.set(key, sent)
  return sent
}
