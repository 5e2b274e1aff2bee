import type { Dialect } from './dialect.ts'

/** Server-Sent Events as such: every event as it was sent, whoever sent it. */
export const sse: Dialect = {
  name: 'sse',
  framing: 'sse',
  payload: 'text',
  end: 'none',
  rules: [],
}
