import type { Dialect, Framing } from './dialect.ts'

function records(name: string, framing: Framing): Dialect {
  return { name, framing, payload: 'text', end: 'none', rules: [] }
}

/** Server-Sent Events as such: every event as it was sent, whoever sent it. */
export const sse: Dialect = records('sse', 'sse')

/** NDJSON as such: every line as it was sent. */
export const jsonl: Dialect = records('jsonl', 'ndjson')
