import Anthropic from '@anthropic-ai/sdk'
import type { Chunk } from '../fixtures.ts'
import type { Sink } from '../sink.ts'
import { answering } from './response.ts'

/** The Anthropic SDK, as its readme has it: `for await` over a message's stream. */
export async function decodeByAnthropic(chunks: readonly Chunk[], sink: Sink): Promise<void> {
  const client = new Anthropic({ apiKey: 'none', fetch: answering(chunks), maxRetries: 0 })
  const stream = await client.messages.create({
    model: 'loopback',
    max_tokens: 1024,
    messages: [{ role: 'user', content: 'grind' }],
    stream: true,
  })
  for await (const event of stream) {
    if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') {
      sink.take(event.delta.text)
    }
  }
}
