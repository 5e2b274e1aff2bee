/** The others, as contenders: pinned in package.json, used as their readmes have it. */
import type { FixtureDialect } from './fixtures/parts.ts'
import type { Contender } from './race.ts'
import { decodeByHand } from './rivals/by-hand.ts'

/** What cuts a stream into payloads, where that is not eventsource-parser. */
const CUTTERS: Partial<Record<FixtureDialect, string>> = {
  'gemini-array': 'count of braces',
  'ollama-chat': 'split',
  'ollama-generate': 'split',
  'bedrock-eventstream': 'DataView, crc32',
}

/** What every ratio is taken against. */
export function byHand(dialect: FixtureDialect): Contender {
  return {
    name: `${CUTTERS[dialect] ?? 'eventsource-parser'} + JSON.parse`,
    decode: (chunks, sink) => decodeByHand(dialect, chunks, sink),
  }
}

// The SDKs are loaded when they are wanted: each takes a fifth of a second.

export async function openaiSdk(): Promise<Contender> {
  const { decodeByOpenai } = await import('./rivals/openai-sdk.ts')
  return { name: 'openai SDK, for await', decode: decodeByOpenai }
}

export async function anthropicSdk(): Promise<Contender> {
  const { decodeByAnthropic } = await import('./rivals/anthropic-sdk.ts')
  return { name: 'Anthropic SDK, for await', decode: decodeByAnthropic }
}

export async function aiSdk(): Promise<Contender> {
  const { decodeByAiSdk } = await import('./rivals/ai-sdk.ts')
  return { name: 'AI SDK, textStream', decode: decodeByAiSdk }
}
