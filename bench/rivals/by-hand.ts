import { createParser } from 'eventsource-parser'
import type { Chunk } from '../fixtures.ts'
import type { FixtureDialect } from '../fixtures/parts.ts'
import type { Sink } from '../sink.ts'
import { elementFeed } from './array-elements.ts'
import { frameFeed } from './aws-frames.ts'

/** The text of one payload, where it has one. */
type TextOf = (data: string) => string | undefined

type TextFeed = (text: string) => void

interface ChatChunk {
  readonly choices: readonly { readonly delta: { readonly content?: string } }[]
}

interface Completion {
  readonly choices: readonly { readonly text?: string }[]
}

interface AssistantsEvent {
  readonly object: string
  readonly delta?: { readonly content?: readonly { readonly text?: { readonly value?: string } }[] }
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

interface InteractionsEvent {
  readonly event_type: string
  readonly delta?: { readonly type: string; readonly text?: string }
}

interface CohereEvent {
  readonly type: string
  readonly delta?: { readonly message?: { readonly content?: { readonly text?: string } } }
}

interface OllamaRecord {
  readonly message?: { readonly content?: string }
}

interface GenerateRecord {
  readonly response?: string
}

interface ConverseDelta {
  readonly delta: { readonly text?: string }
}

const geminiText: TextOf = (data) =>
  (JSON.parse(data) as GeminiChunk).candidates?.[0]?.content?.parts?.[0]?.text

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
  'openai-completions': (data) => (JSON.parse(data) as Completion).choices[0]?.text,
  'openai-assistants'(data) {
    const event = JSON.parse(data) as AssistantsEvent
    if (event.object !== 'thread.message.delta') return undefined
    return event.delta?.content?.[0]?.text?.value
  },
  gemini: geminiText,
  'gemini-array': geminiText,
  'gemini-interactions'(data) {
    const event = JSON.parse(data) as InteractionsEvent
    if (event.event_type !== 'step.delta' || event.delta?.type !== 'text') return undefined
    return event.delta.text
  },
  'cohere-v2'(data) {
    const event = JSON.parse(data) as CohereEvent
    return event.type === 'content-delta' ? event.delta?.message?.content?.text : undefined
  },
  'ollama-chat': (data) => (JSON.parse(data) as OllamaRecord).message?.content,
  'ollama-generate': (data) => (JSON.parse(data) as GenerateRecord).response,
  'bedrock-eventstream': (data) => (JSON.parse(data) as ConverseDelta).delta.text,
}

/**
 * What one writes by hand: eventsource-parser, on which the AI SDK is built too, and JSON.parse; a
 * split at line ends where records are lines; a count of braces where they are an array's elements;
 * numbers and CRCs where they are AWS frames.
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
  const feed = (FEEDS[dialect] ?? eventFeed)(take)
  const decoder = new TextDecoder()
  for (const chunk of chunks) feed(decoder.decode(chunk, { stream: true }))
  feed(decoder.decode())
}

/** What cuts text into payloads, where that is not eventsource-parser. */
const FEEDS: Partial<Record<FixtureDialect, (take: (data: string) => void) => TextFeed>> = {
  'gemini-array': elementFeed,
  'ollama-chat': lineFeed,
  'ollama-generate': lineFeed,
}

function eventFeed(take: (data: string) => void): TextFeed {
  const parser = createParser({ onEvent: ({ data }) => take(data) })
  return (text) => parser.feed(text)
}

function lineFeed(take: (data: string) => void): TextFeed {
  let rest = ''
  return (text) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop()!
    for (const line of lines) if (line !== '') take(line)
  }
}
