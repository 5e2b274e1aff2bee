/** Reading streams to their end, in one expression, for tests. */
import assert from 'node:assert/strict'
import type { MillraceError, TokenEvent } from '../src/main/index.ts'

export function brief(event: TokenEvent): string {
  if (event.type === 'text-delta') return event.text
  return event.type === 'error' ? event.error.code : event.type
}

export function textOf(events: readonly TokenEvent[]): string {
  return events.map((event) => (event.type === 'text-delta' ? event.text : '')).join('')
}

export async function collect(stream: AsyncIterable<TokenEvent>): Promise<TokenEvent[]> {
  const events: TokenEvent[] = []
  for await (const event of stream) events.push(event)
  return events
}

export async function collectUntilFailure(
  stream: AsyncIterable<TokenEvent>,
): Promise<{ events: TokenEvent[]; error: MillraceError }> {
  const events: TokenEvent[] = []
  const error = await failureOf(
    (async () => {
      for await (const event of stream) events.push(event)
    })(),
  )
  return { events, error }
}

export async function failureOf(promise: Promise<unknown>): Promise<MillraceError> {
  try {
    await promise
  } catch (error) {
    return error as MillraceError
  }
  throw new assert.AssertionError({ message: 'expected a failure' })
}
