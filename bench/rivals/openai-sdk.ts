import OpenAI from 'openai'
import type { Chunk } from '../fixtures.ts'
import type { Sink } from '../sink.ts'
import { answering } from './response.ts'

/** The openai SDK, as its readme has it: `for await` over a chat completion's stream. */
export async function decodeByOpenai(chunks: readonly Chunk[], sink: Sink): Promise<void> {
  const client = new OpenAI({ apiKey: 'none', fetch: answering(chunks), maxRetries: 0 })
  const stream = await client.chat.completions.create({
    model: 'loopback',
    messages: [{ role: 'user', content: 'grind' }],
    stream: true,
  })
  for await (const chunk of stream) {
    const text = chunk.choices[0]?.delta.content
    if (text !== undefined && text !== null && text !== '') sink.take(text)
  }
}
