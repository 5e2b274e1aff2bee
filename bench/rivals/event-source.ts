import { createParser } from 'eventsource-parser'
import type { Chunk } from '../fixtures.ts'
import type { FixtureDialect } from '../fixtures/parts.ts'
import type { Sink } from '../sink.ts'

interface ChatChunk {
  readonly choices: readonly { readonly delta: { readonly content?: string } }[]
}

interface AnthropicEvent {
  readonly type: string
  readonly delta?: { readonly text?: string }
}

/** eventsource-parser and JSON.parse: what one writes by hand, and what the AI SDK is built on. */
export function decodeByEventSource(
  dialect: FixtureDialect,
  chunks: readonly Chunk[],
  sink: Sink,
): void {
  const textOf = dialect === 'anthropic' ? anthropicText : chatText
  const parser = createParser({
    onEvent({ data }) {
      if (data === '[DONE]') return
      const text = textOf(data)
      if (text !== undefined && text !== '') sink.take(text)
    },
  })
  const decoder = new TextDecoder()
  for (const chunk of chunks) parser.feed(decoder.decode(chunk, { stream: true }))
  parser.feed(decoder.decode())
}

function chatText(data: string): string | undefined {
  return (JSON.parse(data) as ChatChunk).choices[0]?.delta.content
}

function anthropicText(data: string): string | undefined {
  const event = JSON.parse(data) as AnthropicEvent
  return event.type === 'content_block_delta' ? event.delta?.text : undefined
}
