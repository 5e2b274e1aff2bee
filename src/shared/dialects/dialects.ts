import { MillraceError } from '../errors.ts'
import { anthropic } from './anthropic.ts'
import { bedrockEventstream } from './bedrock-eventstream.ts'
import { cohereV2 } from './cohere-v2.ts'
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

/** Names that {@link findDialect} knows. */
export const DIALECT_NAMES: readonly string[] = [...DIALECTS.keys()]

/** @throws {MillraceError} `DIALECT_UNKNOWN`. */
export function findDialect(name: string): Dialect {
  const dialect = DIALECTS.get(name)
  if (dialect !== undefined) return dialect
  const known = DIALECT_NAMES.join(', ')
  throw new MillraceError('DIALECT_UNKNOWN', `no dialect '${name}'; there are ${known}`, { name })
}
