import { createOpenAI } from '@ai-sdk/openai'
import { streamText } from 'ai'
import type { Chunk } from '../fixtures.ts'
import type { Sink } from '../sink.ts'
import { answering } from './response.ts'

/** The AI SDK, as its documentation has it: `textStream` of `streamText`. */
export async function decodeByAiSdk(chunks: readonly Chunk[], sink: Sink): Promise<void> {
  const openai = createOpenAI({ apiKey: 'none', fetch: answering(chunks) })
  const { textStream } = streamText({
    model: openai.chat('loopback'),
    prompt: 'grind',
    maxRetries: 0,
  })
  for await (const text of textStream) sink.take(text)
}
