import type { Dialect, Framing } from './dialect.ts'

/** The barest form: `{"text": "…"}`, for servers of one's own. */
function bareText(name: string, framing: Framing): Dialect {
  return {
    name,
    framing,
    signs: [{ has: 'text' }],
    payload: 'json',
    sentinels: ['[DONE]'],
    end: 'none',
    rules: [
      { emit: 'text', path: 'text' },
      { emit: 'error', path: 'error' },
    ],
  }
}

export const text: Dialect = bareText('text', 'sse')
export const textJsonl: Dialect = bareText('text-jsonl', 'ndjson')
