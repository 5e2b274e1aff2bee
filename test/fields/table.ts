/** The fields table: what each dialect reads, by dialect. */
import type { Dialect } from '../../src/shared/dialects/dialect.ts'
import { anthropic, bedrock } from './anthropic.ts'
import { type Field, FIELDS, type Row } from './case.ts'
import { bare, chat, completions } from './chat.ts'
import { cohere, gemini, geminiEvents, interactions, ollamaChat, ollamaGenerate } from './google.ts'
import { assistants, responses } from './openai.ts'

const ROWS: Readonly<Record<string, readonly Row[]>> = {
  'openai-chat': chat,
  'openai-completions': completions,
  'openai-responses': responses,
  'openai-assistants': assistants,
  anthropic,
  gemini: [...gemini, ...geminiEvents],
  'gemini-array': gemini,
  'gemini-interactions': interactions,
  'cohere-v2': cohere,
  'bedrock-eventstream': [...bedrock, ...inChunks(anthropic)],
  'ollama-chat': ollamaChat,
  'ollama-generate': ollamaGenerate,
  text: bare,
  'text-jsonl': bare,
}

/** Bedrock's chunks have no event's name: rows that need one are not for them. */
function inChunks(rows: readonly Row[]): readonly Row[] {
  return rows.filter(([, sent]) => !sent.some((it) => Array.isArray(it)))
}

export function fieldsOf({ name }: Dialect): readonly Row[] {
  return ROWS[name] ?? []
}

const only = (...fields: readonly Field[]): readonly Field[] => {
  return FIELDS.filter((field) => !fields.includes(field))
}

/** Of which fields a provider says nothing, or nothing of its own. */
export const FIELDS_ABSENT: Readonly<Record<string, readonly Field[]>> = {
  'openai-chat': ['type', 'hosted block'],
  'openai-completions': [
    'type',
    'role',
    'reasoning',
    'refusal',
    'tool',
    'hosted block',
    'citations',
  ],
  'openai-assistants': [
    'id / model',
    'role',
    'reasoning',
    'hosted block',
    'logprobs',
    'filter / safety',
  ],
  anthropic: ['logprobs', 'filter / safety'],
  gemini: ['type', 'end'],
  'gemini-array': ['type', 'end'],
  'gemini-interactions': [
    'role',
    'refusal',
    'hosted block',
    'logprobs',
    'citations',
    'filter / safety',
  ],
  'cohere-v2': ['refusal', 'hosted block', 'filter / safety'],
  'bedrock-eventstream': ['logprobs'],
  'ollama-chat': only(
    'id / model',
    'role',
    'text',
    'reasoning',
    'tool',
    'finish reason',
    'usage',
    'logprobs',
    'error',
    'end',
  ),
  'ollama-generate': only(
    'id / model',
    'text',
    'reasoning',
    'finish reason',
    'usage',
    'logprobs',
    'error',
    'end',
  ),
  text: only('text', 'error', 'end'),
  'text-jsonl': only('text', 'error', 'end'),
  jsonl: FIELDS,
  sse: FIELDS,
}
