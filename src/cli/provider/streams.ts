import { anthropicEvents, anthropicFailure } from './anthropic-events.ts'
import type { ExpectedMessage, ProviderFailure } from './expected.ts'
import { openaiChatEvents, openaiFailure } from './openai-chat-events.ts'
import { Random } from './random.ts'
import { writeScript, type TextStyle } from './script.ts'
import { StreamWriter } from './stream-writer.ts'
import type { WireEvent } from './wire.ts'

export type BundledDialect = 'openai-chat' | 'anthropic'

/** How a bundled stream ends: as its protocol has it, in mid-event, or with an error event. */
export type Ending = 'complete' | 'truncated' | 'error'

/** What to generate. Every value of an option is pure: same options, same bytes. */
export interface BundledStreamOptions {
  /** Any integer. Default 1. */
  readonly seed?: number
  /** Text deltas. 0 or more. Default 256. */
  readonly tokens?: number
  /** Reasoning deltas, before the text. Default 0. */
  readonly reasoning?: number
  /** Tool calls, after the text. Default 0. */
  readonly toolCalls?: number
  /** Whether the provider reports its totals. Default true. */
  readonly usage?: boolean
  /** `plain` is ASCII; `rich` adds every UTF-8 length, escapes and look-alikes. Default `rich`. */
  readonly text?: TextStyle
  /** Line end on the wire. Default LF. */
  readonly eol?: '\n' | '\r\n'
  /** Default `complete`; the other two stop after about three fifths of the events. */
  readonly ending?: Ending
}

export interface BundledStream {
  readonly dialect: BundledDialect
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly expected: ExpectedMessage
}

/** A stream of the project's own in the shape of OpenAI Chat Completions, ended by `[DONE]`. */
export function openaiChatStream(options: BundledStreamOptions = {}): BundledStream {
  return bundledStream('openai-chat', options)
}

/** A stream of the project's own in the shape of Anthropic Messages, ended by `message_stop`. */
export function anthropicStream(options: BundledStreamOptions = {}): BundledStream {
  return bundledStream('anthropic', options)
}

/** A bundled stream of either dialect, with what it must decode to. */
export function bundledStream(
  dialect: BundledDialect,
  options: BundledStreamOptions = {},
): BundledStream {
  const random = new Random(options.seed ?? 1)
  const chat = dialect === 'openai-chat'
  const script = writeScript(random, {
    textTokens: options.tokens ?? 256,
    reasoningTokens: options.reasoning ?? 0,
    toolCalls: options.toolCalls ?? 0,
    style: options.text ?? 'rich',
    wordsPerToken: chat ? 1 : 4,
    idPrefix: chat ? 'chatcmpl-' : 'msg_',
    callIdPrefix: chat ? 'call_' : 'toolu_',
  })
  const writeEvents = chat ? openaiChatEvents : anthropicEvents
  const events = [...writeEvents(script, random, options.usage ?? true)]
  const writer = new StreamWriter(script, options.eol ?? '\n')
  writeWithEnding(writer, events, options.ending ?? 'complete', dialect)
  return { dialect, bytes: writer.bytes(), expected: writer.expected() }
}

function writeWithEnding(
  writer: StreamWriter,
  events: readonly WireEvent[],
  ending: Ending,
  dialect: BundledDialect,
): void {
  const keep = ending === 'complete' ? events.length : Math.ceil(events.length * 0.6)
  for (const event of events.slice(0, keep)) writer.event(event)
  const next = events[keep]
  if (ending === 'truncated' && next !== undefined) writer.half(next)
  if (ending === 'error') {
    writer.event(
      dialect === 'openai-chat' ? openaiFailure(OVERLOADED) : anthropicFailure(OVERLOADED),
    )
  }
}

const OVERLOADED: ProviderFailure = { type: 'overloaded_error', message: 'The mill is overloaded' }
