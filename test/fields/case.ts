/** What a row of the fields table is: bytes of a provider, and the events that they must give. */
import type { TokenEvent, Usage } from '../../src/main/index.ts'
import type { Dialect } from '../../src/shared/dialects/dialect.ts'
import { awsChunk, awsEvent } from '../aws-frames.ts'

/** The rows of the table of fields: what providers say, wherever they do. */
export const FIELDS = [
  'type',
  'id / model',
  'role',
  'choice / block index',
  'text',
  'reasoning',
  'refusal',
  'tool',
  'hosted block',
  'finish reason',
  'usage',
  'logprobs',
  'citations',
  'filter / safety',
  'error',
  'end',
] as const

export type Field = (typeof FIELDS)[number]

/** A payload; with the name of its event, or its frame's; or the data, or the bytes, as sent. */
export type Sent = object | string | Uint8Array | readonly [event: string, payload: object]

/** An error is told by what the provider put into it, see {@link error}. */
export type SeenEvent = Exclude<TokenEvent, { type: 'error' }> | SeenError

export interface SeenError {
  readonly type: 'error'
  readonly code: string
  readonly details: unknown
}

export type Row = readonly [
  field: Field,
  sent: readonly Sent[],
  events: readonly SeenEvent[],
  /** What the batch says of each event's block, where that is the point. */
  indexes?: readonly number[],
]

export function bodyOf({ framing }: Dialect, sent: readonly Sent[]): Uint8Array {
  if (framing === 'aws-eventstream') {
    return Buffer.concat(
      sent.map((it) => {
        if (it instanceof Uint8Array) return it
        return Array.isArray(it) ? awsEvent(it[0], it[1]) : awsChunk(it as object)
      }),
    )
  }
  const payloads = sent.map((it) => {
    if (Array.isArray(it)) return { event: `event: ${it[0]}\n`, data: JSON.stringify(it[1]) }
    return { event: '', data: typeof it === 'string' ? it : JSON.stringify(it) }
  })
  if (framing === 'sse') {
    return Buffer.from(payloads.map(({ event, data }) => `${event}data: ${data}\n\n`).join(''))
  }
  const lines = payloads.map(({ data }) => data)
  return Buffer.from(framing === 'ndjson' ? `${lines.join('\n')}\n` : `[${lines.join(',')}]`)
}

export function seen(event: TokenEvent): SeenEvent {
  if (event.type !== 'error') return event
  return { type: 'error', code: event.error.code, details: event.error.details }
}

// Events, in a word each.

export const meta = (id: string | null, model: string | null): SeenEvent => {
  return { type: 'response-metadata', id, model }
}
export const role = (words: string, choice = 0): SeenEvent => {
  return { type: 'role', choice, role: words }
}
export const text = (words: string, choice = 0): SeenEvent => {
  return { type: 'text-delta', choice, text: words }
}
export const reasoning = (words: string, choice = 0): SeenEvent => {
  return { type: 'reasoning-delta', choice, text: words }
}
export const refusal = (words: string, choice = 0): SeenEvent => {
  return { type: 'refusal-delta', choice, text: words }
}
export const plan = (words: string): SeenEvent => {
  return { type: 'plan-delta', choice: 0, text: words }
}
export const signature = (words: string, index = -1): SeenEvent => {
  return { type: 'reasoning-signature', choice: 0, index, signature: words }
}
export const toolStart = (
  index: number,
  id: string | null,
  toolName: string,
  kind: string | null = null,
): SeenEvent => {
  return { type: 'tool-input-start', choice: 0, index, id, toolName, kind }
}
export const toolDelta = (index: number, id: string | null, words: string): SeenEvent => {
  return { type: 'tool-input-delta', choice: 0, index, id, text: words }
}
export const toolEnd = (index: number, id: string | null, toolName: string): SeenEvent => {
  return { type: 'tool-input-end', choice: 0, index, id, toolName }
}
export const hosted = (index: number, blockType: string): SeenEvent => {
  return { type: 'hosted-block', index, blockType }
}
export const annotation = (value: unknown): SeenEvent => {
  return { type: 'annotation', choice: 0, value }
}
export const sources = (...value: unknown[]): SeenEvent => ({ type: 'sources', choice: 0, value })
export const logprobs = (...value: unknown[]): SeenEvent => ({ type: 'logprobs', choice: 0, value })
export const safety = (value: unknown): SeenEvent => ({ type: 'safety', choice: 0, value })
export const finish = (reason: string): SeenEvent => ({ type: 'finish', choice: 0, reason })
export const detail = (value: unknown): SeenEvent => ({ type: 'finish-detail', choice: 0, value })
export const end = (terminator: string): SeenEvent => ({ type: 'end', terminator })
export const usage = (counts: Partial<Usage>, raw: unknown): SeenEvent => {
  const none = { input: null, output: null, total: null, cachedInput: null, reasoning: null }
  return { type: 'usage', usage: { ...none, ...counts }, raw }
}

/** A provider's error: as it was sent, and what of it has a name. */
export const error = (raw: unknown, named: object): SeenEvent => {
  const none = { message: null, type: null, code: null }
  const details = { ...none, ...named, raw, outsideProtocol: false }
  return { type: 'error', code: 'PROVIDER_ERROR', details }
}

/** The error most used. */
export const FAULT = { message: 'm', code: 'c' }
export const fault: SeenEvent = error(FAULT, FAULT)
