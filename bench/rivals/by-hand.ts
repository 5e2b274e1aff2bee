import { createParser } from 'eventsource-parser'
import type { Chunk } from '../fixtures.ts'
import type { FixtureDialect } from '../fixtures/parts.ts'
import type { Sink } from '../sink.ts'
import { frameFeed } from './aws-frames.ts'

/** The text of one payload, where it has one. */
type TextOf = (data: string) => string | undefined

interface ChatChunk {
  readonly choices: readonly { readonly delta: { readonly content?: string } }[]
}

interface AnthropicEvent {
  readonly type: string
  readonly delta?: { readonly text?: string }
}

interface ResponsesEvent {
  readonly type: string
  readonly delta?: string
}

interface GeminiChunk {
  readonly candidates?: readonly {
    readonly content?: { readonly parts?: readonly { readonly text?: string }[] }
  }[]
}

interface CohereEvent {
  readonly type: string
  readonly delta?: { readonly message?: { readonly content?: { readonly text?: string } } }
}

interface OllamaRecord {
  readonly message?: { readonly content?: string }
}

interface ConverseDelta {
  readonly delta: { readonly text?: string }
}

const TEXT_OF: Readonly<Record<FixtureDialect, TextOf>> = {
  'openai-chat': (data) => (JSON.parse(data) as ChatChunk).choices[0]?.delta.content,
  anthropic(data) {
    const event = JSON.parse(data) as AnthropicEvent
    return event.type === 'content_block_delta' ? event.delta?.text : undefined
  },
  'openai-responses'(data) {
    const event = JSON.parse(data) as ResponsesEvent
    return event.type === 'response.output_text.delta' ? event.delta : undefined
  },
  gemini: (data) => (JSON.parse(data) as GeminiChunk).candidates?.[0]?.content?.parts?.[0]?.text,
  'cohere-v2'(data) {
    const event = JSON.parse(data) as CohereEvent
    return event.type === 'content-delta' ? event.delta?.message?.content?.text : undefined
  },
  'ollama-chat': (data) => (JSON.parse(data) as OllamaRecord).message?.content,
  'bedrock-eventstream': (data) => (JSON.parse(data) as ConverseDelta).delta.text,
}

/**
 * What one writes by hand: eventsource-parser, on which the AI SDK is built too, and JSON.parse; a
 * split at line ends where records are lines; numbers and CRCs where they are AWS frames.
 */
export function decodeByHand(dialect: FixtureDialect, chunks: readonly Chunk[], sink: Sink): void {
  const textOf = TEXT_OF[dialect]
  const take = (data: string): void => {
    if (data === '[DONE]') return
    const text = textOf(data)
    if (text !== undefined && text !== '') sink.take(text)
  }
  if (dialect === 'bedrock-eventstream') {
    const feed = frameFeed((type, data) => {
      if (type === 'contentBlockDelta') take(data)
    })
    for (const chunk of chunks) feed(chunk)
    return
  }
  const feed = dialect === 'ollama-chat' ? lineFeed(take) : eventFeed(take)
  const decoder = new TextDecoder()
  for (const chunk of chunks) feed(decoder.decode(chunk, { stream: true }))
  feed(decoder.decode())
}

function eventFeed(take: (data: string) => void): (text: string) => void {
  const parser = createParser({ onEvent: ({ data }) => take(data) })
  return (text) => parser.feed(text)
}

function lineFeed(take: (data: string) => void): (text: string) => void {
  let rest = ''
  return (text) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop()!
    for (const line of lines) if (line !== '') take(line)
  }
}
