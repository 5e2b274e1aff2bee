/**
 * The streams that benchmarks decode: seeded, named for the branch they drive.
 *
 * A fixture's body is a whole number of events, so it can be fed again and again between one head
 * and one tail: as long a stream as a measurement needs, from memory that a cache holds, as bytes
 * fresh from a socket are. Every chunk is an ArrayBuffer of its own, as `fetch` yields them.
 */
import { Random } from '../src/cli/provider/random.ts'
import { anthropicParts } from './fixtures/anthropic.ts'
import { bedrockParts, shuffledBedrockParts } from './fixtures/bedrock.ts'
import { chatParts, longChatParts, shuffledChatParts } from './fixtures/chat.ts'
import { cohereParts } from './fixtures/cohere.ts'
import {
  ARRAY_INDENT,
  geminiArrayParts,
  geminiInteractionsParts,
  geminiParts,
} from './fixtures/gemini.ts'
import { ollamaGenerateParts, ollamaParts } from './fixtures/ollama.ts'
import { assistantsParts, completionsParts, responsesParts } from './fixtures/openai.ts'
import type { FixtureDialect, FixtureParts } from './fixtures/parts.ts'
import { shuffled } from './fixtures/shuffled.ts'

export interface Fixture {
  readonly name: FixtureName
  readonly dialect: FixtureDialect
  readonly head: Chunk
  readonly body: readonly Chunk[]
  readonly tail: Chunk
  /** Bytes of head and tail, and of one body. */
  readonly frameBytes: number
  readonly bodyBytes: number
  /** The text deltas of one body, in order, none empty. */
  readonly tokens: readonly string[]
}

export type Chunk = Uint8Array<ArrayBuffer>

/** Events in one body: 4 MiB of chat, more than a second-level cache. */
export const BODY_EVENTS = 14_463

/** 64 KiB: what a socket that is read at full speed hands over at a time. */
export const CHUNK_BYTES: number = 64 * 1024

/**
 * - `chat`: OpenAI chat events of exactly 290 bytes that differ in their token and in the padding
 *   that api.openai.com sends: what a template matches.
 * - `chat-shuffled`: the same facts, in events no two of which share a structure: keys in random
 *   order, and one key with a name of its own. What no template matches.
 * - `chat-long`: text deltas of some 400 characters: what is copied outweighs what is parsed.
 * - `anthropic`: Anthropic Messages deltas of some 16 characters, blanks before the last brace.
 */
export const FIXTURE_NAMES = ['chat', 'chat-shuffled', 'chat-long', 'anthropic'] as const

/** One a provider, and the same `-shuffled`: events no two of which share a structure. */
export const DIALECT_FIXTURES = [
  'chat',
  'chat-shuffled',
  'anthropic',
  'anthropic-shuffled',
  'responses',
  'responses-shuffled',
  'completions',
  'completions-shuffled',
  'assistants',
  'assistants-shuffled',
  'gemini',
  'gemini-shuffled',
  'gemini-array',
  'gemini-array-shuffled',
  'gemini-interactions',
  'gemini-interactions-shuffled',
  'cohere',
  'cohere-shuffled',
  'ollama',
  'ollama-shuffled',
  'ollama-generate',
  'ollama-generate-shuffled',
  'bedrock',
  'bedrock-shuffled',
] as const

export type FixtureName = (typeof FIXTURE_NAMES | typeof DIALECT_FIXTURES)[number]

const PARTS: Record<FixtureName, (random: Random) => FixtureParts> = {
  chat: chatParts,
  'chat-shuffled': shuffledChatParts,
  'chat-long': longChatParts,
  anthropic: anthropicParts,
  'anthropic-shuffled': shuffled(anthropicParts),
  responses: responsesParts,
  'responses-shuffled': shuffled(responsesParts),
  completions: completionsParts,
  'completions-shuffled': shuffled(completionsParts),
  assistants: assistantsParts,
  'assistants-shuffled': shuffled(assistantsParts),
  gemini: geminiParts,
  'gemini-shuffled': shuffled(geminiParts),
  'gemini-array': geminiArrayParts,
  'gemini-array-shuffled': shuffled(geminiArrayParts, ARRAY_INDENT),
  'gemini-interactions': geminiInteractionsParts,
  'gemini-interactions-shuffled': shuffled(geminiInteractionsParts),
  cohere: cohereParts,
  'cohere-shuffled': shuffled(cohereParts),
  ollama: ollamaParts,
  'ollama-shuffled': shuffled(ollamaParts),
  'ollama-generate': ollamaGenerateParts,
  'ollama-generate-shuffled': shuffled(ollamaGenerateParts),
  bedrock: bedrockParts,
  'bedrock-shuffled': shuffledBedrockParts,
}

/** Makes a fixture; the same arguments give the same bytes. */
export function makeFixture(
  name: FixtureName,
  { seed = 0xc0ffee, events = BODY_EVENTS, chunkBytes = CHUNK_BYTES }: FixtureSize = {},
): Fixture {
  const { dialect, head, tail, event } = PARTS[name](new Random(seed))
  const made = Array.from({ length: events }, event)
  const bodyBytes = Buffer.concat(made.map(({ wire }) => Buffer.from(wire)))
  return {
    name,
    dialect,
    head: chunkOf(Buffer.from(head)),
    body: cut(bodyBytes, chunkBytes),
    tail: chunkOf(Buffer.from(tail)),
    frameBytes: Buffer.byteLength(head) + Buffer.byteLength(tail),
    bodyBytes: bodyBytes.length,
    tokens: made.map(({ token }) => token),
  }
}

export interface FixtureSize {
  readonly seed?: number
  /** Events in one body. Default {@link BODY_EVENTS}. */
  readonly events?: number
  readonly chunkBytes?: number
}

/** A whole stream: head, `rounds` bodies, tail. */
export function streamOf({ head, body, tail }: Fixture, rounds: number): readonly Chunk[] {
  const chunks = [head]
  for (let round = 0; round < rounds; round++) chunks.push(...body)
  chunks.push(tail)
  return chunks
}

function cut(bytes: Uint8Array, chunkBytes: number): readonly Chunk[] {
  const chunks: Chunk[] = []
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    chunks.push(chunkOf(bytes.subarray(at, at + chunkBytes)))
  }
  return chunks
}

// A Buffer's memory is a slice of a pool; this one's is its own.
function chunkOf(bytes: Uint8Array): Chunk {
  return new Uint8Array(bytes)
}
