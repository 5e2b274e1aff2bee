import type { Dialect, Path, Rule } from './dialect.ts'

/** What both of Ollama's endpoints have in common: NDJSON, and all about the end in its record. */
function ollama(name: string, sign: Path, rules: readonly Rule[]): Dialect {
  const when = { done: [true] }
  return {
    name,
    framing: 'ndjson',
    signs: [{ has: sign }],
    payload: 'json',
    end: 'terminator',
    usage: {
      merge: 'last',
      only: ['prompt_eval_count', 'eval_count'],
      input: 'prompt_eval_count',
      output: 'eval_count',
    },
    rules: [
      { emit: 'model', path: 'model' },
      ...rules,
      { emit: 'logprobs', path: 'logprobs' },
      { emit: 'usage', path: '', when },
      { emit: 'finish', path: 'done_reason', when },
      { emit: 'error', path: 'error' },
      { emit: 'end', name: 'done:true', when },
    ],
  }
}

/** Ollama's `/api/chat`. Calls come whole, and are known by nothing but their order. */
export const ollamaChat: Dialect = ollama('ollama-chat', 'message.role', [
  { emit: 'role', path: 'message.role' },
  { emit: 'reasoning', path: 'message.thinking', skipEmpty: true },
  { emit: 'text', path: 'message.content' },
  {
    each: 'message.tool_calls',
    rules: [{ emit: 'tool', id: 'id', name: 'function.name', input: 'function.arguments' }],
  },
])

/** Ollama's `/api/generate`. */
export const ollamaGenerate: Dialect = ollama('ollama-generate', 'response', [
  { emit: 'reasoning', path: 'thinking', skipEmpty: true },
  { emit: 'text', path: 'response' },
])
